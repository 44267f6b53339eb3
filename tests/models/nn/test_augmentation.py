"""What augmentation makes of a batch, and what the loss makes of mixed rows."""

from __future__ import annotations

import pytest
import torch

from autodl.models.nn.augment_config import ImageAugmentConfig
from autodl.models.nn.augmentation import ImageAugmenter, pasted_in
from autodl.train.data import Blend, TensorData
from autodl.train.losses import CrossEntropy, Regression, batch_loss

STILL = {"flip": "none", "crop": 0.0}


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def batch(b: int = 6, weight: bool = False) -> TensorData:
    x = torch.randint(0, 256, (b, 8, 8, 3), dtype=torch.uint8)
    return TensorData(
        (x, torch.ones(b, 1), torch.zeros(b, 2)), torch.arange(b) % 3, torch.arange(b) + 1.0 if weight else None
    )


def test_nothing_is_done_where_nothing_is_asked_for() -> None:
    given = batch()
    made = ImageAugmenter(ImageAugmentConfig(**STILL), 1)(given)
    assert made.inputs[0] is given.inputs[0] and made.blend is None


@pytest.mark.parametrize(
    "fields",
    [{}, {"rotate": 20.0}, {"colour": 0.3}, {"cutout": 0.5}, {"augment": 0.7}, {"mixup": 0.4}, {"cutmix": 1.0}],
    ids=lambda f: next(iter(f), "default"),
)
def test_images_change_and_nothing_else_does(fields) -> None:
    given = batch(16)
    before = given.inputs[0].clone()
    made = ImageAugmenter(ImageAugmentConfig(**fields), 1)(given)
    assert made.inputs[0].shape == before.shape and torch.equal(given.inputs[0], before)
    assert not torch.equal(made.inputs[0].float(), before.float())
    assert float(made.inputs[0].min()) >= 0 and float(made.inputs[0].max()) <= 255.001
    assert all(a is b for a, b in zip(made.inputs[1:], given.inputs[1:], strict=True))
    assert torch.equal(made.target, given.target)


def test_mixed_images_are_the_mean_of_two_and_so_are_their_targets() -> None:
    given = TensorData(batch(6).inputs, torch.arange(6))  # targets say which row the second one is
    made = ImageAugmenter(ImageAugmentConfig(**STILL, mixup=1.0), 1)(given)
    assert made.blend is not None
    x = given.inputs[0].float()
    expected = made.blend.share * x + (1 - made.blend.share) * x[made.blend.target]
    torch.testing.assert_close(made.inputs[0], expected)


def test_pasted_rectangles_have_the_area_that_targets_are_told() -> None:
    first, second = torch.zeros(2, 10, 10, 3), torch.ones(2, 10, 10, 3)
    for share in (0.1, 0.5, 0.9):
        for _ in range(20):
            (mixed,), stays = pasted_in((first,), (second,), share)
            assert stays == pytest.approx(1 - float(mixed.mean()))
            assert stays >= share - 0.2


def test_rows_with_other_columns_are_not_mixed() -> None:
    made = ImageAugmenter(ImageAugmentConfig(**STILL, mixup=1.0), 1, mixes=False)(batch())
    assert made.blend is None


def test_the_loss_of_mixed_rows_is_that_of_soft_targets() -> None:
    output, given = torch.randn(6, 3), batch()
    other, share = (given.target + 1) % 3, 0.3
    mixed = TensorData(given.inputs, given.target, blend=Blend(other, None, share))
    soft = share * torch.eye(3)[given.target] + (1 - share) * torch.eye(3)[other]
    expected = torch.nn.functional.cross_entropy(output, soft)
    torch.testing.assert_close(batch_loss(CrossEntropy(3), output, mixed), expected)


def test_the_loss_of_mixed_rows_counts_each_row_by_its_weight() -> None:
    output, given = torch.randn(6, 1), batch(weight=True)
    y = torch.randn(6)
    order = torch.tensor([1, 0, 3, 2, 5, 4])
    weight = given.weight
    assert weight is not None
    mixed = TensorData(given.inputs, y, weight, Blend(y[order], weight[order], 0.25))
    total = 0.0
    for i in range(6):
        for target, w in ((y[i], 0.25 * weight[i]), (y[order[i]], 0.75 * weight[order[i]])):
            total += float(w * (output[i, 0] - target) ** 2)
    assert float(batch_loss(Regression(), output, mixed)) == pytest.approx(total / 6, rel=1e-5)


def test_the_same_seed_changes_images_alike() -> None:
    augment = ImageAugmenter(ImageAugmentConfig(augment=0.5, cutmix=1.0), 1)
    made = []
    for _ in range(2):
        torch.manual_seed(7)
        made.append(augment(TensorData((torch.arange(4 * 192).view(4, 8, 8, 3) % 256,), torch.arange(4))))
    assert torch.equal(made[0].inputs[0], made[1].inputs[0])
