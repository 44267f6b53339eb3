"""Images and texts read once by what turns them into vectors, before the search asks for them again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autodl.clock import Deadline
from autodl.errors import AutodlError, ConfigError
from autodl.media.place import MediaPlace
from autodl.records import ColumnKind, Modality, Recipe
from autodl.store.lock import MEDIA

if TYPE_CHECKING:
    import pandas as pd

    from autodl.machine import Machine
    from autodl.options import FitOptions
    from autodl.preprocess.vector_makers import VectorMaker
    from autodl.pretrained.offers import Offer
    from autodl.records import Plan, Profile, TableSchema
    from autodl.run_context import RunContext
    from autodl.search.trial import TrialData
    from autodl.stages.preparing import Problem

LEFT_SHARE = 0.6
"""Of the time that is left, what the reading may take if it is slower than planned."""
HOPELESS = 3.0
"""A network that would take so many times the budget is not loaded to see how long it takes."""
_KINDS = {ColumnKind.IMAGE: Modality.IMAGE, ColumnKind.TEXT: Modality.TEXT}


def encoder_offers(profile: Profile, options: FitOptions, machine: Machine) -> dict[Modality, Offer]:
    """The pretrained networks that there are for the images and texts of a table.

    With a clock they are loaded and timed on a few objects; without one nothing may depend on measured seconds.

    Raises:
        ConfigError, MissingDependencyError: If what the user asked for is not there.
    """
    from autodl.pretrained.offers import offer_for, relative_cost, timed

    columns = [c for c in profile.columns.only(profile.features).columns if c.kind in _KINDS]
    offers: dict[Modality, Offer] = {}
    present = {_KINDS[c.kind] for c in columns}
    _suits(options.pretrained, present)
    for modality in sorted(present):
        offer = offer_for(modality, options.pretrained, machine.cores, machine.speed)
        n = sum(c.n - c.n_missing for c in columns if _KINDS[c.kind] is modality)
        budget = options.time_budget_s
        if budget is not None and offer.key:
            least = n * offer.seconds * relative_cost(modality, offer.sizes[-1], offer.sizes[0])
            offer = timed(offer) if least <= HOPELESS * budget else offer
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

    A pretrained network that turns out too slow is left out; its models then see colours and outlines, or words.
    """
    from autodl.preprocess.vectors import vector_memory
    from autodl.pretrained.finding import AUTO

    setup = problem.setup
    wanted = wanted_vectors(setup.plan, setup.data.schema)
    if not wanted:
        return problem
    plan = setup.plan
    with ctx.stage("encode"):
        limit = Deadline() if ctx.budget.unlimited else Deadline.after(LEFT_SHARE * ctx.budget.left())
        for maker, columns in list(wanted.items()):
            if maker.encoder:
                ctx.note(_reading(maker))
            try:
                _read(ctx, maker, columns, setup.data, limit)
            except TimeoutError as error:
                if not maker.encoder:
                    raise
                plan = _left_out(
                    ctx, plan, maker, f"{_name(maker)} is slower than planned ({error}) and is left out."
                )
            except AutodlError as error:
                if ctx.options.pretrained != AUTO:
                    raise
                plan = _left_out(ctx, plan, maker, f"{error.what}; it is left out.")
        if plan is not setup.plan:
            ctx.folder.write("plan", plan)
    # What takes its place is quick: trials make it themselves.
    known = tuple((m.key, table) for m in wanted if (table := vector_memory.told(m.key)) is not None)
    data = replace(setup.data, vectors=known, recipes={f.key: f.recipe for f in plan.families})
    return replace(problem, setup=replace(setup, plan=plan, data=data))


def wanted_vectors(plan: Plan, schema: TableSchema) -> dict[VectorMaker, tuple[str, ...]]:
    """What the recipes of a plan make of which columns."""
    from autodl.preprocess.vector_makers import image_maker, text_maker

    wanted: dict[VectorMaker, tuple[str, ...]] = {}
    for kind, make in ((ColumnKind.IMAGE, image_maker), (ColumnKind.TEXT, text_maker)):
        columns = schema.of_kind(kind)
        for family in plan.families if columns else ():
            maker = make(family.recipe) if family.recipe.columns == "all" else None
            if maker is not None:
                wanted[maker] = columns
    return wanted


def without_encoder(plan: Plan, key: str, why: str) -> Plan:
    """The plan with colours and outlines, or words alone, where it has this pretrained network, and why."""
    from autodl.planning.encoding import instead

    def changed(recipe: Recipe) -> Recipe:
        change: dict[str, object] = {}
        if recipe.image_encoder == key:
            change |= {"images": "hog", "image_encoder": ""}
        if recipe.text_encoder == key:
            change |= {"text_encoder": "", "embedding": False}
        return recipe.model_copy(update=change)

    images = any(f.recipe.image_encoder == key for f in plan.families)
    decision = instead(Modality.IMAGE if images else Modality.TEXT, why)
    families = tuple(f.model_copy(update={"recipe": changed(f.recipe)}) for f in plan.families)
    decisions = tuple(decision if d.topic == decision.topic else d for d in plan.decisions)
    return plan.model_copy(update={"families": families, "decisions": decisions})


def _left_out(ctx: RunContext, plan: Plan, maker: VectorMaker, why: str) -> Plan:
    ctx.note(why)
    return without_encoder(plan, maker.encoder, why)


def _read(ctx: RunContext, maker: VectorMaker, columns: tuple[str, ...], data: TrialData, deadline: Deadline) -> None:
    """Vectors of these columns into the memory of this process and the run folder, from which workers map them."""
    from autodl.preprocess.vector_block import vectors_of
    from autodl.preprocess.vectors import VectorTable, vector_memory

    frames = [frame for frame in (data.frame, data.test_frame) if len(frame)]
    place, key = MediaPlace(ctx.folder.path / MEDIA), _place_key(maker, frames, columns)
    if (made := place.find(key)) is not None:
        vector_memory.learn(maker.key, VectorTable.open(made))
        return
    for frame in frames:
        for column in columns:
            vectors_of(maker, frame, column, deadline)
    if (table := vector_memory.table(maker.key)) is None:
        return
    with ctx.guard("Keeping what was read of images and texts", only=OSError):
        with place.make(key) as part:
            table.save(part)
        vector_memory.learn(maker.key, VectorTable.open(place.folder / key))


def _place_key(maker: VectorMaker, frames: Iterable[pd.DataFrame], columns: tuple[str, ...]) -> str:
    from autodl.preprocess.vector_block import digests_of

    told = hashlib.blake2b(maker.key.encode(), digest_size=12)
    objects = [digests_of(frame, column) for frame in frames for column in columns]
    told.update(np.unique(np.concatenate(objects)).tobytes())
    return told.hexdigest()


def _name(maker: VectorMaker) -> str:
    from autodl.pretrained.finding import by_key

    return by_key(maker.encoder).name


def _reading(maker: VectorMaker) -> str:
    return f"{_name(maker)} reads all of them once; models then learn from what it says."
