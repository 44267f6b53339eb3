"""FT-Transformer: shapes, invariances, attention against torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autodl.models.nn.ft_transformer import Attention, FeatureTokenizer, FTTransformer, TransformerShape


def network(pooling: str = "cls", **changes) -> FTTransformer:
    torch.manual_seed(0)
    shape = TransformerShape(layers=2, heads=2, token_size=8, pooling=pooling, **changes)
    return FTTransformer(FeatureTokenizer(1, 2, None, (4, 6), 8), shape, 3).eval()


def rows(n: int = 5) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(1)
    return torch.randn(n, 1, generator=g), torch.randn(n, 2, generator=g), torch.randint(1, 4, (n, 2), generator=g)


def test_tokens_follow_the_formula():
    tokenizer = network().tokenizer
    flat, numeric, codes = rows()
    tokens = tokenizer(flat, numeric, codes)
    assert tokens.shape == (5, 1 + 1 + 2 + 2, 8)
    assert torch.allclose(tokens[:, 0], tokenizer.cls.expand(5, -1))
    assert torch.allclose(tokens[:, 2], numeric[:, :1] * tokenizer.weight[1] + tokenizer.bias[1])
    assert torch.allclose(tokens[:, 5], tokenizer.table.weight[4 + codes[:, 1]] + tokenizer.bias[4])


def test_attention_is_torchs_multi_head_attention():
    torch.manual_seed(0)
    ours, reference = Attention(8, 2, 0.0).eval(), nn.MultiheadAttention(8, 2, batch_first=True).eval()
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
        reference.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key_value.bias]))
        reference.out_proj.weight.copy_(ours.out.weight)
        reference.out_proj.bias.copy_(ours.out.bias)
    x = torch.randn(3, 5, 8)
    expected = reference(x, x, x)[0]
    assert torch.allclose(ours(x), expected, atol=1e-6)
    assert torch.allclose(ours(x, first_only=True), expected[:, :1], atol=1e-6)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("norm_place", ["pre", "post"])
@pytest.mark.parametrize("feed_forward", ["relu", "gelu", "reglu", "geglu", "swiglu"])
def test_shapes_and_gradients(pooling, norm_place, feed_forward):
    module = network(pooling, norm_place=norm_place, feed_forward=feed_forward)
    output = module(*rows())
    assert output.shape == (5, 3)
    output.sum().backward()
    assert all(p.grad is not None for p in module.parameters())


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_the_order_of_columns_does_not_matter(pooling):
    module = network(pooling)
    x = module.tokenizer(*rows())
    order = torch.tensor([0, 4, 2, 5, 1, 3])

    class Fixed(nn.Module):
        def __init__(self, tokens: torch.Tensor) -> None:
            super().__init__()
            self.tokens = tokens

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.tokens

    expected = module(*rows())
    module.tokenizer = Fixed(x[:, order])
    assert torch.allclose(module(*rows()), expected, atol=1e-5)


def test_rows_do_not_influence_each_other():
    module, inputs = network(), rows()
    assert torch.allclose(module(*inputs)[2:3], module(*(t[2:3] for t in inputs)), atol=1e-6)


def test_bad_shapes_are_refused():
    with pytest.raises(ValueError, match="multiple"):
        Attention(9, 2, 0.0)
    with pytest.raises(ValueError, match="at least one"):
        FeatureTokenizer(0, 0, None, (), 8)
