"""Which pretrained networks read the images and texts, and at which size: what the budget allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autodl.duration import format_duration
from autodl.planning.facts import Facts
from autodl.pretrained.offers import Offer, relative_cost
from autodl.records import ColumnInfo, Decision, Modality

SHARE = 1 / 3
"""Share of the budget that reading all images or texts once may take."""
ASKED_SHARE = 0.6
"""The same for a network that the user asked for."""
LOAD_S = 6.0
"""Seconds that its libraries take to be loaded, here and in the processes that train."""
_TOPICS = {Modality.IMAGE: "Images", Modality.TEXT: "Sentences"}
CHARACTERS_A_TOKEN = 4.0
CHARACTERS = 200.0
"""Of a text whose length is not known."""


@dataclass(frozen=True)
class Encoding:
    """A pretrained network that takes part.

    Attributes:
        key: Of the encoder. name: For people. size: Pixels a side or tokens. seconds: For all objects.
        half: Whether it calculates in 16 bits.
    """

    key: str
    name: str
    size: int
    seconds: float
    half: bool = False


def choose_encodings(
    facts: Facts, offers: Mapping[Modality, Offer]
) -> tuple[dict[Modality, Encoding], tuple[Decision, ...]]:
    """The networks that fit into the budget, and the decisions in words.

    Args:
        facts: Of the table.
        offers: What there is for images and texts.
    """
    chosen: dict[Modality, Encoding] = {}
    decisions: list[Decision] = []
    for modality, columns in ((Modality.IMAGE, facts.images), (Modality.TEXT, facts.text)):
        offer = offers.get(modality)
        if not columns or offer is None:
            continue
        encoding, decision = _choose(modality, columns, offer, facts)
        decisions.append(decision)
        if encoding is not None:
            chosen[modality] = encoding
    return chosen, tuple(decisions)


def seconds_at(size: int, modality: Modality, columns: tuple[ColumnInfo, ...], offer: Offer) -> float:
    """For all objects of the columns, the libraries included."""
    total = 0.0
    for column in columns:
        read = float(size)
        if modality is Modality.TEXT:
            length = CHARACTERS if column.mean_length is None else column.mean_length
            read = min(read, 2.0 + length / CHARACTERS_A_TOKEN)
        total += (column.n - column.n_missing) * offer.seconds * relative_cost(modality, read, offer.sizes[0])
    return LOAD_S + total


def instead(modality: Modality, why: str) -> Decision:
    """That no pretrained network reads them, and why."""
    images = modality is Modality.IMAGE
    return Decision(topic=_TOPICS[modality], choice="colours and outlines" if images else "words alone", why=why)


def _choose(
    modality: Modality, columns: tuple[ColumnInfo, ...], offer: Offer, facts: Facts
) -> tuple[Encoding | None, Decision]:
    images = modality is Modality.IMAGE
    what, unit = ("images", "pixels") if images else ("texts", "tokens")
    if not offer.key:
        return None, instead(modality, offer.why)
    share = ASKED_SHARE if offer.asked else SHARE
    limit = float("inf") if facts.options.time_budget_s is None else share * facts.options.time_budget_s
    costs = {size: seconds_at(size, modality, columns, offer) for size in offer.sizes}
    size = next((s for s, seconds in costs.items() if seconds <= limit), None)
    if size is None:
        least = format_duration(min(costs.values()))
        why = (
            f"Reading the {what} with {offer.name} would take about {least}, and {format_duration(limit)} of the "
            "budget may be spent on it. Give more time to have it."
        )
        return None, instead(modality, why)
    smaller = "" if size == offer.sizes[0] else f", smaller than the {offer.sizes[0]} it knows best, to save time"
    why = (
        f"It was trained on millions of {what} and turns each into numbers that say what is in it, so that few rows "
        f"suffice to learn from. All are read once, in about {format_duration(costs[size])}, at {size} {unit}"
        f"{smaller}."
    )
    encoding = Encoding(offer.key, offer.name, size, costs[size], offer.half)
    choice = f"by {offer.name}" if images else f"by {offer.name}, beside their words"
    told = f"{offer.why} {why}" if offer.why else why
    evidence = {"seconds": round(costs[size], 1), "size": size}
    return encoding, Decision(topic=_TOPICS[modality], choice=choice, why=told, evidence=dict(evidence))
