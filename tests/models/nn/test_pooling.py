"""Poolings: masked positions never matter, and known values."""

from __future__ import annotations

import pytest
import torch

from autodl.models.nn.pooling import AttentionPooling, GeneralizedMeanPooling, make_pooling

NAMES = ["mean", "max", "gem", "attention"]


def made(name: str) -> torch.nn.Module:
    pool = make_pooling(name, 4)
    if isinstance(pool, AttentionPooling):  # not the mean that it starts as
        torch.nn.init.normal_(pool.score.weight, generator=torch.Generator().manual_seed(0))
    return pool


@pytest.mark.parametrize("name", NAMES)
def test_padding_of_any_length_and_content_changes_neither_output_nor_gradients(name):
    g = torch.Generator().manual_seed(1)
    pool = made(name)
    rows = [torch.rand(n, 4, generator=g, requires_grad=True) for n in (1, 3, 5)]
    alone = torch.cat([pool(row[None]) for row in rows])
    alone.square().sum().backward()
    wanted = [p.grad.clone() for p in pool.parameters()]
    for length, filler in ((5, 0.0), (9, 1e6), (6, float("nan"))):
        x = torch.full((3, length, 4), filler)
        mask = torch.zeros(3, length, dtype=torch.bool)
        for i, row in enumerate(rows):
            x[i, : len(row)], mask[i, : len(row)] = row.detach(), True
        x.requires_grad_()
        pool.zero_grad()
        output = pool(x, mask)
        output.square().sum().backward()
        torch.testing.assert_close(output, alone)
        torch.testing.assert_close([p.grad for p in pool.parameters()], wanted)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_without_positions_is_finite(name):
    pool, x = made(name), torch.rand(2, 3, 4, requires_grad=True)
    mask = torch.tensor([[True, False, True], [False, False, False]])
    output = pool(x, mask)
    output.sum().backward()
    assert output[1].detach().abs().max() < 1e-5
    assert all(bool(torch.isfinite(p.grad).all()) for p in [x, *pool.parameters()])


def test_known_values():
    x = torch.tensor([[[1.0, 2.0], [3.0, 2.0]]])
    assert make_pooling("mean", 2)(x).tolist() == [[2.0, 2.0]]
    assert make_pooling("max", 2)(x).tolist() == [[3.0, 2.0]]
    gem = GeneralizedMeanPooling()
    torch.testing.assert_close(gem(x), torch.tensor([[14 ** (1 / 3), 2.0]]))
    gem.power.data.fill_(1.0)
    torch.testing.assert_close(gem(x), torch.tensor([[2.0, 2.0]]))
    assert make_pooling("attention", 2)(x).tolist() == [[2.0, 2.0]]  # the mean at first
    with pytest.raises(ValueError, match="`name` must be mean"):
        make_pooling("sum", 2)
