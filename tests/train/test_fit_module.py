"""The training loop: it learns, stops, restores, survives divergence, keeps deadlines, repeats itself."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autodl.clock import Deadline
from autodl.models.nn.ensembling import MemberLinear, MemberScale
from autodl.train.config import TrainConfig, auto_batch_size, auto_epochs
from autodl.train.data import Blend, TensorData, shuffled_batches, steps_per_epoch
from autodl.train.device import torch_threads
from autodl.train.loop import DivergenceError, evaluate, fit_module
from autodl.train.losses import CrossEntropy, Regression


@pytest.fixture(autouse=True)
def _one_thread():
    """Small networks gain nothing from more threads, and busy machines lose much."""
    with torch_threads(1):
        yield


def network(width: int = 32, outputs: int = 2, inputs: int = 2) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))


def xor(n: int = 400, seed: int = 0) -> TensorData:
    x = torch.rand(n, 2, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return TensorData((x,), ((x[:, 0] > 0) ^ (x[:, 1] > 0)).long())


def noise(n: int = 200, seed: int = 0) -> TensorData:
    g = torch.Generator().manual_seed(seed)
    return TensorData((torch.randn(n, 10, generator=g),), torch.randint(2, (n,), generator=g))


def test_learns_what_no_linear_model_can():
    module = network()
    history = fit_module(module, xor(), CrossEntropy(2), TrainConfig(lr=0.02, epochs=60), valid=xor(seed=1))
    test = xor(seed=2)
    accuracy = float((module(*test.inputs).argmax(1) == test.target).float().mean())
    assert accuracy > 0.95
    assert history.stopped_by == "epochs" and len(history.curve) == 60
    assert history.curve[-1].train < history.curve[0].train


def test_overfits_a_tiny_set_to_almost_no_loss():
    data = noise(16)
    module = network(64, inputs=10)
    fit_module(module, data, CrossEntropy(2), TrainConfig(lr=0.02, epochs=200, schedule="cosine"))
    assert evaluate(module, data, CrossEntropy(2)) < 0.01


def test_ends_with_the_best_weights_and_stops_when_it_gets_no_better():
    valid = noise(seed=1)
    module = network(128, inputs=10)
    config = TrainConfig(lr=0.02, epochs=100, patience=5, schedule="constant")
    history = fit_module(module, noise(), CrossEntropy(2), config, valid=valid)
    errors = [p.valid for p in history.curve]
    assert history.stopped_by == "patience" and len(errors) < 100
    assert history.best_epoch == errors.index(min(errors)) + 1 == len(errors) - 5
    assert evaluate(module, valid, CrossEntropy(2)) == pytest.approx(min(errors), rel=1e-6)
    assert history.best_error == pytest.approx(min(errors))


def test_patience_as_a_share_of_the_epochs():
    config = TrainConfig(lr=0.02, epochs=60, patience_share=0.2, schedule="constant")
    history = fit_module(network(128, inputs=10), noise(), CrossEntropy(2), config, valid=noise(seed=1))
    assert history.stopped_by == "patience" and len(history.curve) == history.best_epoch + 12


@pytest.mark.parametrize(
    ("schedule", "good", "epochs", "ended"),
    [
        ("coslog4", [28, 60], 60, "epochs"),  # the low of the third cycle, then that of the last
        ("coslog4", [4, 60], 28, "patience"),
        ("flat_cosine", [1, 45], 60, "epochs"),
        ("flat_cosine", [1], 48, "patience"),
        ("cosine", [1, 28], 19, "patience"),
    ],
)
def test_patience_waits_for_the_rate_to_fall(schedule, good, epochs, ended, monkeypatch):
    errors = iter([1.0 - 0.001 * epoch * (epoch in good) for epoch in range(1, 61)])
    monkeypatch.setattr("autodl.train.loop.evaluate", lambda *a: next(errors))
    config = TrainConfig(epochs=60, schedule=schedule, patience_share=0.3)
    history = fit_module(network(inputs=10), noise(40), CrossEntropy(2), config, valid=noise(8, seed=1))
    assert (len(history.curve), history.stopped_by) == (epochs, ended)
    assert history.best_epoch == max(e for e in good if e <= epochs)


def test_stop_epoch_gives_the_weights_of_that_epoch_of_the_longer_schedule():
    long, short = network(), network()
    full = TrainConfig(lr=0.01, epochs=20)
    history = fit_module(long, xor(), CrossEntropy(2), full, valid=xor(seed=1))
    again = full.model_copy(update={"stop_epoch": history.best_epoch})
    stopped = fit_module(short, xor(), CrossEntropy(2), again)
    assert stopped.stopped_by in ("stop_epoch", "epochs") and len(stopped.curve) == history.best_epoch
    for a, b in zip(long.parameters(), short.parameters(), strict=True):
        assert torch.equal(a, b)


def rates(history_of, **changes) -> list[float]:
    """Learning rates of the steps of a training."""
    from autodl.train import loop

    seen: list[float] = []
    apply = loop.apply_factors
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            loop, "apply_factors", lambda o, factor, annealed: (seen.append(factor), apply(o, factor, annealed))
        )
        history_of()
    return seen


def test_a_refit_lowers_the_rate_where_plateau_did():
    long, short = network(64, inputs=10), network(64, inputs=10)
    plan = TrainConfig(lr=0.01, epochs=40, batch_size=50, schedule="plateau", patience=4, decay_every=0.25)
    # Slowly better, so that the best epoch comes after the first fall.
    valid = TensorData(noise().inputs, noise().target)
    wiggling = iter([0.9, 0.8, 0.85, 0.84, 0.83, 0.7, 0.72, 0.73, 0.74, 0.6, *[0.65] * 40])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autodl.train.loop.evaluate", lambda *a: next(wiggling))
        history = None

        def first():
            nonlocal history
            history = fit_module(long, noise(), CrossEntropy(2), plan, valid=valid)

        before = rates(first)
    assert history.best_epoch == 10 and history.lowered[:2] == [4, 8]
    again = plan.model_copy(update=history.again())
    assert again.epochs_lowered == (4, 8)
    after = rates(lambda: fit_module(short, noise(), CrossEntropy(2), again))
    assert after == before[: len(after)] and len(after) == 10 * 4 and len(set(after)) == 3
    for a, b in zip(long.parameters(), short.parameters(), strict=True):
        assert torch.equal(a, b)


class Poisoned(nn.Module):
    """Gives NaN in training at chosen calls."""

    def __init__(self, bad_calls: set[int]) -> None:
        super().__init__()
        self.body, self.calls, self.bad = network(), 0, bad_calls

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calls += 1
            if self.calls in self.bad:
                return self.body(x) * float("nan")
        return self.body(x)


def test_one_divergence_goes_back_to_the_best_and_goes_on():
    module = Poisoned({12})
    config = TrainConfig(lr=0.02, epochs=40, batch_size=100)
    history = fit_module(module, xor(), CrossEntropy(2), config, valid=xor(seed=1))
    assert history.stopped_by == "epochs"
    assert evaluate(module, xor(seed=1), CrossEntropy(2)) < 0.5


def test_a_second_divergence_keeps_the_best_model():
    module = Poisoned({10, 20})
    history = fit_module(module, xor(), CrossEntropy(2), TrainConfig(epochs=40, batch_size=100), valid=xor(seed=1))
    assert history.stopped_by == "divergence" and history.best_error is not None
    assert all(bool(torch.isfinite(p).all()) for p in module.parameters())


def test_divergence_without_any_model_is_an_error():
    with pytest.raises(DivergenceError, match=r"lr=0\.002"):
        fit_module(Poisoned(set(range(100))), xor(), CrossEntropy(2), TrainConfig(epochs=5), valid=xor(seed=1))
    assert issubclass(DivergenceError, FloatingPointError)


def test_without_validation_rows_the_first_divergence_is_an_error():
    with pytest.raises(DivergenceError, match=r"lr=0\.002"):
        fit_module(Poisoned({12}), xor(), CrossEntropy(2), TrainConfig(epochs=40, batch_size=100))


def test_a_rate_far_too_high_is_caught():
    data = TensorData((torch.randn(64, 3),), torch.randn(64))
    config = TrainConfig(optimizer="sgd", lr=10.0, epochs=50, schedule="constant")
    with pytest.raises(FloatingPointError):
        fit_module(network(outputs=1, inputs=3), data, Regression(), config)


class Slow(nn.Module):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.body, self.seconds = network(), seconds

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            time.sleep(self.seconds)
        return self.body(x)


def test_a_near_deadline_compresses_the_schedule():
    module = Slow(0.004)
    config = TrainConfig(lr=0.02, epochs=1000, batch_size=100)
    deadline = Deadline.after(2.0)
    history = fit_module(module, xor(), CrossEntropy(2), config, valid=xor(seed=1), deadline=deadline)
    assert history.best_epoch <= history.epochs <= 125  # 4 steps of 4 ms an epoch
    assert history.best_error is not None and 1 <= len(history.curve) <= 125
    assert history.stopped_by in ("epochs", "deadline")


class SlowStart(Slow):
    """Pauses in its first five training steps only, as where libraries are loaded."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += self.training
        if self.training and self.calls > 5:
            return self.body(x)
        return super().forward(x)


def test_a_slow_start_does_not_shorten_the_training():
    module = SlowStart(0.2)  # at this pace, 70 steps would fit
    config = TrainConfig(lr=0.02, epochs=40, batch_size=100)
    history = fit_module(module, xor(), CrossEntropy(2), config, valid=xor(seed=1), deadline=Deadline.after(15))
    assert history.steps == 160 and history.epochs == 40


class Timed(nn.Module):
    """Each training step takes a second of a clock that nothing else moves; the later ones take longer."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.now, self.steps = network(), 1000.0, 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.steps += 1
            self.now += 1.0 + 0.1 * (self.steps > 60)
        return self.body(x)


def test_a_schedule_fitted_to_the_deadline_leaves_the_time_kept_in_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Timed()
    monkeypatch.setattr(time, "monotonic", lambda: module.now)
    deadline = Deadline.after(110.0)
    history = fit_module(module, xor(), CrossEntropy(2), TrainConfig(epochs=1000, batch_size=100), deadline=deadline)
    assert history.stopped_by == "epochs"
    assert 6.0 <= deadline.left() <= 10.0  # 8 % of the 100 seconds after ten steps


def test_patience_follows_a_schedule_that_was_fitted_to_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Timed()
    monkeypatch.setattr(time, "monotonic", lambda: module.now)
    errors = iter([0.5] + 50 * [0.6])
    monkeypatch.setattr("autodl.train.loop.evaluate", lambda *a: next(errors))
    config = TrainConfig(epochs=1000, batch_size=100, schedule="flat_cosine", patience=5)
    deadline = Deadline.after(110.0)
    history = fit_module(module, xor(), CrossEntropy(2), config, valid=xor(seed=1), deadline=deadline)
    assert history.stopped_by == "patience" and deadline.left() > 20
    # About 100 steps fit, 4 an epoch: the rate falls after 12 or 13 epochs.
    assert 16 <= len(history.curve) <= 19


def test_epochs_behind_the_one_to_stop_at_need_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainConfig(lr=0.01, epochs=50, batch_size=100, stop_epoch=10)  # 40 of 200 steps
    free = rates(lambda: fit_module(network(), xor(), CrossEntropy(2), config))

    def timed(seconds: float) -> list[float]:
        module = Timed()
        monkeypatch.setattr(time, "monotonic", lambda: module.now)
        return rates(lambda: fit_module(module, xor(), CrossEntropy(2), config, deadline=Deadline.after(seconds)))

    assert timed(60.0) == free and len(free) == 40
    # Too little time for all: the same course in fewer steps, down to the same rate.
    tight = timed(36.0)
    assert 28 <= len(tight) < 36
    assert tight[-1] == pytest.approx(free[-1], abs=0.03)
    with pytest.raises(TimeoutError, match="of 40 steps"):
        timed(19.0)


def test_a_deadline_before_the_first_step_leaves_no_model():
    with pytest.raises(TimeoutError):
        fit_module(network(), xor(), CrossEntropy(2), TrainConfig(epochs=5), deadline=Deadline.after(-1))


@pytest.mark.parametrize("steps", [0, 7])
@pytest.mark.parametrize("valid", [None, xor(seed=1)])
def test_a_module_that_answers_already_stays_as_it_was_if_the_deadline_comes_too_soon(
    valid: TensorData | None, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = Timed()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    monkeypatch.setattr(time, "monotonic", lambda: module.now)
    config = TrainConfig(epochs=5, batch_size=10, ema_decay=0.9)
    history = fit_module(
        module, xor(), CrossEntropy(2), config, valid=valid, deadline=Deadline.after(steps), ready=True
    )
    assert history.stopped_by == "deadline" and history.steps == steps
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("seconds", [3600, math.inf])
def test_a_deadline_far_away_changes_nothing(seconds):
    free, bound = network(), network()
    fit_module(free, xor(), CrossEntropy(2), TrainConfig(epochs=5))
    fit_module(bound, xor(), CrossEntropy(2), TrainConfig(epochs=5), deadline=Deadline.after(seconds))
    for a, b in zip(free.parameters(), bound.parameters(), strict=True):
        assert torch.equal(a, b)


def test_seeds_repeat_and_differ():
    def final(seed: int) -> Tensor:
        module = network()
        fit_module(module, xor(), CrossEntropy(2), TrainConfig(epochs=3), seed=seed)
        return module[0].weight.detach().clone()

    assert torch.equal(final(1), final(1))
    assert not torch.equal(final(1), final(2))


def test_moving_average_is_what_is_measured_and_kept():
    module = network()
    config = TrainConfig(lr=0.02, epochs=30, ema_decay=0.9, schedule="constant")
    history = fit_module(module, xor(), CrossEntropy(2), config, valid=xor(seed=1))
    assert evaluate(module, xor(seed=1), CrossEntropy(2)) == pytest.approx(history.best_error, rel=1e-6)


def test_l1_makes_weights_vanish():
    def small(l1: float) -> float:
        module = network()
        fit_module(module, xor(), CrossEntropy(2), TrainConfig(lr=0.01, epochs=40, l1=l1))
        return float((module[0].weight.abs() < 0.02).float().mean())

    assert small(0.05) > small(0.0) + 0.3


def test_l1_leaves_the_scales_of_members_alone():
    def scales(l1: float) -> Tensor:
        torch.manual_seed(0)
        module = nn.Sequential(MemberScale(4, 2, signs=False), MemberLinear(2, 2, 4))
        rows = noise()
        zeros = TensorData((torch.zeros(200, 1, 2),), rows.target)  # so that nothing but a penalty moves them
        fit_module(module, zeros, CrossEntropy(2), TrainConfig(lr=0.01, epochs=5, l1=l1))
        return module[0].weight.detach()

    assert torch.equal(scales(0.1), scales(0.0))


def test_dropout_rates_are_annealed_inside_and_put_back():
    seen: list[float] = []

    class Watch(nn.Dropout):
        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                seen.append(self.p)
            return super().forward(x)

    module = nn.Sequential(nn.Linear(2, 8), Watch(0.4), nn.Linear(8, 2))
    fit_module(module, xor(), CrossEntropy(2), TrainConfig(epochs=10, anneal_regularization=True))
    assert seen[0] == 0.4 and seen[-1] < 0.02 and sorted(seen, reverse=True) == seen
    assert module[1].p == 0.4


def test_weighted_rows_decide():
    x = torch.zeros(100, 2)
    target = torch.cat([torch.zeros(50), torch.ones(50)]).long()
    weight = torch.where(target == 1, 9.0, 1.0)
    module = network()
    fit_module(module, TensorData((x,), target, weight), CrossEntropy(2), TrainConfig(lr=0.05, epochs=200))
    # The best constant answer is the weighted share of the class.
    assert float(module(x[:1]).detach().softmax(1)[0, 1]) == pytest.approx(0.9, abs=0.03)


def test_heavy_rows_decide_though_most_batches_have_none():
    target = torch.cat([torch.zeros(95), torch.ones(5)]).long()
    data = TensorData((torch.zeros(100, 2),), target, torch.where(target == 1, 19.0, 1.0))
    module = network()
    fit_module(module, data, CrossEntropy(2), TrainConfig(lr=0.01, epochs=100, batch_size=10))
    # Both classes weigh the same.
    assert float(module(data.inputs[0][:1]).detach().softmax(1)[0, 1]) == pytest.approx(0.5, abs=0.05)


def test_only_the_ratio_of_weights_matters():
    made = []
    weight = torch.rand(400, generator=torch.Generator().manual_seed(5))
    for factor in (1.0, 64.0):
        rows, module = xor(), network()
        weighted = TensorData(rows.inputs, rows.target, factor * weight)
        fit_module(module, weighted, CrossEntropy(2), TrainConfig(optimizer="sgd", lr=0.01, epochs=3, l1=1e-3))
        made.append(module)
    for a, b in zip(made[0].parameters(), made[1].parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("mixed", [False, True])
def test_training_errors_of_the_curve_are_weighted_as_those_of_validation_are(mixed):
    target = torch.cat([torch.zeros(60), torch.ones(40)]).long()
    rows = TensorData((torch.zeros(100, 2),), target, torch.where(target == 1, 9.0, 0.5))

    def augment(batch: TensorData) -> TensorData:
        """Each row is mixed of itself and itself."""
        return replace(batch, blend=Blend(batch.target, batch.weight, 0.3))

    still = TrainConfig(lr=1e-12, epochs=1, batch_size=50)
    fit = fit_module(network(), rows, CrossEntropy(2), still, valid=rows, augment=augment if mixed else None)
    (point,) = fit.curve
    assert point.train == pytest.approx(point.valid, rel=1e-5)
    plain = fit_module(network(), rows, CrossEntropy(2), still, valid=TensorData(rows.inputs, rows.target))
    assert plain.curve[0].train != pytest.approx(plain.curve[0].valid, rel=1e-3)


def test_augment_sees_every_training_batch():
    sizes: list[int] = []

    def augment(batch: TensorData) -> TensorData:
        sizes.append(len(batch))
        return batch

    fit_module(network(), xor(), CrossEntropy(2), TrainConfig(epochs=2, batch_size=100), augment=augment)
    assert sizes == [100] * 8


@pytest.mark.parametrize(("n", "size", "steps"), [(1, 4, 1), (3, 4, 1), (5, 4, 1), (6, 4, 2), (8, 4, 2), (9, 2, 4)])
def test_batches_never_hold_a_single_row(n, size, steps):
    data = TensorData((torch.arange(n).float()[:, None],), torch.zeros(n))
    batches = list(shuffled_batches(data, size, torch.Generator().manual_seed(0)))
    assert len(batches) == steps == steps_per_epoch(n, size)
    assert all(2 <= len(b) <= size for b in batches)
    seen = [float(v) for b in batches for v in b.inputs[0]]
    assert n == 1 or len(set(seen)) == len(seen)


def test_rows_that_are_fetched_train_as_those_that_are_there():
    held = xor()
    asked: list[int] = []

    def fetch(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        asked.append(len(inputs[0]))
        return (held.inputs[0][inputs[0]],)

    numbers = TensorData((torch.arange(len(held)),), held.target, fetch=fetch)
    plain, fetched = network(), network()
    fetched.load_state_dict(plain.state_dict())
    config = TrainConfig(epochs=3, batch_size=50)
    one = fit_module(plain, held, CrossEntropy(2), config, valid=held)
    two = fit_module(fetched, numbers, CrossEntropy(2), config, valid=numbers, eval_batch=64)
    assert max(asked) == 64 and asked.count(50) == 3 * len(held) // 50
    assert [p.train for p in two.curve] == [p.train for p in one.curve]
    assert [p.valid for p in two.curve] == pytest.approx([p.valid for p in one.curve], rel=1e-5)


def test_tensors_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="same number of rows"):
        TensorData((torch.zeros(3, 1),), torch.zeros(4))


def test_automatic_sizes_grow_and_shrink_with_the_rows():
    rows = [10, 300, 1_000, 10_000, 100_000, 10**7]
    batches, epochs = [auto_batch_size(n) for n in rows], [auto_epochs(n) for n in rows]
    assert batches == sorted(batches) and epochs == sorted(epochs, reverse=True)
    assert min(batches) >= 32 and min(epochs) >= 10


@pytest.mark.parametrize(("n", "batch"), [(1_000, 32), (700, 64), (40, 64), (33, 16)])
def test_batches_of_rows_of_a_size_hold_all_rows_and_little_padding(n, batch):
    size = torch.from_numpy(np.random.default_rng(0).geometric(0.05, n))
    data = TensorData((torch.arange(n),), torch.zeros(n), size=size)
    plain = TensorData((torch.arange(n),), torch.zeros(n))
    batches, drawn = (
        [b.inputs[0] for b in shuffled_batches(d, batch, torch.Generator().manual_seed(0))] for d in (data, plain)
    )
    assert sorted(torch.cat(batches).tolist()) == sorted(torch.cat(drawn).tolist())
    assert sorted(map(len, batches)) == sorted(map(len, drawn))
    if len(batches) > 8:
        padded = [sum(len(b) * int(size[b].max()) for b in found) for found in (batches, drawn)]
        assert padded[0] < 0.6 * padded[1]
        means = [float(size[b].float().mean()) for b in batches]
        assert means != sorted(means)
        again = [b.inputs[0] for b in shuffled_batches(data, batch, torch.Generator().manual_seed(1))]
        assert {frozenset(b.tolist()) for b in batches} != {frozenset(b.tolist()) for b in again}
