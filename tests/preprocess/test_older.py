"""Steps that an older version of autodl has stored: they do what they were trained to do, or say that they cannot."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import QuantileTransformer, TargetEncoder

from autodl.errors import OlderModelError
from autodl.model import FittedModel, load_model
from autodl.models.base import Meta, families
from autodl.preprocess import Preparer
from autodl.preprocess.category_blocks import TargetBlock
from autodl.preprocess.codes import CategoryCoder
from autodl.preprocess.dates import DateExpander
from autodl.preprocess.numeric import NumericBlock
from autodl.preprocess.scaling import NumericScaler
from autodl.preprocess.target_transform import TargetTransform
from autodl.preprocess.text import TextBlock
from autodl.records import Recipe, Task
from autodl.serialize import dump, load
from autodl.store import RunFolder
from autodl.testing import mixed_frame


def older(value: Any, *later: str) -> Any:
    """The same, stored without the attributes that came later, and read again."""
    for name in later:
        del vars(value)[name]
    return load(dump(value))


def test_targets_in_logarithms_without_ranks_powers_and_a_least_answer() -> None:
    y = np.exp(np.linspace(-2.0, 5.0, 40)) - 3.0
    transform = TargetTransform("log", y)
    z = np.linspace(-9.0, 9.0, 50)
    expected = transform.inverse(z)
    again = older(transform, "_ranks", "_power", "_floor", "_unit")
    np.testing.assert_array_equal(again.inverse(z), expected)
    np.testing.assert_allclose(again.inverse(again.forward(y)), y)


def test_small_targets_in_logarithms_of_one_and_more() -> None:
    """Earlier versions had no unit: what they stored must go on meaning log(1 + y)."""
    y = 1e-3 * np.exp(np.linspace(0.0, 2.0, 40))
    again = older(TargetTransform("log", y, unit=1.0), "_unit")
    inner = np.log1p(y)
    np.testing.assert_allclose(again.forward(y), (inner - inner.mean()) / inner.std())
    np.testing.assert_allclose(again.inverse(again.forward(y)), y)


def test_two_dates_without_the_days_between_them() -> None:
    frame = pd.DataFrame(
        {"a": pd.date_range("2020-01-01", periods=50, freq="9D"), "b": pd.date_range("2021-01-01", periods=50)}
    )
    dates = DateExpander(("a", "b")).fit(frame)
    names, values = dates.names, dates.transform(frame)
    assert names[-1] == "days from a to b"
    again = older(dates, "_pairs")
    assert again.names == names[:-1]
    np.testing.assert_array_equal(again.transform(frame), values[:, :-1])


def test_gaps_and_numbers_far_from_zero_are_left_as_they_are() -> None:
    frame = pd.DataFrame({"day": [20230115.0, 20230116.0, 20230117.0]})
    block = NumericBlock(("day",), (), Recipe(impute="none"), 0)
    block.fit_transform(frame, np.zeros(3))
    older(block._imputer, "_unknown")
    again = older(block, "_origin")
    new = pd.DataFrame({"day": [20230116.0, np.nan]})
    np.testing.assert_array_equal(again.transform(new), [[20230116.0], [np.nan]])


def test_new_categories_count_as_missing() -> None:
    frame = pd.DataFrame({"c": ["red", "blue", None, "red", "green"]}, dtype=object)
    coder = CategoryCoder(("c",), rare=0.3).fit(frame)
    # What a file of an older version holds.
    coder._codes[0][-1] = 0
    again = older(coder, "missing")
    new = pd.DataFrame({"c": ["pink", None, "red", "blue"]}, dtype=object)
    np.testing.assert_array_equal(again.transform(new)[:, 0], [0, 0, 1, 2])
    assert again.cardinalities == (3,)


def test_ranks_learnt_by_scikit_learn() -> None:
    x = np.random.default_rng(0).normal(size=(50, 1))
    scaler, target = NumericScaler("quantile").fit(x), TargetTransform("quantile", x[:, 0])
    theirs = QuantileTransformer(n_quantiles=50, output_distribution="normal").fit(x)
    scaler._ranks = target._ranks = theirs
    np.testing.assert_array_equal(load(dump(scaler)).transform(x), theirs.transform(x))
    np.testing.assert_allclose(load(dump(target)).inverse(target.forward(x[:, 0])), x[:, 0])


def test_mean_targets_learnt_by_scikit_learn() -> None:
    frame = pd.DataFrame({"c": ["a", "b", "b", "c", "c", "c"]})
    y = np.array([1.0, 2.0, 4.0, 3.0, 9.0, 5.0])
    coder = CategoryCoder(("c",)).fit(frame)
    block = TargetBlock(coder, Task.REGRESSION, "none", 0)
    block.fit_transform(frame, y)
    theirs = TargetEncoder(target_type="continuous").fit(coder.transform(frame), y)
    block._encoders = [theirs]
    expected = theirs.transform(coder.transform(frame))
    np.testing.assert_allclose(load(dump(block)).transform(frame), expected, rtol=1e-6)


@pytest.fixture
def text_model() -> FittedModel:
    """A linear model of a table with a text."""
    frame, schema = mixed_frame(60)
    y = np.arange(60) % 2
    preparer = Preparer(Recipe(text="tfidf"), schema, Task.CLASSIFICATION)
    features = preparer.fit_transform(frame, y)
    linear = families["linear"]()
    estimator = linear.build(linear.config(), Meta(Task.CLASSIFICATION, n_classes=2))
    estimator.fit(features, y)
    return FittedModel(preparer=preparer, estimator=estimator, target=None, task=Task.CLASSIFICATION)


def test_texts_prepared_otherwise_are_refused_in_one_clear_line(text_model: FittedModel, tmp_path: Path) -> None:
    text = next(b for b in text_model.preparer.blocks if isinstance(b, TextBlock))
    del vars(text)["_learnt"]
    folder = RunFolder(tmp_path)
    ref = folder.write_bytes("model.safetensors", text_model.to_bytes())
    with pytest.raises(OlderModelError, match="older autodl") as caught:
        load_model(folder, ref)
    assert "Fit again" in str(caught.value)
    assert "\n" not in str(caught.value)
