from __future__ import annotations

import io
from pathlib import Path

import pytest
from cli_fakes import make_evaluation, make_profile, make_record, make_result

from autodl.cli.fit import _say_summary
from autodl.cli.screen import Screen, make_console
from autodl.cli.summary import Line, print_summary, summarize
from autodl.records import (
    Comparison,
    Evaluation,
    FindingRow,
    Interval,
    LevelCheck,
    MoreTime,
    QuantileCheck,
    TestScore,
    TrialStatus,
)
from autodl.report.only_guess import only_guess
from autodl.store import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "my run"
    (path / "model").mkdir(parents=True)
    (path / "report.html").write_text("")
    return path


def by_head(lines: list[Line]) -> dict[str, str]:
    return {line.head: line.text for line in lines}


def test_a_classification_is_told_in_counts_against_guessing(folder: Path) -> None:
    said = by_head(summarize(make_record(), make_evaluation(), folder, {"roc_auc": "ROC AUC"}))
    assert said["Predicts"] == "bought: no or yes."
    assert said["How well"].startswith("On 18 rows never seen, right 89 in 100 times (95 % interval: 67 to 98).")
    assert "Guessing: 67 in 100" in said["How well"]
    assert said["Score"] == "ROC AUC 0.93 (0.85 to 0.99); guessing: 0.50."
    assert "cannot be told apart from Plain #1" in said["Models"]
    assert "The simplest that keeps nearly all of its lead over guessing: Plain #1" in said["Models"]
    found = make_evaluation()
    quick = found.model_copy(update={"recommended_why": f"{found.recommended} is quicker than {found.leader}."})
    told = by_head(summarize(make_record(), quick, folder))["Models"]
    assert "A quicker one that keeps nearly all of its lead over guessing: Plain #1" in told
    assert said["Look at"] == "size [mm] is often missing."
    assert said["Use it"].startswith(f"autodl predict '{folder}' ")


@pytest.mark.parametrize(
    ("form", "named"),
    [("csv", "NEW_DATA.csv"), ("images", "FOLDER_OF_NEW_IMAGES"), ("ts", "NEW_SERIES.ts"), ("npz", "NEW_SERIES.npz"),
     ("frame", "NEW_DATA.csv"), ("excel", "NEW_DATA.xlsx")],
)  # fmt: skip
def test_the_use_names_data_of_the_kind_that_was_given(folder: Path, form: str, named: str) -> None:
    profile = make_profile()
    read = profile.read.model_copy(update={"format": form})
    lines = summarize(make_record(), make_evaluation(), folder, profile=profile.model_copy(update={"read": read}))
    assert by_head(lines)["Use it"] == f"autodl predict '{folder}' {named} --out predictions.csv"


def test_the_use_of_a_pickled_model_says_that_its_folder_is_trusted(folder: Path) -> None:
    (folder / "model" / "member0-0.pkl").write_bytes(b"")
    said = by_head(summarize(make_record(), make_evaluation(), folder))
    assert said["Use it"] == f"autodl predict '{folder}' NEW_DATA.csv --out predictions.csv --trust"


def test_a_regression_is_told_by_the_typical_error(folder: Path) -> None:
    said = by_head(summarize(make_record(classes=()), make_evaluation(regression=True), folder))
    assert said["Predicts"] == "bought, a number."
    assert "typically off by 512 (430 to 610)" in said["How well"]
    assert "off by 1,834" in said["How well"]


def test_large_misses_and_few_rows_are_said(folder: Path) -> None:
    rmse = make_evaluation(regression=True).model_copy(update={"metric": "rmse", "n_test": 6})
    said = by_head(summarize(make_record(classes=()), rmse, folder, {"rmse": "RMSE"}))
    assert said["Score"].startswith("RMSE 0.93 (0.85 to 0.99) (large misses count more); guessing: 0.50")
    assert said["How well"].endswith("Too few rows to conclude anything.")
    record = make_record()
    accuracy = TestScore(value=0.75, low=0.3, high=1.2, n=4)
    few = make_evaluation().model_copy(update={"n_test": 4})
    said = by_head(summarize(record.model_copy(update={"test": {"accuracy": accuracy}}), few, folder))
    assert said["How well"] == "On 4 rows never seen, right 3 times: too few rows to conclude anything."
    assert "Score" not in said


@pytest.mark.parametrize(
    ("failed", "late", "words"),
    [(1, 1, "1 ran out of time (the"), (3, 1, "1 ran out of time, 2 failed (the"), (2, 0, "2 failed (the")],
)
def test_trials_out_of_time_are_counted_apart(folder: Path, failed: int, late: int, words: str) -> None:
    record = make_record().model_copy(update={"n_failed": failed})
    assert (
        f"tried, {words} report says why)"
        in by_head(summarize(record, make_evaluation(), folder, n_timeouts=late))["Time"]
    )


def test_a_further_split_out_of_time_hides_no_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = make_result("1", "a", None)
    late = failed.model_copy(
        update={"spec": failed.spec.model_copy(update={"repeats": "0"}), "status": TrialStatus.TIMEOUT}
    )
    monkeypatch.setattr(RunFolder, "trials", lambda self: [make_result("0", "a", 0.1), failed, late])
    screen = Screen(make_console(io.StringIO()), make_console(io.StringIO()), folder / "log.txt")
    _say_summary(screen, make_record().model_copy(update={"n_failed": 1}), make_evaluation(), folder)
    text = screen.out.file.getvalue()  # type: ignore[attr-defined]
    assert "1 failed" in text
    assert "ran out of time" not in text


def test_an_interrupted_run_says_what_is_missing(tmp_path: Path) -> None:
    said = by_head(summarize(make_record("interrupted"), None, tmp_path))
    assert said["How well"].startswith("Not tested")
    assert "stopped before the end" in said["Time"]
    assert not {"Report", "Model", "Use it"} & set(said)


def test_without_ties_the_leader_stands_alone(folder: Path) -> None:
    evaluation = make_evaluation()
    models = tuple(m.model_copy(update={"tied_with_leader": False}) for m in evaluation.models)
    alone: Evaluation = evaluation.model_copy(update={"models": models})
    assert by_head(summarize(make_record(), alone, folder))["Models"] == "Ensemble was chosen."


@pytest.mark.parametrize("columns", ["50", "80", "160"])
def test_text_is_wrapped_but_commands_stay_whole(folder: Path, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.StringIO()
    lines = summarize(make_record(), make_evaluation(), folder)
    print_summary(make_console(stream), lines)
    shown = stream.getvalue().splitlines()
    command = next(line.text for line in lines if line.head == "Use it")
    assert any(line.endswith(command) for line in shown)
    verbatim = [line.text for line in lines if line.verbatim]
    others = [line for line in shown if not any(text in line for text in verbatim)]
    assert max(len(line.rstrip()) for line in others) <= int(columns)


def test_what_was_guessed_is_said_with_the_option_that_changes_it(folder: Path) -> None:
    said = by_head(summarize(make_record(), make_evaluation(), folder, profile=make_profile()))
    assert said["Taken"] == (
        "target 'bought' (guessed: its name), task classification (guessed: 2 different words); "
        "pass --target/--task to change."
    )
    assert "Taken" not in by_head(
        summarize(make_record(), make_evaluation(), folder, profile=make_profile(guessed=False))
    )
    profile = make_profile()
    wordy = {
        "guessed": False,
        "task_why": "The target holds 3 different whole numbers; taken as classes. If not, pass --task regression.",
    }
    only_task = profile.model_copy(update={"target": profile.target.model_copy(update=wordy)})
    said = by_head(summarize(make_record(), make_evaluation(), folder, profile=only_task))
    assert said["Taken"] == (
        "task classification (guessed: the target holds 3 different whole numbers; taken as classes); "
        "pass --task to change."
    )


def test_a_leader_worse_than_guessing_is_not_recommended(folder: Path) -> None:
    evaluation = make_evaluation()
    names = evaluation.leader, evaluation.baseline
    worse = Comparison(
        a=names[0], b=names[1], metric="roc_auc", difference=-0.2, low=-0.3, high=-0.1, p_value=1e-4, p_holm=1e-3,
        n=18, effect=-4.0, method="bootstrap", verdict="worse",
    )  # fmt: skip
    said = by_head(summarize(make_record(), evaluation.model_copy(update={"comparisons": (worse,)}), folder))[
        "Models"
    ]
    assert "worse than" in said and "do not use it" in said and "leads" not in said


def test_a_tie_with_guessing_is_said(folder: Path) -> None:
    evaluation = make_evaluation()
    models = tuple(m.model_copy(update={"tied_with_leader": True}) for m in evaluation.models)
    said = by_head(summarize(make_record(), evaluation.model_copy(update={"models": models}), folder))["Models"]
    assert f"It is not shown to be better than {evaluation.baseline}." in said
    assert "not shown" not in by_head(summarize(make_record(), evaluation, folder))["Models"]


def test_weighted_scores_say_what_the_rows_are_worth(folder: Path) -> None:
    def told(worth: float, regression: bool = False) -> dict[str, str]:
        evaluation = make_evaluation(regression=regression).model_copy(update={"worth": worth})
        return by_head(summarize(make_record(classes=()) if regression else make_record(), evaluation, folder))

    start = "On 18 rows never seen (weighted: they tell about as much as 12 rows of equal weight), "
    assert told(12.2)["How well"].startswith(f"{start}right 89 in 100 times")
    assert told(12.2, regression=True)["How well"].startswith(f"{start}typically off by 512")
    few = told(1.0)
    assert few["How well"].endswith("as much as 1 row of equal weight): too few rows to conclude anything.")
    assert "Score" not in few
    assert told(1.0, regression=True)["How well"].endswith("Too few rows to conclude anything.")


def test_levels_that_no_row_supports_are_named(folder: Path) -> None:
    share = Interval(value=0.5, low=0.4, high=0.6, n=18)
    check = QuantileCheck(levels=tuple(LevelCheck(level=level, below=share) for level in (0.001, 0.5)))
    evaluation = make_evaluation(regression=True).model_copy(update={"quantiles": check})
    assert by_head(summarize(make_record(classes=()), evaluation, folder))["Careful"].endswith(
        "rows are too few to know the quantile 0.001."
    )


def test_that_nothing_but_the_guess_was_trained_comes_first(folder: Path) -> None:
    record, whole = make_record(), make_evaluation()
    guess = whole.model_copy(update={"models": whole.models[-1:], "leader": "Guess", "recommended": "Guess"})
    only = record.model_copy(update={"leaderboard": record.leaderboard[-1:]})
    first = summarize(only, guess, folder)[0]
    assert first.text.startswith("No model was trained in the time; give more with --time-budget.")
    stopped = summarize(only.model_copy(update={"status": "interrupted"}), guess, folder)[0]
    assert "before the run was stopped" in stopped.text
    assert summarize(record, whole, folder)[0].head == "Predicts"
    counted = only.model_copy(update={"options": {"max_trials": 1}, "n_trials": 1})
    assert "allow more with --max-trials" in summarize(counted, guess, folder)[0].text
    assert "`max_trials`" in only_guess(counted, guess, python=True)
    asked = only.model_copy(update={"options": {"families": "guess"}})
    assert summarize(asked, guess, folder)[0].head == "Predicts"


def test_a_comparison_of_architectures_that_never_began_is_said(folder: Path) -> None:
    record = make_record().model_copy(update={"options": {"nas": "supernet"}})
    assert "never began" in summarize(record, make_evaluation(), folder, shared=False)[0].text
    assert summarize(record, make_evaluation(), folder, shared=True)[0].head == "Predicts"
    assert summarize(make_record(), make_evaluation(), folder, shared=False)[0].head == "Predicts"


def test_repeats_and_more_time_are_told(folder: Path) -> None:
    more = MoreTime(verdict="no", gain=0.001, error=0.004, trials=45, seconds=95.0, ended=True)
    record = make_record().model_copy(update={"n_again": 7, "more_time": more})
    said = by_head(summarize(record, make_evaluation(), folder))
    assert "the leading ones again on further splits (7 times)" in said["Time"]
    assert said["More time"].startswith("More time would not help. ")
    assert "0.001 ± 0.004" in said["More time"] and "45 tries / 1 min 35 s" in said["More time"]
    assert "More time" not in by_head(summarize(make_record(), make_evaluation(), folder))


def test_the_guess_has_the_decimals_of_the_score(folder: Path) -> None:
    whole = make_evaluation(regression=True)
    assert whole.residuals is not None
    typical = whole.residuals.typical.model_copy(update={"value": 1.9, "low": 1.7, "high": 2.1})
    exact = whole.residuals.model_copy(update={"typical": typical, "typical_guess": 2.0})
    told = by_head(summarize(make_record(classes=()), whole.model_copy(update={"residuals": exact}), folder))
    assert "off by 1.9 (1.7 to 2.1)" in told["How well"] and told["How well"].endswith("off by 2.0.")


def test_the_guess_is_the_most_frequent_class_whatever_the_metric_makes_of_it(folder: Path) -> None:
    tuned = make_evaluation().model_copy(update={"usual": "no", "usual_share": 0.61})
    assert "Always answering no: 61 in 100." in by_head(summarize(make_record(), tuned, folder))["How well"]


def test_what_the_end_cut_off_is_counted_by_name(folder: Path) -> None:
    record = make_record().model_copy(update={"unfinished": ("LightGBM #1",)})
    time = by_head(summarize(record, make_evaluation(), folder))["Time"]
    assert "1 was still running when time was up: LightGBM #1" in time
    stopped = record.model_copy(update={"status": "interrupted"})
    assert "when the search was stopped" in by_head(summarize(stopped, None, folder))["Time"]


def test_the_warnings_that_bear_most_on_the_score_come_first(folder: Path) -> None:
    codes = ("AD001", "AD002", "AD003", "AD005", "AD013", "AD012")
    found = tuple(FindingRow(code=c, severity="warns", column=None, message=f"{c} is so.") for c in codes)
    lines = summarize(make_record().model_copy(update={"findings": found}), make_evaluation(), folder)
    start = [line.head for line in lines].index("Look at")
    assert [line.text for line in lines[start : start + 4]] == [
        "AD012 is so.", "AD013 is so.", "AD003 is so.", "and 3 more findings, all in the report.",
    ]  # fmt: skip


def test_a_level_on_one_side_is_no_typical_answer(folder: Path) -> None:
    below = LevelCheck(level=0.9, below=Interval(value=0.875, low=0.84, high=0.905, n=18))
    evaluation = make_evaluation(regression=True).model_copy(update={"quantiles": QuantileCheck(levels=(below,))})
    said = by_head(summarize(make_record(classes=()), evaluation, folder))
    assert said["How well"] == (
        "87.5 % [84.0, 90.5] of 18 held-back rows lie at or below the 90 % quantile; it should be 90 %."
    )
