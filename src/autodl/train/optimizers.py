"""Optimizers by name, with the learning rate and the decay that each parameter asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from autodl.train.config import TrainConfig


class HyperFactor(NamedTuple):
    """Factors of the learning rate and of the weight decay of one parameter."""

    lr: float = 1.0
    decay: float = 1.0


@runtime_checkable
class HasHyperFactors(Protocol):
    """A module that wants other rates for its own parameters."""

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Factors by the names of its parameters, those of its parts included; a part's own count less."""
        ...


class Lion(Optimizer):
    """Evolved sign momentum (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2).

    Args:
        params: Parameters or groups of them.
        lr: Learning rate; 3 to 10 times smaller than for AdamW.
        betas: Interpolation of the update, decay of the momentum.
        weight_decay: Decoupled weight decay.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of all parameters."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                momentum: Tensor = state["momentum"]
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.lerp(p.grad, momentum, beta1).sign_(), alpha=-group["lr"])  # u = sign(b1 m + (1-b1) g)
                momentum.lerp_(p.grad, 1 - beta2)  # m = b2 m + (1-b2) g
        return loss


def _factors(module: nn.Module) -> list[tuple[nn.Parameter, HyperFactor]]:
    """All trainable parameters with what is asked for them."""
    asked: dict[int, HyperFactor] = {}
    for part in module.modules():
        if isinstance(part, HasHyperFactors):
            own = dict(part.named_parameters())
            for name, factor in part.hyper_factors().items():
                if name in own:
                    asked.setdefault(id(own[name]), factor)
    return [
        (p, asked.get(id(p), HyperFactor(decay=1.0 if p.ndim > 1 else 0.0)))
        for p in module.parameters()
        if p.requires_grad
    ]


def decayed_parameters(module: nn.Module) -> list[nn.Parameter]:
    """What weight decay draws towards 0: neither biases, norms and scales, nor what its module keeps from it."""
    return [parameter for parameter, factor in _factors(module) if factor.decay > 0]


def parameter_groups(module: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """Groups of parameters that share learning rate and decay.

    Vectors (biases, norms, scales) are not decayed unless their module says so. Each group remembers its
    ``base_lr`` and ``base_decay``, which schedules multiply. Both hold the optimizer's own scale
    (``OPTIMIZER_SCALES``).
    """
    scale = config.scale()
    # Higher rates of single parameters are made for optimizers that normalize gradients.
    ceiling = 1.0 if config.optimizer == "sgd" else float("inf")
    rate, decay = config.lr * scale.lr, config.weight_decay * scale.decay
    grouped: dict[HyperFactor, list[nn.Parameter]] = {}
    for parameter, factor in _factors(module):
        grouped.setdefault(factor, []).append(parameter)
    return [
        {
            "params": params,
            "lr": rate * min(ceiling, factor.lr),
            "base_lr": rate * min(ceiling, factor.lr),
            "weight_decay": decay * factor.decay,
            "base_decay": decay * factor.decay,
        }
        for factor, params in grouped.items()
    ]


def make_optimizer(module: nn.Module, config: TrainConfig) -> Optimizer:
    """The configured optimizer over all trainable parameters of ``module``."""
    groups = parameter_groups(module, config)
    betas = (config.momentum, config.beta2)
    match config.optimizer:
        case "adamw":
            return torch.optim.AdamW(groups, betas=betas, fused=True)
        case "adam":
            return torch.optim.Adam(groups, betas=betas, fused=True)
        case "sgd":
            return torch.optim.SGD(groups, momentum=config.momentum, nesterov=config.momentum > 0, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(groups, momentum=config.momentum)
        case "radam":
            return torch.optim.RAdam(groups, betas=betas, decoupled_weight_decay=True)
        case "nadam":
            return torch.optim.NAdam(groups, betas=betas, decoupled_weight_decay=True)
        case "lion":
            return Lion(groups, betas=(config.momentum, 0.99))


def apply_factors(optimizer: Optimizer, lr: float, decay: float) -> None:
    """Set every group's learning rate and weight decay to its base times these factors."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * lr
        group["weight_decay"] = group["base_decay"] * decay
