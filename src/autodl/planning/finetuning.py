"""Whether a pretrained network can be trained further on the images at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from autodl.records import Modality, Plan

if TYPE_CHECKING:
    from autodl.planning.encoding import Encoding


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


def without_tuned(plan: Plan, key: str) -> Plan:
    """The plan without the families that train this pretrained network further."""
    families = tuple(f for f in plan.families if f.encoder != key)
    return plan if len(families) == len(plan.families) else plan.model_copy(update={"families": families})
