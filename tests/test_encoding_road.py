"""From texts to predictions through a pretrained network: read once, named in the model, refused if changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.errors import ConfigError, RunError, StoppedError
from autodl.options import FitOptions
from autodl.pipeline import rebuild_report, run_fit
from autodl.preprocess.vector_making import Maker, TooSlowError
from autodl.preprocess.vectors import VectorTable, vector_memory
from autodl.pretrained import finding
from autodl.pretrained.base import Encode, Encoder, encoders
from autodl.records import Footprint, Front, Modality, Plan, TrialResult
from autodl.store import RunFolder
from autodl.store.lock import MEDIA


class Moods(Encode):
    """Numbers that say nothing but whether a text has a certain word; counts what it was asked."""

    seen: list[str] = []

    def __call__(self, objects: Sequence[str]) -> np.ndarray:
        Moods.seen += objects
        return np.array([[10.0 * ("glad" in text), len(text) % 7, 1.0] for text in objects], np.float32)


class MoodReader(Encoder):
    """Stands for a network that is installed."""

    key, name, modality = "mood_reader", "Mood reader", Modality.TEXT
    width, sizes, seconds, loading = 3, (32,), 1e-5, 0.0
    place = Path()

    def files(self) -> tuple[Path, ...]:
        return (self.place,)

    def load(self, size: int) -> Encode:
        return Moods()


def table(n: int = 80, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    words = rng.integers(0, 10**6, (n, 8))  # no word occurs twice
    texts = [" ".join(f"w{w}" for w in row) + (f" x{k}glad{k}" if one else f" x{k}dull{k}")
             for k, (row, one) in enumerate(zip(words, y, strict=True))]  # fmt: skip
    return pd.DataFrame({"t": texts, "y": np.where(y, "yes", "no")})


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[MoodReader]]:
    (tmp_path / "weights").write_bytes(b"first")
    monkeypatch.setattr(MoodReader, "place", tmp_path / "weights")
    len(encoders)
    monkeypatch.setitem(encoders.__dict__, "_entries", {"mood_reader": MoodReader})
    monkeypatch.setattr(vector_memory, "_own", type(vector_memory._own)())
    monkeypatch.setattr(vector_memory, "_told", {})
    monkeypatch.setattr(Moods, "seen", [])
    for cache in (finding.by_key, finding._loaded):
        cache.cache_clear()
    yield MoodReader
    for cache in (finding.by_key, finding._loaded):
        cache.cache_clear()


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks what it takes, which would count as reading."""
    monkeypatch.setattr("autodl.stages.vector_costs.column_takes", lambda *_: Footprint())
    monkeypatch.setattr(vector_memory, "unseen", nullcontext)


def plan_of(run: autodl.Run) -> Plan:
    plan = RunFolder(run.folder).read("plan", Plan)
    assert plan is not None
    return plan


ASKED = {"target": "y", "max_trials": 2, "families": "linear", "report": False}


@pytest.mark.usefixtures("unmeasured")
def test_texts_are_read_once_and_models_learn_from_it(reader: type[MoodReader], tmp_path: Path) -> None:
    rows = table()
    run = autodl.fit(rows, out=tmp_path / "run", **ASKED)
    assert sorted(Moods.seen) == sorted(rows["t"])
    decision = next(d for d in plan_of(run).decisions if d.topic == "Sentences")
    assert "Mood reader" in decision.choice
    assert "encode" in [s.name for s in run.record.stages]
    new = table(40, seed=1)
    assert (run.predict(new.drop(columns="y"))["prediction"] == new["y"]).mean() > 0.9
    assert len(Moods.seen) == 120

    reader.place.write_bytes(b"second")
    vector_memory._own.clear()
    with pytest.raises(RunError, match="Mood reader is not the one that the model was trained with"):
        autodl.Run(tmp_path / "run").predict(table(5, seed=2).drop(columns="y"))


def test_a_run_that_is_stopped_while_texts_are_read_ends_at_once_and_goes_on_later(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, run = threading.Event(), tmp_path / "run"
    options = FitOptions(**ASKED | {"families": ("linear",), "time_budget_s": None})

    class Interrupted(Moods):
        def __call__(self, objects: Sequence[str]) -> np.ndarray:
            stop.set()
            return super().__call__(objects)

    with monkeypatch.context() as patch:
        patch.setattr(MoodReader, "load", lambda self, size: Interrupted())
        with pytest.raises(StoppedError, match="stopped before anything was finished"):
            run_fit(table(120), options, run, stop=stop)
    finding._loaded.cache_clear()
    assert 0 < len(Moods.seen) < 120
    assert RunFolder(run).read_run().status == "interrupted"
    assert not list((run / MEDIA).glob("*")), "no part is left behind"
    resumed = autodl.fit(table(120), out=run, resume=True, **ASKED)
    assert resumed.record.leaderboard[0].family == "linear"
    assert set(Moods.seen) == set(table(120)["t"])


def test_none_reads_nothing(reader: type[MoodReader], tmp_path: Path) -> None:
    run = autodl.fit(table(), out=tmp_path / "run", pretrained="none", **ASKED)
    assert not Moods.seen
    assert all(not f.recipe.text_encoder for f in plan_of(run).families)
    assert any("You asked for no pretrained network" in d.why for d in plan_of(run).decisions)


def test_a_network_without_anything_to_read_is_refused(reader: type[MoodReader]) -> None:
    numbers = pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60) % 2})
    with pytest.raises(ConfigError, match="Mood reader reads texts, but no column of the data holds any"):
        autodl.plan(numbers, pretrained="mood_reader", **{k: v for k, v in ASKED.items() if k != "report"})
    with pytest.raises(ConfigError, match="there is no pretrained network 'nothing'"):
        autodl.plan(numbers, "y", pretrained="nothing")


def fit_told(out: Path, **options: object) -> tuple[autodl.Run, list[str]]:
    """A finished run, and its notes about the network."""
    notes: list[str] = []
    run = autodl.fit(table(), out=out, listener=lambda e: notes.append(str(getattr(e, "text", ""))), **options)
    assert run.record.status == "done"
    return run, [note for note in notes if "Mood reader" in note and "reads all of them once" not in note]


def assert_words_alone(run: autodl.Run, why: str) -> None:
    """No model has anything of the network, and neither folder nor memory."""
    assert all(not f.recipe.text_encoder for f in plan_of(run).families)
    decision = next(d for d in plan_of(run).decisions if d.topic == "Sentences")
    assert decision.choice == "words alone" and why in decision.why
    assert not list((Path(run.folder) / "media").glob("*")), "no part of the vectors"
    assert not vector_memory._own and not vector_memory._told
    assert len(run.predict(table(5, seed=3).drop(columns="y"))) == 5


def test_one_that_runs_out_of_time_is_left_out(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodl.stages.encoding.LEFT_SHARE", 0.0)
    notes: list[str] = []
    run = autodl.fit(
        table(), out=tmp_path / "run", listener=lambda e: notes.append(str(getattr(e, "text", ""))),
        time_budget="10m", **ASKED,
    )  # fmt: skip
    why = "No time was left for Mood reader to read the texts"
    assert [n for n in notes if "Mood reader" in n] == [f"{why}; it is left out."], "nothing said that it would read"
    assert_words_alone(run, why)
    assert why in rebuild_report(Path(run.folder)).read_text(encoding="utf-8")


def test_one_that_is_too_slow_looks_at_less(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = VectorTable.make

    def slow(maker: Maker, *asked: object, **named: object) -> VectorTable:
        if maker.size == 32:
            raise TooSlowError(np.empty(0, np.intp), 80, seconds=400.0, left=100.0)
        return make(maker, *asked, **named)

    monkeypatch.setattr(MoodReader, "sizes", (32, 24, 16, 8))  # 24 would take 300 s, which is all that may be spent
    monkeypatch.setattr(VectorTable, "make", slow)
    run, (note,) = fit_told(tmp_path / "run", time_budget="10m", **ASKED)
    assert "reading 80 images or texts would take 6 min 40 s" in note
    assert note.endswith("so it looks at 16 tokens instead of 32.")
    assert {f.recipe.text_tokens for f in plan_of(run).families if f.recipe.text_encoder} == {16}
    decision = next(d for d in plan_of(run).decisions if d.topic == "Sentences")
    assert "Mood reader" in decision.choice and decision.why.endswith(note) and decision.evidence["size"] == 16
    new = table(40, seed=1)
    assert (run.predict(new.drop(columns="y"))["prediction"] == new["y"]).mean() > 0.9


@pytest.mark.parametrize(
    ("wish", "error", "said"),
    [
        ("mood_reader", RuntimeError("shapes do not match."), "Mood reader failed (shapes do not match)"),
        ("auto", RuntimeError("can't allocate memory"), "Mood reader failed (the memory did not suffice)"),
    ],
)
def test_one_that_fails_in_the_middle_is_left_out(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wish: str, error: Exception, said: str
) -> None:
    def fails(self: Moods, objects: Sequence[str]) -> np.ndarray:
        if Moods.seen:
            raise error
        Moods.seen += objects
        return np.ones((len(objects), 3), np.float32)

    monkeypatch.setattr(Moods, "__call__", fails)
    run, (note,) = fit_told(tmp_path / "run", pretrained=wish, **ASKED)
    assert note == f"{said}; it is left out."
    assert_words_alone(run, said)


def test_one_that_cannot_be_loaded_is_left_out(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Encoder, size: int) -> Encode:
        raise EOFError("Ran out of input")  # what torch.load says of half a file

    monkeypatch.setattr(MoodReader, "load", broken)
    run, (note,) = fit_told(tmp_path / "run", **ASKED)
    assert note == "Mood reader is there, but cannot be loaded (Ran out of input); it is left out."
    assert_words_alone(run, "cannot be loaded")
    with pytest.raises(ConfigError, match=r"cannot be loaded .Ran out of input"):
        autodl.fit(table(), out=tmp_path / "asked", pretrained="mood_reader", **ASKED)


EACH_S = 0.004
"""Processor time that a slow reader takes for a text."""


class SlowMoods(Moods):
    def __call__(self, objects: Sequence[str]) -> np.ndarray:
        end = time.process_time() + EACH_S * len(objects)
        while time.process_time() < end:
            pass
        return super().__call__(objects)


def test_what_it_takes_for_new_rows_is_told_of_trials_and_of_the_model(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No trial reads a text twice, and the one that is measured is known: new rows have new texts."""
    monkeypatch.setattr(MoodReader, "load", lambda self, size: SlowMoods())
    run = autodl.fit(table(), out=tmp_path / "run", max_latency="1s", pretrained="mood_reader", **ASKED)
    folder = RunFolder(run.folder)
    front = folder.read("front", Front)
    assert front is not None and front.delivered is not None
    assert front.delivered.row_s is not None and EACH_S <= front.delivered.row_s < 1.0
    assert front.delivered.ms_per_1000 is not None and front.delivered.ms_per_1000 >= 1e6 * EACH_S
    assert front.points and all(p.need.row_s is not None and p.need.row_s >= EACH_S for p in front.points)
    results = [TrialResult.model_validate_json(p.read_bytes()) for p in folder.path.glob("trials/*/result.json")]
    costs = [r.cost for r in results if r.spec.family == "linear" and r.cost is not None]
    assert costs and all(EACH_S <= sum(v.row_s or 0.0 for v in c.vectors.values()) < 1.0 for c in costs)


def test_one_that_cannot_keep_the_limit_of_latency_is_left_out(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MoodReader, "load", lambda self, size: SlowMoods())
    run, (note,) = fit_told(tmp_path / "run", max_latency="2ms", **ASKED)
    assert note.startswith("Mood reader alone takes about ")
    assert note.endswith(" ms for one row, and 2.0 ms are allowed; it is left out.")
    assert_words_alone(run, "2.0 ms are allowed")


def test_one_that_keeps_the_limit_at_a_smaller_size_looks_at_less(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a text alone it takes 4 ms at 32 tokens, and in proportion at fewer."""
    monkeypatch.setattr(MoodReader, "sizes", (32, 24, 16, 1))
    monkeypatch.setattr(MoodReader, "load", lambda self, size: SlowMoods() if size > 1 else Moods())
    run, (note,) = fit_told(tmp_path / "run", max_latency="1500us", **ASKED)
    assert note.endswith("ms for one row, and 1.5 ms are allowed, so it looks at 1 tokens instead of 32.")
    assert {f.recipe.text_tokens for f in plan_of(run).families if f.recipe.text_encoder} == {1}


def test_a_run_that_goes_on_judges_the_network_as_before(
    reader: type[MoodReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trials have learnt from what it says: those that follow do, too, however long it takes now."""
    first = autodl.fit(table(), out=tmp_path / "run", max_latency="2ms", **ASKED)
    assert {f.recipe.text_encoder for f in plan_of(first).families if f.key == "linear"} == {"mood_reader"}
    finding._loaded.cache_clear()
    monkeypatch.setattr(MoodReader, "load", lambda self, size: SlowMoods())
    again = autodl.fit(table(), out=tmp_path / "run", resume=True, max_latency="2ms", **{**ASKED, "max_trials": 3})
    assert again.record.n_trials == first.record.n_trials + 1
    assert {f.recipe.text_encoder for f in plan_of(again).families if f.key == "linear"} == {"mood_reader"}


def test_columns_add_up_and_absent_texts_take_nothing(reader: type[MoodReader]) -> None:
    from autodl.preprocess.vector_makers import VectorMaker
    from autodl.stages.vector_costs import column_takes

    maker = VectorMaker.of_encoder("mood_reader", 32)
    frame = pd.DataFrame({"t": ["", "glad", "", "dull", ""], "none": [""] * 5})
    takes = column_takes(maker, frame, "t")
    assert takes.row_s is not None and takes.ms_per_1000 is not None
    assert set(Moods.seen) == {"glad", "dull"}
    assert column_takes(maker, frame, "none") == Footprint()


@pytest.mark.usefixtures("unmeasured")
def test_a_damaged_table_of_an_interrupted_run_is_made_anew(reader: type[MoodReader], tmp_path: Path) -> None:
    run = autodl.fit(table(), out=tmp_path / "run", **ASKED)
    (made,) = (tmp_path / "run" / "media").iterdir()
    (made / "vectors.npy").write_bytes(b"half")
    vector_memory._told.clear()
    again = autodl.fit(table(), out=tmp_path / "run", resume=True, **{**ASKED, "max_trials": 3})
    assert again.record.n_trials == run.record.n_trials + 1
    assert len(Moods.seen) == 160 and len(np.load(made / "vectors.npy")) == 80


def test_with_a_clock_the_network_is_timed_before_the_plan(reader: type[MoodReader]) -> None:
    planned = autodl.plan(table(), "y", time_budget="60s", families="linear")
    assert 0 < len(Moods.seen) <= 20
    assert {f.recipe.text_encoder for f in planned.plan.families if f.key == "linear"} == {"mood_reader"}


def test_one_that_fails_when_it_is_timed_is_not_planned(
    reader: type[MoodReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Moods, objects: Sequence[str]) -> np.ndarray:
        raise IndexError("index out of range in self")

    with monkeypatch.context() as patch:
        patch.setattr(Moods, "__call__", fails)
        planned = autodl.plan(table(), "y", time_budget="60s", families="linear")
        decision = next(d for d in planned.plan.decisions if d.topic == "Sentences")
        assert decision.why == "Mood reader failed (index out of range in self)."
        with pytest.raises(ConfigError, match=r"Mood reader failed .index out of range in self.*go without it"):
            autodl.plan(table(), "y", time_budget="60s", families="linear", pretrained="mood_reader")

    def broken(self: Encoder, size: int) -> Encode:
        raise RuntimeError("unexpected end of file")

    finding._loaded.cache_clear()

    monkeypatch.setattr(reader, "load", broken)
    planned = autodl.plan(table(), "y", time_budget="60s", families="linear")
    decision = next(d for d in planned.plan.decisions if d.topic == "Sentences")
    assert decision.why == "Mood reader is there, but cannot be loaded (unexpected end of file)."
    with pytest.raises(ConfigError, match=r"cannot be loaded .unexpected end of file.*go without it"):
        autodl.plan(table(), "y", time_budget="60s", families="linear", pretrained="mood_reader")
