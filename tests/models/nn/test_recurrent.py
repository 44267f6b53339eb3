"""Recurrent networks: torch's packed sequences, masks, counted costs, initialization, the search space."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from autodl.models.nn.recurrent import RecurrentNet
from autodl.models.nn.recurrent_config import RecurrentConfig, recurrent_cost
from autodl.models.rnn import RnnConfig
from autodl.search.fold_model import split_config
from autodl.search.space import family_space

SPACE = family_space("rnn")
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "simple": nn.RNN}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def drawn(seed: int, n: int) -> list[RecurrentConfig]:
    rng = np.random.default_rng(seed)
    return [network(SPACE.sample(rng)) for _ in range(n)]


def network(found: dict) -> RnnConfig:
    """The network's part of a configuration of the space, which has choices of the preparation besides."""
    return RnnConfig(**split_config(found)[0])


def padded(rows: list[torch.Tensor], total: int, filler: float) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.full((len(rows), total, rows[0].shape[1]), filler)
    mask = torch.zeros(len(rows), total, dtype=torch.bool)
    for i, row in enumerate(rows):
        x[i, : len(row)], mask[i, : len(row)] = row, True
    return x, mask


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_equal_to_torch_on_packed_sequences(cell, bidirectional):
    config = RecurrentConfig(cell=cell, layers=2, hidden=6, bidirectional=bidirectional, dropout=0.0)
    net = RecurrentNet(config, 3, 2).eval()
    reference = CELLS[cell](3, 6, 2, batch_first=True, bidirectional=bidirectional)
    reference.load_state_dict(net.recurrent.state_dict())
    rows = [torch.randn(n, 3) for n in (2, 7, 4)]
    _, state = reference(pack_sequence(rows, enforce_sorted=False))
    ends = state[0] if cell == "lstm" else state
    expected = torch.cat([*ends[-(2 if bidirectional else 1) :]], dim=1)
    _, last = net.features(*padded(rows, 9, 5.0))
    torch.testing.assert_close(last, expected)
    torch.testing.assert_close(net(*padded(rows, 9, 5.0)), net.head(expected))


@pytest.mark.parametrize("part", range(2))
def test_what_stands_behind_the_end_never_matters(part):
    for config in drawn(part, 14):
        config = config.model_copy(update={"dropout": 0.0, "input_dropout": 0.0})
        net = RecurrentNet(config, 3, 2)
        for p in net.parameters():
            p.data.add_(0.1 * torch.randn_like(p))
        rows = [torch.randn(n, 3) for n in (1, 5, 8)]
        alone = torch.cat([net(row[None]) for row in rows])
        alone.square().sum().backward()
        gradients = [p.grad.clone() for p in net.parameters()]
        for total, filler in ((8, 0.0), (8, float("nan")), (13, 1e4)):
            net.zero_grad()
            output = net(*padded(rows, total, filler))
            output.square().sum().backward()
            torch.testing.assert_close(output, alone, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close([p.grad for p in net.parameters()], gradients, rtol=1e-3, atol=1e-4)


def test_an_empty_sequence_has_an_answer():
    for config in drawn(3, 10):
        x, mask = padded([torch.randn(0, 3), torch.randn(4, 3)], 6, float("nan"))
        output = RecurrentNet(config, 3, 2)(x, mask)
        assert bool(torch.isfinite(output).all())
        output.sum().backward()


@pytest.mark.parametrize("part", range(4))
def test_every_configuration_trains_a_step_and_costs_what_is_counted(part):
    for config in drawn(10 + part, 25):
        net = RecurrentNet(config, 5, 3)
        x, mask = padded([torch.randn(n, 5) for n in (3, 6, 6, 1)], 6, 0.0)
        nn.functional.cross_entropy(net(x, mask), torch.arange(4) % 3).backward()
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in net.parameters()), config
        for p in net.parameters():
            p.data -= 0.01 * p.grad
        assert bool(torch.isfinite(net.eval()(x, mask)).all())
        cost = recurrent_cost(config, 5, 3, steps=6)
        assert cost.parameters == sum(p.numel() for p in net.parameters())
        # Each matrix is used once a step, but for the head; attention sums d features a step besides.
        matrices = sum(p.numel() for n, p in net.named_parameters() if p.ndim == 2 and not n.startswith("head"))
        summed = config.hidden * config.directions if config.pooling == "attention" else 0
        assert cost.multiplications == 6 * (matrices + summed) + net.head.weight.numel()


def test_initialization():
    net = RecurrentNet(RecurrentConfig(cell="lstm", hidden=8, bidirectional=False), 4, 2)
    for gate in net.recurrent.weight_hh_l0.detach().split(8):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=0)
    biases = net.recurrent.bias_ih_l0 + net.recurrent.bias_hh_l0
    assert biases.tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16
    assert float(net.recurrent.weight_ih_l0.detach().abs().max()) <= (6 / 12) ** 0.5


def test_learns_what_only_memory_can_tell():
    """The class is the sign of the first step; the other steps are noise."""
    x = torch.randn(200, 8, 1)
    y = (x[:, 0, 0] > 0).long()
    net = RecurrentNet(RecurrentConfig(cell="lstm", hidden=16, bidirectional=False, dropout=0.0), 1, 2)
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    assert (net(x).argmax(1) == y).float().mean() > 0.95


def test_the_space_and_its_configuration_agree():
    start = split_config(SPACE.complete({}))[0]
    assert start == {k: RnnConfig().model_dump()[k] for k in start}
    assert {c["cell"] for c in SPACE.starts()} == {"gru", "lstm"} and all(network(c) for c in SPACE.starts())
    assert {c.cell for c in drawn(0, 30)} == set(CELLS)
