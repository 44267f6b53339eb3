"""Changes training batches of texts. Notation: b texts, t tokens, 0 behind the end of each.

Marks are tokens that are no part of what is said, as pretrained networks want them at both ends: they stay.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from autodl.media.tokens import MASK, PADDING
from autodl.models.nn.text_config import TextChanges
from autodl.train.data import TensorData


class TextAugmenter:
    """Called with each training batch; all draws are from torch's generator.

    Args:
        config: What is done. columns: how many of the first inputs are texts (b, t). marks: numbers of those.
    """

    def __init__(self, config: TextChanges, columns: int, marks: tuple[int, ...] = ()) -> None:
        self.config, self.columns, self.marks = config, columns, marks

    def __call__(self, batch: TensorData) -> TensorData:
        """The batch with other texts."""
        texts = tuple(self.changed(x) for x in batch.inputs[: self.columns])
        return replace(batch, inputs=(*texts, *batch.inputs[self.columns :]))

    def changed(self, texts: Tensor) -> Tensor:
        """Each text on its own, (b, t) -> (b, t') with t' <= t; none loses its last token."""
        c, marks = self.config, self.marks
        if c.swap:
            texts = swapped(texts, c.swap, marks)
        if c.replace:
            texts = replaced(texts, c.replace, marks)
        if c.delete or c.insert:
            texts = thinned(texts, c.delete, c.insert, marks)
        return masked(texts, c.mask, marks) if c.mask else texts


def _drawn(texts: Tensor, share: float) -> Tensor:
    return torch.rand(texts.shape).to(texts.device) < share


def _said(texts: Tensor, marks: tuple[int, ...]) -> Tensor:
    """(b, t) which tokens are neither padding nor marks."""
    return ~torch.isin(texts, torch.tensor((PADDING, *marks), device=texts.device))


def masked(texts: Tensor, share: float, marks: tuple[int, ...] = ()) -> Tensor:
    """Some tokens are hidden."""
    return torch.where(_said(texts, marks) & _drawn(texts, share), MASK, texts)


def replaced(texts: Tensor, share: float, marks: tuple[int, ...] = ()) -> Tensor:
    """In place of some tokens stand tokens of the batch: any word, for synonyms would need a dictionary."""
    there = _said(texts, marks)
    pool = texts[there]
    if not len(pool):
        return texts
    drawn = pool[torch.randint(len(pool), texts.shape).to(pool.device)]
    return torch.where(there & _drawn(texts, share), drawn, texts)


def swapped(texts: Tensor, share: float, marks: tuple[int, ...] = ()) -> Tensor:
    """Some tokens change places with a neighbour; the pairs start all at even places or all at odd ones."""
    start = int(torch.randint(2, ()))
    places = torch.arange(texts.shape[1], device=texts.device)
    partner = ((places - start) ^ 1) + start
    inside = (partner >= 0) & (partner < len(places))
    partner = torch.where(inside, partner, places)
    drawn = _drawn(texts, share)[:, torch.minimum(places, partner)]
    there = _said(texts, marks)
    done = drawn & there & there[:, partner]
    return torch.where(done, texts[:, partner], texts)


def thinned(texts: Tensor, delete: float, insert: float, marks: tuple[int, ...] = ()) -> Tensor:
    """Some tokens are left out, and tokens of the batch are put behind some.

    No text gets longer than the longest before: pretrained networks read no more than they were made for.
    """
    there = _said(texts, marks)
    kept = there & ~_drawn(texts, delete)
    kept |= there & (there.cumsum(1) == 1) & ~kept.any(1, keepdim=True)  # the first one, where none would be left
    kept |= (texts != PADDING) & ~there
    pool = texts[there]
    if not len(pool):
        return texts
    added = there & _drawn(texts, insert)
    added &= added.cumsum(1) <= texts.shape[1] - kept.sum(1, keepdim=True)
    drawn = pool[torch.randint(len(pool), texts.shape).to(pool.device)]
    # Ordered by place; a token that is put in comes half a place behind; what is left out goes to the end.
    place = torch.arange(texts.shape[1], device=texts.device, dtype=torch.float32).expand(texts.shape)
    keys = torch.cat([torch.where(kept, place, torch.inf), torch.where(added, place + 0.5, torch.inf)], 1)
    keys, order = keys.sort(dim=1, stable=True)
    out = torch.where(keys.isinf(), PADDING, torch.cat([texts, drawn], 1).gather(1, order))
    return out[:, : max(1, int((out != PADDING).sum(1).max()))]
