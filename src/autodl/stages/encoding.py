"""Images and texts read once by what turns them into vectors, before the search asks for them again and again."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import Deadline
from autodl.errors import AutodlError, ConfigError, StoppedError
from autodl.media.place import MediaPlace
from autodl.planning.encoding import affordable
from autodl.planning.facts import Facts
from autodl.records import ColumnKind, Modality
from autodl.stages.encoder_changes import at_smaller, for_latency, left_out, name_of, nothing_read, smaller
from autodl.store.lock import MEDIA

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from autodl.machine import Machine
    from autodl.options import FitOptions
    from autodl.preprocess.vector_makers import VectorMaker
    from autodl.preprocess.vector_making import Objects
    from autodl.preprocess.vectors import VectorTable
    from autodl.pretrained.offers import Offer
    from autodl.records import Footprint, Plan, Profile, TableSchema
    from autodl.run_context import RunContext
    from autodl.search.trial import TrialData
    from autodl.stages.problem import Problem

LEFT_SHARE, ASKED_LEFT_SHARE = 0.5, 0.75
"""Of the time left, what reading may take if it is slower than planned; with a network that was asked for."""
OPTIMISM = 3.0
"""A network is loaded to see how long it takes where it would fit if it were so many times quicker than expected."""
_KINDS = {ColumnKind.IMAGE: Modality.IMAGE, ColumnKind.TEXT: Modality.TEXT}


def encoder_offers(profile: Profile, options: FitOptions, machine: Machine) -> dict[Modality, Offer]:
    """The pretrained networks that there are for the images and texts of a table.

    With a clock they are loaded and timed on a few objects; without one nothing may depend on measured seconds.

    Raises:
        ConfigError, MissingDependencyError: If what the user asked for is not there.
    """
    from autodl.pretrained.offers import offer_for, timed

    columns = [c for c in profile.columns.only(profile.features).columns if c.kind in _KINDS]
    offers: dict[Modality, Offer] = {}
    present = {_KINDS[c.kind] for c in columns}
    _suits(options.pretrained, present)
    facts = Facts(profile, options)
    for modality in sorted(present):
        offer = offer_for(modality, options.pretrained, machine.cores, machine.speed)
        quick = replace(offer, seconds=offer.seconds / OPTIMISM)
        if options.time_budget_s is not None and offer.key and affordable(facts, modality, quick):
            offer = timed(offer)
        offers[modality] = offer
    return offers


def _suits(wish: str, present: set[Modality]) -> None:
    """Whether the network that the user asked for, if any, has something to read."""
    from autodl.pretrained.finding import AUTO, NONE, by_key, key_of

    if wish in (AUTO, NONE):
        return
    encoder = by_key(key_of(wish), fetch=True)
    if encoder.modality not in present:
        what = "images" if encoder.modality is Modality.IMAGE else "texts"
        raise ConfigError(f"{encoder.name} reads {what}, but no column of the data holds any", "Leave it out.")


def encode(ctx: RunContext, problem: Problem) -> Problem:
    """Make the vectors of all images and texts that the planned recipes ask for, known to all processes.

    A pretrained network that is too slow looks at less, or is left out; one that fails is left out. Models then see
    colours and outlines, or words, and the plan and a note say so.
    """
    setup = problem.setup
    plan, data = setup.plan, setup.data
    if not wanted_vectors(plan, data.schema):
        return problem
    with ctx.stage("encode"):
        tried: set[VectorMaker] = set()
        known: dict[str, VectorTable] = {}
        while todo := [m for m in wanted_vectors(plan, data.schema).items() if m[0] not in tried]:
            maker, columns = todo[0]
            tried.add(maker)
            plan = _attempt(ctx, plan, maker, columns, data, known)
        if plan is not setup.plan:
            ctx.adopt(plan)
    data = replace(data, vectors=tuple(known.items()), recipes={f.key: f.recipe for f in plan.families})
    return replace(problem, setup=replace(setup, plan=plan, data=data))


def wanted_vectors(plan: Plan, schema: TableSchema) -> dict[VectorMaker, tuple[str, ...]]:
    """What the recipes of a plan make of which columns."""
    from autodl.preprocess.vector_makers import makers_of

    return {m: columns for f in plan.families for m, columns in makers_of(f.recipe, schema).items()}


def _attempt(
    ctx: RunContext,
    plan: Plan,
    maker: VectorMaker,
    columns: tuple[str, ...],
    data: TrialData,
    known: dict[str, VectorTable],
) -> Plan:
    """Make vectors, added to ``known``; the plan, with something quicker instead where that did not go well."""
    from autodl.pretrained.finding import AUTO, failure

    share = LEFT_SHARE if ctx.options.pretrained == AUTO else ASKED_LEFT_SHARE
    limit = Deadline() if ctx.budget.unlimited else Deadline.after(share * ctx.budget.left())
    takes: dict[str, Footprint] = {}
    if maker.encoder and not limit.passed():
        changed = for_latency(ctx, plan, maker, columns, data, takes)
        if changed is not None:
            return changed
        ctx.note(_reading(maker))
    try:
        known.update(_read(ctx, maker, columns, data, limit, takes))
    except TimeoutError as error:
        if not maker.encoder:
            ctx.note(f"Looking at colours and outlines beforehand takes too long ({error}); trials do it themselves.")
            return plan
        images = any(f.recipe.image_encoder == maker.encoder for f in plan.families)
        if nothing_read(error):
            what = "images" if images else "texts"
            return left_out(ctx, plan, maker, f"No time was left for {name_of(maker)} to read the {what}")
        size = smaller(maker, error, limit)
        if size is None:
            return left_out(ctx, plan, maker, f"{name_of(maker)} is slower than planned ({error})")
        return at_smaller(ctx, plan, maker, size, f"{name_of(maker)} is slower than planned ({error})")
    except StoppedError:
        raise
    except Exception as error:  # networks, their libraries and their files come from elsewhere: anything may happen
        if isinstance(error, AutodlError) and maker.encoder and ctx.options.pretrained != AUTO:
            raise
        if not maker.encoder:
            ctx.leave_out("Looking at colours and outlines beforehand", error)
            return plan
        logging.getLogger("autodl").exception("%s failed", maker.encoder)
        return left_out(ctx, plan, maker, failure(name_of(maker), error).rstrip("."))
    return plan


def _until_stopped(ctx: RunContext, objects: Objects) -> Objects:
    """The same objects; asking for them ends the run once the user stopped it: nothing is there to keep yet."""

    def given(places: NDArray[np.intp]) -> Any:
        ctx.check_stop()
        return objects(places)

    return given


def _read(
    ctx: RunContext,
    maker: VectorMaker,
    columns: tuple[str, ...],
    data: TrialData,
    deadline: Deadline,
    takes: Mapping[str, Footprint],
) -> dict[str, VectorTable]:
    """Vectors of these columns into the run folder, from which this process and workers map them; all or nothing.

    While there is time it is measured what a new image or text takes, of columns for which ``takes`` does not tell.
    """
    from autodl.preprocess.vector_block import digests_of, maker_of, objects_of
    from autodl.preprocess.vector_making import chained
    from autodl.preprocess.vectors import VectorTable, vector_memory
    from autodl.stages.vector_costs import column_takes

    parts: dict[VectorMaker, list[tuple[pd.DataFrame, str]]] = {}
    for frame in (data.frame, data.test_frame):
        for column in columns if len(frame) else ():
            parts.setdefault(maker_of(maker, frame, column), []).append((frame, column))
    place, tables = MediaPlace(ctx.folder.path / MEDIA), {}
    for own, cells in parts.items():
        digests = [digests_of(frame, column) for frame, column in cells]
        key = _place_key(own, digests)
        if (table := _made_before(place.find(key))) is None:
            objects = chained([objects_of(frame, column) for frame, column in cells], [len(d) for d in digests])
            objects = _until_stopped(ctx, objects)
            with place.make(key) as folder:
                VectorTable.make(own, np.concatenate(digests), objects, folder, deadline)
            table = VectorTable.open(place.folder / key)
        for frame, column in cells:
            if column not in table.takes and not deadline.passed():
                table.note({column: takes[column] if column in takes else column_takes(own, frame, column)})
        vector_memory.learn(own.key, table)
        tables[own.key] = table
    return tables


def _made_before(folder: Path | None) -> VectorTable | None:
    """What an interrupted run has made; None if there is none, or it is damaged, which is then removed."""
    from autodl.preprocess.vectors import VectorTable

    if folder is None:
        return None
    try:
        return VectorTable.open(folder)
    except (OSError, ValueError):
        logging.getLogger("autodl").warning("%s is damaged and is made anew", folder)
        shutil.rmtree(folder)
        return None


def _place_key(maker: VectorMaker, digests: Sequence[NDArray[np.uint64]]) -> str:
    told = hashlib.blake2b(maker.key.encode(), digest_size=12)
    told.update(np.unique(np.concatenate(digests)).tobytes())
    return told.hexdigest()


def _reading(maker: VectorMaker) -> str:
    return f"{name_of(maker)} reads all of them once; models then learn from what it says."
