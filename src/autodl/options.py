"""Everything a user may ask of ``fit`` and ``plan``, checked before any work starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import AliasChoices, Field

from autodl.defaults import BUDGET_S, NAS, PRETRAINED, SEARCH, USUAL_FAMILIES
from autodl.errors import ConfigError
from autodl.option_checks import MIN_BUDGET_S, OptionCheck
from autodl.records import Record, Task

__all__ = ["LARGEST_SEED", "MIN_BUDGET_S", "PRESETS", "FitOptions", "build_options"]

PRESETS = ("fast", "balanced", "best")
LARGEST_SEED = 2**32 - 1
"""The largest seed that numpy and scikit-learn take."""


class FitOptions(Record):
    """Options of one run; the command line and the Python API both build it.

    ``None`` means "find out" or "no limit".
    """

    target: str | None = None
    task: Task | None = None
    time_budget_s: float | None = BUDGET_S
    max_trials: int | None = None
    """Trial-count budget; with it and no explicit time budget the run does not look at the clock."""
    metric: str | None = None
    quantiles: tuple[float, ...] = ()
    """Levels, ascending, that are predicted instead of one number; empty means one number."""
    test: str | None = None
    """Path of a test file; instead of ``test_size``."""
    test_size: float | None = None
    group_column: str | None = None
    time_column: str | None = None
    weight_column: str | None = None
    """How much each row counts; 0 leaves it out."""
    series_id: str | None = None
    """Rows with the same value are the steps of one series."""
    order_column: str | None = None
    """The steps of a series follow one another by it."""
    series_steps: tuple[str, ...] = ()
    """Columns that are the steps of a series in each row: ``FIRST to LAST`` or a pattern, one for each series."""
    families: tuple[str, ...] = ()
    """Only these, or with ``default`` among them these beside those that the planner chooses; empty: the latter."""
    drop: tuple[str, ...] = ()
    seed: int = 0
    workers: int | None = None
    address: str | None = None
    preset: Literal["fast", "balanced", "best"] = "balanced"
    search: str = Field(SEARCH, validation_alias=AliasChoices("search", "strategy"))
    """Key of the strategy that proposes configurations; run folders of earlier versions call it ``strategy``."""
    scheduler: str | None = None
    """Key of what ends hopeless trials early; None lets the planner choose."""
    nas: str = NAS
    """How architectures are searched: ``joint`` with all else, ``none``, ``supernet``, or the key of a strategy."""
    space: str | None = None
    """Path of a file with search spaces of one's own."""
    pretrained: str = PRETRAINED
    """Network that others have trained, for images or texts: ``auto``, ``none``, a key, a folder, or a hub name."""
    max_latency_s: float | None = None
    """Limit for the prediction of one row."""
    max_size_bytes: int | None = None
    """Limit for the delivered model on disk."""
    max_memory_bytes: int | None = None
    """Limit for a fresh process that loads the model and predicts, Python and its libraries included."""
    report: bool = True
    """Whether to explain the model and write the HTML report; the model and its test need neither."""

    @property
    def named_families(self) -> tuple[str, ...]:
        """Keys of the families that are asked for by name."""
        keys = (name.strip().lower() for name in self.families)
        return tuple(k for k in keys if k and k != USUAL_FAMILIES)

    @property
    def only_named(self) -> bool:
        """Whether no other families are to take part."""
        return len(self.named_families) == len(self.families) > 0


def build_options(
    *,
    target: object = None,
    task: object = None,
    time_budget: object = None,
    max_trials: object = None,
    metric: object = None,
    quantiles: object = (),
    test: object = None,
    test_size: object = None,
    group_column: object = None,
    time_column: object = None,
    weight_column: object = None,
    series_id: object = None,
    order_column: object = None,
    series_steps: object = (),
    families: object = (),
    drop: object = (),
    seed: object = 0,
    workers: object = None,
    address: object = None,
    preset: object = "balanced",
    search: object = SEARCH,
    scheduler: object = None,
    nas: object = NAS,
    space: object = None,
    pretrained: object = PRETRAINED,
    max_latency: object = None,
    max_size: object = None,
    max_memory: object = None,
    report: object = True,
    default_budget_s: float = BUDGET_S,
    spelling: Callable[[str], str] = str,
) -> FitOptions:
    """Check what was asked for and build the options; the parameters are those of ``autodl.fit``.

    Args:
        default_budget_s: Seconds if neither ``time_budget`` nor ``max_trials`` is given.
        spelling: How the user knows a parameter, e.g. ``max_trials`` -> ``--max-trials``; used in errors.

    Raises:
        ConfigError: Naming the parameter, the rule and the received value.
    """
    check = OptionCheck(spelling)
    made = FitOptions(
        target=check.column("target", target),
        task=check.task(task),
        time_budget_s=check.budget(time_budget, None if max_trials is not None else default_budget_s),
        max_trials=check.count("max_trials", max_trials),
        metric=check.text("metric", metric),
        quantiles=check.levels("quantiles", quantiles),
        test=check.path("test", test),
        test_size=check.share("test_size", test_size),
        group_column=check.column("group_column", group_column),
        time_column=check.column("time_column", time_column),
        weight_column=check.column("weight_column", weight_column),
        series_id=check.column("series_id", series_id),
        order_column=check.column("order_column", order_column),
        series_steps=check.columns("series_steps", series_steps),
        families=check.families(families),
        drop=check.columns("drop", drop),
        seed=check.whole("seed", seed, 0, LARGEST_SEED),
        workers=check.count("workers", workers),
        address=check.text("address", address),
        preset=check.one_of("preset", preset, PRESETS),
        search=check.key("search", search) or SEARCH,
        scheduler=check.key("scheduler", scheduler),
        nas=check.key("nas", nas) or NAS,
        space=check.path("space", space),
        pretrained=check.path("pretrained", pretrained) or PRETRAINED,
        max_latency_s=check.latency("max_latency", max_latency),
        max_size_bytes=check.size("max_size", max_size),
        max_memory_bytes=check.memory("max_memory", max_memory),
        report=check.flag("report", report),
    )
    _no_contradiction(made, spelling)
    return made


def _no_contradiction(options: FitOptions, spelling: Callable[[str], str]) -> None:
    if options.quantiles and options.task is Task.CLASSIFICATION:
        raise ConfigError(
            f"{spelling('quantiles')} needs a number to predict, but {spelling('task')} is classification",
            "Leave out one of them: classes have probabilities (`autodl predict --proba`), which say as much.",
        )
    if options.test is not None and options.test_size is not None:
        raise ConfigError(f"{spelling('test')} and {spelling('test_size')} exclude each other", "Give one of them.")
    if options.group_column is not None and options.time_column is not None:
        raise ConfigError(
            f"{spelling('group_column')} and {spelling('time_column')} cannot be combined",
            f"Give {spelling('time_column')} to predict the future, or {spelling('group_column')} to predict for new "
            "groups.",
        )
    for name in ("group_column", "time_column"):
        if options.weight_column is not None and getattr(options, name) == options.weight_column:
            raise ConfigError(
                f"{spelling('weight_column')} and {spelling(name)} name the same column '{options.weight_column}'",
                "A weight says how much a row counts; name another column.",
            )
    if options.order_column is not None and options.series_id is None:
        raise ConfigError(
            f"{spelling('order_column')} orders the steps of series, but {spelling('series_id')} is not given",
            f"Name the column that tells the series apart with {spelling('series_id')}; to test on the latest rows, "
            f"use {spelling('time_column')}.",
        )
    if options.order_column is not None and options.order_column == options.series_id:
        raise ConfigError(
            f"{spelling('series_id')} and {spelling('order_column')} name the same column '{options.series_id}'",
            "Name the column that tells the series apart, and the one that orders their steps.",
        )
    if options.series_steps and options.series_id is not None:
        raise ConfigError(
            f"{spelling('series_id')} and {spelling('series_steps')} exclude each other",
            f"{spelling('series_id')} is for a row for each step, {spelling('series_steps')} for a column for each.",
        )
    if options.weight_column in options.drop:
        raise ConfigError(
            f"{spelling('drop')} names the weight column '{options.weight_column}'",
            "No model sees the weights as it is; leave out one of the two options.",
        )
    if options.target is None:
        return
    roles: list[tuple[str, str | None]] = [("drop", d) for d in options.drop]
    roles += [("group_column", options.group_column), ("time_column", options.time_column)]
    roles += [("weight_column", options.weight_column)]
    roles += [("series_id", options.series_id), ("order_column", options.order_column)]
    for name, column in roles:
        if column == options.target:
            raise ConfigError(
                f"{spelling(name)} names the target column '{column}'", "Name another column, or another target."
            )
