"""Everything that the spaces of the tabular networks can draw builds, trains a step and predicts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autodl.features import Features
from autodl.models.base import Meta, families
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.mlp import MlpShape, ResidualBlock
from autodl.models.nn.mlp_config import MlpConfig
from autodl.records import Modality, Task
from autodl.search.space import family_space

ARCHITECTURES = [key for key, family in families.items() if family.deep and Modality.TABLE in family.modalities]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # networks this small are quicker on one
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("key", ARCHITECTURES)
@pytest.mark.parametrize("part", range(4))
def test_every_configuration_trains_a_step(key, part):
    rng = np.random.default_rng([part, 7])
    X = Features(rng.normal(size=(24, 5)).astype(np.float32), rng.integers(0, 12, (24, 2)).astype(np.int32), (12, 12))
    X.numeric[:, 0] = X.numeric[:, 0] > 0
    y, plan, space = torch.arange(24) % 3, InputPlan.learn(X), family_space(key)
    tensors = plan.tensors(X)
    for _ in range(25):
        drawn = {k: v for k, v in space.sample(rng).items() if not k.startswith("prep.")}
        model = families[key]().build(families[key].config(**drawn), Meta(Task.CLASSIFICATION, 3))
        with torch.random.fork_rng():
            torch.manual_seed(part)
            module = model.make_module(plan, tensors[1], 3)
            model.prepare(module, tensors, seed=0)
            before = model.objective().loss(module(*tensors), y)
            before.backward()
            gradients = [p.grad for p in module.parameters()]
            assert all(g is not None and bool(torch.isfinite(g).all()) for g in gradients), drawn
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1e-3)
            with torch.no_grad():
                for p in module.parameters():
                    p -= p.grad
            output = module.eval()(*tensors)
        assert bool(torch.isfinite(before)) and bool(torch.isfinite(output).all()), drawn
        assert output.shape[0] == 24 and output.shape[-1] == 3


def test_widths_of_blocks():
    assert MlpConfig(depth=3, width=128).widths == (128, 128, 128)
    assert MlpConfig(depth=3, width=128, width_shape="funnel").widths == (128, 64, 32)
    assert MlpConfig(depth=3, width=128, width_shape="diamond").widths == (64, 128, 64)
    assert MlpConfig(depth=4, width=64, width_shape="free", width_2=16, width_4=8).widths == (64, 16, 64, 8)
    assert MlpConfig(depth=8, width=64, width_shape="free", width_6=16).widths == (64,) * 5 + (16,) + (64,) * 2
    for shape in ("funnel", "diamond", "free"):
        assert MlpConfig(depth=1, width=200, width_shape=shape).widths == (200,)
        assert all(w >= 8 for w in MlpConfig(depth=7, width=8, width_shape=shape).widths)


@pytest.mark.parametrize("residual", [False, True])
def test_blocks_have_their_widths(residual):
    rng = np.random.default_rng(0)
    X = Features(rng.normal(size=(9, 4)).astype(np.float32), np.zeros((9, 0), np.int32))
    config = MlpConfig(depth=3, width=40, width_shape="free", width_2=24, width_3=16, residual=residual)
    model = families["mlp"]().build(config, Meta(Task.CLASSIFICATION, 2))
    plan = InputPlan.learn(X)
    module = model.make_module(plan, plan.tensors(X)[1], 2)
    if residual:
        blocks = [m for m in module.modules() if isinstance(m, ResidualBlock)]
        assert [(b.body[1].in_features, b.body[1].out_features) for b in blocks] == [(40, 40), (40, 24), (24, 16)]
        assert [isinstance(b.shortcut, torch.nn.Identity) for b in blocks] == [True, False, False]
    else:
        layers = [m for m in module.blocks if isinstance(m, torch.nn.Linear)]
        assert [m.out_features for m in layers] == [40, 24, 16]
    assert module.head.in_features == 16


def test_widths_must_be_one_a_block():
    with pytest.raises(ValueError, match="`widths` must have 3 entries"):
        MlpShape(depth=3, width=8, widths=(8, 8))


def test_a_narrowing_network_costs_less():
    from autodl.models.base import Shape

    shape = Shape(rows=10_000, numeric=10, classes=2)
    mlp = families["mlp"]()
    seconds = {s: mlp.estimate_cost(shape, MlpConfig(depth=4, width=512, width_shape=s)).seconds
               for s in ("constant", "funnel", "diamond")}  # fmt: skip
    assert seconds["funnel"] < seconds["diamond"] < seconds["constant"]


def test_the_lists_of_architecture_choices_are_complete():
    """What is no architecture is training; a new parameter must be in one of the two."""
    training = {"dropout", "attention_dropout", "residual_dropout", "sigma", "tangent", "optimizer", "lr",
                "weight_decay", "schedule", "warmup", "grad_clip", "l1", "epoch_factor", "label_smoothing",
                "batch_size", "objective"}  # fmt: skip
    for key in ARCHITECTURES:
        space = family_space(key)
        names = {n for n in space.params if not n.startswith("prep.")}
        assert names - training == set(space.nas)
