"""What becomes of a plan whose pretrained network is too slow or fails: it looks at less, or is left out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from autodl.clock import Deadline
from autodl.planning.encoding import at_size, without_encoder

if TYPE_CHECKING:
    from autodl.preprocess.vector_makers import VectorMaker
    from autodl.records import Footprint, Plan
    from autodl.run_context import RunContext
    from autodl.search.trial import TrialData


def for_latency(
    ctx: RunContext,
    plan: Plan,
    maker: VectorMaker,
    columns: tuple[str, ...],
    data: TrialData,
    takes: dict[str, Footprint],
) -> Plan | None:
    """The plan with a network looking at less, or without it, where it alone is slower than a row may be.

    What it takes is added to ``takes``, by column. None where it may stay: one that the user asked for, by its name
    or by that of a family that trains it further, and in a run that goes on with trials that have learnt from it.
    """
    from autodl.models.base import families
    from autodl.pretrained.finding import AUTO, failure
    from autodl.report.limits import row_time
    from autodl.stages.vector_costs import column_takes

    limit, named = ctx.options.max_latency_s, ctx.options.named_families
    if limit is None or ctx.options.pretrained != AUTO or any(families[key].tunes for key in named):
        return None
    if ctx.folder.trials():
        return None
    try:
        takes |= {column: column_takes(maker, data.frame, column) for column in columns}
    except Exception as error:  # see ``_attempt``
        logging.getLogger("autodl").exception("%s failed", maker.encoder)
        return left_out(ctx, plan, maker, failure(name_of(maker), error).rstrip("."))
    needed = sum(t.row_s or 0.0 for t in takes.values())
    if needed <= limit:
        return None
    why = f"{name_of(maker)} alone takes about {row_time(needed)} for one row, and {row_time(limit)} are allowed"
    size = _size_within(maker, needed, limit)
    return left_out(ctx, plan, maker, why) if size is None else at_smaller(ctx, plan, maker, size, why)


def at_smaller(ctx: RunContext, plan: Plan, maker: VectorMaker, size: int, why: str) -> Plan:
    """Tell why a pretrained network looks at less, and the plan in which it does."""
    unit = "pixels" if any(f.recipe.image_encoder == maker.encoder for f in plan.families) else "tokens"
    told = f"{why}, so it looks at {size} {unit} instead of {maker.size}."
    ctx.note(told)
    return at_size(plan, maker.encoder, size, told)


def smaller(maker: VectorMaker, late: TimeoutError, limit: Deadline) -> int | None:
    """The largest smaller size at which all would be read in the time that is left; None if there is none."""
    from autodl.preprocess.vector_making import TooSlowError

    if not isinstance(late, TooSlowError) or late.seconds is None:
        return None
    return _size_within(maker, late.seconds, limit.left())


def _size_within(maker: VectorMaker, seconds: float, limit: float) -> int | None:
    """The largest smaller size at which what now takes so many seconds keeps the limit; None if there is none."""
    from autodl.pretrained.finding import by_key
    from autodl.pretrained.offers import relative_cost

    encoder = by_key(maker.encoder)
    shares = {s: relative_cost(encoder.modality, s, maker.size) for s in encoder.sizes if s < maker.size}
    return next((size for size, share in shares.items() if seconds * share <= limit), None)


def nothing_read(late: TimeoutError) -> bool:
    """Whether the time was up before the first images or texts were read, so that nothing tells how slow it is."""
    from autodl.preprocess.vector_making import TooSlowError

    return isinstance(late, TooSlowError) and late.seconds is None and not len(late.done)


def left_out(ctx: RunContext, plan: Plan, maker: VectorMaker, why: str) -> Plan:
    """Tell why a pretrained network takes no part, and the plan without it."""
    from autodl.preprocess.vectors import vector_memory

    vector_memory.forget(maker.key)
    ctx.note(f"{why}; it is left out.")
    return without_encoder(plan, maker.encoder, f"{why}.")


def name_of(maker: VectorMaker) -> str:
    """What people call the network."""
    from autodl.pretrained.finding import by_key

    return by_key(maker.encoder).name
