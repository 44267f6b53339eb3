"""Whether networks over images see mirror images while they learn: what held-out images say about it."""

from __future__ import annotations

from autodl.preprocess.image_mirrors import Lost, Mirrored
from autodl.records import Decision, FamilyPlan, Plan
from autodl.search.fitting import planned_space

TOPIC = "Mirror images"
PARAMETER = "flip"
"""Of the search spaces of networks over images."""
HARMFUL = 0.25
"""Mirror images that cost surely more than this share of what is known are of another kind than the images."""
HARMLESS = 0.1
"""Those that cost surely less are as likely as the images."""
MODELS = "Models"
"""Topic of the decision before which this one stands."""


def mirrors(family: FamilyPlan) -> bool:
    """Whether the planner decides how this family mirrors images; not where the search space is the user's own."""
    return family.space is None and PARAMETER in planned_space(family).params


def with_mirroring(plan: Plan, found: Mirrored | None) -> Plan:
    """The plan whose image networks begin with the mirroring that fits the images, and why.

    Args:
        plan: The plan so far.
        found: What mirroring held-out images takes away; None if that could not be told.
    """
    flip, decision = _choose(found)
    families = tuple(
        f.model_copy(update={"defaults": {**f.defaults, PARAMETER: flip}}) if mirrors(f) else f for f in plan.families
    )
    place = next((i for i, d in enumerate(plan.decisions) if d.topic == MODELS), len(plan.decisions))
    decisions = (*plan.decisions[:place], decision, *plan.decisions[place:])
    return plan.model_copy(update={"families": families, "decisions": decisions})


def _choose(found: Mirrored | None) -> tuple[str, Decision]:
    """Value of the parameter, and the decision in words."""
    usual = "training images are also seen mirrored, left to right"
    if found is None:
        why = (
            "That suits most photos. Colours and outlines tell too little of the target to see whether it suits "
            "these. Other ways are tried as well."
        )
        return "horizontal", Decision(topic=TOPIC, choice=usual, why=why)
    seen = (
        f"A simple model that had seen no mirror image lost {_words(found.sides)} of what it knows when "
        f"{found.images:,} held-out images were mirrored left to right, and {_words(found.upside_down)} upside down"
    )
    evidence = {
        "sides_lost": round(found.sides.share, 3), "upside_down_lost": round(found.upside_down.share, 3),
        "images": found.images,
    }  # fmt: skip
    if found.sides.low > HARMFUL:
        flip, choice = "none", "training images are not mirrored at first"
        why = f"{seen}: the side matters, as it does in letters, signs and dials."
    elif max(found.sides.high, found.upside_down.high) < HARMLESS:
        flip, choice = "both", "training images are also seen mirrored, left to right and upside down"
        why = f"{seen}: there is no right way up, so that each image can teach as four."
    else:
        flip, choice = "horizontal", usual
        why = f"{seen}. Mirroring by which little is lost makes more of the images that there are."
    return flip, Decision(topic=TOPIC, choice=choice, why=f"{why} Other ways are tried as well.", evidence=evidence)


def _words(lost: Lost) -> str:
    """The share with its interval, between nothing and everything."""
    low, middle, high = (round(100 * min(1.0, max(0.0, v))) for v in (lost.low, lost.share, lost.high))
    return f"{middle} %" if low == high else f"{middle} % (95 % interval {low} to {high})"
