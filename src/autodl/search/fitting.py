"""A family's search space cut to one problem: what has no meaning there is not searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from autodl.records import ColumnInfo, ColumnKind, FamilyPlan, Recipe, Task
from autodl.search.space import SearchSpace, family_space

if TYPE_CHECKING:
    from autodl.search.job import TrialData

EVEN_SHARE = 0.4
"""From this fraction of an even share on, the rarest class is not rare (0.4: a fifth of the rows of two classes)."""


def planned_space(plan: FamilyPlan) -> SearchSpace:
    """The whole space of a family: the user's own, or the shipped one."""
    if plan.space is None:
        space = family_space(plan.key).with_defaults(plan.defaults)
    else:
        space = SearchSpace.model_validate(plan.space)
    return space.with_constant("encoder", plan.encoder) if plan.encoder else space


def fitted_space(plan: FamilyPlan, data: TrialData) -> SearchSpace:
    """The family's space without choices that have no meaning for these data.

    Args:
        plan: The family and its recipe.
        data: Columns, target and task.
    """
    import numpy as np

    counts = np.bincount(data.y, minlength=data.n_classes) if data.task is Task.CLASSIFICATION else ()
    idle = idle_fields(data.schema.columns, data.task, [int(c) for c in counts])
    least = float(np.min(data.y)) if data.task is Task.REGRESSION and len(data.y) else 0.0
    return problem_space(plan, idle, possible_objectives(data.task, data.quantiles, least))


LETTERS = "prep.text_letters"
OBJECTIVES = ("auto", "poisson", "tweedie", "gamma")


def possible_objectives(task: Task, quantiles: Sequence[float], least: float) -> tuple[str, ...]:
    """Values of the families' parameter ``objective`` that do anything, and do not fail.

    Args:
        task: What is predicted. quantiles: Levels, if any are. least: Least target of a regression.
    """
    if task is not Task.REGRESSION or quantiles or least < 0:
        return OBJECTIVES[:1]
    return OBJECTIVES if least > 0 else OBJECTIVES[:-1]


def problem_space(plan: FamilyPlan, idle: Iterable[str], possible: Sequence[str] = OBJECTIVES) -> SearchSpace:
    """The family's space without the preparation named ``idle`` and the losses that are not ``possible``.

    The planned recipe gives the defaults of the parameters ``prep.*``: what the planner found right for the data is
    tried first. Preparation that is not searched follows the recipe, too, and so does what depends on it. A user's
    own defaults stay as they are.
    """
    idle = {*idle, *_settled(plan.recipe)}
    recipe = {f"prep.{name}": value for name, value in plan.recipe.model_dump().items()}
    space = planned_space(plan).without(*(f"prep.{name}" for name in idle), values=recipe)
    if plan.space is not None:
        space = of_units(space, plan.recipe.text_letters, plan.key)
        bound = any("objective" in p.when for p in space.params.values())
        return space if bound else space.restricted("objective", possible)
    space = of_units(space, plan.recipe.text_letters, plan.key)
    space = space.restricted("objective", ("auto", *plan.objectives))
    return space.with_defaults(recipe)


def of_units(space: SearchSpace, letters: bool, family: str) -> SearchSpace:
    """The space of networks that read texts by letters, or word by word: other configurations are good for each.

    What the user says of it stays: a choice of the user's own between both, and configurations that are listed.
    """
    shipped = family_space(family)
    bound = any(LETTERS in p.when for p in space.params.values())
    if bound or space.params.get(LETTERS) != shipped.params.get(LETTERS):
        return space
    if space.portfolio != shipped.portfolio:
        return space.with_defaults({LETTERS: letters})
    return space.restricted(LETTERS, (letters,))


def _settled(recipe: Recipe) -> Iterable[str]:
    """Fields about vectors that the planned recipe leaves no choice in."""
    if recipe.image_encoder:
        yield "images"
    if not recipe.text_encoder:
        yield "embedding"


def idle_fields(columns: Iterable[ColumnInfo], task: Task, class_counts: Sequence[int]) -> frozenset[str]:
    """Fields of ``Recipe`` whose choice changes nothing, or nothing worth a trial.

    Args:
        columns: The features.
        task: What is predicted.
        class_counts: Rows of each class; empty for regression.
    """
    idle: set[str] = set()
    kept = tuple(columns)
    numeric = [c for c in kept if c.kind in (ColumnKind.NUMERIC, ColumnKind.BOOLEAN, ColumnKind.DATETIME)]
    if not any(c.n_missing for c in numeric):
        idle |= {"impute", "indicator"}
    if sum(c.n_missing > 0 for c in numeric) < 2:
        idle.add("gaps")
    if len(numeric) < 2:
        idle.add("crosses")
    if not numeric:
        idle.add("segments")
    # Dates have no statistics: their parts lie within fences by nature.
    if not any(c.numeric is not None and c.numeric.n_outliers for c in numeric):
        idle.add("outliers")
    if not any(c.kind in (ColumnKind.CATEGORICAL, ColumnKind.ID) for c in kept):
        idle |= {"categories", "max_codes", "max_onehot", "rare", "frequency", "code_parts"}
    if not any(c.kind is ColumnKind.TEXT for c in kept):
        idle |= {name for name in Recipe.model_fields if name.startswith(("text", "embedding"))}
    if not any(c.kind is ColumnKind.IMAGE for c in kept):
        idle |= {name for name in Recipe.model_fields if name.startswith("image")}
    if not any(c.kind is ColumnKind.SERIES for c in kept):
        idle |= {"series", "series_features"}
    if task is Task.CLASSIFICATION:
        idle.add("target")
    if task is not Task.CLASSIFICATION or nearly_balanced(class_counts):
        idle.add("balance")
    return frozenset(idle)


def nearly_balanced(class_counts: Sequence[int]) -> bool:
    """Whether the rarest class has at least ``EVEN_SHARE`` of the rows that it had if all were equal."""
    present = [c for c in class_counts if c > 0]
    return len(present) < 2 or min(present) * len(present) >= EVEN_SHARE * sum(present)
