"""Networks over images: they learn, read table columns beside, look at both sides, and say what they cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from autodl.clock import Deadline
from autodl.features import Features
from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.stores import ImageStore
from autodl.media.writing import write_images
from autodl.models.base import Meta, Shape
from autodl.models.cnn import Cnn, CnnConfig
from autodl.models.nn.convnet import ConvNet
from autodl.models.nn.image_net import ImageNet
from autodl.models.nn.inputs import InputPlan
from autodl.records import Task
from autodl.search.space import family_space

SPACE = family_space("cnn")
SMALL = {"stages": 1, "width": (16,), "stem_width": 8, "batch_size": 64, "lr": 0.01}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def stored(folder, pixels: np.ndarray) -> ImageStore:
    side = pixels.shape[1]
    return write_images(folder, ((p, (side, side)) for p in pixels), len(pixels), side)


def rows(store: ImageStore, numbers=None, numeric: np.ndarray | None = None) -> Features:
    numbers = np.arange(len(store)) if numbers is None else np.asarray(numbers)
    table = np.empty((len(numbers), 0), np.float32) if numeric is None else numeric.astype(np.float32)
    return Features(table, np.empty((len(numbers), 0), np.int32), media={"photo": MediaBatch(store, numbers)})


def bright_or_dark(folder, n: int = 200, seed: int = 0) -> tuple[ImageStore, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    pixels = rng.normal(110 + 40 * y[:, None, None, None], 25, (n, 8, 8, 3))
    return stored(folder, pixels.clip(0, 255).astype(np.uint8)), y


def test_handwritten_digits_are_read(tmp_path) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    store = stored(tmp_path, np.repeat((digits.images * 15.9).astype(np.uint8)[..., None], 3, axis=3))
    order = np.random.default_rng(0).permutation(len(store))
    train, test = order[:1000], order[1000:]
    config = CnnConfig(
        flip="none", crop=0.1, epochs=8, stem_width=16, width=(32, 64), stages=2, lr=0.005, batch_size=64
    )
    model = Cnn().build(config, Meta(Task.CLASSIFICATION, 10, threads=1))
    model.fit(rows(store, train), digits.target[train])
    assert (model.predict(rows(store, test)) == digits.target[test]).mean() > 0.9


def test_columns_beside_the_images_are_used(tmp_path) -> None:
    store, bright = bright_or_dark(tmp_path, 400)
    sign = np.random.default_rng(1).integers(0, 2, 400)
    y = bright ^ sign
    table = np.stack([sign, np.zeros(400)], axis=1)
    model = Cnn().build(CnnConfig(**SMALL, epochs=20), Meta(Task.CLASSIFICATION, 2, threads=1))
    model.fit(rows(store, np.arange(300), table[:300]), y[:300])
    new = rows(store, np.arange(300, 400), table[300:])
    assert (model.predict(new) == y[300:]).mean() > 0.8
    without = replace(new, numeric=np.zeros_like(new.numeric))
    assert (model.predict(without) == y[300:]).mean() < 0.75


def test_both_sides_of_an_image_are_asked(tmp_path) -> None:
    store, y = bright_or_dark(tmp_path / "a", 80)
    mirrored = stored(tmp_path / "b", store.array("pixels")[:, :, ::-1])
    for fields, same in (({}, True), ({"mirror": False}, False), ({"flip": "none"}, False)):
        model = Cnn().build(CnnConfig(**SMALL, **fields, epochs=2), Meta(Task.CLASSIFICATION, 2, threads=1))
        model.fit(rows(store), y)
        gap = np.abs(model.predict_proba(rows(store)) - model.predict_proba(rows(mirrored))).max()
        assert bool(gap < 1e-5) is same


def test_a_missing_image_is_answered_by_nothing_but_the_bias(tmp_path) -> None:
    store, y = bright_or_dark(tmp_path, 80)
    model = Cnn().build(CnnConfig(**SMALL, epochs=2), Meta(Task.CLASSIFICATION, 2, threads=1))
    model.fit(rows(store), y)
    out = model.predict_proba(rows(store, [ABSENT, 3, ABSENT]))
    np.testing.assert_allclose(out[0], torch.softmax(model.loaded().head.bias.detach(), 0).numpy(), rtol=1e-5)
    np.testing.assert_array_equal(out[0], out[2])


def test_training_goes_on_from_another_network(tmp_path) -> None:
    store, y = bright_or_dark(tmp_path)
    X, meta = rows(store), Meta(Task.CLASSIFICATION, 2, threads=1)
    first = Cnn().build(CnnConfig(**SMALL, epochs=6), meta)
    first.fit(X, y)
    child = Cnn().build(CnnConfig(**SMALL, epochs=6, cutout=0.2), meta)
    child.start = first
    child.fit(X, y)
    assert len(child.curve) == 2 and child.curve[0].train < first.curve[0].train
    child.start_part = 1.0
    child.fit(X, y)
    assert len(child.curve) == 6
    other = Cnn().build(CnnConfig(**{**SMALL, "width": (24,)}, epochs=6), meta)
    other.start = first
    with pytest.raises(ValueError, match="another shape"):
        other.fit(X, y)


def test_going_on_with_more_rows_reads_them_as_before(tmp_path) -> None:
    """Numbers whose training rows hold another range: weights that went on mean the same by them as before."""
    store, bright = bright_or_dark(tmp_path, 200)
    wide = np.where(np.arange(200) < 100, 1.0, 1_000.0) * np.random.default_rng(1).normal(size=200)
    y = bright + 5.0 + 0.001 * wide
    few, every = np.arange(100), np.arange(200)
    config, meta = CnnConfig(**SMALL, epochs=4), Meta(Task.REGRESSION, threads=1)
    first = Cnn().build(config, meta)
    first.fit(rows(store, few, wide[few, None]), y[few])
    child = Cnn().build(config, meta)
    child.start = first
    child.fit(rows(store, every, wide[:, None]), y)
    assert child.plan is first.plan and (child._center, child._spread) == (first._center, first._spread)
    anew = Cnn().build(config, meta)
    anew.fit(rows(store, every, wide[:, None]), y)
    assert anew._center != first._center
    assert Cnn.further


def test_the_length_of_the_training_fits_the_deadline(tmp_path) -> None:
    store, y = bright_or_dark(tmp_path)
    model = Cnn().build(CnnConfig(**SMALL, epochs=100_000), Meta(Task.CLASSIFICATION, 2, threads=1))
    model.fit(rows(store), y, rows(store), y, deadline=Deadline.after(3.0))
    assert 0 < model.refit["epochs"] < 100_000
    assert model.curve[-1].progress > 0.5


def test_colours_are_those_of_the_training_images(tmp_path) -> None:
    pixels = (
        np.random.default_rng(0).normal([60, 120, 200], [10, 30, 0.5], (40, 8, 8, 3)).clip(0, 255).astype(np.uint8)
    )
    store = stored(tmp_path, pixels)
    model = Cnn().build(CnnConfig(**SMALL, epochs=1), Meta(Task.CLASSIFICATION, 2, threads=1))
    model.fit(rows(store, [*range(40), ABSENT]), np.arange(41) % 2)
    module = model.loaded()
    assert isinstance(module, ImageNet)
    np.testing.assert_allclose(module.center, pixels.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(module.spread[:2], pixels.std((0, 1, 2))[:2], rtol=1e-3)
    assert float(module.spread[2]) == 8.0  # a colour that never changes is not blown up


@pytest.mark.parametrize("part", range(2))
def test_every_configuration_trains_a_step(part) -> None:
    rng = np.random.default_rng([part, 3])
    X = Features(rng.normal(size=(4, 2)).astype(np.float32), np.ones((4, 1), np.int32), (3,))
    table, target = InputPlan.learn(X), torch.arange(4) % 3
    for _ in range(12):
        config = CnnConfig(**{k: v for k, v in SPACE.sample(rng).items() if not k.startswith("prep.")})
        with torch.random.fork_rng():
            torch.manual_seed(part)
            body = ConvNet(config.for_side(12), 3, 0)
            module = ImageNet(body, body.width, 2, table, 3)
            images = tuple(torch.randint(0, 256, (4, 12, 12, 3), dtype=torch.uint8) for _ in range(2))
            inputs = (*images, torch.ones(4, 2), *table.tensors(X))
            module.fit_to(inputs)
            loss = torch.nn.functional.cross_entropy(module(*inputs), target)
            loss.backward()
        assert bool(torch.isfinite(loss))
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in module.parameters()), config


def test_what_a_training_costs() -> None:
    def seconds(stored: int = 32, threads: int = 1, **fields) -> float:
        shape = Shape(rows=4000, numeric=0, classes=10, images=1, image_side=stored, threads=threads)
        return Cnn().estimate_cost(shape, CnnConfig(**fields)).seconds

    assert seconds(epochs=10) == pytest.approx(10 * seconds(epochs=1))
    assert seconds(threads=2) < seconds() < seconds(width=(96, 192, 384))
    assert seconds(224) == seconds(64) < seconds(224, side=96)
    assert seconds(epoch_factor=0.3) < 0.4 * seconds(epoch_factor=1.0)


def test_larger_images_get_a_stem_that_halves_them() -> None:
    strides = [CnnConfig().for_side(side).stem_stride for side in (8, 32, 64, 96, 128)]
    assert strides == [1, 1, 2, 2, 4]
    assert CnnConfig(stem_stride=1).for_side(128).stem_stride == 1


def test_the_list_of_architecture_choices_is_complete() -> None:
    """What is no architecture is training or augmentation; a new parameter must be in one of the two."""
    training = {
        "dropout", "drop_path", "optimizer", "lr", "weight_decay", "schedule", "label_smoothing", "epoch_factor",
        "flip", "crop", "rotate", "zoom", "colour", "cutout", "augment", "mixup", "cutmix", "side",
    }  # fmt: skip
    assert set(SPACE.params) - training == set(SPACE.nas)
    kinds = [{s.kind for stage in CnnConfig(**c).specs() for s in stage} for c in SPACE.starts()]
    assert {frozenset(k) for k in kinds} >= {frozenset({k}) for k in ("residual", "inception", "separable", "mbconv")}
