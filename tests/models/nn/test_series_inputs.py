"""Series of stores as padded tensors, and their changes in training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autodl.features import Features
from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.memory import SeriesList
from autodl.media.stores import JoinedStore
from autodl.models.nn.series_changes import SeriesAugmenter, level_of, moved, steps_within
from autodl.models.nn.series_config import SeriesAugmentConfig
from autodl.models.nn.series_inputs import SeriesPlan, averaged, seen_steps
from autodl.train.data import TensorData


def rows(batch: MediaBatch, numeric: int = 0) -> Features:
    n = len(batch)
    return Features(np.zeros((n, numeric), np.float32), np.empty((n, 0), np.int32), media={"signal": batch})


def test_batches_are_padded_to_their_longest_series() -> None:
    a, b, c = (np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32) for n in (3, 7, 5))
    joined = JoinedStore([SeriesList([a, b]), SeriesList([c])])
    X = rows(MediaBatch(joined, np.array([2, ABSENT, 0, 1])))
    plan = SeriesPlan.learn(X)
    assert (plan.columns[0].channels, plan.columns[0].steps, plan.beside) == (2, 7, None)
    data = TensorData(plan.tensors(X), torch.arange(4), fetch=plan.fetcher(X))
    values, lengths = data.take(torch.tensor([0, 1, 2])).inputs[:2]
    assert values.shape == (3, 2, 5) and lengths[:, 0].tolist() == [5, 0, 3]
    np.testing.assert_array_equal(values[0].numpy().T, c)
    np.testing.assert_array_equal(values[2, :, :3].numpy().T, a)
    assert not values[1].any() and not values[2, :, 3:].any()


def test_neighbouring_steps_of_long_series_are_averaged() -> None:
    assert [seen_steps(t, most) for t, most in ((150, 0), (1024, 0), (1, 0), (9, 4))] == [
        (150, 1), (512, 2), (1, 1), (3, 3),
    ]  # fmt: skip
    x = np.array([[[1, 3, 5, 7, 9]], [[2, 4, 6, 0, 0]]], np.float32)
    means, lengths = averaged(x, np.array([5, 3]), 2)
    np.testing.assert_array_equal(means, [[[2, 6, 9]], [[3, 6, 0]]])
    assert lengths.tolist() == [3, 2]


def test_one_very_long_series_neither_blurs_the_others_nor_fills_the_memory() -> None:
    usual = [np.full((60, 1), k, np.float32) for k in range(9)]
    column = SeriesPlan.learn(rows(MediaBatch(SeriesList([*usual, np.ones((60_000, 1), np.float32)]), np.arange(10))))
    (column,) = column.columns
    assert (column.steps, column.factor) == (240, 1)
    long = np.arange(1_000, dtype=np.float32)[:, None]
    values, lengths = column.read(MediaBatch(SeriesList([usual[3], long]), np.arange(2)))
    assert values.shape == (2, 1, 240) and lengths.tolist() == [60, 240]
    np.testing.assert_array_equal(values[1, 0], long[:240, 0])


def test_rows_without_series_are_refused() -> None:
    with pytest.raises(ValueError, match="column of series"):
        SeriesPlan.learn(Features(np.zeros((2, 1), np.float32), np.empty((2, 0), np.int32)))


def test_warped_time_never_runs_back_and_keeps_the_ends() -> None:
    lengths = torch.tensor([40, 25, 1])
    x = torch.arange(40.0).repeat(3, 1, 1) * steps_within(lengths, 40)[:, None]
    torch.manual_seed(0)
    y = moved(x, lengths, 0.0, 0.9)
    for k, n in enumerate(lengths.tolist()):
        assert float(y[k, 0, 0]) == 0.0 and float(y[k, 0, n - 1]) == pytest.approx(n - 1)
        assert bool((y[k, 0, :n].diff() >= -1e-4).all()) and not y[k, 0, n:].any()
    assert float((y - x).abs().max()) > 0.5
    cut = moved(x, lengths, 0.5, 0.0)[0, 0]
    assert float(cut[-1] - cut[0]) >= 0.5 * 39 - 1e-3
    np.testing.assert_allclose(cut.diff(), float(cut.diff().mean()), atol=1e-4)  # stretched evenly
    torch.testing.assert_close(moved(x, lengths, 0.0, 0.0), x)


def test_noise_and_factors_have_the_size_asked_for_and_leave_the_padding() -> None:
    torch.manual_seed(0)
    lengths = torch.tensor([400, 300])
    within = steps_within(lengths, 400)[:, None]
    x = torch.where(within, 5 + 3 * torch.randn(2, 1, 400), 0.0)
    _, spread = level_of(x, within)
    noisy = SeriesAugmenter(SeriesAugmentConfig(jitter=0.2), 1).changed(x, lengths)
    ratio = (noisy - x)[1, 0, :300].std() / spread[1, 0, 0]
    assert float(ratio) == pytest.approx(0.2, rel=0.15) and not noisy[1, 0, 300:].any()
    scaled = SeriesAugmenter(SeriesAugmentConfig(scaling=0.3), 1).changed(x, lengths)
    torch.testing.assert_close(level_of(scaled, within)[0], level_of(x, within)[0])
    correlation = np.corrcoef(scaled[0, 0], x[0, 0])[0, 1]
    assert abs(correlation) == pytest.approx(1.0, abs=1e-4) and not torch.allclose(scaled, x)
