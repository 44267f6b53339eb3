"""Convolutional networks: published sizes, shapes, masks, initialization, and what the search space can draw."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.utils.flop_counter import FlopCounterMode

from autodl.models.cnn import CnnConfig
from autodl.models.nn.conv_blocks import ResidualBlock
from autodl.models.nn.conv_config import BlockSpec, ConvNetConfig
from autodl.models.nn.conv_cost import convnet_cost
from autodl.models.nn.conv_layers import ConvNorm, DropPath, SqueezeExcite
from autodl.models.nn.convnet import ConvNet
from autodl.search.space import family_space

SPACE = family_space("cnn")
KINDS = ["plain", "residual", "bottleneck", "separable", "mbconv", "inception"]
RESNET = {"stem": "imagenet", "stem_width": 64, "stem_kernel": 7, "stages": 4, "stride": (1, 2)}
PUBLISHED = {
    "ResNet-18": (
        ConvNetConfig(**RESNET, depth=(2,), width=(64, 128, 256, 512), block=("residual",)),
        11_689_512,
        1.814e9,
    ),
    "ResNet-50": (
        ConvNetConfig(**RESNET, depth=(3, 4, 6, 3), width=(256, 512, 1024, 2048), block=("bottleneck",)),
        25_557_032,
        4.089e9,
    ),
    "MobileNet": (
        ConvNetConfig(
            stem_width=32, stem_stride=2, stages=5, depth=(1, 2, 2, 6, 2), width=(64, 128, 256, 512, 1024),
            stride=(1, 2), block=("separable",),
        ),
        4_231_976,
        0.569e9,
    ),
    "EfficientNet-B0": (
        ConvNetConfig(
            stem_width=32, stem_stride=2, stages=7, depth=(1, 2, 2, 3, 3, 4, 1), head_width=1280,
            width=(16, 24, 40, 80, 112, 192, 320), stride=(1, 2, 2, 2, 1, 2, 1), kernel=(3, 3, 5, 3, 5, 5, 3),
            expansion=(1, 6), block=("mbconv",), activation="silu",
        ),
        5_288_548,
        0.386e9,
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # networks this small are quicker on one
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def weights(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def drawn(seed: int, n: int) -> list[ConvNetConfig]:
    rng = np.random.default_rng(seed)
    return [CnnConfig(**SPACE.sample(rng)).for_side(32) for _ in range(n)]


def perturbed(net: torch.nn.Module) -> torch.nn.Module:
    """Away from the start, where some branches are zero and statistics are those of nothing."""
    for p in net.parameters():
        p.data.add_(0.1 * torch.randn_like(p))
    for name, b in net.named_buffers():
        if "running" in name:
            b.data.copy_(0.5 + torch.rand_like(b))
    return net


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_have_their_size(name):
    config, parameters, multiplications = PUBLISHED[name]
    with torch.device("meta"), FlopCounterMode(display=False) as flops:
        net = ConvNet(config, 3, 1000).eval()
        net(torch.empty(1, 3, 224, 224))
    assert weights(net) == parameters
    cost = convnet_cost(config, 3, 1000, (224, 224))
    assert cost.parameters == parameters
    assert cost.multiplications == flops.get_total_flops() // 2 == pytest.approx(multiplications, rel=2e-3)


def test_stages_of_efficientnet_b0_have_their_size():
    """Weights of each stage as in torchvision's ``efficientnet_b0().features[1:8]``."""
    net = ConvNet(PUBLISHED["EfficientNet-B0"][0], 3, 1000)
    sizes, blocks = [], iter(net.blocks)
    for depth in (1, 2, 2, 3, 3, 4, 1):
        sizes.append(sum(weights(next(blocks)) for _ in range(depth)))
    assert sizes == [1_448, 16_714, 46_640, 242_930, 543_148, 2_026_348, 717_232]


@pytest.mark.parametrize("part", range(5))
def test_every_configuration_trains_a_step_and_costs_what_is_counted(part):
    for i, config in enumerate(drawn(part, 20)):
        dims = 1 + i % 2
        size = ((16, 16), (23,), (8, 8), (37,))[i % 4]
        if len(size) != dims:
            size = (19,) if dims == 1 else (9, 12)
        net = ConvNet(config, 2, 3, dims)
        x = torch.randn(4, 2, *size)
        output = net(x)
        torch.nn.functional.cross_entropy(output, torch.arange(4) % 3).backward()
        assert output.shape == (4, 3) and bool(torch.isfinite(output).all())
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in net.parameters()), config
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1e-2)
        for p in net.parameters():
            p.data -= p.grad
        with FlopCounterMode(display=False) as flops, torch.no_grad():
            assert bool(torch.isfinite(net.eval()(x[:1])).all())
        cost = convnet_cost(config, 2, 3, size)
        assert (cost.parameters, cost.multiplications) == (weights(net), flops.get_total_flops() // 2), config


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (32, 32), (224, 224), (7, 31)])
@pytest.mark.parametrize("stem", ["conv", "imagenet", "patch"])
def test_images_of_any_size(size, stem):
    for block in KINDS:
        config = ConvNetConfig(stem=stem, stem_width=8, width=(8, 12, 16), block=(block,), depth=(2,))
        with torch.device("meta"):
            net = ConvNet(config, 3, 5).eval()
            x = torch.empty(2, 3, *size)
            assert net(x).shape == (2, 5)
            features, _ = net.features(x)
        first = {"conv": 1, "imagenet": 4, "patch": 3}[stem]
        assert features.shape[2:] == tuple(math.ceil(math.ceil(n / first) / 4) for n in size)


@pytest.mark.parametrize("training", [False, True])
def test_what_stands_behind_the_end_of_a_sequence_never_matters(training):
    lengths = (1, 4, 9, 17)
    for config in [*drawn(11, 16), *(ConvNetConfig(block=(k,), depth=(2,)) for k in KINDS)]:
        config = config.model_copy(update={"dropout": 0.0, "drop_path": 0.0})
        net = perturbed(ConvNet(config, 2, 3, dims=1)).train(training)
        rows = [torch.randn(2, n) for n in lengths]
        outputs = []
        for total, filler in ((17, 0.0), (17, 1e4), (17, float("nan")), (30, 7.0)):
            x, mask = torch.full((4, 2, total), filler), torch.zeros(4, total, dtype=torch.bool)
            for i, row in enumerate(rows):
                x[i, :, : row.shape[1]], mask[i, : row.shape[1]] = row, True
            outputs.append(net(x, mask))
        if not training:
            outputs.append(torch.cat([net(row[None]) for row in rows]))
        scale = 1.0 + outputs[0].detach().abs().max().item()
        for other in outputs[1:]:
            torch.testing.assert_close(other, outputs[0], rtol=1e-4, atol=1e-4 * scale)


def test_batch_norm_of_images_is_torchs():
    x = torch.randn(4, 3, 5, 6)
    ours, reference = ConvNorm("batch", 3), torch.nn.BatchNorm2d(3)
    torch.testing.assert_close(ours(x), reference(x))
    torch.testing.assert_close(ours.batch.running_var, reference.running_var)


def test_a_fresh_residual_block_is_its_shortcut():
    spec = BlockSpec("residual", 6, 6, 3, 1, 1, 0.0)
    x = torch.randn(2, 6, 8, 8)
    for norm in ("batch", "layer", "none"):
        torch.testing.assert_close(ResidualBlock(2, spec, norm, "relu")(x), x.relu())


def test_signals_keep_their_size_through_plain_layers():
    config = ConvNetConfig(block=("plain",), depth=(4,), norm="none", width=(64,), stem_width=64, stride=(1,))
    features, _ = ConvNet(config, 16, 2).features(torch.randn(8, 16, 16, 16))
    assert 0.2 < features.square().mean().sqrt().item() < 5.0


def test_stochastic_depth_rises_and_keeps_the_mean():
    rates = [s.drop_path for stage in ConvNetConfig(depth=(2,), drop_path=0.3).specs() for s in stage]
    assert rates == pytest.approx([0.0, 0.06, 0.12, 0.18, 0.24, 0.3])
    x, drop = torch.ones(20_000, 2), DropPath(0.3)
    y = drop(x)
    assert abs(y.mean().item() - 1.0) < 0.02
    assert y.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert bool((y[:, 0] == y[:, 1]).all())  # whole rows
    assert drop.eval()(x) is x


def test_squeeze_and_excitation_follows_the_formula():
    layer, x = SqueezeExcite(4, 2, "relu"), torch.randn(3, 4, 5, 6)
    first, _, second, _ = layer.body
    factor = second(first(x.mean((2, 3))).relu()).sigmoid()
    torch.testing.assert_close(layer(x), x * factor[:, :, None, None])


def test_the_space_and_its_configuration_agree():
    start, default = CnnConfig(**SPACE.complete({})), CnnConfig()
    assert start.specs() == default.specs()
    same = set(CnnConfig.model_fields) - {"depth", "width", "stride", "kernel", "expansion", "block"}
    assert {k: getattr(start, k) for k in same} == {k: getattr(default, k) for k in same}
    assert all(CnnConfig(**c).specs() for c in SPACE.starts())
    kinds = {s.kind for c in drawn(0, 60) for stage in c.specs() for s in stage}
    assert kinds == set(KINDS)


def test_flat_names_say_the_same_as_lists():
    flat = ConvNetConfig(
        stages=3, width_1=8, width_3=32, depth_1=2, block_1="plain", block_2="mbconv", block_1_2="inception"
    )
    assert flat.width == (8, 8, 32) and flat.block == ("plain", "mbconv")
    assert [[s.kind for s in stage] for stage in flat.specs()] == [
        ["plain", "inception"],
        ["mbconv"] * 2,
        ["mbconv"] * 2,
    ]
    assert ConvNetConfig.model_validate_json(flat.model_dump_json()) == flat


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kernel": (4,)}, "kernels must be odd, but got 4"),
        ({"width_1": 2}, r"`width` must lie in \[4, 4096\], but got 2"),
        ({"width_9": 16}, "stages are numbered from 1 to 8, but got width_9"),
        ({"width_1": 16, "width": (8,)}, "cannot both be given"),
        ({"depth": ()}, "needs 1 to 8 entries"),
        ({"block_1": "convolution"}, "plain"),
        ({"widht_1": 16}, "widht_1"),
    ],
)
def test_bad_configurations(values, message):
    with pytest.raises(ValidationError, match=message):
        ConvNetConfig(**values)
