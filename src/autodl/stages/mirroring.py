"""Looks whether mirror images may be learnt from, before networks over images are trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autodl.clock import Deadline
from autodl.planning.mirroring import TOPIC, mirrors, with_mirroring
from autodl.records import ColumnKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.preprocess.image_mirrors import Mirrored
    from autodl.run_context import RunContext
    from autodl.search.trial import TrialData
    from autodl.stages.problem import Problem

SHARE = 0.02
"""Of the time left, what looking may take."""
MOST, LEAST = 2_500, 100
"""Images that are looked at, and those that there must be at least to learn from and to judge by."""
STEP = 250
"""Images between two looks at the clock."""


def mirroring(ctx: RunContext, problem: Problem) -> Problem:
    """Let the planned image networks begin with the mirroring that the images allow; a resumed run keeps what it did.

    Held-out rows of the search tell; test rows are not looked at.
    """
    setup = problem.setup
    decided = any(d.topic == TOPIC for d in setup.plan.decisions)
    # A run of an older version has tried its listed settings as they were.
    if decided or ctx.folder.trials() or not any(mirrors(f) for f in setup.plan.families):
        return problem
    found: Mirrored | None = None
    deadline = Deadline() if ctx.budget.unlimited else Deadline.after(SHARE * ctx.budget.left())
    with ctx.stage("mirror"), ctx.guard("Looking whether mirror images are like the images"):
        found = look(setup.data, ctx.options.seed, deadline)
    plan = with_mirroring(setup.plan, found)
    ctx.adopt(plan)
    return replace(problem, setup=replace(setup, plan=plan))


def look(data: TrialData, seed: int, deadline: Deadline) -> Mirrored | None:
    """What mirroring held-out images takes away; None where that cannot be told from so many, or in this time."""
    from autodl.preprocess.image_mirrors import looks_of, mirrored, sides, upside_down
    from autodl.preprocess.vector_block import objects_of

    names = data.schema.of_kind(ColumnKind.IMAGE)
    whole = np.all([~data.frame[name].isna().to_numpy() for name in names], axis=0)
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(whole))[:MOST]
    images = [objects_of(data.frame, name) for name in names]
    views: tuple[list[NDArray[np.float64]], ...] = ([], [], [])
    n = 0
    while n < len(rows) and not deadline.passed():
        pixels = [at(rows[n : n + STEP]) for at in images]
        for view, turned in zip(views, (pixels, sides(pixels), upside_down(pixels)), strict=True):
            view.append(looks_of(turned))
        n = min(n + STEP, len(rows))
    place = np.full(len(data.y), -1, dtype=np.intp)
    place[rows[:n]] = np.arange(n)

    def seen(part: NDArray[np.intp]) -> NDArray[np.intp]:
        return place[part][place[part] >= 0]

    folds = [(seen(train), seen(valid)) for train, valid in data.folds]
    folds = [(train, valid) for train, valid in folds if len(train) >= LEAST and len(valid)]
    if sum(len(valid) for _, valid in folds) < LEAST:
        return None
    return mirrored([np.vstack(view) for view in views], data.y[rows[:n]], folds, data.n_classes)
