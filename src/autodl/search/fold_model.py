"""One model of a trial: its configuration taken apart, and its fit on prepared rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autodl.clock import NEVER, Deadline
from autodl.features import Features
from autodl.model import FittedModel
from autodl.models.base import Meta, families
from autodl.records import JsonScalar, Recipe, Task, TrialSpec
from autodl.train.config import SLICE
from autodl.watch import Watch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.preprocess import Preparer
    from autodl.search.job import TrialData


def split_config(config: Mapping[str, JsonScalar]) -> tuple[dict[str, JsonScalar], dict[str, JsonScalar]]:
    """Separate the family's own values from those of the recipe (``prep.*``, prefix removed)."""
    own = {k: v for k, v in config.items() if not k.startswith("prep.")}
    prep = {k.removeprefix("prep."): v for k, v in config.items() if k.startswith("prep.")}
    return own, prep


def trial_recipe(spec: TrialSpec, data: TrialData, otherwise: Recipe | None = None) -> Recipe:
    """The family's recipe with the trial's own choices.

    Args:
        spec: Family and configuration. data: Recipes of the families.
        otherwise: That of a family that takes part no more.
    """
    _, prep = split_config(spec.config)
    return Recipe.model_validate({**data.recipes.get(spec.family, otherwise or Recipe()).model_dump(), **prep})


def fit_model(
    spec: TrialSpec,
    recipe: Recipe,
    prepared: tuple[Preparer, Features],
    y: NDArray[Any],
    valid: tuple[Features, NDArray[Any]] | None,
    data: TrialData,
    *,
    seed: int,
    extra: Mapping[str, JsonScalar] | None = None,
    deadline: Deadline = NEVER,
    watch: Watch | None = None,
    start: FittedModel | None = None,
    start_part: float = SLICE,
    weight: NDArray[Any] | None = None,
    weight_valid: NDArray[Any] | None = None,
    answers: int | None = None,
) -> FittedModel:
    """Fit one model on prepared rows.

    Args:
        spec: Family and configuration.
        recipe: The recipe including the trial's own choices.
        prepared: Fitted preparer and the training features.
        y: Training targets.
        valid: Features and targets for early stopping, or None to train for the configured length.
        data: Task, classes, metric and threads.
        seed: Seed of the model.
        extra: Config values that replace the specification's (a learnt number of trees or epochs).
        deadline: When training must end.
        watch: Follows the training and may end it.
        start: The model of the same fold to go on from. start_part: Of the usual training, for which it goes on.
        weight: (n,) weights of the training rows; all alike if None.
        weight_valid: Weights of the rows for early stopping.
        answers: Rows that the model will be asked for before the deadline; None if for none.
    """
    from autodl.preprocess import TargetTransform, balanced_weights, resample
    from autodl.preprocess.ratio_weights import BY_RATIO, least_denominator, ratio_weights

    family = families[spec.family]()
    own, _ = split_config(spec.config)
    config = family.config(**{**own, **(extra or {})})
    meta = Meta(
        data.task, data.n_classes, seed=seed, threads=data.threads, metric=data.metric, quantiles=data.quantiles
    )
    estimator = family.build(config, meta)
    preparer, features = prepared
    target, codes = None, y
    # Rows set apart for the test are learnt from in the end, and may be the first below 0.
    lowest = 0.0 if min(data.y.min(), y.min()) >= 0 else None
    y_valid = None if valid is None else valid[1]
    if data.metric == BY_RATIO:
        least = least_denominator(y)
        weight = ratio_weights(y, least, weight)
        weight_valid = None if y_valid is None else ratio_weights(y_valid, least, weight_valid)
    if data.task is Task.REGRESSION and not estimator.raw_target:
        # Weights that go on know the target as it was transformed for them, or not.
        if start is not None:
            target = start.target
        elif recipe.target != "none":
            # RMSLE counts errors of log(1 + y) itself, whatever the unit of y.
            target = TargetTransform(recipe.target, y, weight, unit=1.0 if data.metric == "rmsle" else None)
        if target is not None:
            y = target.forward(y)
            y_valid = None if y_valid is None else target.forward(y_valid)
    elif data.task is Task.CLASSIFICATION and recipe.balance != "none":
        features, y, weight = resample(features, y, recipe.balance, seed, weight)
        if y_valid is not None:
            # Training that aims at balanced classes must not end by how it does on others.
            weight_valid = balanced_weights(y_valid, weight_valid)
    x_valid = None if valid is None else valid[0]
    estimator.watch, estimator.weight_val, estimator.answers = watch, weight_valid, answers
    estimator.start, estimator.start_part = None if start is None else start.estimator, start_part
    try:
        estimator.fit(features, y, x_valid, y_valid, sample_weight=weight, deadline=deadline)
    finally:
        # They are no part of the model that is stored.
        del estimator.watch, estimator.start, estimator.start_part, estimator.weight_val, estimator.answers
    if data.task is Task.CLASSIFICATION:
        return FittedModel(preparer, estimator, target, data.task, (), *_absent(codes, data))
    return FittedModel(preparer, estimator, target, data.task, data.quantiles, least=lowest)


def _absent(y: NDArray[Any], data: TrialData) -> tuple[tuple[int, ...], float]:
    """Classes without a training row, and the probability of each: half a row of n (Krichevsky and Trofimov 1981)."""
    present = set(y.tolist())
    return tuple(k for k in range(data.n_classes) if k not in present), 0.5 / (len(y) + 0.5 * data.n_classes)


def merge_refits(refits: Sequence[Mapping[str, JsonScalar]]) -> dict[str, JsonScalar]:
    """Combine what the folds learnt: means of numbers (rounded for whole ones), else the first value learnt.

    A fold that learnt nothing of a key (all its validation rows of classes absent in training) has no say in it.
    """
    if courses := [r for r in refits if r.get("stop_epoch")]:
        # Length, end and falls of the rate belong to the course of one training: between the ends of two, the rate
        # may be high. The one of middle length stands for all.
        courses.sort(key=lambda r: float(r["stop_epoch"] or 0))
        return dict(courses[len(courses) // 2])
    merged: dict[str, JsonScalar] = {}
    for key in dict.fromkeys(key for refit in refits for key in refit):
        values = [r[key] for r in refits if key in r]
        first = values[0]
        if isinstance(first, bool) or not isinstance(first, int | float):
            merged[key] = first
            continue
        mean = sum(float(v) for v in values if isinstance(v, int | float)) / len(values)
        merged[key] = max(1, round(mean)) if isinstance(first, int) else mean
    return merged
