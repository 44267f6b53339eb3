"""Networks inside the supernet are the networks that the family would build; paths are dealt fairly."""

import itertools
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from autodl.features import Features
from autodl.models.base import Meta, families
from autodl.models.nn.embeddings import CategoryEncoder
from autodl.models.nn.mlp import MlpShape, TabularMLP
from autodl.models.nn.supernet import SuperMLP
from autodl.models.nn.supernet_layers import SliceLinear, SliceNorm
from autodl.models.nn.supernet_paths import FairPaths, MlpPath
from autodl.records import Task
from autodl.train.device import torch_threads

CHOICES = {
    "depth": (1, 2, 3),
    "width": (4, 8),
    "activation": ("relu", "silu"),
    "gate": ("none", "swiglu"),
    "norm": ("none", "batch", "layer"),
    "residual": (False, True),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take longer here than the arithmetic."""
    with torch_threads(1):
        yield


def supernet() -> SuperMLP:
    torch.manual_seed(0)
    return SuperMLP(
        5, 0, None, CategoryEncoder((), 8, 8), True, 3,
        choices=CHOICES, parametric=True, dropout=0.3, paths_per_step=3, generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


def rows(n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(n)
    return torch.randn(n, 5), torch.zeros(n, 0), torch.zeros(n, 0, dtype=torch.int64)


def test_after_any_number_of_paths_every_value_was_dealt_equally_often_but_for_one() -> None:
    paths = FairPaths(CHOICES, torch.Generator().manual_seed(1))
    counts: dict[str, Counter[object]] = {name: Counter(dict.fromkeys(v, 0)) for name, v in CHOICES.items()}
    for _ in range(100):
        for name, value in paths.draw().items():
            counts[name][value] += 1
            assert max(counts[name].values()) - min(counts[name].values()) <= 1


def test_choices_are_dealt_independently_of_each_other() -> None:
    paths = FairPaths({"a": (0, 1), "b": (0, 1)}, torch.Generator().manual_seed(0))
    pairs = Counter(tuple(paths.draw().values()) for _ in range(400))
    assert len(pairs) == 4
    assert min(pairs.values()) > 60


def test_a_slice_uses_and_trains_its_own_rows_and_columns_alone() -> None:
    layer = SliceLinear(6, 8)
    x = torch.randn(10, 4)
    y = layer(x, 3)
    torch.testing.assert_close(y, x @ layer.weight[:3, :4].T / 2 + layer.bias[:3])
    y.square().sum().backward()
    assert layer.weight.grad is not None
    assert (layer.weight.grad[:3, :4] != 0).all()
    assert not layer.weight.grad[3:].any()
    assert not layer.weight.grad[:, 4:].any()


def copied(net: SuperMLP, path: MlpPath, calibration: torch.Tensor) -> TabularMLP:
    """The stand-alone network with the weights, and the statistics of batch norm, of a path."""
    shape = MlpShape(
        path.depth, path.width, path.activation, path.gate, path.norm, parametric=True, residual=path.residual
    )
    alone = TabularMLP(5, 0, None, CategoryEncoder((), 8, 8), shape, True, 3).eval()
    sources = [net.scale]
    blocks = (net.residual if path.residual else net.plain)[: path.depth]
    h = path.width

    def linear(target: nn.Linear, *parts: SliceLinear) -> None:
        i = target.in_features
        o = target.out_features // len(parts)
        target.weight.copy_(torch.cat([p.weight[:o, :i] for p in parts]) / i**0.5)
        target.bias.copy_(torch.cat([p.bias[:o] for p in parts]))

    def norm(target: nn.Module, *parts: SliceNorm) -> None:
        target.weight.copy_(torch.cat([p.scales[path.norm][:h] for p in parts]))
        target.bias.copy_(torch.cat([p.shifts[path.norm][:h] for p in parts]))
        if path.norm == "batch":
            with net.along(path, calibration):
                mean, variance = zip(*(p._statistics for p in parts), strict=True)
            target.running_mean.copy_(torch.cat(mean))
            target.running_var.copy_(torch.cat(variance))

    with torch.no_grad():
        alone.scale.weight.copy_(sources[0].weight)
        linears = [m for m in alone.modules() if isinstance(m, nn.Linear)]
        norms = [m for m in alone.modules() if isinstance(m, nn.BatchNorm1d | nn.LayerNorm)]
        strengths = [m for m in alone.modules() if getattr(m, "strength", None) is not None]
        if path.residual:
            linear(linears.pop(0), net.stem)
        for block in blocks:
            gated = path.gate != "none"
            linear(linears.pop(0), *([block.factor, block.value] if gated else [block.value]))
            if block.out is not None:
                linear(linears.pop(0), block.out)
            if norms and path.residual:
                norm(norms.pop(0), block.norm)
            elif norms:
                norm(norms.pop(0), *([block.factor_norm, block.norm] if gated else [block.norm]))
            if not gated:
                strengths.pop(0).strength.copy_(block.activations[path.activation].strength[:h])
        if path.residual:
            if norms:
                norm(norms.pop(0), net.last_norms[str(path.depth)])
            strengths.pop(0).strength.copy_(net.last_activations[path.activation].strength[:h])
        linear(linears.pop(0), net.heads[f"{'residual' if path.residual else 'plain'}{path.depth}"])
        assert not linears
        assert not norms
        assert not strengths
    return alone


# A gated plain block with layer norm is left out: alone, it normalizes value and factor together.
PATHS = [
    path
    for path in (MlpPath(*values) for values in itertools.product(*CHOICES.values()))
    if not (path.gate != "none" and path.norm == "layer" and not path.residual)
]


@pytest.mark.parametrize("path", PATHS[::5], ids=str)
def test_a_path_is_the_network_that_stands_alone_with_its_weights(path: MlpPath) -> None:
    net = supernet()
    with torch.no_grad():
        for p in net.parameters():  # no two weights alike, so that a mixed-up slice shows
            p.add_(0.3 * torch.randn(p.shape))
    x, calibration = net.eval().embed(*rows(20)), net.embed(*rows(50))
    alone = copied(net, path, calibration)
    with torch.no_grad(), net.along(path, calibration):
        torch.testing.assert_close(net(*rows(20)), alone(*rows(20)), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(net.outputs(x, path), alone.outputs(x), rtol=1e-4, atol=1e-5)


def test_batch_norm_without_calibration_is_refused() -> None:
    net = supernet().eval()
    with pytest.raises(RuntimeError, match="calibration"):
        net.outputs(net.embed(*rows(5)), MlpPath(1, 4, "relu", "none", "batch", False))


def test_outside_of_a_path_a_step_trains_several_networks_each_on_its_own_loss() -> None:
    net = supernet().train()
    assert net(*rows(7)).shape == (7, 3, 3)
    path = MlpPath(2, 8, "relu", "none", "none", False)
    with net.along(path, net.embed(*rows(9))):
        assert not net.training
        assert net(*rows(7)).shape == (7, 3)
    assert net.training
    assert net.path is None


def test_the_start_gives_unit_outputs_at_every_layer_of_the_largest_network() -> None:
    net = supernet()
    net.fit_to(rows(500), CHOICES, torch.Generator().manual_seed(0))
    x = net.embed(*rows(500))
    weight = net.plain[0].value.weight
    spread = (x @ weight.T / x.shape[1] ** 0.5).std(0, correction=0)
    torch.testing.assert_close(spread, torch.ones_like(spread), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_one_training_teaches_all_networks(task: Task) -> None:
    rng = np.random.default_rng(0)
    numeric = rng.normal(size=(600, 3)).astype(np.float32)
    signal = numeric[:, 0] + np.abs(numeric[:, 1])
    y = (signal > 0.8).astype(np.int64) if task is Task.CLASSIFICATION else 50 + 10 * signal.astype(float)
    X = Features(numeric, np.zeros((600, 0), np.int32), (), ("a", "b", "c"), ())
    family = families["mlp"]()
    meta = Meta(task, 2 if task is Task.CLASSIFICATION else 0, seed=0)
    small = {**CHOICES, "width": (16, 32), "depth": (1, 2)}
    network = family.share_weights(family.config(epochs=40), meta, small)
    network.train(X.take(np.arange(400)), y[:400])
    scorer, held = network.scorer(X.take(np.arange(400, 600))), y[400:]
    quality = []
    for values in itertools.islice(itertools.product(*small.values()), 0, None, 13):
        predicted = scorer.predict(dict(zip(small, values, strict=True)))
        if task is Task.CLASSIFICATION:
            np.testing.assert_allclose(predicted.sum(1), 1)
            quality.append((predicted.argmax(1) == held).mean() - max(held.mean(), 1 - held.mean()))
        else:
            quality.append(1 - np.sqrt(np.mean((predicted - held) ** 2)) / held.std())
    assert np.median(quality) > 0.15  # a constant: 0
    assert min(quality) > -0.1


def test_a_value_that_shares_no_weights_is_refused() -> None:
    X = Features(np.random.default_rng(0).normal(size=(80, 2)).astype(np.float32), np.zeros((80, 0), np.int32), (),
                 ("a", "b"), ())  # fmt: skip
    family = families["mlp"]()
    network = family.share_weights(family.config(epochs=1), Meta(Task.CLASSIFICATION, 2), CHOICES)
    network.train(X, np.arange(80) % 2)
    with pytest.raises(ValueError, match="`width` must be one of"):
        network.scorer(X).predict({name: v[0] for name, v in CHOICES.items()} | {"width": 5})


def test_families_without_a_supernet_say_so() -> None:
    family = families["linear"]()
    with pytest.raises(TypeError, match="shared weights"):
        family.share_weights(family.config(), Meta(Task.REGRESSION), {})
