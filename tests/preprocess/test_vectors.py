"""Vectors are made once, are those of their objects, and come back from files as they were."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from autodl.clock import NEVER, Deadline
from autodl.preprocess.vectors import VectorMemory, VectorTable
from autodl.records import Footprint


class Lengths:
    """The length of a text and its square; counts what it was asked."""

    key, batch, by_length = "lengths", 2, True

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def __call__(self, objects: list[str]) -> np.ndarray:
        self.seen.append(list(objects))
        return np.array([[len(o), len(o) ** 2] for o in objects], float)


TEXTS = ["aaa", "b", "cc", "aaa", ""]
DIGESTS = np.array([7, 3, 5, 7, 0], np.uint64)
EXPECTED = [[3, 9], [1, 1], [2, 4], [3, 9], [np.nan, np.nan]]


def ask(memory: VectorMemory, maker: Lengths, rows: list[int], deadline: Deadline = NEVER) -> np.ndarray:
    return memory.get(maker, DIGESTS[rows], lambda places: [TEXTS[rows[k]] for k in places], deadline)


def test_each_object_is_looked_at_once_in_batches_of_like_length() -> None:
    memory, maker = VectorMemory(), Lengths()
    np.testing.assert_array_equal(ask(memory, maker, [0, 1, 2, 3, 4]), EXPECTED)
    assert maker.seen == [["b", "cc"], ["aaa"]]
    np.testing.assert_array_equal(ask(memory, maker, [4, 3, 1]), [EXPECTED[k] for k in (4, 3, 1)])
    assert len(maker.seen) == 2


def test_where_there_is_no_object_at_all_there_are_no_numbers() -> None:
    assert ask(VectorMemory(), Lengths(), [4]).shape == (1, 0)


def test_what_was_made_before_the_deadline_is_kept() -> None:
    memory, maker = VectorMemory(), Lengths()

    class AfterOne(Deadline):
        def passed(self) -> bool:
            return len(maker.seen) >= 1

    with pytest.raises(TimeoutError, match="after 2 of 3 images or texts"):
        ask(memory, maker, [0, 1, 2], AfterOne())
    np.testing.assert_array_equal(ask(memory, maker, [0, 1, 2]), EXPECTED[:3])
    assert maker.seen == [["b", "cc"], ["aaa"]]


def test_a_table_comes_back_from_its_folder(tmp_path: Path) -> None:
    memory, maker = VectorMemory(), Lengths()
    ask(memory, maker, [0, 1, 2])
    made = memory.table("lengths")
    assert made is not None
    saved = made.save(tmp_path / "table")
    sent = pickle.dumps(saved)
    assert len(sent) < 1_000
    other, silent = VectorMemory(), Lengths()
    other.learn("lengths", pickle.loads(sent))
    np.testing.assert_array_equal(ask(other, silent, [2, 0, 4]), [EXPECTED[k] for k in (2, 0, 4)])
    assert not silent.seen


def test_without_the_folder_they_are_made_again(tmp_path: Path) -> None:
    table = VectorTable.sorted(np.array([3], np.uint64), np.ones((1, 2), np.float16)).save(tmp_path / "table")
    sent = pickle.dumps(table)
    shutil.rmtree(tmp_path / "table")
    memory, maker = VectorMemory(), Lengths()
    memory.learn("lengths", pickle.loads(sent))
    np.testing.assert_array_equal(ask(memory, maker, [1]), EXPECTED[1:2])


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    VectorTable.sorted(np.array([3], np.uint64), np.ones((1, 2), np.float16)).save(tmp_path)
    np.save(tmp_path / "digests.npy", np.array([3, 4], np.uint64))
    with pytest.raises(ValueError, match="2 digests"):
        VectorTable.open(tmp_path)


def test_makers_do_not_mix_and_memory_is_bounded() -> None:
    memory = VectorMemory(limit=10)  # a vector takes four bytes
    first, second = Lengths(), Lengths()
    second.key = "other"
    ask(memory, first, [0, 1])
    ask(memory, second, [2])
    assert memory.table("lengths") is None
    assert len(second.seen) == 1
    table = memory.table("other")
    assert table is not None and len(table.digests) == 1


def test_unseen_objects_are_made_each_time_but_for_the_same_request(tmp_path: Path) -> None:
    memory, maker = VectorMemory(), Lengths()
    expected = ask(memory, maker, [0, 1, 2, 3, 4])
    maker.seen.clear()
    with memory.unseen():
        np.testing.assert_array_equal(ask(memory, maker, [0, 1, 2, 3, 4]), expected)
        assert sum(map(len, maker.seen)) == 4, "equal texts of several rows are read for each"
        np.testing.assert_array_equal(ask(memory, maker, [0, 1, 2, 3, 4]), expected)
        assert sum(map(len, maker.seen)) == 4, "models of an ensemble ask for the same"
        np.testing.assert_array_equal(ask(memory, maker, [2, 4]), [EXPECTED[k] for k in (2, 4)])
        assert sum(map(len, maker.seen)) == 5
        assert ask(memory, maker, [4]).shape == (1, 0)
    maker.seen.clear()
    np.testing.assert_array_equal(ask(memory, maker, [3, 1]), [EXPECTED[k] for k in (3, 1)])
    assert not maker.seen, "afterwards all is known as before"


def test_what_a_vector_takes_is_kept_beside_it(tmp_path: Path) -> None:
    table = VectorTable.sorted(np.array([3], np.uint64), np.ones((1, 2), np.float16)).save(tmp_path)
    assert table.takes == {}
    table.note({"title": Footprint(row_s=0.01, ms_per_1000=4.0)})
    table.note({"body": Footprint()})
    assert set(table.takes) == {"title", "body"}
    sent = pickle.dumps(table)
    assert VectorTable.open(tmp_path).takes == pickle.loads(sent).takes == table.takes
    shutil.rmtree(tmp_path)
    assert pickle.loads(sent).takes == table.takes, "another machine, which makes them anew"
