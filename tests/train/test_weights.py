"""Copies of weights."""

from __future__ import annotations

import torch
from torch import nn

from autodl.train.weights import BestWeights, from_arrays, moving_average, to_arrays


def test_arrays_bring_back_weights_and_buffers():
    source = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    source(torch.randn(8, 3))
    target = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    from_arrays(target, to_arrays(source))
    assert all(torch.equal(a, target.state_dict()[n]) for n, a in source.state_dict().items())


def test_only_a_lower_error_is_kept():
    layer = nn.Linear(1, 1)
    best = BestWeights(layer)
    assert not best.found
    start = layer.weight.item()
    assert best.offer(layer, 1.0, 1)
    with torch.no_grad():
        layer.weight.add_(1)
    assert not best.offer(layer, 1.0, 2) and not best.offer(layer, float("nan"), 3)
    best.restore(layer)
    assert layer.weight.item() == start and best.epoch == 1


def test_moving_average_follows_its_formula():
    layer = nn.Linear(1, 1, bias=False)
    average = moving_average(layer, 0.2)
    values = []
    for value in (1.0, 2.0, 4.0):
        with torch.no_grad():
            layer.weight.fill_(value)
        average.update_parameters(layer)
        values.append(average.module.weight.item())
    second = 2 / 11 * 1.0 + 9 / 11 * 2.0  # the first steps forget more quickly
    assert torch.allclose(torch.tensor(values), torch.tensor([1.0, second, 0.2 * second + 0.8 * 4.0]))


def test_moving_average_takes_whole_and_infinite_buffers_as_they_are():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    module.register_buffer("edges", torch.tensor([0.0, torch.inf]))
    average = moving_average(module, 0.9)
    for _ in range(3):
        module(torch.randn(8, 3))
        average.update_parameters(module)
    kept = dict(average.module.named_buffers())
    assert int(kept["1.num_batches_tracked"]) == 3
    assert all(torch.equal(kept[n], value) for n, value in module.named_buffers())
