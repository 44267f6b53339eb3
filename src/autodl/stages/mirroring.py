"""Looks whether mirror images may be learnt from, before networks over images are trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autodl.clock import Deadline
from autodl.media.array import MediaArray
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
MOST, LEAST = 2_000, 200
"""Images that are learnt from, and half as many that are judged: more tell no more, fewer too little."""
STEP = 200
"""Images to learn from that are looked at between two looks at the clock."""


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

    columns = [data.frame[name].array for name in data.schema.of_kind(ColumnKind.IMAGE)]
    whole = np.all([c.batch.present for c in columns if isinstance(c, MediaArray)], axis=0)
    images = [objects_of(data.frame, name) for name in data.schema.of_kind(ColumnKind.IMAGE)]
    rng = np.random.default_rng(seed)
    train, valid = (rng.permutation(part[whole[part]]) for part in data.folds[0])
    train, valid = train[:MOST], valid[: MOST // 2]
    known: list[NDArray[np.float64]] = []
    judged: list[tuple[NDArray[np.float64], ...]] = []
    n, m = 0, 0
    while (n < len(train) or m < len(valid)) and not deadline.passed():
        some, others = train[n : n + STEP], valid[m : m + STEP // 2]
        if len(some):
            known.append(looks_of([at(some) for at in images]))
        if len(others):
            pixels = [at(others) for at in images]
            judged.append((looks_of(pixels), looks_of(sides(pixels)), looks_of(upside_down(pixels))))
        n, m = n + len(some), m + len(others)
    if n < LEAST or m < LEAST // 2:
        return None
    views = [np.vstack(view) for view in zip(*judged, strict=True)]
    return mirrored((np.vstack(known), data.y[train[:n]]), views, data.y[valid[:m]], data.n_classes)
