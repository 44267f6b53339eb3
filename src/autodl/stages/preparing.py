"""From a file to a problem: read, profile, plan, cut the rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autodl.clock import NEVER, Deadline
from autodl.delivery import Delivery
from autodl.errors import RunError
from autodl.evaluate.base import metrics
from autodl.footprint import handling_seconds
from autodl.machine import this_machine
from autodl.models.base import Shape
from autodl.options import FitOptions
from autodl.planning.order import alphabet_warning
from autodl.planning.texts import mean_letters, mean_words
from autodl.preprocess.dates import DATE_PARTS
from autodl.records import ColumnKind, Footprint, Limits, Plan, Profile, ReadInfo, Record, TableSchema
from autodl.run_context import RunContext
from autodl.search.budget import Pace
from autodl.search.feasibility import Feasibility
from autodl.search.setup import SearchSetup
from autodl.search.trial import TrialData
from autodl.stages.encoding import encoder_offers
from autodl.stages.problem import Problem
from autodl.store.repair import highest_set_aside

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.dataset import Dataset
    from autodl.media.place import MediaPlace
    from autodl.splitting import Rows


class RowsRecord(Record):
    """Identifies the data of a run, so that it is not resumed on other data."""

    fingerprint: str
    test_fingerprint: str | None
    """Of the test file, if there is one."""
    n_rows: int
    n_search: int
    n_test: int


def read(
    data: str | pd.DataFrame, options: FitOptions, earlier: Profile | None = None, place: MediaPlace | None = None
) -> Dataset:
    """Read the table and find its target; a resumed run has the rows of ``earlier`` again, read as they were then.

    ``place`` is where images are kept once they are decoded.

    Raises:
        RunError: If this version finds other columns in the same file.
    """
    from autodl.dataset import load

    if earlier is None:
        return load(data, options, place=place)
    dataset = load(data, options, earlier.read, place, earlier.columns)
    # The run may be of a version that made no series of columns that look like one.
    made = [c.name for c in dataset.schema.columns if c.parse.series is not None and c.parse.series.columns]
    unknown = [name for name in made if name not in earlier.columns.names]
    same_file = 0 < earlier.read.n_bytes == dataset.read.n_bytes
    if same_file and any(name not in dataset.schema.names for name in earlier.columns.names):
        raise RunError(
            f"this version of autodl finds other columns in {earlier.read.path} than the one that began the run",
            "Finish the run with that version, or start anew with another --out.",
        )
    if not unknown:
        return dataset
    schema = dataset.schema.only([n for n in dataset.schema.names if n not in unknown])
    return replace(dataset, frame=dataset.frame.drop(columns=unknown), schema=schema)


def read_test(options: FitOptions, dataset: Dataset, place: MediaPlace | None = None) -> Dataset | None:
    """Read the test file, if there is one: the user's, or the one that came with the data."""
    from autodl.dataset import load_test

    path = options.test
    if path is None and options.test_size is None:
        path = dataset.test
    if path is None:
        return None
    needed = {dataset.target.name, options.group_column, options.time_column, options.weight_column}
    spare = {*options.drop, *dataset.schema.of_kind(ColumnKind.ID, ColumnKind.CONSTANT)} - needed
    return load_test(path, dataset, options.seed, options.weight_column, place, spare)


def profile(dataset: Dataset, held_out: Dataset | None, options: FitOptions, deadline: Deadline = NEVER) -> Profile:
    """The facts about the table, as far as they are found until the deadline."""
    from autodl.profiling import profile_table

    return profile_table(
        dataset.frame,
        dataset.schema,
        _told(dataset, held_out),
        target=dataset.target,
        options=options,
        test_frame=None if held_out is None else held_out.frame,
        seed=options.seed,
        deadline=deadline,
    )


def _told(dataset: Dataset, held_out: Dataset | None) -> ReadInfo:
    """How the table was read, with what was found in the test file."""
    if held_out is None:
        return dataset.read
    return dataset.read.model_copy(update={"notes": (*dataset.read.notes, *held_out.read.notes)})


def plan(profile: Profile, options: FitOptions, has_test_file: bool, pace: Pace | None = None) -> Plan:
    """What will be done and why.

    Args:
        profile: Facts about the table.
        options: What the user asked for.
        has_test_file: Whether the test rows come from a file of their own.
        pace: How quick the machine is now; looked up here. Plays no part without a clock, so that runs repeat.
    """
    from autodl.planning import make_plan, own_spaces

    pace, machine = pace or Pace(), this_machine()
    if options.time_budget_s is not None:
        pace.look()
        machine = replace(machine, speed=pace.speed)
    return make_plan(
        profile, options, machine=machine, has_test_file=has_test_file, spaces=own_spaces(options),
        offers=encoder_offers(profile, options, machine),
    )  # fmt: skip


def plan_again(planned: Plan, before: FitOptions, options: FitOptions) -> Plan:
    """The plan of a resumed run, with the workers and the address that are asked for now."""
    from autodl.planning.runner import runner_again

    return runner_again(planned, before, options, this_machine())


def rows(ctx: RunContext, dataset: Dataset, held_out: Dataset | None, plan: Plan) -> Rows:
    """Cut the rows; a resumed run must have the same data.

    Raises:
        RunError: If the data differ from those the run began with.
    """
    from autodl.splitting import split

    cut = split(dataset, plan.validation, plan.seed)
    now = RowsRecord(
        fingerprint=dataset.fingerprint(),
        test_fingerprint=None if held_out is None else held_out.fingerprint(),
        n_rows=len(dataset.y),
        n_search=len(cut.search),
        n_test=len(cut.test) if held_out is None else len(held_out.y),
    )
    before = ctx.folder.read("rows", RowsRecord)
    if before is None:
        ctx.folder.write("rows", now)
    elif before != now:
        raise RunError(
            f"the data are not those that the run in {ctx.folder.path} began with",
            "Resume with the same file and options, or start anew with another --out.",
        )
    return cut


def problem(ctx: RunContext, dataset: Dataset, held_out: Dataset | None, plan: Plan, rows: Rows) -> Problem:
    """Put together what search, delivery and evaluation work on."""
    from autodl.data import mean_one

    names = list(plan.features)
    test = dataset if held_out is None else held_out
    test_frame = dataset.frame.iloc[rows.test] if held_out is None else held_out.frame
    schema = dataset.schema.only(plan.features)
    data = TrialData(
        frame=dataset.frame.iloc[rows.search][names].reset_index(drop=True),
        y=dataset.y[rows.search],
        test_frame=test_frame[names].reset_index(drop=True),
        folds=rows.folds,
        further=rows.further,
        weight=None if dataset.weight is None else mean_one(dataset.weight[rows.search]),
        schema=schema,
        task=plan.task,
        n_classes=len(plan.classes),
        metric=plan.metric,
        recipes={f.key: f.recipe for f in plan.families},
        threads=plan.threads,
        quantiles=plan.quantiles,
        blocks=_blocks(dataset, plan, rows),
        by_time=plan.validation.kind == "time",
    )
    assert ctx.identity is not None, "the plan is known"
    if care := alphabet_warning(ctx.identity.profile.target, metrics[plan.metric]):
        ctx.note(care)
    shape = _shape(schema, plan, rows.folds, ctx.budget.pace.speed)
    setup = SearchSetup(plan, data, shape, ctx.options.address, ctx.options.max_trials, highest_set_aside(ctx.folder))
    delivery = Delivery(ctx.folder, plan.task, plan.target, plan.classes, schema, plan.quantiles)
    limits = limits_of(ctx.options)
    if limits.any:
        # Kept for a resumed run: measured anew, it would judge the same trials otherwise.
        base = ctx.once("base", Footprint, lambda: _base(ctx, delivery, data.frame))
        if too_much := limits.broken(base):
            ctx.note(_beyond(limits, base, too_much))
        setup = replace(setup, feasibility=Feasibility(limits, base))
    return Problem(setup, dataset, test, rows, delivery)


def _shape(
    schema: TableSchema, plan: Plan, folds: Sequence[tuple[NDArray[Any], NDArray[Any]]], speed: float
) -> Shape:
    """The size of one fit on all rows, counted as the planner does.

    Args:
        schema: Of the features. plan: Classes, quantiles and threads. folds: Of the search. speed: Of the machine.
    """
    dates = len(schema.of_kind(ColumnKind.DATETIME))
    texts = [c for c in schema.columns if c.kind is ColumnKind.TEXT]
    return Shape(
        rows=round(sum(len(train) for train, _ in folds) / len(folds)),
        numeric=len(schema.of_kind(ColumnKind.NUMERIC, ColumnKind.BOOLEAN)) + DATE_PARTS * dates,
        categorical=len(schema.of_kind(ColumnKind.CATEGORICAL)),
        levels=sum(c.n_unique for c in schema.columns if c.kind is ColumnKind.CATEGORICAL),
        text=len(schema.of_kind(ColumnKind.TEXT)),
        text_tokens=mean_words(texts),
        text_letters=mean_letters(texts) if any(f.recipe.text_letters for f in plan.families) else 0,
        classes=len(plan.classes),
        quantiles=len(plan.quantiles),
        images=len(schema.of_kind(ColumnKind.IMAGE)),
        image_side=max((c.parse.side or 0 for c in schema.columns if c.kind is ColumnKind.IMAGE), default=0),
        series=len(schema.of_kind(ColumnKind.SERIES)),
        series_steps=max((c.series.length[2] for c in schema.columns if c.series), default=0),
        series_channels=max((c.series.channels for c in schema.columns if c.series), default=0),
        threads=plan.threads,
        speed=speed,
    )


def _blocks(dataset: Dataset, plan: Plan, rows: Rows) -> NDArray[Any] | None:
    """(n,) blocks of the search rows; see ``make_blocks``."""
    from autodl.data.splits import make_blocks

    groups, times = (
        None if name is None else dataset.frame[name].to_numpy()[rows.search]
        for name in (plan.validation.group_column, plan.validation.time_column)
    )
    return make_blocks(len(rows.search), rows.folds, validation=plan.validation, groups=groups, times=times)


def _base(ctx: RunContext, delivery: Delivery, frame: pd.DataFrame) -> Footprint:
    """What any model of the run takes besides its own part."""
    manifest, row = delivery.described(), Footprint()
    with ctx.guard("Measuring how long the columns of a row take to be read"):
        row = Footprint(row_s=handling_seconds(manifest, frame))
    return row.plus(Footprint(size_bytes=len(manifest.model_dump_json(indent=1))))


def _beyond(limits: Limits, base: Footprint, too_much: Collection[str]) -> str:
    """That no model can keep these limits, whatever it takes itself."""
    from autodl.report.limits import allows, takes

    asked = allows(Limits(**{name: getattr(limits, name) for name in too_much}))
    taken = takes(Footprint(**{name: getattr(base, name) for name in too_much}))
    return (
        f"No model can keep the limit of {asked}: reading the columns and describing them take about {taken} without "
        "any model. The nearest to it is sought."
    )


def limits_of(options: FitOptions) -> Limits:
    """What the user allows a model to take."""
    return Limits(
        row_s=options.max_latency_s, size_bytes=options.max_size_bytes, memory_bytes=options.max_memory_bytes
    )
