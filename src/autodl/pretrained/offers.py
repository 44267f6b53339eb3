"""What pretrained networks could do here and how long it would take: facts for the planner."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.errors import AutodlError, ConfigError
from autodl.machine import multiplies_bfloat16
from autodl.pretrained.finding import AUTO, REMEDY, by_key, failure, find, loaded, weights_digest
from autodl.pretrained.precision import precision
from autodl.records import Modality

if TYPE_CHECKING:
    from autodl.pretrained.base import Encoder

TIMED = 8
"""Objects that are looked at to see how long one takes."""
LOOK_S = 2.0
"""Seconds that looking at the largest size may take."""
STEEPEST = 3.0
"""Largest power of the side that is believed; on a busy machine a look may catch a bad moment."""
WORDS = "the cat sat on the mat and looked at the rain "
THREAD_GAIN = 0.8
"""What each further core adds."""


@dataclass(frozen=True)
class Offer:
    """A pretrained network for images or texts, or why there is none.

    Attributes:
        key: Of the encoder; empty if there is none. name: For people.
        sizes: What it may look at, best first: pixels a side, or tokens.
        seconds: Of one object at the first size, all cores at work.
        why: Why there is none, or why this one.
        asked: Whether the user named it.
        half: Whether it is to calculate in 16 bits.
        tunable: Whether it can be trained further.
        loading: Seconds that its libraries and weights take to be loaded.
        power: With which power of the size its time grows; None for what is usual.
        language: See ``Encoder``.
    """

    key: str = ""
    name: str = ""
    sizes: tuple[int, ...] = ()
    seconds: float = 0.0
    why: str = ""
    asked: bool = False
    half: bool = False
    tunable: bool = False
    loading: float = 0.0
    power: float | None = None
    language: str = ""


def offer_for(modality: Modality, wish: str, cores: int, speed: float) -> Offer:
    """What there is for images or texts; nothing is loaded.

    Args:
        modality: IMAGE or TEXT.
        wish: What the user asked for with ``--pretrained``.
        cores: That may work on it. speed: Of one of them, relative to the reference machine.

    Raises:
        ConfigError, MissingDependencyError: If what the user asked for is not there.
    """
    found = find(wish, modality)
    if found.encoder is None:
        return Offer(why=found.why)
    e = found.encoder
    cost = e.seconds / (speed * (1.0 + THREAD_GAIN * (cores - 1)))
    return Offer(
        e.key, e.name, e.sizes, cost, found.why, asked=wish != AUTO and bool(found.why), half=multiplies_bfloat16(),
        tunable=e.tunable,
        loading=e.loading / speed, language=e.language,
    )  # fmt: skip


def timed(offer: Offer) -> Offer:
    """The same with the seconds that this machine takes now; loads the network.

    One that cannot be loaded is offered no more, unless the user asked for it.

    Raises:
        AutodlError: If the user asked for one that cannot be loaded.
    """
    if not offer.key:
        return offer
    encoder, least, best = by_key(offer.key), offer.sizes[-1], offer.sizes[0]
    try:
        seconds, power = _seconds(encoder, least, offer.half, TIMED), None
        of_best = seconds * relative_cost(encoder.modality, best, least)
        if encoder.modality is Modality.IMAGE and best > least and of_best * TIMED <= LOOK_S:
            # Large images no longer lie in the caches of the processor: their time grows faster than their pixels.
            of_best = _seconds(encoder, best, offer.half, TIMED // 2)
            power = min(STEEPEST, max(1.0, math.log(of_best / seconds) / math.log(best / least)))
    except Exception as error:  # the code and the weights come from elsewhere: anything may happen
        why = failure(encoder.name, error)
        if offer.asked:
            raise error if isinstance(error, AutodlError) else ConfigError(why, REMEDY) from error
        return Offer(why=f"{why}.")
    return replace(offer, seconds=seconds * relative_cost(encoder.modality, best, least, power), power=power)


def relative_cost(modality: Modality, size: float, best: int, power: float | None = None) -> float:
    """Time at one size over the time at the best one: pixels grow with the square of the side."""
    usual = 2.0 if modality is Modality.IMAGE else 1.0
    return float((size / best) ** (usual if power is None else power))


def _seconds(encoder: Encoder, size: int, half: bool, n: int) -> float:
    """Of one of n objects."""
    encode, objects = loaded(encoder.key, weights_digest(encoder), size), _samples(encoder, size, n)
    with precision(half):
        encode(objects)  # the first call prepares what all others use
        begun = time.perf_counter()
        encode(objects)
    return max(1e-6, time.perf_counter() - begun) / n


def _samples(encoder: Encoder, size: int, n: int) -> Any:
    if encoder.modality is Modality.IMAGE:
        return np.zeros((n, size, size, 3), np.uint8)
    return [WORDS * (size // 8)] * n
