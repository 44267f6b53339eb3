"""MiniRocket against the paper's own values, aeon, and properties."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.preprocess.series_rocket import KERNELS, Dilation, MiniRocket, dilations, exceeding
from autodl.preprocess.series_values import SeriesValues


def some_series(n: int = 12, t: int = 50, channels: int = 1, *, even: bool = True, seed: int = 0) -> SeriesValues:
    rng = np.random.default_rng(seed)
    lengths = np.full(n, t) if even else rng.integers(max(1, t // 4), t + 1, n)
    lengths[0] = t
    values = np.cumsum(rng.normal(size=(t, n, channels)), axis=0).astype(np.float32)
    values[np.arange(t)[:, None] >= lengths] = 0
    return SeriesValues(values, lengths)


def naive(series: SeriesValues, rocket: MiniRocket) -> tuple[np.ndarray, np.ndarray]:
    """The same by plain convolution, one series and one kernel at a time; and the steps that each share is of."""
    rows, steps = [], []
    for place, length in enumerate(series.lengths):
        row, counts = [], []
        for number, dilation in enumerate(rocket.dilations):
            edge = 4 * dilation.step
            for kernel, (channels, thresholds) in enumerate(zip(dilation.channels, dilation.thresholds, strict=True)):
                weights = np.full(9, -1.0)
                weights[list(KERNELS[kernel])] = 2.0
                spread = np.zeros(8 * dilation.step + 1)
                spread[:: dilation.step] = weights
                one = series.values[:length, place, list(channels)].sum(axis=1)
                response = np.correlate(np.pad(one, edge), spread, mode="valid")
                if (number + kernel) % 2 and length > 2 * edge:
                    response = response[edge:-edge]
                row += [(response > b).mean() for b in thresholds]
                counts += [len(response)] * len(thresholds)
        rows.append(row)
        steps.append(counts)
    return np.array(rows), np.array(steps)


def test_there_are_84_kernels_whose_weights_sum_to_zero() -> None:
    assert len(KERNELS) == 84
    assert all(2 * len(k) - (9 - len(k)) == 0 for k in KERNELS)


@pytest.mark.parametrize(("channels", "even"), [(1, True), (1, False), (3, True), (3, False)])
def test_shares_are_those_of_plain_convolutions(channels: int, *, even: bool) -> None:
    series = some_series(6, 40, channels, even=even)
    rocket = MiniRocket(84 * 4).fit(series)
    found = rocket.transform(series)
    assert found.shape == (6, rocket.n_features) == (6, 84 * 4)
    expected, steps = naive(series, rocket)
    # A response may lie on a threshold that is itself a response: rounding decides there.
    assert (np.abs(found - expected) * steps).max() <= 1.01
    assert np.abs(found - expected).mean() < 2e-3


def test_a_series_has_the_same_shares_whatever_lies_beside_it() -> None:
    series = some_series(even=False)
    rocket = MiniRocket(500).fit(series)
    whole = rocket.transform(series)
    for place in range(3):
        alone = SeriesValues(
            series.values[: series.lengths[place], place : place + 1], series.lengths[place : place + 1]
        )
        np.testing.assert_array_equal(rocket.transform(alone)[0], whole[place])
    longer = SeriesValues(np.vstack([series.values, np.zeros((30, 12, 1), np.float32)]), series.lengths)
    np.testing.assert_array_equal(rocket.transform(longer), whole)


def test_level_and_scale_of_the_training_do_not_matter_inside() -> None:
    """Kernels sum to zero, and thresholds scale with the values: only the padding sees a shift."""
    series = some_series()
    louder = SeriesValues(series.values * 4, series.lengths)
    np.testing.assert_allclose(
        MiniRocket(200).fit(series).transform(series), MiniRocket(200).fit(louder).transform(louder), atol=0.03
    )


def test_what_is_not_there_and_what_is_short() -> None:
    series = some_series(even=False)
    rocket = MiniRocket(200).fit(series)
    odd = SeriesValues(np.ones((3, 3, 1), np.float32), np.array([0, 1, 3]))
    odd.values[0:, 0] = 0
    odd.values[1:, 1] = 0
    found = rocket.transform(odd)
    assert (found[0] == 0).all()
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1
    assert rocket.transform(SeriesValues(np.zeros((0, 2, 1), np.float32), np.zeros(2, np.int64))).shape == (2, 168)


def test_counts_beyond_what_a_byte_holds() -> None:
    response = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    thresholds = np.array([-1, 0, 9], np.float32)
    np.testing.assert_array_equal(exceeding(response, thresholds), [(response > b).sum(axis=0) for b in thresholds])


@pytest.mark.parametrize(("t", "features"), [(9, 84), (24, 9_996), (150, 10_000), (500, 2_000)])
def test_dilations_reach_the_length_and_use_all_features(t: int, features: int) -> None:
    steps, counts = dilations(t, features)
    assert steps[0] == 1
    assert 8 * steps[-1] <= t - 1
    assert counts.sum() == features // 84
    assert (counts > 0).all()


def test_shares_are_those_of_aeon() -> None:
    theirs = pytest.importorskip("aeon.transformations.collection.convolution_based", reason="aeon is the reference")
    series = some_series(channels=2, t=60)
    usual = series.values.transpose(1, 2, 0)
    reference = theirs.MiniRocket(n_kernels=84 * 8, random_state=0).fit(usual)
    counts, channels, steps, each, biases = reference.parameters
    ours, place, start = [], 0, 0
    combination = 0
    for step, m in zip(steps, each, strict=True):
        taken = []
        for _ in KERNELS:
            size = counts[combination]
            taken.append(tuple(int(c) for c in channels[start : start + size]))
            start, combination = start + size, combination + 1
        ours.append(Dilation(int(step), tuple(taken), biases[place : place + 84 * m].reshape(84, m)))
        place += 84 * m
    rocket = MiniRocket()
    rocket.dilations = tuple(ours)
    expected = np.asarray(reference.transform(usual))
    found = rocket.transform(series)
    assert np.abs(found - expected).mean() < 1e-3
    assert np.abs(found - expected).max() <= 2 / 12
