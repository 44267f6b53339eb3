"""A row of weight 2 counts as two rows in what the preparation learns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.preprocess import Preparer, TargetTransform
from autodl.preprocess import weighted_statistics as weighted
from autodl.preprocess.codes import CategoryCoder
from autodl.preprocess.text_terms import informative
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task

KINDS = {"a": ColumnKind.NUMERIC, "b": ColumnKind.NUMERIC, "c": ColumnKind.CATEGORICAL}
SCHEMA = TableSchema(
    columns=tuple(ColumnInfo(name=name, kind=kind, n=150, n_missing=0, n_unique=6) for name, kind in KINDS.items())
)


def table(n, seed):
    """Rows with gaps, a skewed column and categories, their targets and whole weights that follow the values."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), np.exp(rng.normal(size=n))
    weight = np.where(a > 0, rng.integers(2, 5, size=n), 1)
    a[rng.random(n) < 0.1] = np.nan
    c = rng.choice(list("uvwxyz"), size=n, p=[0.4, 0.3, 0.15, 0.1, 0.03, 0.02]).astype(object)
    c[rng.random(n) < 0.05] = None
    return pd.DataFrame({"a": a, "b": b, "c": c}), np.nan_to_num(a) + b + rng.normal(size=n), weight


def prepared(recipe, frame, y, weight, fresh):
    preparer = Preparer(recipe, SCHEMA, Task.REGRESSION)
    preparer.fit_transform(frame, y, weight=weight)
    found = preparer.transform(fresh)
    return np.hstack([found.dense(), found.categorical])


RECIPES = {
    "mean, standard": Recipe(impute="mean", scale="standard", categories="onehot", rare=0.04),
    "median, standard": Recipe(impute="median", scale="standard", categories="ordinal"),
    "most frequent": Recipe(impute="most_frequent", scale="none", categories="target"),
    "robust": Recipe(impute="median", scale="robust", outliers="clip", categories="codes", rare=0.04),
    "quantile": Recipe(impute="median", scale="quantile", categories="codes"),
    "power": Recipe(impute="mean", scale="power", categories="codes"),
    "segments": Recipe(impute="median", scale="standard", segments=6, categories="codes"),
}
EXACT = ("mean, standard", "median, standard", "most frequent")
"""Recipes without quartiles, which scikit-learn and pandas interpolate in another way."""


@pytest.mark.parametrize("name", RECIPES)
def test_whole_weights_are_repeated_rows(name):
    frame, y, weight = table(150, 0)
    fresh = table(60, 1)[0]
    again = np.repeat(np.arange(150), weight)
    got = prepared(RECIPES[name], frame, y, weight.astype(float), fresh)
    repeated, ones = frame.iloc[again].reset_index(drop=True), np.ones(len(again))
    np.testing.assert_allclose(got, prepared(RECIPES[name], repeated, y[again], ones, fresh), atol=1e-4)
    plain = prepared(RECIPES[name], repeated, y[again], None, fresh)
    np.testing.assert_allclose(got, plain, atol=1e-4 if name in EXACT else 0.25)
    unweighted = prepared(RECIPES[name], frame, y, None, fresh)
    assert np.abs(got - plain).mean() < 0.3 * np.abs(got - unweighted).mean()


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.categories != "target"])
def test_only_how_weights_compare_counts(name):
    """Mean targets apart, where whole weights are repeated rows, as they cannot be once they are scaled."""
    frame, y, weight = table(150, 2)
    fresh = table(60, 3)[0]
    got = prepared(RECIPES[name], frame, y, weight / 7.0, fresh)
    np.testing.assert_allclose(got, prepared(RECIPES[name], frame, y, weight * 1000.0, fresh), atol=1e-4)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 4)), min_size=1, max_size=25),
    st.floats(0.001, 1000.0),
    st.sampled_from([(0.5,), (0.0, 0.25, 0.75, 1.0), (0.1, 0.3, 0.6)]),
)
def test_quantiles_are_those_of_repeated_rows(rows, unit, levels):
    x = np.array([[float(a)] for a, _ in rows])
    w = np.array([b for _, b in rows])
    reference = np.quantile(np.repeat(x[:, 0], w), levels, method="averaged_inverted_cdf")
    np.testing.assert_allclose(weighted.quantiles(x, levels, w * unit)[:, 0], reference)


def test_columns_without_values():
    x = np.array([[np.nan, 1.0], [np.nan, np.nan]])
    w = np.array([1.0, 3.0])
    np.testing.assert_array_equal(weighted.quantiles(x, (0.5,), w), [[np.nan, 1.0]])
    np.testing.assert_array_equal(weighted.mean_and_spread(x, w), [[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(weighted.most_frequent(x, w), [np.nan, 1.0])


def test_rare_is_what_weighs_little():
    frame = pd.DataFrame({"c": ["x"] * 9 + ["y"]}, dtype=object)
    assert CategoryCoder(("c",), rare=0.2).fit(frame).labels == [["x", "(rare)"]]
    assert CategoryCoder(("c",), rare=0.2).fit(frame, np.r_[np.ones(9), 9.0]).labels == [["x", "y"]]


@pytest.mark.parametrize("kind", ["standard", "log", "power", "quantile"])
def test_targets_are_transformed_as_if_repeated(kind):
    _, y, weight = table(200, 4)
    again = np.repeat(np.arange(200), weight)
    got = TargetTransform(kind, y, weight.astype(float))
    repeated = TargetTransform(kind, y[again])
    # Ranks between the known ones are interpolated in another way, which shows in the tails.
    np.testing.assert_allclose(got.forward(y), repeated.forward(y), atol=0.2 if kind == "quantile" else 0.03)
    assert np.abs(got.forward(y) - repeated.forward(y)).mean() < 0.02
    np.testing.assert_allclose(got.inverse(got.forward(y)), y, atol=1e-6)


def test_informative_terms_follow_the_weights():
    from scipy import sparse

    terms = sparse.csr_matrix(np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]], dtype=np.float32))
    target = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    w = np.array([9.0, 0.1, 0.1, 0.1, 9.0, 0.1])
    assert informative(terms, [target], 1).tolist() == [1]
    assert informative(terms, [target], 1, w).tolist() == [0]
