"""A run that made nothing but the guess: said in one sentence, with what would help."""

from __future__ import annotations

from autodl.records import Evaluation, RunRecord


def only_guess(record: RunRecord, evaluation: Evaluation | None, python: bool = False) -> str:
    """That no model was trained and why; empty with a model, or where no other than the guess was asked for.

    Args:
        record: Of the run.
        evaluation: What the test rows said, with the name of the guess.
        python: Whether options are named as in Python rather than as on the command line.
    """
    made = {row.family for row in record.leaderboard}
    base = next((m for m in evaluation.models if m.name == evaluation.baseline), None) if evaluation else None
    if base is None or made != {base.family} or str(record.options.get("families") or "") == base.family:
        return ""

    def option(name: str) -> str:
        return f"`{name}`" if python else f"--{name.replace('_', '-')}"

    most = record.options.get("max_trials")
    counted = isinstance(most, int) and record.n_trials >= most
    if record.status == "interrupted":
        text = f"No model was trained before the run was stopped; {option('resume')} goes on."
    elif counted:
        text = (
            f"No model was trained, for the only trial allowed is the guess; allow more with {option('max_trials')}."
        )
    elif record.budget.given_s is not None:
        text = f"No model was trained in the time; give more with {option('time_budget')}."
    else:
        text = "No model was trained; see in the report why the others failed."
    return f"{text} What is in place only guesses, without looking at any column."
