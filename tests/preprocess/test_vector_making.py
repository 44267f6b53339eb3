"""Vectors are made all or not at all, and what will not be done in time is seen early."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autodl.clock import Deadline
from autodl.preprocess import vector_making
from autodl.preprocess.vector_makers import VectorMaker
from autodl.preprocess.vector_making import FIRST, TooSlowError, _spread, chained, fill
from autodl.preprocess.vectors import VectorTable


class Slow:
    """Takes a second a batch, by the clock of the test."""

    key, batch, by_length = "slow", 4, True

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def __call__(self, objects: list[str]) -> np.ndarray:
        self.batches.append(list(objects))
        return np.array([[float(len(o))] for o in objects])


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(vector_making.time, "monotonic", lambda: float(len(slow.batches)))
    monkeypatch.setattr("autodl.clock.time.monotonic", lambda: float(len(slow.batches)))
    return slow


TEXTS = ["x" * (1 + k) for k in range(40)]
PLACES = np.random.default_rng(0).permutation(40)


def some(places: np.ndarray) -> list[str]:
    return [TEXTS[k] for k in places]


def run(maker: Slow, seconds: float) -> np.ndarray:
    return fill(maker, PLACES, some, lambda shape: np.empty(shape, np.float16), Deadline.after(seconds))


def test_in_time_all_are_made_in_the_order_that_was_asked_for(maker: Slow) -> None:
    np.testing.assert_array_equal(run(maker, 11.0)[:, 0], PLACES + 1)
    assert sorted(len(t) for batch in maker.batches for t in batch) == list(range(1, 41))
    assert all(max(map(len, b)) - min(map(len, b)) == 3 for b in maker.batches), "texts of like length go together"


TOO_LONG = r"reading 40 images or texts would take 10 s, and 2\.0 s are left for the rest"


def test_what_will_not_be_done_is_given_up_after_a_few_batches(maker: Slow) -> None:
    with pytest.raises(TooSlowError, match=TOO_LONG) as caught:
        run(maker, FIRST + 2.0)  # six batches are to come
    assert len(maker.batches) == FIRST
    assert caught.value.seconds == 10.0
    assert sorted(PLACES[caught.value.done] + 1) == sorted(len(t) for batch in maker.batches for t in batch)
    # Neither all short nor all long: their time tells that of the others.
    seen = np.mean([len(t) for batch in maker.batches[1:] for t in batch])
    assert seen == pytest.approx(np.mean([len(t) for t in TEXTS]), rel=0.1)


def test_what_is_nearly_done_in_time_is_tried_longer(maker: Slow) -> None:
    with pytest.raises(TooSlowError):
        run(maker, 9.0)
    assert len(maker.batches) == 8
    maker.batches.clear()
    assert len(run(maker, 9.9)) == 40


def test_without_any_time_none_is_made(maker: Slow) -> None:
    with pytest.raises(TooSlowError, match="time ran out after 0 of 40 images or texts were read"):
        run(maker, 0.0)
    assert not maker.batches


@pytest.mark.parametrize("n", [0, 1, 2, 6, 33])
def test_each_batch_has_its_turn(n: int) -> None:
    assert sorted(_spread(n)) == list(range(n))


def test_a_table_holds_each_object_once_and_none_for_what_is_missing(maker: Slow, tmp_path: Path) -> None:
    digests = np.array([9, 4, 0, 9, 7], np.uint64)
    table = VectorTable.make(maker, digests, some, tmp_path / "table")
    np.testing.assert_array_equal(table.digests, [4, 7, 9])
    np.testing.assert_array_equal(table.vectors, [[2], [5], [1]])
    assert table.folder == tmp_path / "table"
    none = VectorTable.make(maker, np.zeros(3, np.uint64), some, tmp_path / "none")
    assert len(none.digests) == 0


def test_columns_follow_one_another() -> None:
    objects = chained([lambda p: [f"a{k}" for k in p], lambda p: [f"b{k}" for k in p]], [3, 2])
    assert objects(np.array([4, 0, 3, 2])) == ["b1", "a0", "b0", "a2"]
    assert objects(np.array([3, 4])) == ["b0", "b1"]


def test_images_of_several_sides_are_taken_in_their_order() -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (32, 40, 32)]
    maker = VectorMaker("summary")
    alone = np.vstack([maker(image[None]) for image in images])
    np.testing.assert_allclose(maker(images), alone, rtol=1e-6)
