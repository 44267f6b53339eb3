"""Networks over texts: the order of words, single words, characters, columns beside, gaps, augmentation, cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from autodl.features import Features
from autodl.media.tokens import FIRST, MASK, PADDING
from autodl.models.base import Meta, Shape, families
from autodl.models.nn.text_changes import TextAugmenter, masked, replaced, swapped, thinned
from autodl.models.rnn import Rnn
from autodl.models.text_cnn import TextCnn, TextCnnConfig
from autodl.preprocess.tokenizer import Tokenizer
from autodl.records import Modality, Task
from autodl.search.space import family_space

KEYS = sorted(k for k, f in families.items() if f.modalities == {Modality.TEXT} and f.tunes is None)
SMALL = {"embed": 24, "lr": 0.015, "batch_size": 40}
LITTLE = {Rnn.key: {"hidden": 24}, TextCnn.key: {"filters": 32}}
"""What keeps the networks of these tests small, besides."""
META = Meta(Task.CLASSIFICATION, 2, threads=1)
FILLER = ["the", "a", "film", "plot", "cat", "dog", "was", "is", "it", "they", "of", "and"]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def rows(tokenizer: Tokenizer, texts, numeric: np.ndarray | None = None) -> Features:
    table = np.empty((len(texts), 0), np.float32) if numeric is None else numeric.astype(np.float32)
    return Features(table, np.empty((len(texts), 0), np.int32), media={"said": tokenizer.batch(texts)})


def in_between(
    pairs: tuple[str, str], n: int, seed: int, filler=FILLER, glue: str = " "
) -> tuple[list[str], np.ndarray]:
    """Texts of filler with one of two insertions; the class is which."""
    rng = np.random.default_rng(seed)
    y, texts = rng.integers(0, 2, n), []
    for k in y:
        words = list(rng.choice(filler, rng.integers(4, 10)))
        words.insert(rng.integers(0, len(words) + 1), pairs[k])
        texts.append(glue.join(words))
    return texts, y


def accuracy(key: str, pairs: tuple[str, str], epochs: int = 6, filler: list[str] = FILLER, glue: str = " ") -> float:
    (texts, y), (new, y_new) = (in_between(pairs, n, s, filler, glue) for n, s in ((280, 0), (150, 1)))
    tokenizer = Tokenizer.learn(texts)
    family = families[key]
    model = family().build(family.config(**SMALL, **LITTLE.get(key, {}), epochs=epochs), META)
    model.fit(rows(tokenizer, texts), y)
    return float((model.predict(rows(tokenizer, new)) == y_new).mean())


def test_there_are_such_families() -> None:
    assert len(KEYS) == 3


@pytest.mark.parametrize("key", KEYS)
def test_one_word_decides(key) -> None:
    assert accuracy(key, ("good", "bad")) > 0.95


@pytest.mark.parametrize("key", LITTLE)
def test_the_order_of_words_decides(key) -> None:
    assert accuracy(key, ("not good", "good not"), 14) > 0.95


def test_the_order_of_chinese_characters_decides() -> None:
    assert accuracy(TextCnn.key, ("好不", "不好"), 14, filler=list("电影猫狗的一是在了"), glue="") > 0.95


def test_columns_beside_the_texts_are_used() -> None:
    texts, word = in_between(("good", "bad"), 500, 0)
    sign = np.random.default_rng(1).integers(0, 2, 500)
    y, table = word ^ sign, np.stack([sign, np.zeros(500)], axis=1)
    tokenizer = Tokenizer.learn(texts)
    model = TextCnn().build(TextCnnConfig(**SMALL, filters=32, dropout=0.2, mask=0.0, epochs=20), META)
    model.fit(rows(tokenizer, texts[:400], table[:400]), y[:400])
    new = rows(tokenizer, texts[400:], table[400:])
    assert (model.predict(new) == y[400:]).mean() > 0.9
    without = replace(new, numeric=np.zeros_like(new.numeric))
    assert (model.predict(without) == y[400:]).mean() < 0.75


@pytest.mark.parametrize("key", KEYS)
def test_what_stands_beside_in_a_batch_does_not_matter(key) -> None:
    texts, y = in_between(("good", "bad"), 60, 0)
    tokenizer = Tokenizer.learn(texts)
    family = families[key]
    model = family().build(family.config(**SMALL, epochs=1), META)
    model.fit(rows(tokenizer, texts), y)
    mixed = ["good", " ".join(FILLER * 4), None, ""]
    together = model.predict_proba(rows(tokenizer, mixed))
    for k, text in enumerate(mixed):
        np.testing.assert_allclose(model.predict_proba(rows(tokenizer, [text]))[0], together[k], atol=1e-5)
    bias = torch.softmax(model.loaded().head.bias.detach(), 0).numpy()
    np.testing.assert_allclose(together[2:], [bias, bias], rtol=1e-5)


@pytest.mark.parametrize("key", KEYS)
def test_every_configuration_trains_a_step(key) -> None:
    rng = np.random.default_rng(3)
    family, space = families[key], family_space(key)
    own = {k: v for k, v in space.complete({}).items() if not k.startswith("prep.")}
    assert own == {k: getattr(family.config(), k) for k in own}
    tokenizer = Tokenizer.learn(["a b c d", "b c d e"] * 2)
    X = rows(tokenizer, ["a b c d e", "b", None, "c d"], rng.normal(size=(4, 2)))
    for _ in range(6):
        config = family.config(**{k: v for k, v in space.sample(rng).items() if not k.startswith("prep.")})
        model = family().build(config, META)
        model.learn(X)
        inputs = model.fetcher(X)(model.inputs(X))
        module = model.stored_module(3)
        loss = torch.nn.functional.cross_entropy(module(*inputs), torch.arange(4) % 3)
        loss.backward()
        assert bool(torch.isfinite(loss))
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in module.parameters()), config


def test_changes_of_texts() -> None:
    texts = torch.zeros(300, 12, dtype=torch.long)
    for i, n in enumerate(torch.randint(1, 13, (300,)).tolist()):
        texts[i, :n] = torch.arange(FIRST, FIRST + n)
    lengths = (texts != PADDING).sum(1)
    other = swapped(texts, 0.5)
    assert torch.equal(other.sort(1).values, texts.sort(1).values) and not torch.equal(other, texts)
    assert int((other - texts).abs().max()) == 1  # neighbours only, and never with padding
    fewer = thinned(texts, 0.5, 0.0)
    kept = (fewer != PADDING).sum(1)
    assert bool((kept >= 1).all()) and 0.4 < float(kept.sum() / lengths.sum()) < 0.65
    assert all(bool((row[:n].diff() > 0).all()) and not row[n:].any() for row, n in zip(fewer, kept, strict=True))
    more = thinned(torch.nn.functional.pad(texts, (0, 12)), 0.0, 0.5)
    assert 1.35 < float((more != PADDING).sum() / lengths.sum()) < 1.65
    hidden = masked(texts, 0.3)
    assert torch.equal(hidden == PADDING, texts == PADDING)
    assert 0.2 < float((hidden == MASK).sum() / lengths.sum()) < 0.4
    others = replaced(texts, 0.3)
    assert torch.equal(others == PADDING, texts == PADDING)
    assert 0.15 < float((others != texts).sum() / lengths.sum()) < 0.35  # a few are replaced by their like
    assert replaced(torch.zeros(2, 3, dtype=torch.long), 0.5).shape == (2, 3)
    assert thinned(torch.zeros(2, 3, dtype=torch.long), 0.5, 0.5).shape == (2, 3)
    same = TextAugmenter(TextCnnConfig(mask=0.0), 1).changed(texts)
    assert torch.equal(same, texts)


def test_changes_of_texts_keep_marks_at_both_ends() -> None:
    first, last = FIRST + 100, FIRST + 101
    texts = torch.zeros(300, 12, dtype=torch.long)
    for i, n in enumerate(torch.randint(1, 11, (300,)).tolist()):
        texts[i, : n + 2] = torch.tensor([first, *range(FIRST, FIRST + n), last])
    marks = (texts == first) | (texts == last)
    for share in ({"mask": 0.9}, {"replace": 0.9}, {"swap": 0.9}):
        other = TextAugmenter(TextCnnConfig(**{"mask": 0.0, **share}), 1, (first, last)).changed(texts)
        assert torch.equal((other == first) | (other == last), marks), share
        assert not torch.equal(other, texts)
    for delete, insert in ((0.9, 0.0), (0.0, 0.9), (0.9, 0.9)):
        other = TextAugmenter(TextCnnConfig(mask=0.0, delete=delete, insert=insert), 1, (first, last)).changed(texts)
        ends = (other != PADDING).sum(1)
        assert bool((other[:, 0] == first).all() and (other.gather(1, ends[:, None] - 1) == last).all())
        assert int((other == first).sum() + (other == last).sum()) == 600
        assert int(ends.min()) >= 3  # of no text are marks all that is left
        assert other.shape[1] <= texts.shape[1]  # no more than a pretrained network may read


@pytest.mark.parametrize("key", KEYS)
def test_what_a_training_costs(key) -> None:
    def seconds(rows: int = 4000, tokens: int = 50, **fields) -> float:
        shape = Shape(rows=rows, numeric=0, text=1, text_tokens=tokens, classes=2)
        return families[key]().estimate_cost(shape, families[key].config(**fields)).seconds

    assert seconds(epochs=10) == pytest.approx(10 * seconds(epochs=1))
    assert seconds(tokens=20) < seconds() < seconds(tokens=200)
    assert seconds(tokens=900) == seconds(tokens=256)
    assert seconds(embed=32) < seconds(embed=192)


def test_a_network_over_texts_needs_texts() -> None:
    X = Features(np.zeros((3, 1), np.float32), np.empty((3, 0), np.int32))
    for key in KEYS:
        with pytest.raises(ValueError, match="needs a column of texts"):
            families[key]().build(families[key].config(), META).fit(X, np.arange(3) % 2)


@pytest.mark.parametrize(("letters", "least", "most"), [(True, 0.95, 1.0), (False, 0.0, 0.85)])
def test_the_order_of_letters_decides(letters: bool, least: float, most: float) -> None:
    """Names of which none comes twice; the class is the order of two letters somewhere in them."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 900)
    texts = []
    for k in y:
        name = list(rng.choice(list("aeioulmnr"), rng.integers(6, 12)))
        name.insert(rng.integers(0, len(name) + 1), ("st", "ts")[k])
        texts.append("".join(name))
    tokenizer = Tokenizer.learn(texts[:700], letters)
    assert tokenizer.characters is letters
    model = Rnn().build(Rnn.config(**SMALL, hidden=24, pooling="last", epochs=12), META)
    model.fit(rows(tokenizer, texts[:700]), y[:700])
    assert least < float((model.predict(rows(tokenizer, texts[700:])) == y[700:]).mean()) <= most
