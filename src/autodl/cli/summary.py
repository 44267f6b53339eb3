"""The end of a run in plain words: what, how well, may I trust it, where, what next."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autodl.cli.words import in_hundred, interval_decimals, listed, plural, rounded, with_interval
from autodl.duration import format_duration

if TYPE_CHECKING:
    from rich.console import Console

    from autodl.records import Evaluation, ModelScore, Profile, RunRecord

_WARNINGS_SHOWN = 3
_TOO_FEW = 10
"""Test rows below which shares say nothing."""


@dataclass(frozen=True)
class Line:
    """One entry of the summary: a short heading and its text; ``verbatim`` text is never wrapped."""

    head: str
    text: str
    verbatim: bool = False


def summarize(
    record: RunRecord,
    evaluation: Evaluation | None,
    folder: Path,
    names: dict[str, str] | None = None,
    profile: Profile | None = None,
    n_timeouts: int = 0,
    shared: bool = True,
) -> list[Line]:
    """The summary as lines of text.

    Args:
        record: The finished (or interrupted) run.
        evaluation: What the test rows said; None if the run did not get that far.
        folder: The run folder.
        names: Metric key to the name for people.
        profile: Of the data; says what was guessed.
        n_timeouts: Those of the failed trials that ran out of time.
        shared: Whether a comparison of architectures in one network began, where one was asked for.
    """
    from autodl.report.limits import verdict
    from autodl.report.more_time import judged
    from autodl.report.using import predict_command

    lines = _only_guess(record, evaluation) + _never_shared(record, shared)
    lines.append(Line("Predicts", _what(record)))
    if profile is not None and (taken := _taken(profile)):
        lines.append(Line("Taken", taken))
    if evaluation is not None:
        lines += _how_well(record, evaluation, names or {})
        lines += _intervals(evaluation)
        lines += _models(evaluation)
    elif record.status == "interrupted":
        lines.append(Line("How well", "Not tested: the run was stopped before the test rows could be opened."))
    if record.limits.any:
        lines.append(Line("Limits", verdict(record.limits, record.takes)))
    lines += _warnings(record)
    lines.append(Line("Time", _time(record, n_timeouts)))
    if (more := judged(record.more_time)) is not None:
        lines.append(Line("More time", " ".join(more)))
    if (folder / "report.html").exists():
        lines.append(Line("Report", str(folder / "report.html"), verbatim=True))
    if (folder / "model").exists():
        lines.append(Line("Model", str(folder / "model"), verbatim=True))
        command = predict_command(folder, None if profile is None else profile.read)
        lines.append(Line("Use it", command, verbatim=True))
    return lines


def print_summary(console: Console, lines: list[Line]) -> None:
    """Print the lines with a hanging indent, as wide as the terminal but no wider than reads well."""
    from rich.padding import Padding
    from rich.text import Text

    indent = 12
    width = max(40, min(console.width, 100))
    console.print()
    for line in lines:
        if line.verbatim:
            # Paths and commands are to be copied: they stay on one logical line however narrow the window is.
            console.print(Text.assemble((f"{line.head:<{indent}}", "bold"), line.text), soft_wrap=True)
            continue
        body = Text(line.text).wrap(console, width - indent)
        for nth, part in enumerate(body):
            head = Text(f"{line.head if nth == 0 else '':<{indent}}", style="bold")
            console.print(Padding(Text.assemble(head, part), 0, expand=False), soft_wrap=True)
    console.print()


def _intervals(evaluation: Evaluation) -> list[Line]:
    """How often the widest prediction interval held, and levels of which nothing is known; quantiles only."""
    from autodl.quantiles import unknowable
    from autodl.report.sections.intervals import interval_sentence

    if evaluation.quantiles is None:
        return []
    lines, check, n = [], evaluation.quantiles, evaluation.n_train + evaluation.n_test
    if check.intervals:
        text = interval_sentence(check.intervals[0], evaluation.n_test)
        lines.append(Line("Intervals", text[:1].upper() + text[1:]))
    if few := unknowable([c.level for c in check.levels], n):
        named = listed([f"{level:g}" for level in few])
        text = f"{plural(n, 'row')} are too few to know the quantile{'s' if len(few) > 1 else ''} {named}."
        lines.append(Line("Careful", text))
    return lines


def _only_guess(record: RunRecord, evaluation: Evaluation | None) -> list[Line]:
    """The warning that nothing but the guess was trained; none with a model, or where no other was asked."""
    from autodl.report.only_guess import only_guess

    text = only_guess(record, evaluation)
    return [Line("Attention", text)] if text else []


def _never_shared(record: RunRecord, shared: bool) -> list[Line]:
    """The warning that the comparison of architectures that was asked for did not begin."""
    if shared or record.options.get("nas") != "supernet":
        return []
    return [
        Line("Attention", "The comparison of architectures (--nas supernet) never began: it needs two trained "
             "networks first. Give more time.")
    ]  # fmt: skip


def _what(record: RunRecord) -> str:
    if not record.classes:
        return f"{record.target}, a number."
    return f"{record.target}: {listed(record.classes, last='or')}."


def _taken(profile: Profile) -> str:
    """What was guessed, why, and how to say otherwise; empty where the user said everything."""
    target = profile.target
    if not (target.guessed or target.task_guessed):
        return ""
    parts = [f"target '{target.name}' (guessed: {_reason(target.why)})"] if target.guessed else []
    parts.append(f"task {target.task.value} ({'guessed: ' * target.task_guessed}{_reason(target.task_why)})")
    options = "/".join(["--target"] * target.guessed + ["--task"])
    return f"{', '.join(parts)}; pass {options} to change."


def _reason(why: str) -> str:
    """The sentences that give the reason, without those that name an option, for the inside of a bracket."""
    sentences = re.split(r"(?<=[.]) +", " ".join(why.removeprefix("Guessed: ").split()))
    text = " ".join(s for s in sentences if " --" not in s).rstrip(".") or "by its values"
    return text[0].lower() + text[1:] if text[:2].istitle() else text


def _find(evaluation: Evaluation, name: str) -> ModelScore | None:
    return next((m for m in evaluation.models if m.name == name), None)


def _how_well(record: RunRecord, evaluation: Evaluation, names: dict[str, str]) -> list[Line]:
    from autodl.report.sections.intervals import level_sentence, one_sided

    leader, base = _find(evaluation, evaluation.leader), _find(evaluation, evaluation.baseline)
    lines: list[Line] = []
    rows, worth = plural(evaluation.n_test, "row"), evaluation.worth
    seen, few = f"On {rows} never seen", (evaluation.n_test if worth is None else worth) < _TOO_FEW
    if worth is not None:
        seen += f" (weighted: they tell about as much as {plural(round(worth), 'row')} of equal weight)"
    if level := one_sided(evaluation):
        text = level_sentence(level, evaluation.n_test)
        lines.append(Line("How well", text + (" Too few rows to conclude anything." if few else "")))
    elif evaluation.residuals is not None:
        typical = evaluation.residuals.typical
        places = interval_decimals(typical.low, typical.high, typical.value)
        middle = evaluation.residuals.typical_guess
        lines.append(
            Line(
                "How well",
                f"{seen}, typically off by {with_interval(typical.value, typical.low, typical.high)}. "
                "Always answering the middle value of the training rows: off by "
                f"{rounded(middle, places)}." + (" Too few rows to conclude anything." if few else ""),
            )
        )
    elif few:
        right = record.test.get("accuracy")
        known = (
            f", right {plural(round(right.value * right.n), 'time')}"
            if right and math.isfinite(right.value) and worth is None
            else ""
        )
        return [Line("How well", f"{seen}{known}: too few rows to conclude anything.")]
    elif (right := record.test.get("accuracy")) is not None:
        text = (
            f"{seen}, right {in_hundred(right.value)} times "
            f"(95 % interval: {100 * max(0.0, right.low):.0f} to {100 * min(1.0, right.high):.0f})."
        )
        if evaluation.usual_share is not None:
            text += f" Always answering {evaluation.usual}: {in_hundred(evaluation.usual_share)}."
        elif base is not None and (guess := base.metrics.get("accuracy")) is not None:
            text += f" Guessing: {in_hundred(guess.value)}."
        lines.append(Line("How well", text))
    if leader is not None and leader.test is not None:
        score = leader.test
        name = names.get(evaluation.metric, evaluation.metric)
        text = f"{name} {with_interval(score.value, score.low, score.high)}"
        if evaluation.metric in ("rmse", "mse"):
            text += " (large misses count more)"
        places = interval_decimals(score.low, score.high, score.value)
        if base is not None and base.test is not None:
            guessed = base.test.value
            text += f"; guessing: {rounded(guessed, places)}"
        head = "Score" if lines else "How well"
        lines.append(Line(head, f"{text}." if lines else f"{seen}: {text}."))
    return lines


def _models(evaluation: Evaluation) -> list[Line]:
    if evaluation.worse_than_guessing:
        return [
            Line(
                "Models",
                f"{evaluation.leader} was the best in validation, but on the rows never seen it is worse than "
                f"{evaluation.baseline}: do not use it before you know why (the report says what to look at).",
            )
        ]
    tied = [m.name for m in evaluation.models if m.tied_with_leader and m.name != evaluation.leader]
    if not tied:
        return [Line("Models", f"{evaluation.leader} was chosen.")]
    unproven = ""
    if evaluation.baseline in tied:
        unproven = f" It is not shown to be better than {evaluation.baseline}."
    text = f"{evaluation.leader} was chosen, but cannot be told apart from {listed(tied, most=4)} on these rows."
    if evaluation.recommended != evaluation.leader:
        which = "A quicker one" if evaluation.only_quicker else "The simplest"
        text += f" {which} that keeps nearly all of its lead over guessing: {evaluation.recommended}."
    return [Line("Models", text + unproven)]


def _warnings(record: RunRecord) -> list[Line]:
    from autodl.report.urgency import urgency

    found = sorted((f for f in record.findings if f.severity == "warns"), key=lambda f: urgency(f.code))
    if not found:
        return []
    lines = [
        Line("Look at" if n == 0 else "", " ".join(f.message.split())) for n, f in enumerate(found[:_WARNINGS_SHOWN])
    ]
    if len(found) > _WARNINGS_SHOWN:
        lines.append(Line("", f"and {plural(len(found) - _WARNINGS_SHOWN, 'more finding')}, all in the report."))
    return lines


def _time(record: RunRecord, n_timeouts: int) -> str:
    given = f" of {format_duration(record.budget.given_s)}" if record.budget.given_s else ""
    text = f"{format_duration(record.budget.used_s)}{given}, {plural(record.n_trials, 'model')} tried"
    if record.n_again:
        text += f", the leading ones again on further splits ({plural(record.n_again, 'time')})"
    broken = [f"{n_timeouts} ran out of time"] * (n_timeouts > 0)
    if (failed := record.n_failed - n_timeouts) > 0:
        broken.append(f"{failed} failed")
    if broken:
        text += f", {', '.join(broken)} (the report says why)"
    if record.unfinished:
        verb = "was" if len(record.unfinished) == 1 else "were"
        end = "the search was stopped" if record.status == "interrupted" else "time was up"
        text += f"; {len(record.unfinished)} {verb} still running when {end}: {listed(record.unfinished, most=4)}"
    return f"{text}; stopped before the end." if record.status == "interrupted" else f"{text}."
