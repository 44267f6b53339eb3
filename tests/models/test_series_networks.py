"""Networks over series: they learn shapes, rhythms and levels, read table columns beside, and say what they cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from autodl.features import Features
from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.memory import SeriesList
from autodl.models.base import Meta, Shape, families
from autodl.models.inception_time import InceptionTimeConfig
from autodl.models.nn import network as nn_network
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.series_inputs import SeriesInput, SeriesPlan
from autodl.records import Modality, Task
from autodl.search.space import family_space

SMALL = {
    "inception_time": {"stages": 1, "width": (16,), "kernel": (7,), "stem_width": 8, "batch_size": 32, "lr": 0.01},
    "series_rnn": {"window": 2, "hidden": 32, "batch_size": 32, "lr": 0.01, "dropout": 0.0},
    "series_transformer": {"window": 4, "embed": 32, "layers": 1, "batch_size": 32, "lr": 0.003, "dropout": 0.0},
}
TWO = Meta(Task.CLASSIFICATION, 2, threads=1)


every_network = pytest.mark.parametrize("key", SMALL)


def network(key: str, meta: Meta = TWO, **fields):
    """An untrained small network of a family."""
    family = families[key]()
    return family.build(family.config(**{**SMALL[key], **fields}), meta)


def test_all_networks_over_series_are_tested_here() -> None:
    assert SMALL.keys() == {k for k, f in families.items() if f.modalities == {Modality.SERIES}}


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
    model = network("inception_time", epochs=15)
    model.fit(rows(series[:240]), y[:240])
    assert (model.predict(rows(series[240:])) == y[240:]).mean() > 0.9


@pytest.mark.parametrize(
    ("key", "level"),
    [("inception_time", "all"), ("inception_time", "each"), ("series_rnn", "all"), ("series_transformer", "each")],
)
def test_the_frequency_is_predicted_at_any_phase(key, level) -> None:
    rng = np.random.default_rng(0)
    y = rng.uniform(0.05, 0.25, 300)
    series = [np.sin(2 * np.pi * (f * np.arange(48) + rng.random())) for f in y]
    model = network(key, Meta(Task.REGRESSION, threads=1, metric="rmse"), level=level, epochs=20)
    model.fit(rows(series[:200]), y[:200])
    error = model.predict(rows(series[200:])) - y[200:]
    assert np.sqrt((error**2).mean()) < 0.35 * y.std()


@every_network
def test_the_level_of_a_series_is_known_where_each_is_standardized(key) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 260)
    series = [rng.normal(3 * k, 1, 30) for k in y]
    model = network(key, level="each", epochs=10, lr=0.01)
    model.fit(rows(series[:200]), y[:200])
    assert (model.predict(rows(series[200:])) == y[200:]).mean() > 0.9


def test_rows_without_a_series_are_answered_by_what_their_absence_says() -> None:
    rng = np.random.default_rng(0)
    y, gone = rng.integers(0, 2, 300), np.arange(300) % 3 == 0
    y[gone] = rng.random(100) < 0.8
    X = rows([rng.normal(3 * k, 1, 20) for k in y])
    X = replace(X, media={"signal": MediaBatch(X.media["signal"].store, np.where(gone, ABSENT, np.arange(300)))})
    model = network("inception_time", epochs=10)
    model.fit(X.take(np.arange(240)), y[:240])
    found = model.predict_proba(X.take(np.arange(240, 300)))
    assert (found.argmax(1) == y[240:])[~gone[240:]].mean() > 0.9
    np.testing.assert_allclose(found[gone[240:], 1], y[gone].mean(), atol=0.12)


@every_network
def test_columns_beside_the_series_are_used(key) -> None:
    rng = np.random.default_rng(1)
    up, sign = rng.integers(0, 2, (2, 300))
    series = [rng.normal(2 * k - 1, 0.5, 12) for k in up]
    table, y = np.stack([sign, np.zeros(300)], axis=1), up ^ sign
    model = network(key, epochs=20)
    model.fit(rows(series[:200], table[:200]), y[:200])
    new = rows(series[200:], table[200:])
    assert (model.predict(new) == y[200:]).mean() > 0.85
    assert (model.predict(replace(new, numeric=np.zeros_like(new.numeric))) == y[200:]).mean() < 0.75


@every_network
def test_what_stands_in_a_batch_besides_a_series_does_not_matter(key) -> None:
    """Longer neighbours only add padding; a row without a series is answered by the bias; longer ones are cut."""
    series, y = two_shapes(60, 0)
    model = network(key, epochs=2)
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


@every_network
def test_long_series_are_read_few_at_a_time(key, monkeypatch) -> None:
    series, y = two_shapes(120, 0)
    model = network(key, epochs=1, batch_size=8)
    model.learn(rows(series))
    assert model.pass_rows == 256
    monkeypatch.setattr(nn_network, "PASS_FLOATS", 10 * model.floats_per_row())
    read, seen = SeriesInput.read, []
    monkeypatch.setattr(SeriesInput, "read", lambda self, batch: (seen.append(len(batch)), read(self, batch))[1])
    model.fit(rows(series[:80]), y[:80], rows(series[80:]), y[80:])
    model.predict(rows(series[80:]))
    assert seen[0] == max(seen) == 10
    model.learn(rows([np.zeros((20_000, 40))] * 2))
    assert model.floats_per_row() == 800_000


@every_network
@pytest.mark.parametrize("part", range(2))
def test_every_configuration_trains_a_step(key, part) -> None:
    rng, family, space = np.random.default_rng([part, 3]), families[key], family_space(key)
    X = Features(rng.normal(size=(4, 2)).astype(np.float32), np.ones((4, 1), np.int32), (3,))
    table, target = InputPlan.learn(X), torch.arange(4) % 3
    plan = SeriesPlan((SeriesInput("a", 2, 20, 1), SeriesInput("b", 1, 30, 1)), table)
    inputs = (
        torch.randn(4, 2, 20), torch.randn(4, 1, 30), torch.tensor([[20, 30], [3, 30], [0, 1], [7, 9]]),
        *table.tensors(X),
    )  # fmt: skip
    for _ in range(12):
        drawn = {k: v for k, v in space.sample(rng).items() if not k.startswith("prep.")}
        model = family().build(family.config(**drawn), Meta(Task.CLASSIFICATION, 3))
        model.plan = plan
        with torch.random.fork_rng():
            torch.manual_seed(part)
            module = model.new_module(inputs, 3)
            loss = torch.nn.functional.cross_entropy(module(*inputs), target)
            loss.backward()
        assert bool(torch.isfinite(loss))
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in module.parameters()), drawn


@every_network
def test_what_a_training_costs(key) -> None:
    family = families[key]

    def seconds(steps: int = 150, channels: int = 1, rows: int = 400, **fields) -> float:
        shape = Shape(rows=rows, numeric=0, classes=2, series=1, series_steps=steps, series_channels=channels)
        return family().estimate_cost(shape, family.config(**fields)).seconds

    assert seconds(epochs=10) == pytest.approx(10 * seconds(epochs=1))
    assert seconds() < seconds(rows=4000)
    assert seconds(20) < seconds() < seconds(channels=20)
    assert seconds(512) == seconds(5120)
    assert seconds(epoch_factor=0.3) < 0.4 * seconds()


def test_threads_and_width_count() -> None:
    family = families["inception_time"]

    def seconds(threads: int = 1, **fields) -> float:
        shape = Shape(rows=400, numeric=0, classes=2, series=1, series_steps=150, series_channels=1, threads=threads)
        return family().estimate_cost(shape, family.config(**fields)).seconds

    assert seconds(threads=2) < seconds() < seconds(width=(96, 192, 384))


@pytest.mark.parametrize("key", ["series_rnn", "series_transformer"])
def test_the_counted_weights_are_those_of_the_network(key) -> None:
    column, family = SeriesInput("a", 3, 100, 1), families[key]
    for fields in ({}, {"window": 8, "overlap": True}, {"layers": 3, "pooling": "max"}):
        model = family().build(family.config(**fields), TWO)
        body, _ = model.make_body(column)
        built = sum(p.numel() for p in body.parameters())
        # Norms, biases and pooling are left out of the count of transformers.
        assert model.body_cost(column).parameters == pytest.approx(built, rel=0.1)


def test_longer_series_get_a_stem_that_halves_them() -> None:
    strides = [InceptionTimeConfig().for_steps(steps).stem_stride for steps in (20, 256, 300, 600)]
    assert strides == [1, 1, 2, 4]
    assert InceptionTimeConfig(stem_stride=1).for_steps(600).stem_stride == 1


@every_network
def test_the_list_of_architecture_choices_is_complete(key) -> None:
    """What is no architecture is training or augmentation; a new parameter must be in one of the two."""
    training = {
        "dropout", "drop_path", "optimizer", "lr", "weight_decay", "schedule", "label_smoothing", "epoch_factor",
        "level", "jitter", "scaling", "crop", "warp", "steps", "input_dropout", "grad_clip",
    }  # fmt: skip
    space = family_space(key)
    assert set(space.params) - training == set(space.nas)
