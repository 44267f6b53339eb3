"""Which pretrained networks read the images and texts, and at which size: what the budget allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autodl.duration import format_duration
from autodl.models.base import families
from autodl.planning.facts import Facts
from autodl.pretrained.offers import Offer, relative_cost
from autodl.records import ColumnInfo, Decision, Modality, Plan, Recipe
from autodl.text_words import UNSPACED

SHARE = 1 / 3
"""Share of the budget that reading all images and texts once may take, the libraries included."""
ASKED_SHARE = 0.6
"""The same for a network that the user asked for."""
BESIDE_SHARE = 0.1
"""The same for short texts beside other columns, such as names and titles: these seldom decide."""
SHORT = 80.0
"""Characters of a text in the mean, below which texts are short."""
_TOPICS = {Modality.IMAGE: "Images", Modality.TEXT: "Sentences"}
CHARACTERS_A_TOKEN = 4.0
"""Where words have spaces between them; elsewhere each character is a token."""
FEWEST_CHARACTERS = 20
"""Of all examples together, to tell by them which script it is."""
LAST_LATIN = "\u024f"
"""Of the letters of Europe's languages, accents included."""
_UNSPACED = re.compile(f"[{UNSPACED}]")

CHARACTERS = 200.0
"""Of a text whose length is not known."""
ENLARGED = 5
"""Times the side of the images, beyond which looking at them larger tells nothing more."""
FEW = 20_000
"""Rows up to which the words of a plan say that there are few."""


@dataclass(frozen=True)
class Encoding:
    """A pretrained network that takes part.

    Attributes:
        key: Of the encoder. name: For people. size: Pixels a side or tokens. seconds: For all objects.
        half: Whether it calculates in 16 bits. tunable: whether it can be trained further.
        reads: Whether all objects are read with it; if not, it is there to be trained further only.
    """

    key: str
    name: str
    size: int
    seconds: float
    half: bool = False
    tunable: bool = False
    reads: bool = True


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
    for modality in (Modality.IMAGE, Modality.TEXT):
        offer = offers.get(modality)
        if not _columns(facts, modality) or offer is None:
            continue
        # What is planned for images is not there for texts any more.
        encoding, decision = _choose(modality, offer, facts, sum(e.seconds for e in chosen.values()))
        decisions.append(decision)
        if encoding is not None:
            chosen[modality] = encoding
    return chosen, tuple(decisions)


def affordable(facts: Facts, modality: Modality, offer: Offer) -> bool:
    """Whether the network knows the language, and fits into the budget at some size."""
    columns = _columns(facts, modality)
    return not _foreign(offer, columns) and min(
        seconds_at(s, modality, columns, offer) for s in offer.sizes
    ) <= _limit(facts, modality, offer)


def seconds_at(size: int, modality: Modality, columns: tuple[ColumnInfo, ...], offer: Offer) -> float:
    """For all objects of the columns, the libraries included."""
    return offer.loading + sum((c.n - c.n_missing) * _each(size, modality, c, offer) for c in columns)


def _each(size: int, modality: Modality, column: ColumnInfo, offer: Offer) -> float:
    """Seconds of one object of a column."""
    read = float(size)
    if modality is Modality.TEXT:
        length = CHARACTERS if column.mean_length is None else column.mean_length
        read = min(read, 2.0 + length / _token_length(column))
    return offer.seconds * relative_cost(modality, read, offer.sizes[0], offer.power)


def _token_length(column: ColumnInfo) -> float:
    """Characters of a token in the mean, by the scripts of the examples that the profile holds."""
    examples = "".join(text for text, _ in column.top)
    if len(examples) < FEWEST_CHARACTERS:
        return CHARACTERS_A_TOKEN
    alone = len(_UNSPACED.findall(examples))
    return len(examples) / (alone + (len(examples) - alone) / CHARACTERS_A_TOKEN)


def _foreign(offer: Offer, columns: tuple[ColumnInfo, ...]) -> bool:
    """Whether most letters of the examples are of scripts that the network was not trained on."""
    letters = [c for column in columns for text, _ in column.top for c in text if c.isalpha()]
    if offer.asked or not offer.language or len(letters) < FEWEST_CHARACTERS:
        return False
    return 2 * sum(c > LAST_LATIN for c in letters) > len(letters)


def _useful(sizes: tuple[int, ...], columns: tuple[ColumnInfo, ...]) -> tuple[int, ...]:
    """The sizes at which small images are not enlarged beyond what helps; the smallest one at least."""
    sides = [c.parse.side for c in columns if c.parse.side is not None]
    most = ENLARGED * max(sides) if sides else max(sizes)
    return tuple(s for s in sizes if s <= most) or sizes[-1:]


def _columns(facts: Facts, modality: Modality) -> tuple[ColumnInfo, ...]:
    return facts.images if modality is Modality.IMAGE else facts.text


def _limit(facts: Facts, modality: Modality, offer: Offer) -> float:
    """Seconds that reading may take; without a clock, as long as it takes."""
    if facts.options.time_budget_s is None:
        return float("inf")
    share = ASKED_SHARE if offer.asked else BESIDE_SHARE if _beside(facts, modality) else SHARE
    return share * facts.options.time_budget_s


def _beside(facts: Facts, modality: Modality) -> bool:
    """Whether these are short texts beside other columns."""
    if modality is not Modality.TEXT or len(facts.features) == len(facts.text):
        return False
    return all(c.mean_length is not None and c.mean_length < SHORT for c in facts.text)


def instead(modality: Modality, why: str) -> Decision:
    """That no pretrained network reads them, and why."""
    images = modality is Modality.IMAGE
    return Decision(topic=_TOPICS[modality], choice="colours and outlines" if images else "words alone", why=why)


def without_encoder(plan: Plan, key: str, why: str) -> Plan:
    """The plan with colours and outlines, or words alone, where it has this pretrained network, and why."""

    def changed(recipe: Recipe) -> Recipe:
        change: dict[str, object] = {}
        if recipe.image_encoder == key:
            change |= {"images": "hog", "image_encoder": ""}
        if recipe.text_encoder == key:
            change |= {"text_encoder": "", "embedding": False}
        return recipe.model_copy(update=change)

    return _changed(without_tuned(plan, key), changed, instead(_modality(plan, key), why))


def at_size(plan: Plan, key: str, size: int, why: str) -> Plan:
    """The plan with this pretrained network looking at fewer pixels or tokens, and why."""

    def changed(recipe: Recipe) -> Recipe:
        change: dict[str, object] = {}
        if recipe.image_encoder == key:
            change["image_side"] = size
        if recipe.text_encoder == key:
            change["text_tokens"] = size
        return recipe.model_copy(update=change)

    topic = _TOPICS[_modality(plan, key)]
    before = next((d for d in plan.decisions if d.topic == topic), Decision(topic=topic, choice="", why=""))
    update = {"why": f"{before.why} {why}".strip(), "evidence": {**before.evidence, "size": size}}
    return _changed(plan, changed, before.model_copy(update=update))


def _modality(plan: Plan, key: str) -> Modality:
    images = any(f.recipe.image_encoder == key for f in plan.families)
    return Modality.IMAGE if images else Modality.TEXT


def _changed(plan: Plan, changed: Callable[[Recipe], Recipe], decision: Decision) -> Plan:
    families = tuple(f.model_copy(update={"recipe": changed(f.recipe)}) for f in plan.families)
    decisions = tuple(decision if d.topic == decision.topic else d for d in plan.decisions)
    return plan.model_copy(update={"families": families, "decisions": decisions})


def _choose(modality: Modality, offer: Offer, facts: Facts, planned_s: float) -> tuple[Encoding | None, Decision]:
    images, columns = modality is Modality.IMAGE, _columns(facts, modality)
    what, unit = ("images", "pixels") if images else ("texts", "tokens")
    if not offer.key:
        return None, instead(modality, offer.why)
    if not images and _foreign(offer, columns):
        why = (
            f"{offer.name} knows {offer.language}, but most letters of these texts are of another script. Name a "
            "network that knows their language with --pretrained."
        )
        return None, instead(modality, why)
    limit = max(0.0, _limit(facts, modality, offer) - planned_s)
    sizes = _useful(offer.sizes, columns)
    costs = {size: seconds_at(size, modality, columns, offer) for size in sizes}
    size = next((s for s, seconds in costs.items() if seconds <= limit), None)
    if size is None:
        least = format_duration(min(costs.values()))
        short = "short texts beside other columns seldom decide, so that only " if _beside(facts, modality) else ""
        why = (
            f"Reading the {what} with {offer.name} would take about {least}, and {short}{format_duration(limit)} of "
            f"the budget may be spent on it. {_remedy(offer)}"
        )
        if not (offer.tunable and _trained_further(modality, facts)):
            return None, instead(modality, why)
        # A family that was asked for needs the network, but no vectors of all objects.
        alone = Encoding(offer.key, offer.name, sizes[-1], 0.0, offer.half, tunable=True, reads=False)
        return alone, instead(modality, f"{why} It is only trained further, as you asked for that.")
    smaller = "" if size == offer.sizes[0] else f", smaller than the {offer.sizes[0]} it knows best, to save time"
    if size == sizes[0] != offer.sizes[0]:
        smaller = ", since small images tell no more when they are enlarged further"
    n = sum(c.n - c.n_missing for c in columns)
    few = f"{n:,} are few for a network that starts from nothing. " if n <= FEW else ""
    row = sum(_each(size, modality, c, offer) for c in columns)
    why = (
        f"{few}This one was trained on very many {what} and turns each into numbers that say what is in it, so that "
        f"few rows suffice to learn from. All are read once, in about {format_duration(costs[size])}, at {size} "
        f"{unit}{smaller}; new rows are read in the same way, many at once in about "
        f"{format_duration(max(row, 1e-3))} each."
    )
    encoding = Encoding(offer.key, offer.name, size, costs[size], offer.half, offer.tunable)
    choice = f"by {offer.name}" if images else f"by {offer.name}, beside their words"
    told = f"{offer.why} {why}" if offer.why else why
    evidence = {"seconds": round(costs[size], 1), "size": size}
    return encoding, Decision(topic=_TOPICS[modality], choice=choice, why=told, evidence=dict(evidence))


def _trained_further(modality: Modality, facts: Facts) -> bool:
    """Whether a family was asked for that goes on from a pretrained network for these."""
    asked = facts.options.named_families
    return any(key in asked and family.tunes is modality for key, family in families.items())


def _remedy(offer: Offer) -> str:
    return (
        "Give more time to have it."
        if offer.asked
        else f"To have it, give more time, or name it: --pretrained {offer.key}."
    )


def untunable(modality: Modality, encodings: Mapping[Modality, Encoding]) -> str:
    """Why no pretrained network can be trained further, or an empty string.

    Args:
        modality: What it reads. encodings: Networks that take part.
    """
    encoding = encodings.get(modality)
    if encoding is None:
        return "It goes on from a pretrained network, and none takes part."
    if not encoding.tunable:
        return f"{encoding.name} takes part, but it can only be used as it is, not be trained further."
    return ""


def nothing_to_tune(modality: Modality, encodings: Mapping[Modality, Encoding], reading: Sequence[Decision]) -> str:
    """The same for a family that was asked for, with what was decided on such networks.

    Args:
        modality: What it reads. encodings: Networks that take part. reading: The decisions on them.
    """
    why = untunable(modality, encodings)
    told = [d.why for d in reading if modality not in encodings and d.topic == _TOPICS[modality]]
    return (told or [why])[0] if why else ""


def without_tuned(plan: Plan, key: str) -> Plan:
    """The plan without the families that train this pretrained network further."""
    families = tuple(f for f in plan.families if f.encoder != key)
    return plan if len(families) == len(plan.families) else plan.model_copy(update={"families": families})
