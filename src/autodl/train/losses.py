"""What training minimizes, what validation measures, and how raw outputs become predictions.

Notation: b rows of a batch, k members of an ensemble inside the network (absent for a single one), c outputs.
Raw outputs have the shape (b, c) or (b, k, c). Members are trained each on its own loss and averaged when
predicting (Gorishniy et al. 2024, "TabM", section 3).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from autodl.train.data import TensorData

Measure = Callable[[Tensor, Tensor], Tensor]
"""(raw outputs, (b,) targets) -> (b,) losses or errors."""


class Objective(ABC):
    """A loss with the error measure that early stopping watches.

    Attributes:
        n_outputs: c, how many raw outputs a network needs.
        measure: Name of the error measure, for people.
    """

    n_outputs: int
    measure: str

    @abstractmethod
    def row_losses(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) training losses, members averaged."""

    @abstractmethod
    def row_errors(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) errors of the averaged prediction; ``finish`` of their mean is the measure."""

    @abstractmethod
    def predict(self, output: Tensor) -> Tensor:
        """(b, K) probabilities or (b,) values, members averaged."""

    def finish(self, mean: float) -> float:
        """Turns the mean of ``row_errors`` into the measure."""
        return mean

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean training loss of rows that count alike, a scalar."""
        return self.row_losses(output, target).mean()


class CrossEntropy(Objective):
    """Cross entropy with label smoothing; measured by log loss.

    Log loss, and not the area under the ROC curve or accuracy, decides when to stop: it is a mean over rows with
    little variance, so that it ranks epochs more reliably on few validation rows.

    Args:
        n_classes: K.
        label_smoothing: Share of the target spread evenly over all classes (Szegedy et al. 2016).
    """

    measure = "log loss"

    def __init__(self, n_classes: int, label_smoothing: float = 0.0) -> None:
        self.n_outputs = n_classes
        self.label_smoothing = label_smoothing

    def row_losses(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) smoothed cross entropies."""
        if output.ndim == 2:
            return functional.cross_entropy(output, target, reduction="none", label_smoothing=self.label_smoothing)
        b, k, c = output.shape
        losses = functional.cross_entropy(
            output.reshape(b * k, c),
            target.repeat_interleave(k),
            reduction="none",
            label_smoothing=self.label_smoothing,
        )
        return losses.view(b, k).mean(1)

    def row_errors(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) negative log probabilities of the true class."""
        true = self.predict(output).gather(1, target[:, None])[:, 0]
        # NaN must stay NaN, so that a divergence is seen; clamp keeps it.
        return -true.clamp_min(1e-15).log()

    def predict(self, output: Tensor) -> Tensor:
        """(b, K) probabilities."""
        probabilities = output.double().softmax(-1)
        return probabilities if probabilities.ndim == 2 else probabilities.mean(1)


class Regression(Objective):
    """Squared, absolute or Huber loss; measured by RMSE, or by MAE when trained on the absolute or Huber loss.

    Args:
        kind: ``squared``, ``absolute`` or ``huber`` (quadratic within one unit of the scaled target).
    """

    n_outputs = 1

    def __init__(self, kind: str = "squared") -> None:
        if kind not in ("squared", "absolute", "huber"):
            raise ValueError(f"`kind` must be squared, absolute or huber, but got {kind!r}")
        self.kind = kind
        self.measure = "RMSE" if kind == "squared" else "MAE"

    def row_losses(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) losses."""
        values = output[..., 0]
        wanted = target if values.ndim == 1 else target[:, None].expand_as(values)
        if self.kind == "squared":
            losses = (values - wanted).square()
        elif self.kind == "absolute":
            losses = (values - wanted).abs()
        else:
            losses = functional.huber_loss(values, wanted, reduction="none")
        return losses if losses.ndim == 1 else losses.mean(1)

    def row_errors(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) squared or absolute errors."""
        error = self.predict(output) - target
        return error.square() if self.kind == "squared" else error.abs()

    def predict(self, output: Tensor) -> Tensor:
        """(b,) values."""
        values = output[..., 0].double()
        return values if values.ndim == 1 else values.mean(1)

    def finish(self, mean: float) -> float:
        """RMSE from the mean squared error."""
        return float(mean**0.5) if self.kind == "squared" else mean


class PoissonLog(Objective):
    """Poisson loss of an output that is the logarithm of the mean; targets are not negative, and need not be whole.

    Its minimum is at the mean of the targets, as that of the squared error is, but errors count by the size of what
    is predicted (McCullagh and Nelder 1989, ch. 6).
    """

    n_outputs = 1
    measure = "Poisson deviance"
    highest = 20.0
    """Outputs are cut there, so that no exponential overflows."""

    def row_losses(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) ``exp(z) - t z``, members averaged."""
        z = output[..., 0].clamp(max=self.highest)
        wanted = target if z.ndim == 1 else target[:, None]
        losses = z.exp() - wanted * z
        return losses if losses.ndim == 1 else losses.mean(1)

    def row_errors(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) deviances ``2 (t log(t / m) - t + m)`` of the averaged mean m."""
        mean = self.predict(output).clamp_min(1e-12)
        return 2 * (torch.xlogy(target, target / mean) - target + mean)

    def predict(self, output: Tensor) -> Tensor:
        """(b,) means."""
        mean = output[..., 0].double().clamp(max=self.highest).exp()
        return mean if mean.ndim == 1 else mean.mean(1)


class Pinball(Objective):
    """Pinball loss of several quantiles at once, one output each (Koenker and Bassett 1978).

    Args:
        levels: Q levels, ascending.
    """

    measure = "pinball loss"

    def __init__(self, levels: Sequence[float]) -> None:
        self.n_outputs = len(levels)
        self.levels = tuple(levels)

    def row_losses(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) losses, the mean over levels and members."""
        losses = self._losses(output, target)
        return losses.flatten(1).mean(1)

    def row_errors(self, output: Tensor, target: Tensor) -> Tensor:
        """(b,) losses of the averaged quantiles."""
        return self._losses(self.predict(output), target).mean(1)

    def predict(self, output: Tensor) -> Tensor:
        """(b, Q) quantiles, which may cross."""
        values = output.double()
        return values if values.ndim == 2 else values.mean(1)

    def _losses(self, quantiles: Tensor, target: Tensor) -> Tensor:
        """The loss of each quantile, shaped like them."""
        tau = torch.tensor(self.levels, dtype=quantiles.dtype, device=quantiles.device)
        error = target.view(-1, *(1,) * (quantiles.ndim - 1)) - quantiles
        return torch.maximum(tau * error, (tau - 1) * error)


def weighted_rows(measure: Measure, output: Tensor, batch: TensorData) -> Tensor:
    """(b,) losses or errors of the rows of a batch, times their weights.

    Of mixed rows, each of the two targets counts by its share (Zhang et al. 2018, mixup; Yun et al. 2019, CutMix)::

        share * loss(output, first) + (1 - share) * loss(output, second)

    Args:
        measure: ``row_losses`` or ``row_errors`` of an objective. output: raw outputs. batch: its rows.
    """
    rows, blend = _weighted(measure(output, batch.target), batch.weight), batch.blend
    if blend is None:
        return rows
    return rows.lerp(_weighted(measure(output, blend.target), blend.weight), 1 - blend.share)


def _weighted(rows: Tensor, weight: Tensor | None) -> Tensor:
    return rows if weight is None else rows * weight


def batch_loss(objective: Objective, output: Tensor, batch: TensorData) -> Tensor:
    """Training loss of a batch, a scalar; weights are those of ``TensorData.with_mean_weight_1``.

    Divided by the rows and not by the weights of the batch: heavy rows would count least in the batches in which
    there are most of them, and light ones most where they are among themselves.
    """
    return weighted_rows(objective.row_losses, output, batch).mean()


def penalty_l1(parameters: Sequence[Tensor]) -> Tensor:
    """Sum of absolute values, a scalar."""
    return torch.stack([p.abs().sum() for p in parameters]).sum()
