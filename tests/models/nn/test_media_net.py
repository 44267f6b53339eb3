"""What networks over images, texts and series have in common: names of weights, columns beside, heads, defaults."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from autodl.features import Features
from autodl.models.base import families
from autodl.models.nn.image_net import ImageNet
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.media_net import MediaNet
from autodl.models.nn.series_net import SeriesBranch, SeriesNet
from autodl.models.nn.text_net import TextNet

WIDTH = 3
X = Features(
    np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32), np.arange(6, dtype=np.int32)[:, None] % 3, (3,)
)
TABLE = InputPlan.learn(X)
END = ["side.hidden.weight", "side.hidden.bias", "joint.weight", "joint.bias", "head.weight", "head.bias"]
"""In this order, in which they are drawn: another one would give other networks from the same seed."""


@pytest.fixture(autouse=True)
def same_draws():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def nets(table: InputPlan | None) -> list[MediaNet]:
    """One of each kind, with a column and a body without weights."""
    body = nn.Identity()
    return [
        ImageNet(body, WIDTH, 1, table, 2),
        TextNet(9, 4, 0.0, body, WIDTH, 1, table, 2),
        SeriesNet([SeriesBranch(body, WIDTH, 1, "all")], table, 2),
    ]


def test_weights_go_by_the_names_that_model_files_hold() -> None:
    own = {"center", "spread", "vectors.weight", "branches.0.center", "branches.0.spread"}
    for net in nets(TABLE):
        names = [name for name in net.state_dict() if name not in own]
        assert [name for name in names if not name.startswith("side.encoder.")] == END
    for net in nets(None):
        assert [name for name in net.state_dict() if name not in own] == END[-2:]


@torch.no_grad()
def test_the_columns_beside_matter_where_there_are_any() -> None:
    read, table = torch.ones(6, WIDTH), TABLE.tensors(X)
    for net in nets(TABLE):
        nn.init.normal_(net.head.weight)
        out = net.answer(read, *table)
        assert out.shape == (6, 2) and len(out.unique(dim=0)) > 1
        alike = net.answer(read, *(t[:1].expand(6, -1) for t in table))
        torch.testing.assert_close(alike, out[:1].expand(6, -1))
    for net in nets(None):
        assert torch.equal(net.answer(read), net.head(read))


@pytest.mark.parametrize(
    ("key", "fields", "rule"),
    [
        ("text_transformer", {"embed": 20, "heads": 8}, "`embed` must be a multiple of `heads`, but got 20 and 8"),
        ("series_transformer", {"embed": 30, "heads": 4}, "`embed` must be a multiple of `heads`, but got 30 and 4"),
        ("vit", {"token_size": 20, "heads": 8}, "`token_size` must be a multiple of `heads`, but got 20 and 8"),
    ],
)
def test_heads_share_the_numbers_of_a_token(key, fields, rule) -> None:
    with pytest.raises(ValueError, match=rule):
        families[key].config(**fields)


def test_each_kind_of_transformer_keeps_its_own_defaults() -> None:
    keys = ("text_transformer", "series_transformer", "vit", "transformer")
    found = {key: families[key].config().model_dump() for key in keys}
    assert {key: c["weight_decay"] for key, c in found.items()} == dict(
        zip(keys, (0.01, 0.01, 0.05, 1e-5), strict=True)
    )
    assert {key: c["warmup"] for key, c in found.items()} == dict(zip(keys, (0.1, 0.1, 0.1, 0.05), strict=True))
    assert all(
        (c["optimizer"], c["lr"], c["schedule"], c["grad_clip"]) == ("adamw", 0.001, "cosine", 1.0)
        for c in found.values()
    )
