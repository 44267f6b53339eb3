"""Scores of networks that were never trained: does anything at initialization tell which will do well?

Each takes the network after its input parts (embeddings, scaling) as ``body``: (b, d) -> (b, c), and a batch of real
rows. Higher is meant to be better. Notation: b rows, d inputs, c outputs, theta weights, r units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from autodl.models.nn.layers import Activation, BatchNorm, Gate
from autodl.train.losses import Objective

Body = Callable[[Tensor], Tensor]
Proxy = Callable[[nn.Module, Body, Tensor, Tensor, Objective], float]
"""(module that owns the weights, body, (b, d) rows, (b,) targets, objective) -> score."""

JACOBIAN_EPSILON = 1e-5


def gradient_norm(module: nn.Module, body: Body, x: Tensor, target: Tensor, objective: Objective) -> float:
    """Sum over weights of the Euclidean norm of the gradient of one batch's loss (Abdelfattah et al. 2021)."""
    with _no_dropout(module):
        loss = objective.loss(body(x), target)
    weights = [p for p in module.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return float(sum(float(g.norm()) for g in gradients if g is not None))


def synflow(module: nn.Module, body: Body, x: Tensor, target: Tensor, objective: Objective) -> float:
    """Logarithm of ``sum |theta * dR/dtheta|``, R the sum of outputs for ones with all weights positive.

    Tanaka et al. 2020, "Pruning neural networks without any data by iteratively conserving synaptic flow", equation
    2; norms and the scores of biases are left out, as in Abdelfattah et al. 2021: a norm would make the flow the same
    everywhere. A linear network without biases conserves the flow: the sum is R times the number of layers.
    """
    weights = [p for p in module.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in weights]
    with _no_dropout(module), _no_norms(module):
        try:
            with torch.no_grad():
                for p in weights:
                    p.abs_()
            flow = body(torch.ones_like(x[:1])).double().sum()
            scored = [p for p in weights if p.ndim > 1]
            gradients = torch.autograd.grad(flow, scored, allow_unused=True)
            total = sum(
                float((p.detach().double() * g.double()).abs().sum())
                for p, g in zip(scored, gradients, strict=True)
                if g is not None
            )
        finally:
            with torch.no_grad():
                for p, old in zip(weights, before, strict=True):
                    p.copy_(old)
    return math.log(total) if 0 < total < math.inf else (-math.inf if total == 0 else math.inf)


def naswot(module: nn.Module, body: Body, x: Tensor, target: Tensor, objective: Objective) -> float:
    """Logarithm of the determinant of the kernel of activation codes (Mellor et al. 2021, "without training", eq. 2).

    A unit's code is whether its activation's input is positive, for smooth activations too; see ``code_kernel``.
    """
    codes: list[Tensor] = []

    def before(part: nn.Module, args: tuple[Tensor, ...]) -> None:
        inner = args[0].chunk(2, dim=-1)[1] if isinstance(part, Gate) else args[0]
        codes.append((inner > 0).flatten(1))

    hooks = [m.register_forward_pre_hook(before) for m in module.modules() if isinstance(m, Activation | Gate)]
    try:
        with torch.no_grad(), _no_dropout(module):
            body(x)
    finally:
        for hook in hooks:
            hook.remove()
    return code_kernel_logdet(torch.cat(codes, 1)) if codes else -math.inf


def code_kernel_logdet(codes: Tensor) -> float:
    """log |det K|, K_ij the number of units in which rows i and j agree; minus infinity for two equal rows.

    Args:
        codes: (b, r) booleans.
    """
    on = codes.double()
    kernel = on @ on.T + (1 - on) @ (1 - on).T
    return float(torch.linalg.slogdet(kernel).logabsdet)


def jacobian_score(module: nn.Module, body: Body, x: Tensor, target: Tensor, objective: Objective) -> float:
    """How differently the network's outputs react around different rows (Mellor et al. 2020, version 1; "jacob_cov").

    ``-sum(log(v_i + e) + 1 / (v_i + e))`` over the eigenvalues v of the correlation matrix of the rows' Jacobians
    (of the sum of outputs). A linear network reacts alike everywhere: v = (b, 0, ..., 0), the lowest score.
    """
    rows = x.detach().clone().requires_grad_()
    with _no_dropout(module):
        (jacobian,) = torch.autograd.grad(body(rows).sum(), rows)
    centered = jacobian.double() - jacobian.double().mean(1, keepdim=True)
    centered = centered / centered.norm(dim=1, keepdim=True).clamp_min(1e-30)
    values = torch.linalg.eigvalsh(centered @ centered.T).clamp_min(0) + JACOBIAN_EPSILON
    return -float((values.log() + 1 / values).sum())


def parameter_count(module: nn.Module, body: Body, x: Tensor, target: Tensor, objective: Objective) -> float:
    """Number of weights: what any other proxy has to beat."""
    return float(sum(p.numel() for p in module.parameters() if p.requires_grad))


PROXIES: dict[str, Proxy] = {
    "gradient norm": gradient_norm,
    "synflow": synflow,
    "NASWOT": naswot,
    "jacobian": jacobian_score,
    "parameters": parameter_count,
}


@contextmanager
def _no_dropout(module: nn.Module) -> Iterator[None]:
    """Training mode (batch norm by the batch) without dropout, and with the running statistics left alone."""
    dropouts = [(m, m.p) for m in module.modules() if isinstance(m, nn.Dropout)]
    norms = [(m, m.track_running_stats) for m in module.modules() if isinstance(m, nn.BatchNorm1d)]
    training = module.training
    module.train()
    try:
        for dropout, _ in dropouts:
            dropout.p = 0.0
        for norm, _ in norms:
            norm.track_running_stats = False
        yield
    finally:
        for dropout, rate in dropouts:
            dropout.p = rate
        for norm, track in norms:
            norm.track_running_stats = track
        module.train(training)


@contextmanager
def _no_norms(module: nn.Module) -> Iterator[None]:
    """Norms pass their input on."""

    def identity(part: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return args[0]

    norms = [m for m in module.modules() if isinstance(m, BatchNorm | nn.LayerNorm)]
    hooks = [m.register_forward_hook(identity) for m in norms]
    # One row has no variance: batch norm would refuse it before the hook is asked.
    modes = [m.training for m in norms]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for hook, norm, mode in zip(hooks, norms, modes, strict=True):
            hook.remove()
            norm.train(mode)
