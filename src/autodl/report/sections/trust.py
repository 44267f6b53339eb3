"""May I trust it: short statements, each with its reason and a link to the evidence."""

from __future__ import annotations

from autodl.records import Curve, Evaluation, Finding, Severity
from autodl.report import format as fmt
from autodl.report.elements import Statement
from autodl.report.facts import Facts, metric_words
from autodl.report.only_guess import only_guess
from autodl.report.sections.intervals import interval_statement
from autodl.report.text import clean, code, term
from autodl.report.urgency import URGENT, urgency

HONEST = 0.05
"""Mean gap between stated and observed probability below which probabilities are called honest."""
TELLS = 0.1
"""Upper end of that gap's interval from which on the rows are too few to call probabilities honest."""
FEW_ROWS = 100
TOO_FEW = 10
"""Held-back rows below which shares and their intervals say nothing."""
PROBLEMS = {"AD021": "Too few rows"}
"""Checks whose title names what is wished for: what to call them when they warn."""


def statements(facts: Facts) -> tuple[Statement, ...]:
    """The statements, the most decisive first."""
    out = [_better(facts)]
    if facts.evaluation is not None:
        out += [_few(facts), _ties(facts, facts.evaluation), _calibration(facts, facts.evaluation)]
        out += [interval_statement(facts.evaluation, facts.solid_rows < TOO_FEW)]
        out += [_beaten(facts, facts.evaluation), *_segments(facts, facts.evaluation)]
    out += [*_warnings(facts), _limits(facts)]
    return tuple(s for s in out if s is not None)


def _better(facts: Facts) -> Statement | None:
    evaluation = facts.evaluation
    if evaluation is None:
        return Statement(
            "unknown", "Open", "Not tested yet", "the held-back rows have not been opened, so nothing here is "
                                                 "proven.",
            "#search",
        )  # fmt: skip
    if evaluation.leader == evaluation.baseline:
        # The guess leads only where nothing else was scored: it says nothing of what the columns hold.
        reason = only_guess(facts.run, evaluation) or "No other model was scored, so the guess itself is delivered."
        return Statement("care", "No", "Nothing but a guess:", reason, "#search")
    c = facts.versus_baseline
    if c is None:
        return Statement(
            "unknown", "Open", "Better than guessing?", "this was not tested; compare the scores.", "#leaderboard"
        )
    places = fmt.decimals(c.low, c.high)
    reason = (
        f"{facts.metric.name} differs by {fmt.fixed(c.difference, places)} (95 % interval {fmt.fixed(c.low, places)} "
        f"to {fmt.fixed(c.high, places)}) on {fmt.plural(c.n, 'row')}, {term('p', fmt.p_value(c.p_holm))}."
    )
    if c.verdict == "better" and evaluation.worth is not None and facts.solid_rows < TOO_FEW:
        # A handful of rows that outweigh all others agree with themselves: their interval is of no use.
        return Statement("care", "Careful", "Better than guessing?", reason, "#versus")
    if c.verdict == "better":
        return Statement("holds", "Yes", "Better than guessing:", reason, "#versus")
    lead = "Not shown to be better than guessing:" if c.verdict == "tie" else "Worse than guessing:"
    return Statement("care", "No", lead, reason, "#versus")


def _few(facts: Facts) -> Statement | None:
    solid = facts.solid_rows
    if facts.evaluation is None or solid >= FEW_ROWS:
        return None
    rows = fmt.plural(facts.evaluation.n_test, "row")
    held = f"only {rows} could be held back"
    if facts.evaluation.worth is not None:
        held = f"the {rows} held back tell only about as much as {fmt.count(round(solid))} of equal weight"
    body = f"{held}, too few rows to conclude anything." if solid < TOO_FEW else f"{held}, so the intervals are wide."
    return Statement(
        "care", "Careful", "Few rows behind the score:",
        body, "#leaderboard",
    )  # fmt: skip


def _ties(facts: Facts, evaluation: Evaluation) -> Statement | None:
    tied = [m.name for m in evaluation.models if m.tied_with_leader and m.name != evaluation.leader]
    if not tied or evaluation.leader == evaluation.baseline:
        return None
    shown = fmt.words([*tied[:2], f"{len(tied) - 2} more"] if len(tied) > 3 else tied)
    if evaluation.recommended != evaluation.leader and evaluation.recommended in tied:
        others = [t for t in tied if t != evaluation.recommended]
        how = "quicker" if evaluation.only_quicker else "simpler"
        return Statement(
            "note", "Tie", f"A {how} model does as well:",
            f"{evaluation.recommended} cannot be told apart from {evaluation.leader} on these rows"
            + (f"; neither can {fmt.words(others[:2])}" if others else "")
            + ".",
            "#versus",
        )  # fmt: skip
    return Statement(
        "note", "Tie", "Not alone at the top:",
        f"on these rows {evaluation.leader} cannot be told apart from {shown}.", "#versus",
    )  # fmt: skip


def _beaten(facts: Facts, evaluation: Evaluation) -> Statement | None:
    """The choice was made by validation; say so when the held-back rows would have chosen otherwise."""
    found = [c for c in (facts.versus(m.name) for m in evaluation.models) if c is not None and c.verdict == "worse"]
    found = [c for c in found if c.b != evaluation.baseline]
    if not found:
        return None
    best = min(found, key=lambda c: c.difference)
    places = fmt.decimals(best.low, best.high)
    return Statement(
        "note",
        "Note",
        f"{best.b} did better on these rows:",
        f"by {fmt.fixed(-best.difference, places)} in {facts.metric.name} (95 % interval "
        f"{fmt.fixed(-best.high, places)} to "
        f"{fmt.fixed(-best.low, places)}). The choice stands: choosing by the held-back rows would spoil them as a "
        "test.",
        "#versus",
    )


def lean(curve: Curve, binary: bool) -> float:
    """How far stated confidence exceeds what happens, weighted by what rows count; positive means too sure.

    Two classes: the curve is of P(positive), so confidence lies on either side of one half. Otherwise x is the
    probability of the answer given.
    """
    weights = curve.mass or curve.counts or (1,) * len(curve.x)
    total = sum(weights) or 1
    signed = (
        (x - y) * (1 if not binary or x >= 0.5 else -1) * w for x, y, w in zip(curve.x, curve.y, weights, strict=True)
    )
    return sum(signed) / total


def _calibration(facts: Facts, evaluation: Evaluation) -> Statement | None:
    ece = evaluation.calibration_error
    if ece is None or facts.solid_rows < TOO_FEW:
        return None
    places = 1 if ece.high < 0.1 else 0
    link = "#curves"
    most = fmt.fixed(max(100 * ece.high, 0.1), places) if places else fmt.count(100 * ece.high)
    if ece.value <= HONEST and ece.high >= TELLS:
        # A handful of rows shows no gap even where probabilities are far too sure.
        reason = (
            f"too few rows to tell: stated and observed shares may differ by up to {most} in 100 on average "
            f"(n = {fmt.count(ece.n)})."
        )
        return Statement("unknown", "Open", f"Are its {term('calibration', 'probabilities')} honest?", reason, link)
    if round(100 * ece.value, places) <= 0:
        # The estimate is corrected for the gap that chance makes and cut at zero: it is not a measured gap of zero.
        reason = (
            "stated and observed shares differ by no more than chance would make "
            f"(at most {most} in 100; n = {fmt.count(ece.n)})."
        )
        return Statement("holds", "Yes", f"Its {term('calibration', 'probabilities')} are honest:", reason, link)
    mean, low, high = (fmt.fixed(100 * v, places) for v in (ece.value, ece.low, ece.high))
    low = "0" if round(100 * ece.low, places) == 0 else low
    off = f"stated and observed shares differ by {mean} in 100 on average"
    span = f" (interval {low} to {high}; n = {fmt.count(ece.n)})"
    if ece.value <= HONEST:
        return Statement(
            "holds", "Yes", f"Its {term('calibration', 'probabilities')} are honest:", f"{off}{span}.", link
        )
    side = lean(evaluation.calibration[0], len(facts.classes) == 2) if evaluation.calibration else 0.0
    lead = "too sure" if side > HONEST / 4 else "too cautious" if side < -HONEST / 4 else "uneven"
    certain = "" if ece.low > HONEST else "; with so few rows this may be chance"
    return Statement(
        "care", "Careful", f"Its {term('calibration', 'probabilities')} are {lead}:", f"{off}{span}{certain}.", link
    )


def _segments(facts: Facts, evaluation: Evaluation) -> list[Statement]:
    sure = sorted((s for s in evaluation.segments if s.p_holm < 0.05), key=lambda s: s.p_holm)
    if not sure:
        return []
    s = sure[0]
    places = fmt.decimals(s.score.low, s.score.high, s.score.value)
    metric = metric_words(s.metric) if s.metric else facts.metric
    body = (
        f"{metric.name} {fmt.estimate(s.score)} there against {fmt.fixed(s.rest, places)} elsewhere "
        f"({fmt.plural(s.n, 'row')}, {fmt.p_value(s.p_holm)})"
    )
    more = f"; {fmt.plural(len(sure) - 1, 'more group')} below" if len(sure) > 1 else ""
    lead = f"Weaker where {code(s.column)} is {code(s.value, 32)}:"
    return [Statement("care", "Careful", lead, f"{body}{more}.", "#wrong")]


def warnings(facts: Facts) -> list[Finding]:
    """Findings a person should look at, those that bear on the score first."""
    found = [f for f in facts.profile.findings if f.severity is Severity.WARNS]
    return sorted(found, key=lambda f: (urgency(f.code), f.code))


def _warnings(facts: Facts) -> list[Statement]:
    """Each of the two most urgent in full, the others in one line."""
    found = warnings(facts)
    urgent = [f for f in found if f.code in URGENT][:2]
    rest = [f for f in found if f not in urgent]
    out = [Statement("care", "Look", f"{headline(f)}:", sentence(f.message), "#health") for f in urgent]
    if rest:
        lead = fmt.plural(len(rest), "data warning" if not urgent else "more data warning")
        named = [lowered(headline(f)) for f in rest[:3]]
        more = [f"{len(rest) - 3} more"] if len(rest) > 3 else []
        out.append(Statement("note", "Look", f"{lead}:", f"{fmt.words([*named, *more])}.", "#health"))
    return out


def headline(f: Finding) -> str:
    """The problem that a finding warns of, with its column or how many they are."""
    where = code(f.column) if f.column else fmt.plural(count, "column") if (count := counted(f)) else ""
    return f"{clean(PROBLEMS.get(f.code, f.title))}{' in ' if where else ''}{where}"


def counted(f: Finding) -> int:
    """The columns that a finding on several of them is about, the first of which it names; 0 for others."""
    columns = f.evidence.get("columns")
    return columns if isinstance(columns, int) and f.evidence.get("first") else 0


def lowered(text: str) -> str:
    """The text for the middle of a sentence; abbreviations such as ID stay as they are."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def sentence(text: str) -> str:
    """The text as it stands, closed by a full stop."""
    body = clean(text)
    return body if not body or body[-1] in ".?!" else f"{body}."


def _limits(facts: Facts) -> Statement:
    return Statement(
        "note", "Limits", "Not for", "rows unlike those in the file (other places, times or groups), for asking "
                                     "what would "
        "happen if a column were changed, or for decisions about people that nobody reviews.", "#card",
    )  # fmt: skip
