"""How rows are set apart: test rows first, then folds of the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from autodl.errors import ConfigError
from autodl.planning.facts import Facts
from autodl.profiling.words import share
from autodl.records import Decision, Modality, Validation

MAX_TEST_ROWS = 20_000
"""Enough for narrow intervals (an accuracy of 0.9 is known to 0.4 points); the rest serves learning."""
TEST_SIZE = 0.2
MAX_HOLDOUT_ROWS = 10_000
OTHERS = 200
"""Rows outside the largest class that a part holds if it can: they decide how well a score is known."""
FEW_OTHERS = 1_000
"""With fewer of them among the rows for learning each is validated in turn, however many rows there are."""
FEW_ROWS = 2_000
ENOUGH_FOR_HOLDOUT = 10_000
MANY_BY_TIME = 100_000
"""From so many rows on a single stretch of time is held out, as long as the one for the test."""
REPEATS = ((FEW_ROWS, 5), (ENOUGH_FOR_HOLDOUT, 3))
"""Up to so many rows, splits into folds of a leading configuration at most; beyond, one is precise enough."""
REPEATS_S = 30.0
"""Within less, a search hardly comes to an end of its planned starts, after which leaders are repeated."""
LONG_BUDGET_S = 240.0
FIRST_WAVE_SHARE = 0.7
"""Of the budget, for one trial of each family that could take part with a single split; else fewer folds."""
MANY_ROWS_SHARE = 0.5
"""Of that, from ENOUGH_FOR_HOLDOUT rows on, unless other classes are rare: one split is precise there, and time for
further models worth more."""
CORE_WAVE_SHARE = 0.5
"""The same for the families that do well on most tables; they decide on three folds up to ENOUGH_FOR_HOLDOUT rows,
and on more where other classes are rare."""


def choose_validation(
    facts: Facts,
    has_test_file: bool,
    first_wave_s: Callable[[Validation], tuple[float, float]] | None = None,
    reading_s: float = 0.0,
) -> tuple[Validation, tuple[Decision, ...]]:
    """Test rows and folds.

    Args:
        facts: Of the table.
        has_test_file: Whether the test rows come from a file of their own.
        first_wave_s: Seconds of one trial of each family under a validation, and of the core families alone; with it,
            folds are as many as time allows.
        reading_s: Seconds of the budget that pretrained networks take before the first trial.

    Raises:
        ConfigError: If the options cannot be met, e.g. a group column with one group.
    """
    test_size, test_decision = _test(facts, has_test_file)
    kind, kind_why = _kind(facts)
    rows = round(facts.rows * (1 - test_size))
    n_folds, folds_why = _folds(facts, rows, kind)
    most = MAX_HOLDOUT_ROWS if kind != "time" else MAX_TEST_ROWS  # a longer stretch is less of a chance
    holdout = min(TEST_SIZE, max(most, _rows_with(OTHERS, facts, rows)) / max(1, rows))

    def made(n: int) -> Validation:
        return Validation(
            kind=kind,
            n_folds=n,
            holdout=holdout if n == 1 else TEST_SIZE,
            test_size=test_size,
            group_column=facts.profile.group_column,
            time_column=facts.profile.time_column,
            repeats=_repeats(facts, rows, kind, n),
        )

    validation = made(n_folds)
    if first_wave_s is not None and facts.options.time_budget_s is not None and n_folds > 1:
        # By time each of several folds trains on half of the rows in the mean.
        fold = 0.5 / (1 - holdout) if kind == "time" else 1.0
        every, core = (fold * seconds for seconds in first_wave_s(made(1)))
        fewer = _affordable(facts, rows, n_folds, facts.budget_s - reading_s, every, core)
        if fewer < n_folds:
            folds_why = f"{n_folds} folds would leave no time to try all kinds of models."
            n_folds, validation = fewer, made(fewer)
    shape = f"{n_folds} folds" if n_folds > 1 else f"one split, {share(holdout)} of the rows held out"
    names = {"stratified": "stratified by class", "random": "at random", "group": "by group", "time": "by time"}
    if validation.repeats > 1:
        shape += f", drawn anew up to {validation.repeats} times for the leading models"
        folds_why += (
            " The score of one split is partly luck, and the best of many scores most of all: the leading models are "
            "checked on further splits as far as time allows, and the mean counts."
        )
    decision = Decision(
        topic="Validation",
        choice=f"{shape}, {names[kind]}",
        why=f"{kind_why} {folds_why}",
        evidence={"rows": rows, "folds": n_folds, "splits": validation.repeats},
    )
    return validation, (test_decision, decision)


def _repeats(facts: Facts, rows: int, kind: str, n_folds: int) -> int:
    """Splits of a leading configuration at most; 1 where rows can be split in one way only or are plenty."""
    if kind == "time" or n_folds < 2 or facts.budget_s < REPEATS_S:
        return 1
    if kind == "group" and facts.profile.columns[facts.profile.group_column or ""].n_unique <= 2 * n_folds:
        return 1  # other splits would be much like the first
    return next((most for limit, most in REPEATS if rows <= limit), 1)


def _affordable(facts: Facts, rows: int, n_folds: int, seconds: float, every: float, core: float) -> int:
    """The most folds under which the families that fit a single split still get their first trial.

    Args:
        facts: Of the table.
        rows: That are searched on.
        n_folds: At most.
        seconds: For the search.
        every: Seconds of one fold of one trial of each family; ``core``: of the core families alone.
    """
    if rows <= FEW_ROWS:
        # Few rows need their folds more than all kinds of models.
        fitting = (k for k in (n_folds, 5) if k <= n_folds and k * core <= CORE_WAVE_SHARE * seconds)
        return next(fitting, min(3, n_folds))
    plain = rows >= ENOUGH_FOR_HOLDOUT and not _few_others(facts, rows)
    most = FIRST_WAVE_SHARE * seconds * (MANY_ROWS_SHARE if plain else 1.0)
    if n_folds * every <= most:
        return n_folds
    if (not plain and 3 * core <= CORE_WAVE_SHARE * seconds) or 3 * every <= most:
        return min(3, n_folds)
    # Networks over images gain more by a longer training than their scores by further folds.
    plenty = FEW_ROWS if Modality.IMAGE in facts.modalities else ENOUGH_FOR_HOLDOUT / 2
    if facts.profile.time_column:
        plenty = ENOUGH_FOR_HOLDOUT  # one stretch of time tells less than as many rows at random
    return 1 if rows >= plenty else min(3, n_folds)


def _test(facts: Facts, has_test_file: bool) -> tuple[float, Decision]:
    asked = facts.options.test_size
    if has_test_file:
        why = "You gave a test file; it is opened once, at the end."
        return 0.0, Decision(topic="Test rows", choice="the test file", why=why)
    if asked is not None:
        if not 0 < asked < 1:
            raise ConfigError(
                f"`0 < test size < 1` must hold, but got {asked:g}", "Pass for example --test-size 0.2."
            )
        size, why = asked, "You asked for it."
    else:
        enough = max(MAX_TEST_ROWS, _rows_with(OTHERS, facts, facts.rows))
        size = min(TEST_SIZE, enough / facts.rows)
        why = (
            f"{enough:,} rows are enough to know the score closely; the others serve learning."
            if size < TEST_SIZE
            else "One row in five, the usual share."
        )
    n = round(size * facts.rows)
    if n < 100:
        why += f" {n} rows are few, so the score is known roughly only; its interval says how roughly."
    choice = f"{n:,} of {facts.rows:,} rows, set aside now and opened once at the end"
    return size, Decision(topic="Test rows", choice=choice, why=why, evidence={"rows": n, "share": size})


def _rows_with(others: int, facts: Facts, rows: int) -> int:
    """How many random rows hold this number outside the largest class, all if none do; 0 for numbers."""
    share = facts.share_of_others
    return 0 if share is None else min(rows, math.ceil(others / max(share, 1e-12)))


def _few_others(facts: Facts, rows: int) -> bool:
    """Whether one split of these rows, however many, would hold too few of the rarer classes."""
    return facts.share_of_others is not None and facts.share_of_others * rows < FEW_OTHERS


def _kind(facts: Facts) -> tuple[Literal["stratified", "random", "group", "time"], str]:
    profile = facts.profile
    if profile.time_column and profile.group_column:
        raise ConfigError(
            "a time column and a group column cannot be combined",
            "Pass --time-column to predict the future, or --group-column to predict for new groups.",
        )
    if profile.time_column:
        return "time", f"Models learn from earlier rows by '{profile.time_column}' and are judged on later ones."
    if profile.group_column:
        groups = profile.columns[profile.group_column].n_unique
        if groups < 3:
            many = "1 group" if groups == 1 else f"{groups} groups"
            raise ConfigError(
                f"the group column '{profile.group_column}' has {many}, but at least 3 are needed",
                "One for learning, one for validation, one for the test. Name another column or none.",
            )
        return "group", f"Rows with the same '{profile.group_column}' stay on one side, as in use the groups are new."
    if facts.classification:
        return "stratified", "Each part has its share of each class."
    return "random", "Rows are shuffled; each part has small and large values."


def _folds(facts: Facts, rows: int, kind: str) -> tuple[int, str]:
    long = facts.budget_s >= LONG_BUDGET_S and facts.options.preset != "fast"
    if kind == "time" and rows > MANY_BY_TIME:
        return 1, "With so many rows the latest judge well enough, and several fits of each model would take long."
    if kind == "time":
        n = 3 if not long or rows < 1_000 else 5
        return n, f"{n} times, each from a longer past."
    if rows <= FEW_ROWS:
        n = 8 if long else 5
        why = "With few rows each is used for learning and for validation in turn."
    elif rows <= 25_000:
        n, why = 5, "Each row is validated once by a model that did not see it; the time allows five fits."
    elif _few_others(facts, rows):
        n, why = (
            5 if long else 3,
            "Rows of rare classes are few: each is validated once by a model that did not see it.",
        )
    elif rows <= 60_000 and not long:
        n, why = 1, "Rows are plenty and time is short: one split is precise enough, and more models can be tried."
    elif rows <= 60_000:
        n, why = 5 if facts.budget_s >= 4 * LONG_BUDGET_S else 3, "Several fits of each model are affordable."
    else:
        n, why = 1, "With so many rows one split is precise enough."
    if kind == "group":
        groups = facts.profile.columns[facts.profile.group_column or ""].n_unique
        n = max(2, min(n, groups - 1)) if n > 1 else n
    return (max(2, min(n, rows // 2)) if n > 1 else n), why
