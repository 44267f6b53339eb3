"""The leaderboard and who beats whom."""

from __future__ import annotations

import math

from autodl.records import Comparison, Interval
from autodl.report import format as fmt
from autodl.report.elements import Column, Strip, Table
from autodl.report.facts import Facts, metric_words
from autodl.report.sections.combining import compared
from autodl.report.text import clean, shorten
from autodl.report.view import Board, BoardRow, Versus, VersusRow

MAX_ROWS = 40


def places_for(intervals: list[Interval]) -> int:
    """Common decimals of a column: those the tightest interval supports, at most five of everyday numbers."""
    found = [fmt.decimals(i.low, i.high) for i in intervals if i.high > i.low]
    return fmt.at_most(max(found, default=3), [i.value for i in intervals])


def _axis(values: list[float]) -> tuple[float, float]:
    finite = [v for v in values if math.isfinite(v)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    pad = (high - low) * 0.04 or abs(high) * 0.05 or 1.0
    return low - pad, high + pad


def _at(value: float, axis: tuple[float, float]) -> float:
    if not math.isfinite(value):
        return 0.0 if value != math.inf else 100.0
    return round(100 * (min(max(value, axis[0]), axis[1]) - axis[0]) / (axis[1] - axis[0]), 2)


def board(facts: Facts) -> Board:
    """The section; from the trials alone when nothing was tested."""
    return _tested(facts) if facts.evaluation else _untested(facts)


def _tested(facts: Facts) -> Board:
    e = facts.evaluation
    assert e is not None
    metric = metric_words(e.metric, facts.metric.greater_is_better)
    models = e.models[:MAX_ROWS]
    tests = [m.test for m in models if m.test]
    axis = metric.within(*_axis([v for t in tests for v in (t.low, t.high)]))
    # One digit more than a single score deserves: rows are compared with one another.
    places = fmt.at_most(places_for(tests) + 1, [t.value for t in tests])
    guess = facts.baseline.test.value if facts.baseline and facts.baseline.test else None
    rows = []
    for m in models:
        roles = [
            *(["chosen"] if m.name == e.leader else []),
            *(["recommended"] if m.name == e.recommended and e.recommended != e.leader else []),
            *(["the guess"] if m.name == e.baseline else []),
            *(["beyond the limits"] if not m.within_limits else []),
            *(["tied"] if m.tied_with_leader and m.name != e.leader else []),
        ]
        strip = None
        text = interval = fmt.MISSING
        if m.test:
            text = fmt.fixed(m.test.value, places)
            interval = f"{fmt.fixed(m.test.low, places)} to {fmt.fixed(m.test.high, places)}"
            strip = Strip(
                _at(m.test.value, axis), _at(m.test.low, axis), _at(m.test.high, axis),
                None if guess is None else _at(guess, axis), f"{m.name}: {text} ({interval}), n = "
                                                             f"{fmt.count(m.test.n)}",
            )  # fmt: skip
        rows.append(
            BoardRow(
                name=shorten(m.name, 40),
                family="" if facts.family_name(m.family).lower() in m.name.lower() else facts.family_name(m.family),
                role=", ".join(roles),
                strip=strip,
                score=text,
                interval=interval,
                validation=fmt.MISSING if m.validation is None else fmt.fixed(m.validation, places),
                fit=fmt.seconds(m.fit_s) if m.fit_s else fmt.MISSING,
                speed=fmt.milliseconds(m.predict_ms_per_row),
                size=fmt.size(m.size_bytes),
                tied=m.tied_with_leader or m.name == e.leader,
                leader=m.name == e.leader,
            )
        )
    order = "higher is better" if metric.greater_is_better else "lower is better"
    intro = (
        f"{metric.name} ({order}) on {fmt.plural(e.n_test, 'row')} that took no part in training or choosing. The "
        "dot is "
        "the score, the line its 95 % interval, the dashed line the guess. Models inside the bracket cannot be told "
        "apart from the chosen one."
    )
    note = f"Trained on {fmt.plural(e.n_train, 'row')}. " + " ".join(clean(n) for n in e.notes)
    if e.optimism is not None and e.optimism.low > 0:
        note += (
            f" The search's own (validation) score was too rosy by {fmt.estimate(e.optimism)}; the held-back rows "
            "do not "
            "suffer from that."
        )
    note += _splits(facts, [m.name for m in models])
    if e.recommended_why:
        why = fmt.without_exponents(clean(e.recommended_why))
        note += f" {why}" if why.startswith(e.recommended) else f" {e.recommended}: {why}"
    return Board(
        intro, metric.name, (fmt.fixed(axis[0], places), fmt.fixed(axis[1], places)), tuple(rows), note.strip(),
        _all_metrics(facts), _members(facts), compared(facts),
    )  # fmt: skip


def _splits(facts: Facts, shown: list[str]) -> str:
    """Which of the models shown were checked on more than one split into folds."""
    checked: dict[int, list[str]] = {}
    for t in facts.trials:
        if t.n_splits > 1 and facts.trial_name(t.spec) in shown:
            checked.setdefault(t.n_splits, []).append(shorten(facts.trial_name(t.spec), 40))
    folds = facts.plan.validation.n_folds
    parts = [f"{fmt.words(names)} on {n} × {folds} folds" for n, names in sorted(checked.items(), reverse=True)]
    return f" In validation, {'; '.join(parts)} (means over the splits)." if parts else ""


def _untested(facts: Facts) -> Board:
    best: dict[str, tuple[float, int]] = {}
    for i, t in enumerate(facts.done):
        if t.loss is not None and t.loss < best.get(t.spec.family, (math.inf, 0))[0]:
            best[t.spec.family] = (t.loss, i)
    rows = []
    places = fmt.common_places([t.score or 0.0 for t in facts.done])
    for _, (_, i) in sorted(best.items(), key=lambda kv: kv[1]):
        t = facts.done[i]
        cost = t.cost
        rows.append(
            BoardRow(
                shorten(facts.trial_name(t.spec), 40), facts.family_name(t.spec.family), "", None,
                fmt.MISSING, fmt.MISSING,
                fmt.fixed(t.score if t.score is not None else math.nan, places),
                fmt.seconds(t.fit_s) if cost else fmt.MISSING,
                fmt.milliseconds((t.whole_need.ms_per_1000 or 0.0) / 1000.0) if cost else fmt.MISSING,
                fmt.size(t.need.size_bytes or 0), False, False,
            )
        )  # fmt: skip
    intro = (
        f"The best of each kind by its validation score ({facts.metric.name}). No model has been tested on "
        "held-back rows, "
        "so there are no intervals and no ranks to trust yet."
        if rows
        else "No model has been scored yet."
    )
    return Board(intro, facts.metric.name, ("", ""), tuple(rows), "", None, _members(facts), compared(facts))


def _all_metrics(facts: Facts) -> Table | None:
    models = [m for m in facts.evaluation.models if m.metrics] if facts.evaluation else []
    keys = list(dict.fromkeys(k for m in models for k in m.metrics))
    if not models or not keys:
        return None
    rows = []
    for key in keys:
        found = [m.metrics[key] for m in models if key in m.metrics]
        places = places_for(found)
        words = metric_words(key)
        arrow = "↑" if words.greater_is_better else "↓"
        rows.append(
            (
                f"{words.name} {arrow}",
                *(str(fmt.estimate(m.metrics[key], places)) if key in m.metrics else fmt.MISSING for m in models),
            )
        )
    columns = (Column("Metric"), *(Column(shorten(m.name, 32), True) for m in models))
    n = facts.evaluation.n_test if facts.evaluation else 0
    return Table(
        "All metrics with 95 % intervals",
        columns,
        tuple(rows),
        f"↑ higher is better, ↓ lower is better. n = {fmt.count(n)}.",
    )


def _members(facts: Facts) -> Table | None:
    if facts.ensemble is None or len(facts.ensemble.members) < 2:
        return None
    ids = {t.spec.id: t for t in facts.trials}
    rows = []
    for m in sorted(facts.ensemble.members, key=lambda m: -m.weight):
        trial = ids.get(m.trial_id)
        name = facts.trial_name(trial.spec) if trial else facts.names.get(m.trial_id, m.trial_id)
        rows.append((shorten(name, 40), facts.family_name(m.family), f"{100 * m.weight:.0f} %", settings(trial)))
    return Table(
        "What the ensemble is made of",
        (Column("Model"), Column("Kind"), Column("Weight", True), Column("Settings")),
        tuple(rows),
        fmt.without_exponents(clean(facts.ensemble.why)),
    )


def settings(trial: object) -> str:
    """A trial's configuration in one line."""
    from autodl.records import TrialResult

    if not isinstance(trial, TrialResult) or not trial.spec.config:
        return "defaults"
    parts = []
    for key, value in trial.spec.config.items():
        shown = fmt.number(value) if isinstance(value, float) else shorten(value, 24)
        parts.append(f"{shorten(key, 32)} = {shown}")
    return ", ".join(parts)


def versus(facts: Facts) -> Versus | None:
    """The leader against every other tested model, or None."""
    e = facts.evaluation
    if e is None:
        return None
    found = [c for c in (facts.versus(m.name) for m in e.models if m.name != e.leader) if c is not None][:MAX_ROWS]
    if not found:
        return None
    near = [c for c in found if c.b != e.baseline] or found
    axis = _axis([0.0, *(v for c in near for v in (c.low, c.high))])
    places = fmt.at_most(max(fmt.decimals(c.low, c.high) for c in found), [c.difference for c in found])
    word = {"better": "better", "worse": "worse", "tie": "tie"}
    rows = tuple(
        VersusRow(
            other=shorten(c.b, 40),
            strip=_difference(c, axis, f"{e.leader} minus {c.b}: {fmt.fixed(c.difference, places)}"),
            difference=f"{fmt.fixed(c.difference, places)} ({fmt.fixed(c.low, places)} to "
                       f"{fmt.fixed(c.high, places)})",
            p=fmt.p_cell(c.p_value),
            p_holm=fmt.p_cell(c.p_holm),
            effect=fmt.fixed(c.effect, 1),
            verdict=word[c.verdict],
        )
        for c in found
    )  # fmt: skip
    n = found[0].n
    metric = metric_words(found[0].metric, facts.metric.greater_is_better).name
    intro = (
        f"{e.leader} against each other model on the same {fmt.plural(n, 'row')} (paired). Right of the dashed line "
        f"{e.leader} is better in {metric}; where p after correction is not below 0.05, it is a tie."
    )
    methods = fmt.words(list(dict.fromkeys(clean(c.method) for c in found)))
    note = (
        f"n = {fmt.count(n)}. Method: {methods}; {fmt.plural(len(found), 'comparison')}, p-values corrected after "
        "Holm "
        "(1979). The intervals are of one comparison each. Effect: difference over its standard error."
    )
    return Versus(intro, (fmt.fixed(axis[0], places), fmt.fixed(axis[1], places)), _at(0.0, axis), rows, note)


def _difference(c: Comparison, axis: tuple[float, float], hint: str) -> Strip | None:
    if not axis[0] <= c.difference <= axis[1]:
        return None
    return Strip(_at(c.difference, axis), _at(c.low, axis), _at(c.high, axis), _at(0.0, axis), hint)
