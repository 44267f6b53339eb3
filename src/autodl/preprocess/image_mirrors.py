"""Whether a class, or a number, is told as well from the mirror images of held-out images as from these.

Mirroring training images helps where a mirror image is as likely as the image, and harms where the side matters:
letters, signs, gauges. What holds can be seen: a linear model of colours and outlines that has never seen a mirror
image finds mirrored ones no harder if images are as often one way round as the other, and is lost on them if not.

Notation: n images, m of them held out, k numbers of an image, c targets (one of each class, or the number).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autodl.preprocess.image_hog import oriented_gradients
from autodl.preprocess.image_summary import colour_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PENALTIES = tuple(10.0**e for e in range(6))
"""Of the ridge regression on columns of unit spread; chosen by leave-one-out errors."""
TELLING = 3.0
"""Standard errors by which the model must beat the mean, so that there is anything to lose."""


class Lost(NamedTuple):
    """What a change of the held-out images takes away of what the model knows about them."""

    share: float
    """0: nothing; 1: all that it knew; more where it is misled."""
    error: float
    """Standard error of the share."""

    @property
    def low(self) -> float:
        """Lower end of a 95 % interval."""
        return self.share - 1.96 * self.error

    @property
    def high(self) -> float:
        """Upper end."""
        return self.share + 1.96 * self.error


class Mirrored(NamedTuple):
    """What is lost when held-out images are mirrored."""

    sides: Lost
    """Left to right."""
    upside_down: Lost
    skill: float
    """Share of the variance of the targets that the model explains on the images as they are."""
    images: int
    """Held out, of all folds together."""


def looks_of(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """(n, k) colours and outlines of (n, S, S, 3) images, side by side for the columns of images."""
    parts = [f(pixels) for pixels in images for f in (colour_summary, oriented_gradients)]
    return np.hstack(parts).astype(np.float64)


def sides(images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Mirrored left to right."""
    return [pixels[:, :, ::-1] for pixels in images]


def upside_down(images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Mirrored top to bottom."""
    return [pixels[:, ::-1] for pixels in images]


def mirrored(
    looks: Sequence[NDArray[np.float64]],
    y: NDArray[Any],
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    n_classes: int,
) -> Mirrored | None:
    """What mirroring takes away; None where the model tells too little from colours and outlines to judge by.

    Args:
        looks: (n, k) of the images as they are, mirrored left to right, and upside down.
        y: (n,) targets.
        folds: Positions to learn from and positions to judge, at least one pair.
        n_classes: Of the targets; 0 for numbers.
    """
    parts = [_errors(looks, _targets(y, n_classes), train, valid) for train, valid in folds]
    blind, plain, left_right, top_bottom = np.hstack(parts)
    gain = float((blind - plain).mean())
    if not gain > TELLING * _error(blind - plain):
        return None

    def lost(errors: NDArray[np.float64]) -> Lost:
        return Lost(float((errors - plain).mean()) / gain, _error(errors - plain) / gain)

    return Mirrored(lost(left_right), lost(top_bottom), gain / float(blind.mean()), len(plain))


def _errors(
    looks: Sequence[NDArray[np.float64]],
    wanted: NDArray[np.float64],
    train: NDArray[np.intp],
    valid: NDArray[np.intp],
) -> NDArray[np.float64]:
    """(4, m) squared errors of the mean, and of a model of the first looks on the first, second and third ones."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(looks[0][train], wanted[train])
    answers = [model.predict(view[valid]).reshape(len(valid), -1) for view in looks]
    blind = np.broadcast_to(wanted[train].mean(axis=0), answers[0].shape)
    return np.stack([((answer - wanted[valid]) ** 2).sum(axis=1) for answer in (blind, *answers)])


def _targets(y: NDArray[Any], n_classes: int) -> NDArray[np.float64]:
    """(n, c)."""
    return np.eye(n_classes)[y] if n_classes else np.asarray(y, np.float64)[:, None]


def _error(values: NDArray[np.float64]) -> float:
    """Standard error of the mean."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))
