"""What every model family must do. ``check_family("mine")`` raises an ``AssertionError`` that names the broken rule.

Each check is a public function of its own, so that a test suite can report them one by one::

    @pytest.mark.parametrize("check", FAMILY_CHECKS)
    def test_mine(check):
        check("mine")
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import Deadline
from autodl.models.base import Shape, families
from autodl.records import Recipe, Task
from autodl.search.space import family_space
from autodl.serialize import dump, is_safe_format, load
from autodl.testing.odd_inputs import (
    check_absent_classes,
    check_missing_numbers,
    check_missing_objects,
    check_odd_columns,
    check_sparse,
    check_tiny,
)
from autodl.testing.problems import easy_problem
from autodl.testing.trained import fitted, kinds, predictions, quick_config

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GRACE_S = 20.0
"""Seconds after which a fit with a tiny deadline counts as having ignored it (a loaded machine is slow)."""


def check_describes_itself(key: str) -> None:
    """Texts, tasks and key are there and well-formed."""
    family = families[key]
    assert family.key == key and key == key.lower() and " " not in key
    for text in (family.name, family.summary, family.paper):
        assert isinstance(text, str) and text.strip()
    assert family.tasks and family.modalities
    assert 0 <= family.complexity <= 10


def check_space_fits_config(key: str) -> None:
    """Portfolio and sampled configurations are valid; ``prep.`` keys are valid recipe fields."""
    family, space = families[key], family_space(key)
    rng = np.random.default_rng(0)
    for flat in [*space.starts(), *(space.sample(rng) for _ in range(20))]:
        prep = {name[5:]: value for name, value in flat.items() if name.startswith("prep.")}
        Recipe.model_validate({**family.recipe.model_dump(), **prep})
        config = family.config.model_validate({n: v for n, v in flat.items() if not n.startswith("prep.")})
        for classes in kinds(family):
            cost = family().estimate_cost(
                Shape(rows=1000, numeric=10, categorical=3, levels=20, classes=classes), config
            )
            assert cost.seconds > 0 and cost.bytes >= 0, f"cost of {flat} is {cost}"


def check_space_starts_from_config(key: str) -> None:
    """What a space has for a start is what the configuration and the recipe have where nothing is said."""
    family = families[key]
    config, recipe = family.config(), family.recipe.model_dump()
    for name, value in family_space(key).complete({}).items():
        prep = name.startswith("prep.")
        own = recipe.get(name[5:], value) if prep else getattr(config, name, value)
        assert own == value, f"`{name}` starts from {value!r} in the space, but from {own!r} in the configuration"


def check_cost_grows_with_rows(key: str) -> None:
    """More rows never cost less."""
    family = families[key]
    seconds = [
        family()
        .estimate_cost(Shape(rows=n, numeric=10, classes=2 * (0 not in kinds(family))), family.config())
        .seconds
        for n in (100, 10_000, 100_000)
    ]
    assert seconds == sorted(seconds), f"estimated seconds for 100, 10,000, 100,000 rows: {seconds}"


def check_learns(key: str) -> None:
    """Predictions are well-formed, and better than a constant on an easy problem (unless complexity is 0)."""
    family = families[key]
    for classes in kinds(family):
        problem = easy_problem(classes, family=family)
        out = predictions(fitted(family, problem), problem.X_val, problem.meta)
        if family.complexity == 0:
            continue
        if classes:
            accuracy = float(np.mean(out.argmax(axis=1) == problem.y_val))
            assert accuracy > 1.0 / classes + 0.1, f"accuracy {accuracy:.3f} with {classes} classes"
        else:
            error = float(np.mean((out - problem.y_val) ** 2) / np.var(problem.y_val))
            assert error < 0.7, f"mean squared error is {error:.3f} of the variance"


def check_deterministic_and_picklable(key: str) -> None:
    """The same seed gives the same predictions, and so does the model after pickling."""
    family = families[key]
    for classes in kinds(family):
        problem = easy_problem(classes, rows=120, family=family)
        first, second = (fitted(family, problem, brief=True) for _ in range(2))
        expected = predictions(first, problem.X_val, problem.meta)
        np.testing.assert_allclose(
            predictions(second, problem.X_val, problem.meta),
            expected,
            rtol=1e-5,
            atol=1e-6,
            err_msg="not deterministic",
        )
        copy = pickle.loads(pickle.dumps(second))
        np.testing.assert_allclose(
            predictions(copy, problem.X_val, problem.meta),
            expected,
            rtol=1e-5,
            atol=1e-6,
            err_msg="changed by pickling",
        )


def check_stored_without_pickle(key: str) -> None:
    """The model file holds no pickle, and the model read from it predicts the same to the last bit."""
    family = families[key]
    for classes in kinds(family):
        problem = easy_problem(classes, rows=120, family=family)
        model = fitted(family, problem, brief=True)
        if model.needs_pickle:
            continue
        data = dump(model)
        assert is_safe_format(data)
        copy = load(data)
        assert type(copy) is type(model) and copy.refit == model.refit
        expected = predictions(model, problem.X_val, problem.meta)
        np.testing.assert_array_equal(
            predictions(copy, problem.X_val, problem.meta), expected, err_msg="changed by the model file"
        )
        again = load(dump(copy))
        np.testing.assert_array_equal(predictions(again, problem.X_val, problem.meta), expected)


def check_single_row(key: str) -> None:
    """One row alone is answered as it is among others."""
    family = families[key]
    problem = easy_problem(kinds(family)[-1], rows=120, family=family)
    model = fitted(family, problem, brief=True)
    together = predictions(model, problem.X_val, problem.meta)
    alone = predictions(model, problem.X_val.take(np.array([3])), problem.meta)
    np.testing.assert_allclose(alone[0], together[3], rtol=1e-4, atol=1e-5)


def check_without_validation(key: str) -> None:
    """The learnt ``refit`` values are valid configuration, and a model trains on all rows with them."""
    family = families[key]
    for classes in kinds(family):
        problem = easy_problem(classes, rows=120, family=family)
        refit = fitted(family, problem, brief=True).refit
        config = quick_config(family, brief=True).model_dump() | refit
        model = family().build(family.config.model_validate(config), problem.meta)
        model.fit(problem.X, problem.y)
        predictions(model, problem.X_val, problem.meta)


def check_sample_weight(key: str) -> None:
    """Weights are accepted and used: rows of weight near zero do not decide."""
    family = families[key]
    problem = easy_problem(2 if Task.CLASSIFICATION in family.tasks else 0, family=family)
    wrong = problem.y.copy()
    half = np.arange(len(wrong)) % 2 == 0
    wrong[half] = 1 - wrong[half] if problem.meta.n_classes else -wrong[half]
    weight = np.where(half, 1e-3, 1.0)
    model = family().build(quick_config(family), problem.meta)
    model.fit(problem.X, wrong, problem.X_val, problem.y_val, sample_weight=weight)
    out = predictions(model, problem.X_val, problem.meta)
    if family.complexity == 0:
        return
    if problem.meta.n_classes:
        accuracy = float(np.mean(out.argmax(axis=1) == problem.y_val))
        assert accuracy > 0.6, f"accuracy {accuracy:.3f}: weights seem to be ignored"
    else:
        assert np.corrcoef(out, problem.y_val)[0, 1] > 0.3, "weights seem to be ignored"


def check_zero_weights(key: str) -> None:
    """Rows of weight 0 with a wrong target leave no trace that matters, and weights decide between two answers."""
    family = families[key]
    for classes in kinds(family)[:2]:
        problem = easy_problem(classes, rows=100, family=family)
        n = len(problem.y)
        twice = problem.X.take(np.concatenate([np.arange(n), np.arange(n)]))
        wrong = (problem.y + 1) % classes if classes else problem.y + 10.0
        both = np.concatenate([problem.y, wrong])
        outs = []
        for one, two in ((1.0, 0.0), (0.0, 1.0)):
            model = family().build(quick_config(family), problem.meta)
            weight = np.concatenate([np.full(n, one), np.full(n, two)])
            model.fit(twice, both, sample_weight=weight)
            outs.append(predictions(model, problem.X_val, problem.meta))
        other = (problem.y_val + 1) % classes if classes else problem.y_val + 10.0
        for out, y in zip(outs, (problem.y_val, other), strict=True):
            if classes:
                chance = np.bincount(y).max() / len(y)
                right = float(np.mean(out.argmax(axis=1) == y))
                assert right > (0.0 if family.complexity == 0 else chance), f"{right:.3f} right by rows that count"
            else:
                assert abs(float(np.mean(out - y))) < 2.0, "rows of weight 0 move the answers"


def check_validation_weight(key: str) -> None:
    """When training ends is decided by the validation rows that count: those of weight 0 might as well be gone."""
    family = families[key]
    for classes in kinds(family)[:2]:
        problem = easy_problem(classes, rows=100, family=family)
        n = len(problem.y_val)
        wrong = (problem.y_val + 1) % classes if classes else -problem.y_val
        doubled = problem.X_val.take(np.concatenate([np.arange(n), np.arange(n)]))
        model, alone = (family().build(quick_config(family), problem.meta) for _ in range(2))
        model.weight_val = np.concatenate([np.ones(n), np.zeros(n)])
        model.fit(problem.X, problem.y, doubled, np.concatenate([problem.y_val, wrong]))
        alone.fit(problem.X, problem.y, problem.X_val, problem.y_val)
        assert model.refit == alone.refit, f"{model.refit} with rows of weight 0, {alone.refit} without"


def check_quantiles(key: str) -> None:
    """Quantiles have one column a level, mean something, and survive the model file; others refuse them."""
    family, levels = families[key], (0.1, 0.5, 0.9)
    if Task.REGRESSION not in family.tasks:
        assert not family.quantiles, "quantiles are of numbers"
        return
    problem = easy_problem(0, family=family)
    if not family.quantiles:
        try:
            fitted(family, problem).predict_quantiles(problem.X_val)
        except TypeError:
            return
        raise AssertionError("predict_quantiles must raise a TypeError where `quantiles` is False")
    for chosen in (levels, levels[2:]):
        meta = replace(problem.meta, quantiles=chosen)
        model = fitted(family, replace(problem, meta=meta))
        q = model.predict_quantiles(problem.X_val)
        assert q.shape == (len(problem.y_val), len(chosen)), f"predict_quantiles gives {q.shape}"
        assert np.isfinite(q).all(), "quantiles are not finite"
        assert model.predict(problem.X_val).shape == (len(problem.y_val),)
        share = np.mean(problem.y_val[:, None] <= q, axis=0)
        assert np.abs(share - chosen).max() < 0.35, f"shares below the quantiles {chosen} are {share}"
        copy = load(dump(model))
        np.testing.assert_array_equal(copy.predict_quantiles(problem.X_val), q)
        if family.complexity:
            guess = np.quantile(problem.y, chosen)
            assert _pinball(problem.y_val, q, chosen) < 0.9 * _pinball(problem.y_val, guess, chosen)


def _pinball(y: NDArray[Any], q: NDArray[Any], levels: tuple[float, ...]) -> float:
    error, tau = y[:, None] - q, np.array(levels)
    return float(np.maximum(tau * error, (tau - 1) * error).mean())


def check_deadline(key: str) -> None:
    """A fit with hardly any time ends soon, with a usable model or a ``TimeoutError``."""
    family = families[key]
    problem = easy_problem(kinds(family)[-1], rows=3_000, numeric=20, family=family)
    for seconds in (0.0, 0.05):
        model = family().build(family.config(), problem.meta)
        start = time.monotonic()
        try:
            model.fit(problem.X, problem.y, problem.X_val, problem.y_val, deadline=Deadline.after(seconds))
        except TimeoutError:
            continue
        finally:
            took = time.monotonic() - start
            assert took < _GRACE_S, f"a fit with {seconds:g} s took {took:.1f} s"
        predictions(model, problem.X_val, problem.meta)


def check_does_not_change_input(key: str) -> None:
    """``fit`` and ``predict`` leave the arrays as they are."""
    family = families[key]
    problem = easy_problem(kinds(family)[-1], rows=60, family=family)
    before = pickle.dumps((problem.X, problem.y, problem.X_val))
    model = fitted(family, problem, sample_weight=np.ones(60), brief=True)
    model.predict(problem.X_val)
    assert pickle.dumps((problem.X, problem.y, problem.X_val)) == before, "an input array was changed"


FAMILY_CHECKS: tuple[Callable[[str], None], ...] = (
    check_describes_itself,
    check_space_fits_config,
    check_space_starts_from_config,
    check_cost_grows_with_rows,
    check_learns,
    check_deterministic_and_picklable,
    check_stored_without_pickle,
    check_single_row,
    check_without_validation,
    check_odd_columns,
    check_sparse,
    check_missing_numbers,
    check_missing_objects,
    check_absent_classes,
    check_tiny,
    check_sample_weight,
    check_zero_weights,
    check_validation_weight,
    check_quantiles,
    check_deadline,
    check_does_not_change_input,
)
"""All checks, each taking the key of a registered family."""


def check_family(key: str) -> None:
    """Run all checks on one family.

    Raises:
        AssertionError: Naming the broken rule.
        ConfigError: If there is no such family.
    """
    for check in FAMILY_CHECKS:
        check(key)
