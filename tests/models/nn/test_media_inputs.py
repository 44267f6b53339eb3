"""Rows of stores as tensors of pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autodl.features import Features
from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.stores import ImageStore, JoinedStore
from autodl.media.writing import write_images
from autodl.models.nn.media_inputs import ImagePlan, pixels_of, seen_side, sized
from autodl.train.data import TensorData


def store(folder, n: int = 5, side: int = 4, seed: int = 0) -> ImageStore:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)
    return write_images(folder, ((p, (side, side)) for p in pixels), n, side)


def rows(batch: MediaBatch, numeric: int = 0) -> Features:
    n = len(batch)
    table = np.arange(n * numeric, dtype=np.float32).reshape(n, numeric)
    return Features(table, np.empty((n, 0), np.int32), media={"photo": batch})


def test_batches_are_fetched_when_they_are_needed(tmp_path) -> None:
    own = store(tmp_path)
    X = rows(MediaBatch(own, np.array([4, ABSENT, 0, 2])))
    plan = ImagePlan.learn(X)
    assert (plan.columns, plan.side, plan.beside) == (("photo",), 4, None)
    data = TensorData(plan.tensors(X), torch.arange(4), fetch=plan.fetcher(X))
    batch = data.take(torch.tensor([0, 1, 3]))
    pixels, present = batch.inputs[:2]
    assert pixels.dtype == torch.uint8 and batch.fetch is None
    np.testing.assert_array_equal(pixels[0].numpy(), own.get(4))
    np.testing.assert_array_equal(pixels[2].numpy(), own.get(2))
    assert present[:, 0].tolist() == [1.0, 0.0, 1.0]
    assert bool((pixels[1] == 128).all())
    for got, expected in zip(data.part(1, 3).inputs, data.take(torch.tensor([1, 2])).inputs, strict=True):
        assert torch.equal(got, expected)


def test_joined_stores_are_read_as_one(tmp_path) -> None:
    one, two = store(tmp_path / "a"), store(tmp_path / "b", 3, seed=1)
    numbers = np.array([6, ABSENT, 0, 5, 4, 7])
    found = pixels_of(MediaBatch(JoinedStore([one, two]), numbers), numbers)
    for place, (part, row) in enumerate([(two, 1), (None, 0), (one, 0), (two, 0), (one, 4), (two, 2)]):
        np.testing.assert_array_equal(found[place], np.full((4, 4, 3), 128) if part is None else part.get(row))
    other = store(tmp_path / "c", side=6)
    with pytest.raises(ValueError, match="one size"):
        pixels_of(MediaBatch(JoinedStore([one, other]), numbers), numbers)


def test_large_images_are_averaged_down_and_small_ones_stay() -> None:
    assert (seen_side(32, 0), seen_side(200, 0), seen_side(200, 96), seen_side(20, 96)) == (32, 64, 96, 20)
    x = torch.zeros(1, 8, 8, 3, dtype=torch.uint8)
    x[:, :, 4:] = 200
    small = sized(x, 4)
    assert small.dtype == torch.uint8 and small.shape == (1, 4, 4, 3)
    assert small[0, 0, 0, 0] < 20 and small[0, 0, 3, 0] > 180
    assert float(small.float().mean()) == pytest.approx(100, abs=3)
    assert sized(x, 8) is x


def test_rows_without_images_are_refused() -> None:
    with pytest.raises(ValueError, match="column of images"):
        ImagePlan.learn(Features(np.zeros((2, 1), np.float32), np.empty((2, 0), np.int32)))


def test_other_columns_stand_beside(tmp_path) -> None:
    X = rows(MediaBatch(store(tmp_path), np.arange(5)), numeric=2)
    plan = ImagePlan.learn(X)
    assert plan.beside is plan.table and [t.shape for t in plan.tensors(X)] == [(5, 1), (5, 0), (5, 2), (5, 0)]
