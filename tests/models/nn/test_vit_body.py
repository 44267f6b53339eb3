"""Transformers over patches: what they cost, places, padding, the token that asks, and what the space can draw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from autodl.models.nn.conv_layers import DropPath
from autodl.models.nn.vit_body import VitBody, plane_waves
from autodl.models.nn.vit_config import VitConfig, vit_cost
from autodl.search.space import family_space
from autodl.train.optimizers import parameter_groups

SPACE = family_space("vit")


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def counted(config: VitConfig, side: int) -> tuple[int, int]:
    with torch.device("meta"), FlopCounterMode(display=False) as flops, sdpa_kernel(SDPBackend.MATH):
        body = VitBody(config, side).eval()
        body(torch.empty(1, 3, side, side))
    return sum(p.numel() for p in body.parameters()), flops.get_total_flops() // 2


def test_the_published_small_network_has_its_size():
    """ViT-Ti/16 of 224 pixels has 5,717,416 weights in all (timm's vit_tiny_patch16_224)."""
    config = VitConfig(
        patch=16, stem="patch", token_size=192, layers=12, heads=3, hidden_factor=4.0, positions="learned"
    )
    parameters, multiplications = counted(config, 224)
    # There the class token has a place and goes through all layers.
    head, token = 1000 * 192 + 1000, 2 * 192
    assert parameters == 5_717_416 - head - token
    assert multiplications == pytest.approx(1.25e9, rel=0.02)


def test_costs_are_those_of_the_network():
    rng = np.random.default_rng(0)
    for i in range(20):
        config = VitConfig(**SPACE.sample(rng))
        side = (8, 12, 32, 64, 100)[i % 5]
        cost = vit_cost(config, side)
        assert (cost.parameters, cost.multiplications) == counted(config, side), (config, side)


def test_every_configuration_trains_a_step():
    rng = np.random.default_rng(1)
    for _ in range(24):
        config = VitConfig(**SPACE.sample(rng))
        body = VitBody(config, 12)
        y = body(torch.randn(3, 3, 12, 12))
        assert y.shape == (3, body.width) == (3, config.token_size)
        y.square().mean().backward()
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in body.parameters()), config


def test_patches_follow_the_size_of_the_images():
    grids = {side: (VitConfig().patch_side(side), VitConfig().grid(side)) for side in (1, 8, 28, 32, 64, 100, 224)}
    assert grids == {1: (2, 1), 8: (2, 4), 28: (4, 7), 32: (4, 8), 64: (8, 8), 100: (16, 7), 224: (32, 7)}
    assert VitConfig(patch=8).grid(20) == 3  # the last patch reaches over the border


def test_order_matters_only_where_places_are_known():
    x = torch.randn(2, 3, 8, 8)
    for positions in ("waves", "learned"):
        body = VitBody(VitConfig(patch=2, stem="patch", token_size=16, layers=2, positions=positions), 8).eval()
        turned = x.roll(4, dims=3)  # the same patches elsewhere
        with torch.no_grad():
            assert (body(x) - body(turned)).abs().max() > 1e-3
            body.places.zero_()
            torch.testing.assert_close(body(x), body(turned), rtol=1e-4, atol=1e-5)


def test_images_of_another_side_are_brought_to_that_of_the_places():
    body = VitBody(VitConfig(patch=2, stem="patch", token_size=16, layers=1), 8).eval()
    plain, corner = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    corner[..., :2, :2] = 1.0
    with torch.no_grad():
        small, large = body(corner), body(corner.repeat_interleave(2, 2).repeat_interleave(2, 3))
        assert (small - large).abs().max() < 0.5 * (body(plain) - large).abs().max()


@pytest.mark.parametrize("stem", ["conv", "patch"])
def test_what_images_show_begins_as_loud_as_where_it_lies(stem):
    for side, size in ((16, 64), (64, 96)):
        body = VitBody(VitConfig(stem=stem, token_size=size), side)
        with torch.no_grad():
            shown = body.stem(torch.randn(32, 3, side, side)).square().mean().sqrt()
        assert 0.7 < shown < 1.4 and body.places.square().mean().sqrt() == pytest.approx(0.71, abs=0.01)


def test_places_are_told_apart_and_near_ones_are_alike():
    waves = plane_waves(8, 64)
    gaps = torch.cdist(waves, waves)
    assert gaps[~torch.eye(64, dtype=torch.bool)].min() > 0.1
    assert gaps[0, 1] < gaps[0, 7] and gaps[0, 8] < gaps[0, 56]
    torch.testing.assert_close(gaps[0, 1], gaps[0, 8])  # rows and columns count alike


def test_the_token_of_its_own_asks_all_patches():
    body = VitBody(VitConfig(patch=4, stem="patch", token_size=16, layers=1, pooling="class"), 16).eval()
    x = torch.randn(1, 3, 16, 16, requires_grad=True)
    body(x)[:, 0].sum().backward()  # not of all: they are normalized, so that their sum is always the same
    assert bool((x.grad.unfold(2, 4, 4).unfold(3, 4, 4).abs().sum((0, 1, 4, 5)) > 0).all())


@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_what_the_token_has_found_is_normalized_but_not_in_networks_of_older_versions(norm):
    config = VitConfig(patch=4, stem="patch", token_size=16, layers=1, pooling="class", norm=norm)
    body, x = VitBody(config, 16).eval(), torch.randn(5, 3, 16, 16)
    with torch.no_grad():
        found = body(x)
        torch.testing.assert_close(found.square().mean(1), torch.ones(5), rtol=1e-3, atol=1e-3)
        old = {name: value for name, value in body.state_dict().items() if not name.startswith("pool.norm.")}
        loud = VitBody(config, 16).eval()
        loud.load_state_dict(old)
        raw = loud(x)
        assert not torch.allclose(raw, found, atol=0.1)
        torch.testing.assert_close(body.pool.norm(raw), found)
    with pytest.raises(RuntimeError, match="token"):
        loud.load_state_dict({name: value for name, value in old.items() if name != "pool.token"})


def test_what_is_learnt_of_places_is_not_decayed():
    config = VitConfig(token_size=16, layers=1, positions="learned", weight_decay=0.1)
    body = VitBody(config, 8)
    decays = {id(p): g["base_decay"] for g in parameter_groups(body, config) for p in g["params"]}
    assert decays[id(body.places)] == 0.0 and decays[id(body.stem.project.weight)] == 0.1


def test_stochastic_depth_rises():
    rates = [m.rate for m in VitBody(VitConfig(layers=3, drop_path=0.2), 8).modules() if isinstance(m, DropPath)]
    assert rates == pytest.approx([0.0, 0.1, 0.2])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"token_size": 20, "heads": 8}, "multiple of `heads`, but got 20 and 8"),
        ({"token_size": 30, "heads": 2}, "multiple of 4, but got 30"),
        ({"patch": 6}, "power of 2 for a stem of convolutions, but got 6"),
    ],
)
def test_bad_configurations(values, message):
    with pytest.raises(ValidationError, match=message):
        VitConfig(**values)
