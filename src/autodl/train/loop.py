"""The training loop of every torch family. It knows a module, tensors and an objective, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from autodl.clock import NEVER, Deadline
from autodl.records import CurvePoint
from autodl.train.config import TrainConfig
from autodl.train.data import TensorData, shuffled_batches, steps_per_epoch
from autodl.train.history import History, StopReason
from autodl.train.losses import Objective, batch_loss, penalty_l1, weighted_rows
from autodl.train.optimizers import apply_factors, decayed_parameters, make_optimizer
from autodl.train.schedules import Schedule, flat_cosine, patience_ends
from autodl.train.step_plan import StepPlan
from autodl.train.weights import BestWeights, moving_average
from autodl.watch import Watch

Augment = Callable[[TensorData], TensorData]

MIN_STEPS = 20
"""A first epoch cut short by the deadline counts if it had this many steps."""
LEAST_SHARE = 0.5
"""Share of the steps up to the epoch to stop at, below which a training is not the one that was asked for."""
RATE_AFTER_DIVERGENCE = 0.1
EVAL_BATCH = 8192


class DivergenceError(FloatingPointError):
    """Loss or weights became infinite or NaN: with validation rows, again after the learning rate was lowered."""


def fit_module(
    module: nn.Module,
    train: TensorData,
    objective: Objective,
    config: TrainConfig,
    *,
    valid: TensorData | None = None,
    seed: int = 0,
    deadline: Deadline = NEVER,
    augment: Augment | None = None,
    watch: Watch | None = None,
    eval_batch: int = EVAL_BATCH,
    ready: bool = False,
) -> History:
    """Train ``module`` in place; it ends with the best weights, in evaluation mode.

    Without validation rows it ends with the last weights. A deadline that is too near for all epochs compresses
    the schedule, so that the rate is annealed in time; without a deadline nothing depends on the clock.

    Args:
        module: Called as ``module(*inputs)``; gives the raw outputs of ``objective``. On the device of the data.
        train: Training rows; only the ratio of their weights matters. valid: rows that decide which epoch is best.
        objective: Loss and error measure.
        config: Training choices.
        seed: Seed of the order of rows.
        deadline: Checked before every step.
        augment: Changes each training batch.
        watch: Is told each validation error and the share of the planned steps; may end the training.
        eval_batch: Validation rows that go through the module at once.
        ready: Whether the module answers usefully as it is: it is left so if the deadline comes too soon.

    Raises:
        TimeoutError: The deadline came before there was any usable model.
        DivergenceError: Training diverged twice before there was any, or once without validation rows.
    """
    return _Run(module, train, objective, config, valid, seed, deadline, augment, watch, eval_batch, ready).go()


@torch.no_grad()
def evaluate(module: nn.Module, data: TensorData, objective: Objective, batch: int = EVAL_BATCH) -> float:
    """The error measure of ``module`` in evaluation mode on these rows, weighted if they are."""
    module.eval()
    total = 0.0
    for start in range(0, len(data), batch):
        part = data.part(start, start + batch)
        errors = objective.row_errors(module(*part.inputs).float(), part.target)
        if part.weight is not None:
            errors = errors * part.weight
        total += float(errors.sum())
    return objective.finish(total / (len(data) if data.weight is None else float(data.weight.sum())))


class _Run:
    """The state of one training."""

    def __init__(
        self,
        module: nn.Module,
        train: TensorData,
        objective: Objective,
        config: TrainConfig,
        valid: TensorData | None,
        seed: int,
        deadline: Deadline,
        augment: Augment | None,
        watch: Watch | None,
        eval_batch: int,
        ready: bool,
    ) -> None:
        if len(train) == 0:
            raise ValueError("training needs at least one row, but got 0")
        self.module, self.train, self.objective, self.config = module, train.with_mean_weight_1(), objective, config
        self.valid = valid if valid is not None and len(valid) else None
        self.deadline, self.augment, self.watch, self.eval_batch = deadline, augment, watch, eval_batch
        self.ready = ready
        self.batch_size = config.n_batch(len(train))
        self.epoch_steps = steps_per_epoch(len(train), self.batch_size)
        epochs = config.n_epochs(len(train))
        n_steps = epochs * self.epoch_steps
        # The schedule is as long as it was where the epoch to stop at was found; what lies behind that takes no time.
        used = min(1.0, config.stop_epoch * self.epoch_steps / n_steps) if config.stop_epoch else 1.0
        self.plan = StepPlan(n_steps, used, deadline)
        self.patience = config.patience or (
            max(4, round(config.patience_share * epochs)) if config.patience_share else 0
        )
        plateau = self.patience or max(4, epochs // 8)
        self.schedule = Schedule(config, patience=round(plateau * config.decay_every))
        self.optimizer = make_optimizer(module, config)
        self.average = moving_average(module, config.ema_decay) if config.ema_decay else None
        self.best = BestWeights(module)
        self.generator = torch.Generator().manual_seed(seed)
        self.cuda = train.target.is_cuda
        self.mixed = config.precision == "mixed" or (config.precision == "auto" and self.cuda)
        # bfloat16 has the range of float32 and needs no loss scaling.
        self.low = torch.bfloat16 if not self.cuda or torch.cuda.is_bf16_supported() else torch.float16
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.mixed and self.low is torch.float16)
        self.decayed = decayed_parameters(module) if config.l1 else []
        self.dropouts = [m for m in module.modules() if isinstance(m, nn.Dropout) and m.p > 0]
        self.dropout_rates = [m.p for m in self.dropouts]
        self.diverged = 0
        self.started = time.monotonic()
        self.history = History(measure=objective.measure)

    def go(self) -> History:
        history = self.history
        epoch = 0
        while True:
            epoch += 1
            ended = self._epoch(epoch)
            if ended is None and history.steps >= self.plan.last_step:
                ended = "stop_epoch" if self.plan.used < 1.0 else "epochs"
            if ended is None and self.patience and self.valid is not None:
                whole = self.plan.planned / self.epoch_steps
                end = patience_ends(self.config.schedule, self.best.epoch, self.patience, whole)
                ended = "patience" if epoch >= end else None
            if ended is not None:
                break
        history.stopped_by = ended
        self._finish(epoch)
        return history

    def _finish(self, epoch: int) -> None:
        history = self.history
        if self.config.stop_epoch and history.steps < LEAST_SHARE * self.plan.used * self.plan.total:
            raise TimeoutError(
                f"only {history.steps} of {round(self.plan.used * self.plan.total)} steps fitted into the time"
            )
        for dropout, rate in zip(self.dropouts, self.dropout_rates, strict=True):
            dropout.p = rate
        if self.best.found:
            self.best.restore(self.module)
        elif self.average is not None:
            self.module.load_state_dict(self.average.module.state_dict())
        history.best_epoch = self.best.epoch or epoch
        history.best_error = self.best.error if self.best.found and self.valid is not None else None
        history.epochs = max(history.best_epoch, -(-self.plan.planned // self.epoch_steps))
        history.seconds = time.monotonic() - self.started
        self.module.eval()

    def _epoch(self, epoch: int) -> StopReason | None:
        """One pass over the rows and its validation; the reason to stop, if there is one."""
        total, weights, steps = 0.0, 0.0, 0
        late = False
        self.module.train()
        for batch in shuffled_batches(self.train, self.batch_size, self.generator):
            late = self.deadline.passed()
            if late or self.history.steps >= self.plan.last_step:
                break
            error = self._step(self.augment(batch) if self.augment is not None else batch)
            if error is None:
                return self._recover()
            weight = len(batch) if batch.weight is None else float(batch.weight.sum())
            total, weights, steps = total + error, weights + weight, steps + 1
        if late and not self._usable(epoch, steps):
            if self.best.found:
                return "deadline"
            if self.ready:  # a few steps at the lowest rates only disturb what it knew
                self.best.restore(self.module)
                self.average = None
                return "deadline"
            raise TimeoutError(f"no model after {steps} training steps when the time was up")
        measured = self.average.module if self.average is not None else self.module
        valid = None
        if self.valid is not None and not (late and self.best.found):
            with torch.autocast(self.valid.target.device.type, dtype=self.low, enabled=self.mixed and not self.cuda):
                valid = evaluate(measured, self.valid, self.objective, self.eval_batch)
            if valid != valid or valid == float("inf"):
                return self._recover()
            if self.schedule.observe(valid):
                self.history.lowered.append(epoch)
            self.best.offer(measured, valid, epoch)
        elif self.valid is None:
            if not _finite(self.module):
                return self._recover()
            if epoch in self.config.epochs_lowered:
                self.schedule.lower(self.config.lr_decay)
        if weights:
            train = self.objective.finish(total / weights)
            reached = min(1.0, self.history.steps / self.plan.planned)
            self.history.curve.append(CurvePoint(step=epoch, train=train, valid=valid, progress=reached))
            if valid is not None and not late and self.watch is not None and self.watch(reached, valid):
                return "watch"
        return "deadline" if late else None

    def _usable(self, epoch: int, steps: int) -> bool:
        """Whether the weights may be used when the deadline cuts an epoch after ``steps`` steps."""
        if self.best.found:
            return False
        return epoch > 1 or steps >= min(MIN_STEPS, self.epoch_steps)

    def _step(self, batch: TensorData) -> float | None:
        """One update; the weighted sum of the errors of the batch, or None if it diverged."""
        history, plan = self.history, self.plan
        plan.advance(history.steps)
        annealed = flat_cosine(plan.progress) if self.config.anneal_regularization else 1.0
        # A warm-up starts from one step's worth: a rate of exactly 0 would waste the first batch.
        warm = max(plan.progress, 1 / plan.planned) if self.config.warmup else plan.progress
        apply_factors(self.optimizer, self.schedule.factor(warm), annealed)
        if self.config.anneal_regularization:
            for dropout, rate in zip(self.dropouts, self.dropout_rates, strict=True):
                dropout.p = rate * annealed

        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(batch.target.device.type, dtype=self.low, enabled=self.mixed):
            output: Tensor = self.module(*batch.inputs)
        output = output.float()
        loss = batch_loss(self.objective, output, batch)
        value = float(loss.detach())
        if value != value or value in (float("inf"), float("-inf")):
            return None
        if self.decayed:
            loss = loss + self.config.l1 * penalty_l1(self.decayed)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if self.config.grad_clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.module.parameters(), self.config.grad_clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.module)
        history.steps += 1
        with torch.no_grad():
            return float(weighted_rows(self.objective.row_errors, output, batch).sum())

    def _recover(self) -> StopReason | None:
        """After a divergence: back to the best weights with a lower rate; the second time, stop.

        Without validation rows nothing shows whether what is left of the schedule makes up for the lost epochs.
        """
        self.diverged += 1
        if self.valid is None:
            raise DivergenceError(f"training diverged (loss not finite) with lr={self.config.lr:g}")
        if self.diverged > 1:
            if self.best.found:
                return "divergence"
            raise DivergenceError(
                f"training diverged (loss not finite) twice with lr={self.config.lr:g}, before any usable epoch"
            )
        self.best.restore(self.module)
        self.schedule.lower(RATE_AFTER_DIVERGENCE)
        self.optimizer = make_optimizer(self.module, self.config)
        if self.average is not None:
            self.average = moving_average(self.module, self.config.ema_decay)
        return None


def _finite(module: nn.Module) -> bool:
    return all(bool(torch.isfinite(p).all()) for p in module.parameters())
