"""Which cells of the test rows are shown, and with which answers."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autodl.explain.speed import Speed
from autodl.media.array import MediaArray
from autodl.media.batch import ABSENT
from autodl.media.writing import write_images, write_series
from autodl.models.base import Meta
from autodl.records import (
    ColumnInfo,
    ColumnKind,
    Ensemble,
    Limits,
    Member,
    TableSchema,
    Task,
    TrialResult,
    TrialSpec,
    TrialStatus,
)
from autodl.search.feasibility import Feasibility
from autodl.stages import limiting, showing
from autodl.stages.showing import SHARE, TEXTS_SHARE, show
from autodl.stages.shown_columns import BACKWARD, MOST_OF_EACH, shown_seconds
from autodl.store import RunFolder

N = 60
CLASSES = ("cat", "dog")


def spare(ctx, problem):
    return ctx.spare


@pytest.fixture(autouse=True)
def time_left(monkeypatch):
    monkeypatch.setattr("autodl.stages.showing.spare_seconds", spare)


def context(seconds: float = 100.0, answers: Speed | None = None) -> SimpleNamespace:
    budget, told = SimpleNamespace(unlimited=False), []
    return SimpleNamespace(
        spare=seconds, budget=budget, guard=lambda what: nullcontext(), answers=answers, note=told.append, told=told
    )


def made(tmp_path, columns: dict, classes=CLASSES, tested: bool = True):
    """Two models of equal weight, a frame of these columns, and rows numbered from 100."""
    rng, folder = np.random.default_rng(0), RunFolder(tmp_path / "run")
    folder.path.mkdir(parents=True)
    k = len(classes)
    y = rng.integers(0, k, N) if k else rng.normal(size=N)
    own = [rng.dirichlet(np.ones(k), N) if k else rng.normal(size=N) for _ in range(2)]
    results = [
        TrialResult(
            spec=TrialSpec(id=f"t{i}", family="linear"), status=TrialStatus.OK, loss=0.1,
            test=folder.write_array(f"test{i}.npy", p) if tested else None,
        )
        for i, p in enumerate(own)
    ]  # fmt: skip
    members = tuple(Member(trial_id=f"t{i}", family="linear", weight=0.5) for i in range(2))
    infos = tuple(ColumnInfo(name=c, kind=kind, n=N, n_missing=0, n_unique=N) for c, (kind, _) in columns.items())
    data = SimpleNamespace(
        test_frame=pd.DataFrame({c: values for c, (_, values) in columns.items()}),
        schema=TableSchema(columns=infos),
        folds=((), (), ()),
    )
    problem = SimpleNamespace(
        setup=SimpleNamespace(
            data=data, plan=SimpleNamespace(classes=classes, seed=0, quantiles=()), feasibility=Feasibility()
        ),
        y_test=y, test_row_numbers=np.arange(N) + 100, delivery=SimpleNamespace(folder=folder),
    )  # fmt: skip
    ensemble = Ensemble(members=members, method="greedy", loss=0.1, single_loss=0.1)
    return problem, ensemble, results, (own[0] + own[1]) / 2


def images(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 255, (N, 128, 128, 3)).astype(np.uint8)
    store = write_images(tmp_path / "images", ((p, (128, 128)) for p in pixels), N, 128)
    rows = np.arange(N)
    rows[:30] = ABSENT
    return (ColumnKind.IMAGE, MediaArray(store, rows))


def series(tmp_path):
    rng = np.random.default_rng(2)
    store = write_series(tmp_path / "series", (rng.normal(size=(1 + 10 * i, 2)) for i in range(N)), 2)
    return (ColumnKind.SERIES, MediaArray.whole(store))


def test_images_are_shown_small_with_the_answers_of_all_models(tmp_path) -> None:
    problem, ensemble, results, proba = made(tmp_path, {"photo": images(tmp_path)})
    found = show(context(), problem, ensemble, results)
    answers = proba.argmax(1)
    assert found.shown and not found.words and found.heats is None
    for e in found.shown:
        place = e.row - 100
        assert place >= 30, "a cell without an image"
        assert (e.true, e.predicted) == (CLASSES[problem.y_test[place]], CLASSES[answers[place]])
        assert e.right == (e.true == e.predicted) and e.confidence == pytest.approx(proba[place].max())
    pictures = problem.delivery.folder.read_array(found.pictures)
    assert pictures.shape == (len(found.shown), 96, 96, 3) and pictures.dtype == np.uint8
    assert [e.picture for e in found.shown] == list(range(len(found.shown)))
    original = problem.setup.data.test_frame["photo"].array
    for e in found.shown:
        assert abs(float(pictures[e.picture].mean()) - float(original[e.row - 100].mean())) < 2.0


def test_within_limits_the_answers_are_those_of_what_was_tested(tmp_path, monkeypatch) -> None:
    problem, ensemble, results, proba = made(tmp_path, {"photo": images(tmp_path)})
    problem.setup.feasibility = Feasibility(Limits(size_bytes=1_000))
    monkeypatch.setattr(limiting, "few_models_predicted", lambda *given: 1.0 - proba)
    found = show(context(), problem, ensemble, results)
    assert found.shown
    for e in found.shown:
        assert e.predicted == CLASSES[(1.0 - proba)[e.row - 100].argmax()]


def test_series_are_thinned_out_from_their_first_to_their_last_step(tmp_path) -> None:
    problem, ensemble, results, _ = made(tmp_path, {"curve": series(tmp_path)})
    found = show(context(), problem, ensemble, results)
    assert found.pictures is None and 0 < len(found.shown) <= 2 * MOST_OF_EACH[ColumnKind.SERIES]
    for e in found.shown:
        values = problem.setup.data.test_frame["curve"].array[e.row - 100]
        assert e.steps == len(values) > 1 and len(e.lines) == 2 and len(e.lines[0]) == min(120, e.steps)
        assert [line[0] for line in e.lines] == pytest.approx(list(values[0]), rel=1e-4)
        assert [line[-1] for line in e.lines] == pytest.approx(list(values[-1]), rel=1e-4)


@pytest.mark.parametrize(("levels", "asked"), [((), 0), ((0.1, 0.5, 0.9), 1), ((0.5, 0.8, 0.9), 0)])
def test_where_a_network_looks_for_quantiles_is_asked_of_the_middle_one(tmp_path, monkeypatch, levels, asked) -> None:
    pytest.importorskip("torch")
    from autodl.models.cnn import CnnConfig, CnnEstimator

    problem, ensemble, results, _ = made(tmp_path, {"photo": images(tmp_path)}, classes=())
    problem.setup.plan.quantiles = levels
    meta = Meta(task=Task.REGRESSION, seed=0, threads=1, quantiles=levels)
    model = SimpleNamespace(
        estimator=CnnEstimator(CnnConfig(), meta), preparer=SimpleNamespace(transform=lambda rows: rows)
    )
    outputs = []

    def looked(network, rows, output):
        outputs.append(output)
        return {"photo": np.zeros((len(output), 2, 2), np.float32)}

    monkeypatch.setattr("autodl.model.load_model", lambda folder, ref: model)
    monkeypatch.setattr("autodl.explain.grad_cam.grad_cam", looked)
    monkeypatch.setattr(RunFolder, "has_models", lambda folder, result: True)
    by_id = {r.spec.id: r.model_copy(update={"models": (None,)}) for r in results}
    members = tuple(m.model_copy(update={"family": "cnn"}) for m in ensemble.members)
    answers = SimpleNamespace(codes=None)
    showing._heats(problem, ensemble.model_copy(update={"members": members}), by_id, answers, "photo", [3, 4], False)
    assert [o.tolist() for o in outputs] == [[asked, asked]]


def test_the_peaks_of_long_series_are_drawn(tmp_path) -> None:
    values = np.zeros((5000, 2), np.float32)
    values[1234, 0], values[1240, 0], values[3000, 1], values[4000:4400, 1] = 9.0, -7.0, 5.0, np.nan
    store = write_series(tmp_path / "series", (values for _ in range(N)), 2)
    problem, ensemble, results, _ = made(tmp_path, {"curve": (ColumnKind.SERIES, MediaArray.whole(store))})
    found = show(context(), problem, ensemble, results)
    assert found is not None
    first, second = found.shown[0].lines
    assert [v for v in first if v] == [9.0, -7.0] and len(first) == len(second) == 120
    assert max(v for v in second if v == v) == 5.0 and 0.2 < first.index(9.0) / 120 < 0.3
    assert 4 <= sum(v != v for v in second) <= 12


def test_texts_are_shown_but_not_names(tmp_path) -> None:
    long = pd.Series([f"this is a letter of many words {i}\n" * 40 for i in range(N)], dtype="string")
    short = pd.Series([f"name {i}" for i in range(N)], dtype="string")
    both = {"name": (ColumnKind.TEXT, short), "letter": (ColumnKind.TEXT, long)}
    problem, ensemble, results, _ = made(tmp_path, both, classes=())
    found = show(context(), problem, ensemble, results)
    assert {e.column for e in found.shown} == {"letter"}
    assert all(len(e.text) <= 400 and "\n" not in e.text and e.confidence is None for e in found.shown)
    problem.setup.data.schema = TableSchema(columns=problem.setup.data.schema.columns[:1])
    assert show(context(), problem, ensemble, results) is None


def test_texts_without_spaces_are_shown_too(tmp_path) -> None:
    chinese = pd.Series([f"我们昨天晚上看的这部电影一点也不好看{i}" for i in range(N)], dtype="string")
    problem, ensemble, results, _ = made(tmp_path, {"said": (ColumnKind.TEXT, chinese)})
    found = show(context(), problem, ensemble, results)
    assert {e.column for e in found.shown} == {"said"}


def test_nothing_is_shown_without_time_rows_or_predictions(tmp_path) -> None:
    problem, ensemble, results, _ = made(tmp_path, {"photo": images(tmp_path)})
    late = context(0.0)
    assert show(late, problem, ensemble, results) is None and "no time was left" in late.told[0]
    untested = [r.model_copy(update={"test": None}) for r in results]
    assert show(context(), problem, ensemble, untested) is None
    problem.y_test = problem.y_test[:0]
    assert show(context(), problem, ensemble, results) is None


def letters() -> tuple[ColumnKind, pd.Series]:
    words = np.random.default_rng(3).choice(["sun", "rain", "wind", "snow"], (N, 12))
    return ColumnKind.TEXT, pd.Series([" ".join(row) for row in words], dtype="string")


def test_words_are_looked_for_in_as_many_texts_as_time_allows_or_not_at_all(tmp_path, monkeypatch) -> None:
    problem, ensemble, results, _ = made(tmp_path, {"letter": letters()})
    asked: list[int] = []

    def predict(frame: pd.DataFrame) -> np.ndarray:
        asked.append(len(frame))
        snow = frame["letter"].str.contains("snow").to_numpy(dtype=float)
        return np.column_stack([1 - 0.5 * snow, 0.5 * snow])

    monkeypatch.setattr("autodl.scoring.one_fold_predictor", lambda *given: predict)
    (found,) = show(context(answers=Speed(0.0, 1e-4)), problem, ensemble, results).words
    assert asked[0] == N and found.terms[0].term == "snow" and found.terms[0].effect == pytest.approx(0.5)
    asked.clear()
    row_s = TEXTS_SHARE * SHARE * 100.0 / 55.2
    some = show(context(answers=Speed(0.0, row_s)), problem, ensemble, results)
    assert asked[0] in (54, 55) and some.words and not some.notes
    asked.clear()
    late = show(context(answers=Speed(0.0, 2 * row_s)), problem, ensemble, results)
    assert not asked and not late.words and late.shown
    assert late.notes == ("Which words decide was not found out: no time was left.",)


def test_the_time_of_examples_follows_from_what_there_is_to_look_at(tmp_path) -> None:
    speed = Speed(1.0, 0.01)
    looks = 1.0 + 0.01 * BACKWARD * 2 * MOST_OF_EACH[ColumnKind.IMAGE]
    words = 31.0 + 0.01 * (N + 30 * 20)
    for columns, seconds in (
        ({"photo": images(tmp_path)}, looks),
        ({"letter": letters()}, words),
        ({"photo": images(tmp_path / "more"), "letter": letters()}, looks + words),
        ({"curve": series(tmp_path)}, 1.0 + 0.01 * 2 * MOST_OF_EACH[ColumnKind.SERIES] * 25),
    ):
        problem, *_ = made(tmp_path / "-".join(columns), columns)
        assert shown_seconds(problem, speed) == pytest.approx(seconds)
    problem.y_test = problem.y_test[:0]
    assert shown_seconds(problem, speed) == 0.0
