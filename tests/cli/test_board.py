from __future__ import annotations

from cli_fakes import make_plan, make_profile, make_result, tell_story

from autodl.cli.board import Board, guesses, plan_sentence
from autodl.events import TrialFinished


def finish(board: Board, trial: str, family: str, loss: float | None, origin: str = "default") -> None:
    board.take(
        TrialFinished(make_result(trial, family, loss, origin), f"{family} {trial}", best=False, elapsed_s=1.0)
    )


def test_the_leaderboard_holds_the_best_of_each_family_best_first() -> None:
    board = Board()
    for trial, (family, loss) in enumerate([("a", 0.3), ("b", 0.2), ("a", 0.1), ("a", 0.4), ("c", None)]):
        finish(board, str(trial), family, loss)
    assert [(r.name, r.loss, r.tried) for r in board.rows()] == [("a 2", 0.1, 3), ("b 1", 0.2, 1)]
    assert (board.n_finished, board.n_failed) == (5, 1)
    assert len(board.rows(1)) == 1


def test_skill_is_zero_for_guessing_and_one_for_perfection() -> None:
    board = Board()
    assert board.skill(0.1) is None
    finish(board, "0", "guess", 0.5, origin="baseline")
    assert [board.skill(loss) for loss in (0.5, 0.25, 0.0)] == [0.0, 0.5, 1.0]
    assert board.rows() == []
    assert board.baseline_row() is not None


def test_the_family_that_learns_nothing_is_the_baseline() -> None:
    from autodl.models.base import families

    key = next(k for k, f in families.items() if f.complexity == 0)
    board = Board()
    finish(board, "0", key, 0.5)
    assert board.rows() == []
    assert board.skill(0.25) == 0.5


def test_a_perfect_baseline_leaves_nothing_to_compare_with() -> None:
    board = Board()
    finish(board, "0", "guess", 0.0, origin="baseline")
    assert board.skill(0.0) is None


def test_a_trial_is_in_training_from_start_to_finish() -> None:
    board = Board()
    seen: list[int] = []

    def watch(event: object) -> None:
        board.take(event)  # type: ignore[arg-type]
        seen.append(len(board.training))

    tell_story(watch)
    assert max(seen) == 1
    assert board.training == {}


def test_guesses_are_said_with_the_option_that_changes_them() -> None:
    said = guesses(make_profile(guessed=True))
    assert "--target" in said[0]
    assert "--task" in said[1]
    assert guesses(make_profile(guessed=False)) == []
    told = make_profile()
    target = told.target.model_copy(update={"why": "Its name. Pass --target COLUMN for another."})
    assert guesses(told.model_copy(update={"target": target}))[0].count("--target") == 1
    assert "'bought' (classification, 2 classes)" in plan_sentence(make_profile(), make_plan())


def test_further_splits_are_no_further_models() -> None:
    board = Board()
    finish(board, "1", "a", 0.3)
    for loss in (0.1, None):
        known = make_result("2", "a", loss)
        again = known.model_copy(update={"spec": known.spec.model_copy(update={"repeats": "1", "split": 1})})
        board.take(TrialFinished(again, "a 2", best=False, elapsed_s=1.0))
    assert (board.n_finished, board.n_failed) == (1, 0)
    assert [r.loss for r in board.rows()] == [0.3]
