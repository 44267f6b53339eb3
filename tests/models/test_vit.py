"""Transformers over images: they learn, say where they look, survive storage, and are planned where rows suffice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autodl.explain.grad_cam import grad_cam
from autodl.features import Features
from autodl.media.batch import MediaBatch
from autodl.media.stores import ImageStore
from autodl.media.writing import write_images
from autodl.models.base import Meta, Shape
from autodl.models.vit import Vit, VitConfig
from autodl.records import Task
from autodl.search.space import family_space

SPACE = family_space("vit")


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def marked(folder, n: int = 160, seed: int = 0) -> tuple[ImageStore, np.ndarray]:
    """Grey images with a bright or a dark square in one of four corners, its colour the class."""
    rng = np.random.default_rng(seed)
    y, corner = rng.integers(0, 2, n), rng.integers(0, 4, n)
    pixels = rng.normal(128, 5, (n, 16, 16, 3))
    for image, k, place in zip(pixels, y, corner, strict=True):
        top, left = 8 * (place // 2) + 2, 8 * (place % 2) + 2
        image[top : top + 4, left : left + 4] = 230 if k else 20
    images = pixels.clip(0, 255).astype(np.uint8)
    return write_images(folder, ((p, (16, 16)) for p in images), n, 16), y


def rows(store: ImageStore, numbers) -> Features:
    numbers = np.asarray(numbers)
    empty = np.empty((len(numbers), 0))
    return Features(empty.astype(np.float32), empty.astype(np.int32), media={"photo": MediaBatch(store, numbers)})


@pytest.mark.parametrize("pooling", ["mean", "class"])
def test_what_lies_anywhere_is_found_and_shown(tmp_path, pooling) -> None:
    store, y = marked(tmp_path)
    config = VitConfig(
        token_size=32, layers=2, patch=4, stem="patch", pooling=pooling, epochs=12, lr=0.004, batch_size=20, crop=0.0
    )
    model = Vit().build(config, Meta(Task.CLASSIFICATION, 2, threads=1))
    model.fit(rows(store, range(120)), y[:120])
    new = rows(store, range(120, 160))
    assert (model.predict(new) == y[120:]).mean() > 0.9
    heat = grad_cam(model, new, y[120:])["photo"]
    assert heat.shape == (40, 4, 4) and heat.min() >= 0 and heat.max() == 1


def test_what_a_training_costs() -> None:
    def seconds(stored: int = 32, threads: int = 1, **fields) -> float:
        shape = Shape(rows=4000, numeric=0, classes=10, images=1, image_side=stored, threads=threads)
        return Vit().estimate_cost(shape, VitConfig(**fields)).seconds

    assert seconds(epochs=10) == pytest.approx(10 * seconds(epochs=1))
    assert seconds(threads=2) < seconds() < seconds(layers=8) < seconds(layers=8, patch=2)
    assert seconds(224) == seconds(64)
    assert seconds(epoch_factor=0.3) < 0.4 * seconds()


def test_many_images_are_also_seen_often_and_strong_changes_only_then() -> None:
    listed = [VitConfig(**config) for config in SPACE.starts()]
    assert max(config.n_epochs(50_000) for config in listed) >= 50
    assert all(config.n_epochs(50_000) >= 50 for config in listed if config.mixup or config.augment > 0.2)


def test_the_list_of_architecture_choices_is_complete() -> None:
    """What is no architecture is training or augmentation; a new parameter must be in one of the two."""
    training = {
        "dropout", "attention_dropout", "drop_path", "optimizer", "lr", "weight_decay", "schedule", "label_smoothing",
        "epoch_factor", "flip", "crop", "rotate", "zoom", "colour", "cutout", "augment", "mixup", "cutmix", "side",
    }  # fmt: skip
    assert set(SPACE.params) - training == set(SPACE.nas)
    start, default = VitConfig(**SPACE.complete({})), VitConfig()
    assert start == default
