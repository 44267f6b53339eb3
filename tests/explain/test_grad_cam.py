"""Grad-CAM against the formula, and on images where the place that counts is known."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from autodl.explain.grad_cam import grad_cam  # noqa: E402
from autodl.features import Features  # noqa: E402
from autodl.media.batch import MediaBatch  # noqa: E402
from autodl.media.writing import write_images  # noqa: E402
from autodl.models.base import Meta  # noqa: E402
from autodl.models.cnn import CnnConfig, CnnEstimator  # noqa: E402
from autodl.records import Task  # noqa: E402

SIDE = 16


@pytest.fixture(scope="module")
def spots(tmp_path_factory):
    """Noise; in half of the images with a bright spot somewhere, and a network that tells them apart."""
    rng = np.random.default_rng(0)
    n = 240
    y = rng.integers(0, 2, n)
    pixels = rng.normal(100, 20, (n, SIDE, SIDE, 3))
    at = rng.integers(0, 3, (n, 2)) * 5
    for i in np.flatnonzero(y):
        pixels[i, at[i, 0] : at[i, 0] + 5, at[i, 1] : at[i, 1] + 5] += 110
    images = pixels.clip(0, 255).astype(np.uint8)
    store = write_images(tmp_path_factory.mktemp("spots"), ((p, (SIDE, SIDE)) for p in images), n, SIDE)
    config = CnnConfig(
        stages=1, width=(16,), stem_width=8, batch_size=32, lr=0.01, epochs=10, flip="none", mirror=False
    )
    network = CnnEstimator(config, Meta(task=Task.CLASSIFICATION, n_classes=2, seed=0, threads=1))
    network.fit(features(store, np.arange(200)), y[:200])
    return store, y, at, network


def features(store, rows) -> Features:
    rows = np.asarray(rows)
    table = np.empty((len(rows), 0), np.float32)
    return Features(table, np.empty((len(rows), 0), np.int32), media={"photo": MediaBatch(store, rows)})


def test_the_formula(spots) -> None:
    store, _, _, network = spots
    X = features(store, [1, 2, 3])
    heat = grad_cam(network, X, np.array([1, 0, 1]))["photo"]
    module = network.loaded()
    inputs = network.fetcher(X)(network.inputs(X))
    maps = module.body.features(module.planes(inputs[0]))[0].detach().requires_grad_()
    raw = module.head(module.body.drop(module.body.pool(maps.flatten(2).transpose(1, 2), None)))
    (slope,) = torch.autograd.grad(raw[[0, 1, 2], [1, 0, 1]].sum(), maps)
    expected = (slope.mean((2, 3), keepdim=True) * maps).sum(1).relu().detach().numpy()
    expected /= np.maximum(expected.max((1, 2), keepdims=True), 1e-12)
    assert heat.shape == expected.shape and heat.max() == 1.0
    np.testing.assert_allclose(heat, expected, atol=1e-4)


def test_numbers_rest_on_what_lowers_them_too(spots) -> None:
    store, y, _, network = spots
    X = features(store, np.arange(8))
    config = network.config.model_copy(update={"epochs": 2})
    numbers = CnnEstimator(config, Meta(task=Task.REGRESSION, seed=0, threads=1))
    numbers.fit(features(store, np.arange(60)), -y[:60].astype(float))
    raised, lowered = grad_cam(numbers, X, np.zeros(8, np.int64))["photo"], None
    weight = numbers.loaded().head.weight
    with torch.no_grad():
        weight.neg_()
        lowered = grad_cam(numbers, X, np.zeros(8, np.int64))["photo"]
        weight.neg_()
    assert raised.max() == 1.0
    np.testing.assert_allclose(raised, lowered, atol=1e-6)  # what raises the number now lowered it before


def test_the_network_looks_at_what_counts_and_is_left_as_it_was(spots) -> None:
    store, y, at, network = spots
    rows = np.array([i for i in range(200, 240) if y[i]])
    X = features(store, rows)
    before = network.predict_proba(X)
    assert (before.argmax(1) == 1).mean() > 0.8
    heat = grad_cam(network, X, np.ones(len(rows), np.int64))["photo"]
    assert heat.min() >= 0.0 and heat.max() == 1.0
    scale = SIDE / heat.shape[1]
    ys, xs = np.mgrid[: heat.shape[1], : heat.shape[2]]
    total = np.maximum(heat.sum((1, 2)), 1e-9)
    centre = np.stack([((g + 0.5) * scale * heat).sum((1, 2)) / total for g in (ys, xs)], axis=1)
    distance = np.abs(centre - (at[rows] + 2.5)).mean()
    shuffled = np.abs(centre - (np.roll(at[rows], 1, axis=0) + 2.5)).mean()
    assert distance < 0.75 * shuffled
    np.testing.assert_array_equal(network.predict_proba(X), before)
    assert all(p.grad is None for p in network.loaded().parameters())
