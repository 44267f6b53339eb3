from __future__ import annotations

import io
import time

import pytest
from cli_fakes import make_plan, make_profile, make_result, tell_story
from rich.console import Console

from autodl.cli.board import Board
from autodl.cli.live import LiveDisplay, draw
from autodl.cli.plain import PlainLines
from autodl.cli.screen import make_console
from autodl.events import PlanReady, StageStarted, TrialFinished, TrialStarted
from autodl.records import TrialStatus


def plain_lines(tell: object = tell_story) -> list[str]:
    stream = io.StringIO()
    tell(PlainLines(make_console(stream)))  # type: ignore[operator]
    return stream.getvalue().splitlines()


def test_plain_lines_say_each_thing_once_with_its_second() -> None:
    lines = plain_lines()
    assert [line.split()[0] for line in lines] == sorted((line.split()[0] for line in lines), key=float)
    text = "\n".join(lines)
    for part in ("plan: predicting 'bought'", "--target", "Guess #0: 0.5000", "(best so far)",
                 "Deep #2: failed (ValueError: bad luck)", "a [bold]literal[/bold] note"):  # fmt: skip
        assert part in text
    assert "\x1b" not in text


def test_plain_lines_speak_of_stages_metric_and_time_as_people_do() -> None:
    def tell(listener: PlainLines) -> None:
        tell_story(listener)
        late = {"status": TrialStatus.TIMEOUT, "error": "did not finish in its 5.9 s (0 of 5 folds done)"}
        result = make_result("late", "slow", None).model_copy(update=late)
        listener(TrialFinished(result, "Slow #9", best=False, elapsed_s=9.5))
        listener(StageStarted("refit", 10.0))

    text = "\n".join(plain_lines(tell))
    assert "training the final model on all rows" in text
    assert "ROC AUC" in text
    assert "roc_auc" not in text
    assert "Slow #9: ran out of time: needs more than the 5.9 s it had" in text


def test_a_new_leader_with_a_lower_score_is_explained() -> None:
    """Means over further splits are lower than the luckiest score on the first."""

    def tell(listener: PlainLines) -> None:
        for key, score in (("a", 0.91), ("b", 0.90), ("c", 0.92)):
            result = make_result(key, "slow", score).model_copy(update={"loss": 1 - score, "score": score})
            listener(TrialFinished(result, f"Slow {key}", best=True, elapsed_s=1.0))

    first, second, third = (line for line in plain_lines(tell) if "Slow" in line)
    assert first.endswith("(best so far)") and third.endswith("(best so far)")
    assert second.endswith("(best so far: who was better did worse on further splits)")


def test_nothing_is_said_to_train_once_the_search_is_over_or_stopped() -> None:
    for end in (lambda board: board.take(StageStarted("ensemble", 9.0)), Board.stop):
        board = story_board()
        spec = make_result("t9", "plain", 0.3).spec
        board.take(TrialStarted(spec, "Plain #9", 8.0))
        assert "training Plain #9" in rendered(board, 120)
        end(board)
        assert "training Plain #9" not in rendered(board, 120)


def test_a_long_search_does_not_flood_the_log() -> None:
    def tell(listener: PlainLines) -> None:
        for n in range(1000):
            listener(TrialFinished(make_result(str(n), "a", 0.5), f"a #{n}", best=n == 0, elapsed_s=n * 0.06))
        for n in range(100):
            listener(TrialFinished(make_result(f"f{n}", "b", None), f"b #{n}", best=False, elapsed_s=60.0))

    lines = plain_lines(tell)
    assert 3 <= sum("tried, best:" in line for line in lines) <= 5
    assert sum("failed" in line for line in lines) == 3
    assert len(lines) < 12


def rendered(board: Board, width: int, **given: float | int | None) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, markup=False)
    settings = {"elapsed_s": 12.0, "budget_s": 60.0, "max_trials": None, **given}
    console.print(draw(board, "shop.csv", **settings))  # type: ignore[arg-type]
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def story_board() -> Board:
    board = Board()
    tell_story(board.take)
    return board


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_panel_fits_the_terminal(width: int) -> None:
    shown = rendered(story_board(), width)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    assert "Plain #1" in shown
    assert width == 40 or "60 %" in shown  # loss 0.2 of the baseline's 0.5
    assert "a [bold]literal[/bold] note" in " ".join(shown.split())


def test_the_panel_counts_trials_when_there_is_no_time_budget() -> None:
    assert "3 of 9 trials" in rendered(story_board(), 100, budget_s=None, max_trials=9)
    assert "12 s" in rendered(Board(), 100, budget_s=None)


def test_the_live_panel_is_drawn_and_removed() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=90, markup=False)
    with LiveDisplay(console, "shop.csv", time.time(), 60.0, None) as display:
        tell_story(display)
        display.say(10.0, "stopping soon")
        display._live.refresh()
    text = stream.getvalue()
    assert "stopping soon" in text
    assert "Plain #1" in text
    assert text.rstrip().endswith("\x1b[2K")  # transient: the last thing done is to erase


def test_a_resumed_run_counts_the_seconds_before() -> None:
    display = LiveDisplay(Console(file=io.StringIO()), "shop.csv", time.time(), 60.0, None)
    display(PlanReady(make_profile(), make_plan(), 30.0))
    assert display._before == pytest.approx(30.0, abs=1.0)


def kept(trial: str, loss: float) -> TrialFinished:
    return TrialFinished(make_result(trial, "a", loss), f"a #{trial}", best=False, elapsed_s=1.0)


def test_a_resumed_run_names_the_best_model_of_its_earlier_part() -> None:
    def tell(listener: PlainLines) -> None:
        listener(PlanReady(make_profile(), make_plan(), 30.0, (kept("1", 0.1),)))
        listener(TrialFinished(make_result("2", "a", 0.3), "a #2", best=False, elapsed_s=50.0))
        listener(TrialFinished(make_result("3", "a", 0.2), "a #3", best=True, elapsed_s=51.0))

    _, second, third = (line for line in plain_lines(tell) if "note" not in line)
    assert second.endswith("2 models tried, best: a #1 0.9000")
    assert third.endswith("(best so far: who was better did worse on further splits)")


def test_a_resumed_run_shows_what_it_kept() -> None:
    board = Board()
    board.take(PlanReady(make_profile(), make_plan(), 30.0, (kept("1", 0.1),)))
    assert "a #1" in rendered(board, 100)
    again = make_result("2", "a", 0.4)
    again = again.model_copy(update={"spec": again.spec.model_copy(update={"repeats": "1", "split": 1})})
    board.take(TrialFinished(again, "a #1, split 2", best=False, elapsed_s=31.0))
    assert "2 of 9 trials" in rendered(board, 100, budget_s=None, max_trials=9)
    assert "1 model tried" in rendered(board, 100)
