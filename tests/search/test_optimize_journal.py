"""Searches that go on where an earlier one ended."""

from __future__ import annotations

import json
import time

import pytest
from optimize_problems import SPACE, branin, curve

from autodl.errors import ConfigError
from autodl.search import optimize
from autodl.search.study import Op


class TestJournal:
    def test_goes_on_where_it_ended(self, tmp_path):
        path = tmp_path / "search.jsonl"
        whole = optimize(branin, SPACE, max_evals=14, seed=4)
        called = []

        def counted(config, fidelity):
            called.append(config)
            return branin(config)

        optimize(counted, SPACE, max_evals=9, seed=4, journal=path)
        with path.open("a") as file:
            file.write('{"number": 9, "tri')  # a crash in the middle of a line
        resumed = optimize(counted, SPACE, max_evals=14, seed=4, journal=path)
        assert len(called) == 14
        assert [e.config for e in resumed.history] == [e.config for e in whole.history]

    def test_another_search_is_refused(self, tmp_path):
        path = tmp_path / "search.jsonl"
        optimize(branin, SPACE, max_evals=2, journal=path)
        with pytest.raises(ConfigError, match="history of another search: seed differ"):
            optimize(branin, SPACE, max_evals=2, seed=9, journal=path)
        path.write_text("hello\n")
        with pytest.raises(ConfigError, match="is not a history of a search"):
            optimize(branin, SPACE, max_evals=2, journal=path)

    @pytest.mark.parametrize("text", ["a note of mine", '{"a": 1}', "[1]\n", "1,2\n3", " "])
    def test_a_file_of_another_kind_stays_as_it_is(self, tmp_path, text):
        path = tmp_path / "notes.txt"
        path.write_text(text)
        with pytest.raises(ConfigError, match="is not a history of a search"):
            optimize(branin, SPACE, max_evals=2, journal=path)
        assert path.read_text() == text

    def test_a_first_line_cut_off_by_a_crash_is_written_anew(self, tmp_path):
        path = tmp_path / "search.jsonl"
        optimize(branin, SPACE, max_evals=2, journal=path)
        head = path.read_text().splitlines()[0]
        for known in ("", head[:9], head):
            path.write_text(known)
            assert len(optimize(branin, SPACE, max_evals=2, journal=path).history) == 2
            assert path.read_text().splitlines()[0] == head

    def test_calls_lost_with_a_search_keep_their_numbers(self, tmp_path):
        """The objective keeps its states under them."""
        path, states, wrong = tmp_path / "search.jsonl", {}, []

        def trained(config, fidelity, call):
            if call.source is not None and states[call.source][0] >= fidelity:
                wrong.append(call)
            states[call.number] = fidelity, config
            return config["x"] ** 2 + 1 / fidelity

        def searched(total):
            return optimize(
                trained, SPACE, strategy="pbt", fidelity=(1, 9), max_fidelity_total=total, lineage=True, journal=path
            )

        searched(90)
        lines = path.read_text().splitlines(keepends=True)
        known = [json.loads(line) for line in lines[2:17:2]]
        assert [k["status"] for k in known] == ["ok"] * 8
        path.write_text("".join([*lines[:6], *lines[7:17]]))  # 2 was running at a kill
        states.pop(2)
        first = searched(90)
        assert [(e.number, e.trial) for e in first.history[:8]] == [(k["number"], k["trial"]) for k in known]
        again = searched(140)
        assert again.history[: len(first.history)] == first.history
        numbers = [e.number for e in again.history]
        assert numbers == sorted(set(numbers))
        assert len(again.history) > len(first.history)
        assert not wrong
        by_number = {e.number: e for e in again.history}
        for e in again.history:
            owner = None if e.source is None else by_number[e.source].trial
            assert owner in (None, e.trial, e.parent)
            assert states[e.number] == (e.fidelity, e.config)

    def test_a_call_that_the_end_of_the_budget_cut_is_made_again(self, tmp_path):
        path = tmp_path / "search.jsonl"
        slow = [True]

        def loss(config, fidelity):
            if slow[0] and config["x"] > 5:
                time.sleep(60)
            return config["x"]

        space = {"x": {"type": "choice", "values": [1, 9]}}
        cut = optimize(loss, space, strategy="grid", time_budget=1, call_timeout=50, journal=path)
        assert cut.history[-1].error.startswith("the time was over after")
        slow[0] = False
        resumed = optimize(loss, space, strategy="grid", time_budget=30, journal=path)
        assert [(e.config["x"], e.status) for e in resumed.history] == [(1, "ok"), (9, "ok")]

    def test_calls_cut_off_beside_others_are_made_again_first(self, tmp_path):
        path, called = tmp_path / "search.jsonl", []

        def loss(config, fidelity):
            called.append(config)
            return branin(config)

        def searched(**more):
            return optimize(loss, SPACE, strategy="random", seed=3, journal=path, **more)

        whole = searched(max_evals=8)
        head, *lines = path.read_text().splitlines(keepends=True)
        starts, ends = lines[::2], lines[1::2]
        # Three at a time: when the search was killed, 2 and 4 were running; 5 had been begun after 3 had ended.
        path.write_text("".join([head, *starts[:3], *ends[:2], *starts[3:5], ends[3], starts[5], ends[5]]))
        called.clear()
        storage = tmp_path / "search.log"
        resumed = searched(max_evals=8, storage=storage)
        assert called == [whole.history[number].config for number in (2, 4, 6, 7)]
        assert [(e.number, e.trial, e.config, e.loss) for e in resumed.history] == [
            (e.number, e.trial, e.config, e.loss) for e in whole.history
        ]
        shown = [json.loads(line) for line in storage.read_text().splitlines()]
        assert sum(line["op_code"] == Op.CREATE_TRIAL for line in shown) == 8

    def test_what_there_is_no_time_to_make_again_is_left_out(self, tmp_path):
        path = tmp_path / "search.jsonl"
        optimize(branin, SPACE, strategy="random", max_evals=3, journal=path)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:3], lines[3], *lines[5:]]))  # the second did not end
        cut = optimize(branin, SPACE, strategy="random", time_budget=1e-6, journal=path)
        assert [(e.number, e.status) for e in cut.history] == [(0, "ok"), (2, "ok")]
        again = optimize(branin, SPACE, strategy="random", max_evals=3, journal=path)
        assert [(e.number, e.status) for e in again.history] == [(n, "ok") for n in range(3)]

    def test_two_searches_do_not_write_it_at_once(self, tmp_path):
        path = tmp_path / "search.jsonl"

        def nested(config, fidelity):
            with pytest.raises(ConfigError, match="another search writes the history"):
                optimize(branin, SPACE, max_evals=1, journal=path)
            return branin(config)

        optimize(nested, SPACE, max_evals=1, journal=path)
        assert optimize(branin, SPACE, max_evals=2, journal=path).history[0].status == "ok"

    def test_how_it_is_paid_belongs_to_the_search(self, tmp_path):
        path = tmp_path / "search.jsonl"
        optimize(curve, SPACE, max_evals=2, fidelity=(1, 9), journal=path)
        with pytest.raises(ConfigError, match="resumable differ"):
            optimize(curve, SPACE, max_evals=2, fidelity=(1, 9), resumable=True, journal=path)


def test_a_journal_in_no_folder_is_refused_and_makes_none(tmp_path):
    with pytest.raises(ConfigError, match="cannot write the journal"):
        optimize(
            lambda c: 0.0, {"x": {"type": "int", "low": 0, "high": 9}}, max_evals=2, journal=tmp_path / "no" / "j"
        )
    assert not (tmp_path / "no").exists()
