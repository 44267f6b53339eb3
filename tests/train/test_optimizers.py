"""Optimizers: every name descends, groups get their factors, Lion follows its paper."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import nn

from autodl.models.nn.ensembling import BatchEnsembleLinear, MemberLinear, MemberScale
from autodl.models.nn.layers import Scale, TangentLinear
from autodl.train.config import OPTIMIZER_SCALES, OptimizerName, TrainConfig
from autodl.train.optimizers import (
    HyperFactor,
    Lion,
    apply_factors,
    decayed_parameters,
    make_optimizer,
    parameter_groups,
)


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_every_optimizer_finds_the_least_squares_solution(name):
    torch.manual_seed(0)
    x = torch.randn(200, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
    layer = nn.Linear(3, 1)
    optimizer = make_optimizer(layer, TrainConfig(optimizer=name, lr=0.05 / OPTIMIZER_SCALES[name].lr))
    for i in range(600):
        apply_factors(optimizer, 1 - i / 600, 1.0)
        optimizer.zero_grad()
        (layer(x) - y).square().mean().backward()
        optimizer.step()
    assert layer.weight.detach().flatten().tolist() == pytest.approx([1, -2, 0.5], abs=0.1)


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_one_range_of_rates_serves_every_optimizer(name):
    module = nn.Linear(3, 1)
    (weights,) = (g for g in parameter_groups(module, TrainConfig(optimizer=name, lr=0.01, weight_decay=0.3)) if
                  g["params"][0] is module.weight)  # fmt: skip
    expected = {"adamw": (0.01, 0.3), "radam": (0.01, 0.3), "nadam": (0.01, 0.3), "adam": (0.01, 0.0003),
                "rmsprop": (0.001, 0.0003), "sgd": (0.3, 0.001), "lion": (0.002, 1.5)}  # fmt: skip
    assert (weights["lr"], weights["weight_decay"]) == pytest.approx(expected[name])


def test_sgd_ignores_the_higher_rates_made_for_normalized_gradients():
    config = TrainConfig(optimizer="sgd", lr=0.001)
    assert parameter_groups(Scale(64), config)[0]["lr"] == pytest.approx(0.03)
    assert parameter_groups(Scale(64), TrainConfig(lr=0.001))[0]["lr"] == pytest.approx(0.096)


def test_biases_and_norms_are_not_decayed_but_matrices_are():
    module = nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 1))
    decays = {}
    for group in parameter_groups(module, TrainConfig(weight_decay=0.3)):
        for p in group["params"]:
            decays[p] = group["weight_decay"]
    assert {n: decays[p] for n, p in module.named_parameters()} == {
        "0.weight": 0.3, "0.bias": 0.0, "1.weight": 0.0, "1.bias": 0.0, "2.weight": 0.3, "2.bias": 0.0,
    }  # fmt: skip


def test_what_l1_draws_to_0_is_what_weight_decay_is_for():
    module = nn.Sequential(MemberScale(2, 3, signs=False), BatchEnsembleLinear(3, 5, 2), MemberLinear(5, 1, 2))
    module.append(nn.Linear(1, 1).requires_grad_(False))
    kept = {id(p) for p in decayed_parameters(module)}
    assert {n for n, p in module.named_parameters() if id(p) in kept} == {"1.weight", "2.weight"}


def test_modules_choose_their_rates_and_shared_parameters_count_once():
    wide = TangentLinear(64, 8)  # sqrt(256 / 64) = 2
    module = nn.Sequential(Scale(64), wide, wide)
    groups = parameter_groups(module, TrainConfig(lr=0.01, weight_decay=0.1))
    found = {p: g for g in groups for p in g["params"]}
    assert sum(len(g["params"]) for g in groups) == 3
    assert found[wide.weight]["lr"] == pytest.approx(0.02)
    # Rate times decay is that of a layer of 256 inputs.
    assert found[wide.weight]["lr"] * found[wide.weight]["weight_decay"] == pytest.approx(0.01 * 0.1)
    assert found[module[0].weight]["lr"] == pytest.approx(0.01 * 96)


def test_lion_takes_the_first_two_steps_of_its_algorithm():
    p = nn.Parameter(torch.tensor([1.0, -1.0]))
    lion = Lion([{"params": [p]}], lr=0.1, betas=(0.9, 0.99), weight_decay=0.5)
    p.grad = torch.tensor([2.0, -3.0])
    lion.step()
    # m0 = 0: update sign(0.1 g); decay 1 - 0.1 * 0.5
    first = torch.tensor([1.0, -1.0]) * 0.95 - 0.1 * torch.tensor([1.0, -1.0])
    assert torch.allclose(p.detach(), first)
    m = 0.01 * torch.tensor([2.0, -3.0])
    p.grad = torch.tensor([-0.1, 0.5])
    lion.step()
    expected = first * 0.95 - 0.1 * torch.sign(0.9 * m + 0.1 * torch.tensor([-0.1, 0.5]))
    assert torch.allclose(p.detach(), expected)


def test_apply_factors_starts_from_the_base_each_time():
    optimizer = make_optimizer(nn.Linear(2, 2), TrainConfig(lr=0.1, weight_decay=0.2))
    apply_factors(optimizer, 0.5, 0.25)
    apply_factors(optimizer, 0.5, 0.25)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05)
    assert optimizer.param_groups[0]["weight_decay"] == pytest.approx(0.05)


def test_a_module_speaks_for_its_parts_and_the_outermost_is_heard():
    class Outer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.free = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)

        def hyper_factors(self):
            return {"inner.weight": HyperFactor(0.5, 0.0), "absent": HyperFactor(9.0)}

    module = Outer()
    groups = parameter_groups(module, TrainConfig(lr=1.0, weight_decay=0.1))
    rates = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert rates[id(module.inner.weight)] == (0.5, 0.0)
    assert rates[id(module.free.weight)] == (1.0, 0.1) and rates[id(module.inner.bias)] == (1.0, 0.0)
