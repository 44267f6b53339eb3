"""Layers, embeddings and ensembling against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from autodl.models.nn.embeddings import (
    CategoryEncoder,
    ColumnLinear,
    LinearReLUEmbedding,
    PeriodicBiasEmbedding,
    PeriodicEmbedding,
    PiecewiseLinearEmbedding,
    make_numeric_embedding,
)
from autodl.models.nn.ensembling import BatchEnsembleLinear, MemberLinear
from autodl.models.nn.layers import Activation, BatchNorm, Dropout, Gate, TangentLinear, init_from_data, make_norm


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_column_linear_is_one_linear_layer_a_column():
    layer, x = ColumnLinear(3, 4, 5), torch.randn(7, 3, 4)
    expected = torch.stack([x[:, j] @ layer.weight[j] + layer.bias[j] for j in range(3)], 1)
    assert torch.allclose(layer(x), expected, atol=1e-6)


def test_periodic_embedding_is_the_papers_formula():
    layer, x = PeriodicEmbedding(2, 3, 4, sigma=0.5), torch.randn(6, 2)
    v = 2 * math.pi * layer.frequency[None] * x[:, :, None]
    expected = layer.linear(torch.cat([torch.cos(v), torch.sin(v)], -1)).clamp_min(0)
    assert torch.allclose(layer(x), expected, atol=1e-6) and layer(x).shape == (6, 2, 4)
    assert float(layer.frequency.detach().abs().max()) <= 1.5


def test_periodic_bias_embedding_keeps_the_number_itself():
    layer, x = PeriodicBiasEmbedding(2, 16, 4, sigma=0.1), torch.randn(6, 2)
    y = layer(x)
    assert y.shape == (6, 2, 4) and torch.equal(y[..., 0], x)
    expected = layer.linear(torch.cos(2 * math.pi * layer.frequency * x[..., None] + layer.phase))
    assert torch.allclose(y[..., 1:], expected, atol=1e-6)
    with pytest.raises(ValueError, match="size >= 2"):
        PeriodicBiasEmbedding(2, 16, 1, sigma=0.1)


def test_linear_relu_embedding():
    layer, x = LinearReLUEmbedding(2, 3), torch.randn(5, 2)
    assert torch.allclose(layer(x), (x[..., None] * layer.weight + layer.bias).relu())


def test_piecewise_encoding_interpolates_between_quantiles():
    sample = torch.linspace(0, 8, 9)[:, None].repeat(1, 2)
    # Quantiles 0, 1/2, 1 of the rows and 1/3, 2/3 of the values.
    layer = PiecewiseLinearEmbedding(sample, bins=4, size=3)
    assert layer.left[0].tolist() == pytest.approx([0, 8 / 3, 4, 16 / 3])
    encoded = layer.encode(torch.tensor([[3.0, 3.0], [-2.0, 10.0]]))
    assert encoded[0, 0].tolist() == pytest.approx([1, 0.25, 0, 0])
    # Beyond the range the outer bins go on linearly.
    assert encoded[1, 0].tolist() == pytest.approx([-0.75, 0, 0, 0])
    assert encoded[1, 1].tolist() == pytest.approx([1, 1, 1, 1.75])


def test_a_column_of_mostly_zeros_keeps_bins_for_the_rest():
    sample = torch.zeros(1000, 1)
    sample[:50, 0] = torch.linspace(1, 50, 50)
    layer = PiecewiseLinearEmbedding(sample, bins=16, size=2)
    assert len(set(layer.left[0].tolist())) > 8


def test_piecewise_bins_of_few_values_are_merged_and_unused_ones_stay_zero():
    sample = torch.tensor([[0.0], [0.0], [0.0], [1.0]])
    encoded = PiecewiseLinearEmbedding(sample, bins=8, size=2).encode(torch.tensor([[0.0], [1.0], [5.0]]))
    assert torch.isfinite(encoded).all()
    assert torch.count_nonzero(encoded[1:].abs().sum((0, 1))) < 8
    assert not torch.equal(encoded[0], encoded[1])


def test_unknown_embedding_is_refused():
    with pytest.raises(ValueError, match="fourier"):
        make_numeric_embedding("fourier", torch.randn(5, 2), size=4, frequencies=4, sigma=1.0, bins=4)
    assert make_numeric_embedding("plr", torch.zeros(5, 0), size=4, frequencies=4, sigma=1.0, bins=4) is None


def test_small_categories_are_one_hot_and_unseen_ones_all_zero():
    encoder = CategoryEncoder((3, 50, 4), max_onehot=8, size=5)
    assert encoder.size_out == 2 + 3 + 5
    y = encoder(torch.tensor([[1, 7, 3], [2, 0, 1], [0, 0, 0]]))
    assert y.shape == (3, 10)
    assert y[:, :5].tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]]
    assert torch.count_nonzero(y[1, 5:]) == 0 and torch.count_nonzero(y[0, 5:]) == 5


def test_batch_ensemble_is_k_rank_one_changed_layers():
    layer = BatchEnsembleLinear(4, 3, members=5, signs=True)
    with torch.no_grad():
        layer.scale_out.normal_()
    x = torch.randn(6, 5, 4)
    for k in range(5):
        weight = layer.weight * torch.outer(layer.scale_out[k], layer.scale_in[k])
        expected = functional.linear(x[:, k], weight, layer.bias[k])
        assert torch.allclose(layer(x)[:, k], expected, atol=1e-5)
    assert set(layer.scale_in.detach().flatten().tolist()) == {-1.0, 1.0}


def test_member_heads_are_separate():
    layer, x = MemberLinear(4, 2, 3), torch.randn(6, 3, 4)
    expected = torch.stack([x[:, k] @ layer.weight[k] + layer.bias[k] for k in range(3)], 1)
    assert torch.allclose(layer(x), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "gelu", "silu", "selu", "mish", "leaky_relu", "tanh"])
def test_activations_are_torchs_and_the_parametric_form_starts_there(name):
    x = torch.randn(5, 4)
    reference = getattr(torch, name, None) or getattr(functional, name)
    assert torch.allclose(Activation(name)(x), reference(x))
    parametric = Activation(name, 4, parametric=True)
    assert torch.allclose(parametric(x), reference(x), atol=1e-6)
    with torch.no_grad():
        parametric.strength.zero_()
    assert torch.allclose(parametric(x), x)


@pytest.mark.parametrize(
    ("name", "function"), [("reglu", functional.relu), ("geglu", functional.gelu), ("swiglu", functional.silu)]
)
def test_gates(name, function):
    x = torch.randn(5, 8)
    assert torch.allclose(Gate(name)(x), x[:, :4] * function(x[:, 4:]))


def test_unknown_names_are_refused():
    for make in (lambda: Activation("sine"), lambda: Gate("glu2"), lambda: make_norm("group", 3)):
        with pytest.raises(ValueError, match="must be"):
            make()


def test_batch_norm_shares_statistics_between_members():
    x = torch.randn(6, 3, 4)
    expected = nn.BatchNorm1d(4)(x.reshape(18, 4)).view(6, 3, 4)
    assert torch.allclose(BatchNorm(4)(x), expected)


def test_dropout_keeps_the_mean_and_the_share():
    x = torch.ones(400, 501)
    layer = Dropout(0.3)
    y = layer(x)
    assert float((y == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(y.mean()) == pytest.approx(1.0, abs=0.01)
    assert len(set(y.flatten().tolist())) == 2
    assert torch.equal(layer.eval()(x), x)


def test_data_dependent_initialization_gives_unit_outputs_and_inner_kinks():
    first, second = TangentLinear(5, 64), TangentLinear(64, 32)
    module = nn.Sequential(first, nn.ReLU(), second)
    x = torch.randn(500, 5) * torch.tensor([1.0, 10, 0.1, 3, 1])
    init_from_data(module, (x,), torch.Generator().manual_seed(0))
    for layer, inputs in ((first, x), (second, first(x).relu())):
        y = functional.linear(inputs, layer.weight)
        assert y.std(0, correction=0).tolist() == pytest.approx([1.0] * layer.out_features, rel=1e-3)
        kinks = -layer.bias
        assert bool(((kinks >= y.min(0).values) & (kinks <= y.max(0).values)).all())
    assert np.isfinite(module(x).detach().numpy()).all()
