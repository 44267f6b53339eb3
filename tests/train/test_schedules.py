"""Schedules against torch's own."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autodl.train.config import TrainConfig
from autodl.train.schedules import Schedule, coslog, patience_ends

STEPS = 60


def torch_rates(make) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(STEPS):
            rates.append(optimizer.param_groups[0]["lr"])
            scheduler.step()
    return rates


def our_rates(config: TrainConfig) -> list[float]:
    schedule = Schedule(config)
    return [schedule.factor(i / STEPS) for i in range(STEPS)]


def test_cosine_is_torchs():
    expected = torch_rates(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=STEPS))
    assert our_rates(TrainConfig(schedule="cosine")) == pytest.approx(expected, abs=1e-9)


def test_one_cycle_is_torchs():
    expected = torch_rates(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=STEPS))
    # torch's peak lies one step before 30 % and its end one step before the last: map its phases to ours.
    peak, last = round(0.3 * STEPS) - 1, STEPS - 1
    progress = [0.3 * i / peak if i <= peak else 0.3 + 0.7 * (i - peak) / (last - peak) for i in range(STEPS)]
    schedule = Schedule(TrainConfig(schedule="one_cycle"))
    assert [schedule.factor(t) for t in progress] == pytest.approx(expected, abs=1e-9)


def test_step_is_torchs():
    expected = torch_rates(lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=20, gamma=0.1))
    assert our_rates(TrainConfig(schedule="step", lr_decay=0.1, decay_every=1 / 3)) == pytest.approx(expected)


def test_plateau_is_torchs():
    losses = [5, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3, threshold=0.0)
    ours = Schedule(TrainConfig(schedule="plateau", lr_decay=0.5), patience=3)
    for loss in losses:
        reference.step(loss)
        ours.observe(loss)
        assert ours.factor(0.5) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.factor(0.5) < 1


def test_warmup_rises_linearly_then_leaves_the_schedule_alone():
    schedule = Schedule(TrainConfig(schedule="constant", warmup=0.2))
    assert [schedule.factor(t) for t in (0.0, 0.05, 0.1, 0.2, 0.9)] == pytest.approx([0, 0.25, 0.5, 1, 1])


def test_coslog4_has_four_cycles_that_end_at_zero():
    # log2(1 + 15 t) = k  <=>  t = (2^k - 1) / 15
    assert [coslog((2**k - 1) / 15) for k in range(5)] == pytest.approx([0] * 5, abs=1e-9)
    assert [coslog((2 ** (k + 0.5) - 1) / 15) for k in range(4)] == pytest.approx([1] * 4)


@pytest.mark.parametrize(("best", "end"), [(0, 28), (10, 28), (11, 60), (28, 60), (55, 60)])
def test_patience_with_coslog4_ends_where_the_rate_is_lowest(best: int, end: int) -> None:
    found = patience_ends("coslog4", best, 18, 60)
    assert found == end and coslog(found / 60) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("schedule", "best", "end"),
    [("flat_cosine", 3, 48), ("flat_cosine", 40, 58), ("cosine", 3, 21), ("plateau", 3, 21)],
)
def test_patience_begins_at_the_best_epoch_but_with_flat_cosine_not_before_the_rate_falls(schedule, best, end):
    assert patience_ends(schedule, best, 18, 60) == end


@given(
    name=st.sampled_from(["constant", "cosine", "flat_cosine", "step", "plateau", "one_cycle", "coslog4"]),
    t=st.floats(0, 1),
    warmup=st.floats(0, 0.5),
)
def test_factors_stay_between_zero_and_one(name, t, warmup):
    factor = Schedule(TrainConfig(schedule=name, warmup=warmup)).factor(t)
    assert 0 <= factor <= 1 + 1e-12 and math.isfinite(factor)


def test_lower_multiplies_what_follows():
    schedule = Schedule(TrainConfig(schedule="constant"))
    schedule.lower(0.1)
    assert schedule.factor(0.3) == pytest.approx(0.1)
