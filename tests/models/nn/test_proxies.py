"""Closed forms of small networks."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from autodl.models.nn.layers import Activation, BatchNorm, Gate
from autodl.models.nn.proxies import (
    PROXIES,
    code_kernel_logdet,
    gradient_norm,
    jacobian_score,
    naswot,
    parameter_count,
    synflow,
)
from autodl.train.losses import CrossEntropy, Regression


def linear_net(*sizes: int) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(sizes)))


def test_synflow_of_a_linear_network_is_its_product_of_positive_weights_times_its_layers() -> None:
    net = linear_net(4, 5, 3, 2)
    product = torch.eye(4)
    for layer in net:
        product = layer.weight.detach().abs() @ product
    got = synflow(net, net, torch.randn(7, 4), torch.zeros(7), Regression())
    assert got == pytest.approx(math.log(3 * float(product.sum())), rel=1e-5)


def test_synflow_neither_needs_data_nor_changes_the_network() -> None:
    net = nn.Sequential(nn.Linear(4, 6), BatchNorm(6), Activation("silu"), nn.Dropout(0.5), nn.Linear(6, 2))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    a = synflow(net, net, torch.randn(7, 4), torch.zeros(7), Regression())
    b = synflow(net, net, 100 * torch.randn(3, 4), torch.zeros(3), Regression())
    assert a == b
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())


def test_gradient_norm_of_least_squares() -> None:
    net = linear_net(3, 1)
    x, y = torch.randn(10, 3), torch.randn(10)
    residual = net(x)[:, 0].detach() - y
    by_hand = 2 / 10 * (residual[:, None] * x).sum(0).norm()
    assert gradient_norm(net, net, x, y, Regression()) == pytest.approx(float(by_hand), rel=1e-5)


def test_kernel_of_codes_counts_agreements() -> None:
    codes = torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 1]], dtype=torch.bool)
    kernel = np.array([[4, 3, 1], [3, 4, 0], [1, 0, 4]])
    assert code_kernel_logdet(codes) == pytest.approx(math.log(abs(np.linalg.det(kernel))))


def test_naswot_reads_the_sign_of_what_activations_and_gates_see() -> None:
    net = nn.Sequential(nn.Linear(2, 2, bias=False), Activation("gelu"))
    with torch.no_grad():
        net[0].weight.copy_(torch.eye(2))
    x = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    # Codes 11 and 10: K = [[2, 1], [1, 2]].
    assert naswot(net, net, x, torch.zeros(2), Regression()) == pytest.approx(math.log(3))
    gated = nn.Sequential(Gate("swiglu"))
    wide = torch.cat([-torch.ones(2, 2), x], 1)
    assert naswot(gated, gated, wide, torch.zeros(2), Regression()) == pytest.approx(math.log(3))


def test_a_linear_network_reacts_alike_everywhere_and_has_the_lowest_jacobian_score() -> None:
    x, y = torch.randn(6, 5), torch.zeros(6, dtype=torch.int64)
    net = linear_net(5, 8, 3)
    # Eigenvalues 6, 0, 0, 0, 0, 0 and the constant 1e-5; float32 Jacobians are equal to the last bit here.
    e = 1e-5
    lowest = -(math.log(6 + e) + 1 / (6 + e) + 5 * (math.log(e) + 1 / e))
    linear = jacobian_score(net, net, x, y, CrossEntropy(3))
    assert linear == pytest.approx(lowest, rel=1e-4)
    curved = nn.Sequential(net[0], nn.Tanh(), net[1])
    assert jacobian_score(curved, curved, x, y, CrossEntropy(3)) > linear


def test_parameter_count() -> None:
    net = linear_net(4, 5, 3)
    assert parameter_count(net, net, torch.zeros(1, 4), torch.zeros(1), Regression()) == 4 * 5 + 5 * 3


@pytest.mark.parametrize("name", PROXIES)
def test_every_proxy_repeats_itself_and_leaves_no_trace(name: str) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(4, 40), BatchNorm(40), Activation("relu"), nn.Dropout(0.5), nn.Linear(40, 3)
    ).eval()  # fmt: skip
    before = {k: v.clone() for k, v in net.state_dict().items()}
    x, y = torch.randn(16, 4), torch.randint(3, (16,))
    first, second = (PROXIES[name](net, net, x, y, CrossEntropy(3)) for _ in range(2))
    assert first == second
    assert math.isfinite(first)
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert not net.training
    assert net[3].p == 0.5
    assert all(p.grad is None for p in net.parameters())
