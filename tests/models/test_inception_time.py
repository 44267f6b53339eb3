"""Networks over series: they learn shapes, rhythms and levels, read table columns beside, and say what they cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from autodl.features import Features
from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.memory import SeriesList
from autodl.models.base import Meta, Shape
from autodl.models.inception_time import InceptionTime, InceptionTimeConfig
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.series_inputs import SeriesInput
from autodl.models.nn.series_net import SeriesNet
from autodl.records import Task
from autodl.search.space import family_space

SPACE = family_space("inception_time")
SMALL = {"stages": 1, "width": (16,), "kernel": (7,), "stem_width": 8, "batch_size": 32, "lr": 0.01}
TWO = Meta(Task.CLASSIFICATION, 2, threads=1)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def rows(series: list[np.ndarray], numeric: np.ndarray | None = None) -> Features:
    n = len(series)
    table = np.empty((n, 0), np.float32) if numeric is None else numeric.astype(np.float32)
    store = SeriesList([np.asarray(s, np.float32).reshape(len(s), -1) for s in series])
    return Features(table, np.empty((n, 0), np.int32), media={"signal": MediaBatch(store, np.arange(n))})


def two_shapes(n: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """A triangle or a square of the same area at a random place of a noisy series of 40 to 60 steps."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    shapes = np.array([[2, 4, 6, 8, 6, 4, 2, 0], [4, 4, 4, 4, 4, 4, 4, 4]]) / 2
    out = []
    for k in y:
        series = rng.normal(0, 0.3, int(rng.integers(40, 61)))
        at = int(rng.integers(0, len(series) - 8))
        series[at : at + 8] += shapes[k]
        out.append(series)
    return out, y


def test_which_of_two_shapes_occurs_somewhere() -> None:
    series, y = two_shapes(360, 0)
    model = InceptionTime().build(InceptionTimeConfig(**SMALL, epochs=15), TWO)
    model.fit(rows(series[:240]), y[:240])
    assert (model.predict(rows(series[240:])) == y[240:]).mean() > 0.9


@pytest.mark.parametrize("level", ["all", "each"])
def test_the_frequency_is_predicted_at_any_phase(level) -> None:
    rng = np.random.default_rng(0)
    y = rng.uniform(0.05, 0.25, 300)
    series = [np.sin(2 * np.pi * (f * np.arange(48) + rng.random())) for f in y]
    config = InceptionTimeConfig(**SMALL, level=level, epochs=20)
    model = InceptionTime().build(config, Meta(Task.REGRESSION, threads=1, metric="rmse"))
    model.fit(rows(series[:200]), y[:200])
    error = model.predict(rows(series[200:])) - y[200:]
    assert np.sqrt((error**2).mean()) < 0.3 * y.std()


def test_the_level_of_a_series_is_known_where_each_is_standardized() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 160)
    series = [rng.normal(3 * k, 1, 30) for k in y]
    model = InceptionTime().build(InceptionTimeConfig(**SMALL, level="each", epochs=20), TWO)
    model.fit(rows(series[:100]), y[:100])
    assert (model.predict(rows(series[100:])) == y[100:]).mean() > 0.9


def test_columns_beside_the_series_are_used() -> None:
    rng = np.random.default_rng(1)
    up, sign = rng.integers(0, 2, (2, 300))
    series = [rng.normal(2 * k - 1, 0.5, 12) for k in up]
    table, y = np.stack([sign, np.zeros(300)], axis=1), up ^ sign
    model = InceptionTime().build(InceptionTimeConfig(**SMALL, epochs=20), TWO)
    model.fit(rows(series[:200], table[:200]), y[:200])
    new = rows(series[200:], table[200:])
    assert (model.predict(new) == y[200:]).mean() > 0.85
    assert (model.predict(replace(new, numeric=np.zeros_like(new.numeric))) == y[200:]).mean() < 0.75


def test_what_stands_in_a_batch_besides_a_series_does_not_matter() -> None:
    """Longer neighbours only add padding; a row without a series is answered by the bias; longer ones are cut."""
    series, y = two_shapes(60, 0)
    model = InceptionTime().build(InceptionTimeConfig(**SMALL, epochs=2), TWO)
    model.fit(rows(series), y)
    longest = max(len(s) for s in series)
    together = model.predict_proba(rows(series))
    for k in (0, 7, 31):
        np.testing.assert_allclose(model.predict_proba(rows([series[k]]))[0], together[k], rtol=1e-4, atol=1e-5)
    cut = np.concatenate([max(series, key=len), np.full(9, 50.0)])
    assert len(cut) > longest
    np.testing.assert_allclose(
        model.predict_proba(rows([cut])), model.predict_proba(rows([cut[:longest]])), rtol=1e-5
    )
    X = rows(series[:3])
    gone = replace(X, media={"signal": MediaBatch(X.media["signal"].store, np.array([ABSENT, 1, ABSENT]))})
    out = model.predict_proba(gone)
    np.testing.assert_allclose(out[0], torch.softmax(model.loaded().head.bias.detach(), 0).numpy(), rtol=1e-5)
    np.testing.assert_array_equal(out[0], out[2])


@pytest.mark.parametrize("part", range(2))
def test_every_configuration_trains_a_step(part) -> None:
    rng = np.random.default_rng([part, 3])
    X = Features(rng.normal(size=(4, 2)).astype(np.float32), np.ones((4, 1), np.int32), (3,))
    table, target = InputPlan.learn(X), torch.arange(4) % 3
    columns = (SeriesInput("a", 2, 20, 1), SeriesInput("b", 1, 30, 1))
    for _ in range(12):
        config = InceptionTimeConfig(**{k: v for k, v in SPACE.sample(rng).items() if not k.startswith("prep.")})
        with torch.random.fork_rng():
            torch.manual_seed(part)
            module = SeriesNet(config, columns, table, 3)
            inputs = (
                torch.randn(4, 2, 20), torch.randn(4, 1, 30), torch.tensor([[20, 30], [3, 30], [0, 1], [7, 9]]),
                *table.tensors(X),
            )  # fmt: skip
            module.fit_scales(inputs)
            loss = torch.nn.functional.cross_entropy(module(*inputs), target)
            loss.backward()
        assert bool(torch.isfinite(loss))
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in module.parameters()), config


def test_what_a_training_costs() -> None:
    def seconds(steps: int = 150, channels: int = 1, threads: int = 1, **fields) -> float:
        shape = Shape(
            rows=400, numeric=0, classes=2, series=1, series_steps=steps, series_channels=channels, threads=threads
        )
        return InceptionTime().estimate_cost(shape, InceptionTimeConfig(**fields)).seconds

    assert seconds(epochs=10) == pytest.approx(10 * seconds(epochs=1))
    assert seconds(threads=2) < seconds() < seconds(width=(96, 192, 384))
    assert seconds(50) < seconds() < seconds(channels=20)
    assert seconds(512) == seconds(5120)
    assert seconds(epoch_factor=0.3) < 0.4 * seconds()


def test_longer_series_get_a_stem_that_halves_them() -> None:
    strides = [InceptionTimeConfig().for_steps(steps).stem_stride for steps in (20, 256, 300, 600)]
    assert strides == [1, 1, 2, 4]
    assert InceptionTimeConfig(stem_stride=1).for_steps(600).stem_stride == 1


def test_the_list_of_architecture_choices_is_complete() -> None:
    """What is no architecture is training or augmentation; a new parameter must be in one of the two."""
    training = {
        "dropout", "drop_path", "optimizer", "lr", "weight_decay", "schedule", "label_smoothing", "epoch_factor",
        "level", "jitter", "scaling", "crop", "warp", "steps",
    }  # fmt: skip
    assert set(SPACE.params) - training == set(SPACE.nas)
