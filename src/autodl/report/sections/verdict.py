"""The first screen: what it does, how good, may I trust it, what drives it, what next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from autodl.records import ColumnKind, Interval
from autodl.records.evaluation import ONE_CLASS
from autodl.report import format as fmt
from autodl.report.elements import Driver, Strip
from autodl.report.facts import Facts, metric_words
from autodl.report.sections.advice import next_steps
from autodl.report.sections.drives import bars, class_spoken_of, columns_measured
from autodl.report.sections.front import limit_statement
from autodl.report.sections.intervals import level_sentence, one_sided
from autodl.report.sections.trust import TOO_FEW, statements
from autodl.report.text import clean, code, shorten_apart, strong, term
from autodl.report.view import Verdict

CONCLUDE_NOTHING = "too few rows to conclude anything"


def verdict(facts: Facts) -> Verdict:
    """The first screen."""
    drivers = bars(facts, limit=5)
    score, strip, labels = _score(facts)
    limits = limit_statement(facts)
    return Verdict(
        purpose=purpose(facts),
        score=score,
        detail=_metric_sentence(facts),
        belongs=_belongs(facts),
        strip=strip,
        strip_labels=labels,
        statements=(*statements(facts), *([limits] if limits else [])),
        drivers=drivers,
        drivers_note=_drivers_note(facts, drivers),
        next_steps=next_steps(facts),
    )


def purpose(facts: Facts) -> str:
    """``Predicts `Survived` (0 / 1) from 9 columns.``"""
    target, n = facts.profile.target, len(facts.plan.features)
    if facts.classification:
        names = facts.classes
        short = shorten_apart(names, 24) if len(names) <= 5 else {}
        shown = " / ".join(code(c, short=short[clean(c)]) for c in names) if short else f"{len(names)} classes"
        what = f"{code(target.name)} ({shown})"
    elif target.numeric:
        what = f"{code(target.name)} (a number, {_span(facts)})"
    else:
        what = code(target.name)
    source = facts.profile.read.path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    where = f" of a row of {code(source)}" if source else ""
    text = set(facts.profile.columns.of_kind(ColumnKind.TEXT)).intersection(facts.plan.features)
    extra = f", {fmt.count(len(text))} of them free text" if text and len(text) < n else ""
    thing = facts.objects if n == 1 else ""
    return f"Predicts {what}{where} from {f'its {thing}' if thing else fmt.plural(n, 'column')}{extra}."


def _span(facts: Facts) -> str:
    stats = facts.profile.target.numeric
    return f"{fmt.number(stats.minimum)} to {fmt.number(stats.maximum)}" if stats else ""


def _score(facts: Facts) -> tuple[str, Strip | None, tuple[str, str, str]]:
    none = ("", "", "")
    if facts.evaluation is None:
        return _unscored(facts), None, none
    if facts.classification and (counts := facts.accuracy()):
        return _counts(facts, *counts)
    if level := one_sided(facts.evaluation):
        few = f" These are {CONCLUDE_NOTHING}." if facts.solid_rows < TOO_FEW else ""
        return f"{level_sentence(level, facts.evaluation.n_test)}{few}", None, none
    if not facts.classification and facts.evaluation.residuals:
        return _typical(facts, facts.evaluation.residuals.typical, facts.evaluation.residuals.typical_guess)
    leader = facts.leader
    if leader and leader.test:
        e = fmt.estimate(leader.test)
        return (
            f"On {fmt.plural(leader.test.n, 'row')} it never saw{facts.weights_told}, its {facts.metric.name} is "
            f"{strong(e.value)} (95 % {term('interval', 'interval')} {e.low} to {e.high}).",
            None,
            none,
        )
    return "It was not scored on rows it never saw.", None, none


def _counts(facts: Facts, hits: int, n: int, acc: Interval) -> tuple[str, Strip | None, tuple[str, str, str]]:
    guess = facts.guess_accuracy()
    weighted = facts.weights_told
    if facts.solid_rows < TOO_FEW:
        right = f"{weighted}" if weighted else f", right {fmt.plural(hits, 'time')}"
        text = f"On {fmt.plural(n, 'row')} never seen{right}: {strong(CONCLUDE_NOTHING)}."
        return text, None, ("", "", "")
    acc = acc.model_copy(update={"low": min(max(acc.low, 0.0), 1.0), "high": min(max(acc.high, 0.0), 1.0)})
    # One base for all figures, in which neither the score nor the guess is rounded to never or always.
    base = max(fmt.share_base(acc.value, acc.low, acc.high), 100 if guess is None else fmt.share_base(guess))
    low, high = fmt.count(acc.low * base), fmt.count(acc.high * base)
    start = f"Of {fmt.plural(n, 'row')} held back, it got {fmt.count(hits)} right"
    if weighted:
        start = f"On {fmt.plural(n, 'row')} held back{weighted} its share right is"
    text = (
        f"{start}{' ' if weighted else ': '}"
        f"{strong(fmt.in_base(acc.value, base))} (95 % {term('interval', 'interval')} {low} to {high})."
    )
    label = ""
    if guess is not None:
        always = f"Always answering {code(facts.majority, 24)}" if facts.majority else "Guessing"
        text += f" {always} would get {fmt.in_base(guess, base)}."
        label = f"guess {fmt.count(guess * base)}"
    strip = Strip(
        100 * acc.value,
        100 * acc.low,
        100 * acc.high,
        None if guess is None else 100 * guess,
        f"{fmt.in_base(acc.value, base)} right, interval {low} to {high}",
    )
    return text, strip, ("none right", "all right", label)


def _typical(facts: Facts, typical: Interval, guess: float) -> tuple[str, Strip | None, tuple[str, str, str]]:
    e = fmt.estimate(typical)
    places = fmt.decimals(typical.low, typical.high, typical.value)
    span = f" where {code(facts.plan.target)} runs from {_span(facts)}"
    text = (
        f"On {fmt.plural(typical.n, 'row')} held back{facts.weights_told} it is typically off by {strong(e.value)} "
        f"(95 % {term('interval', 'interval')} {e.low} to {e.high}){span if _span(facts) else ''}"
    )
    always = f"always answering the middle value of the training rows is off by {fmt.fixed(guess, places)}"
    misleading = _says_little(facts, typical, guess, always)
    text += f". {misleading}" if misleading else f"; {always}."
    if not facts.weights_told:
        text += f" Half of the model's answers are closer than {e.value}, half are further off."
    if facts.solid_rows < TOO_FEW:
        text += f" These are {CONCLUDE_NOTHING}."
    top = max(v for v in (guess, typical.high, 1e-300) if math.isfinite(v)) * 1.15
    strip = Strip(
        100 * typical.value / top, 100 * typical.low / top, 100 * typical.high / top,
        None if misleading else 100 * guess / top, f"typically off by {e}",
    )  # fmt: skip
    return text, strip, ("exact", "further off", "" if misleading else f"middle value {fmt.fixed(guess, places)}")


def _says_little(facts: Facts, typical: Interval, guess: float, always: str) -> str:
    """What many rows at or near the middle value, such as 0, make of its typical error; empty where they do not."""
    assert facts.evaluation is not None
    name = metric_words(facts.evaluation.metric, facts.metric.greater_is_better).name
    shown = _metric_sentence(facts) and facts.evaluation.metric != "median_ae"
    if guess == 0:
        rows = "these rows, by weight," if facts.weights_told else "these rows"
        judge = f"; judge by {name} below" if shown else ""
        return f"At least half of {rows} hold one and the same value, so a typical error says little here{judge}."
    if shown and guess < typical.low and facts.versus_baseline and facts.versus_baseline.verdict == "better":
        return f"{always.capitalize()}, since many rows lie near it; but judged by {name} below, that is worse."
    return ""


def _unscored(facts: Facts) -> str:
    state = {
        "running": "This run is still going",
        "interrupted": "This run was stopped before its end",
        "failed": "This run ended by an error",
    }.get(facts.run.status, "This run has no final evaluation")
    head = f"{state}: {strong('no score on held-back rows yet')}."
    if not facts.done:
        return f"{head} No model has been scored so far."
    best = min(facts.done, key=lambda t: t.loss if t.loss is not None else math.inf)
    return (
        f"{head} The best of {fmt.plural(len(facts.done), 'scored model')} so far is {facts.trial_name(best.spec)} "
        "with "
        f"{facts.metric.name} {fmt.number(best.score or 0.0)} in {term('validation', 'validation')}; such scores are "
        "a little too rosy, because the search chose by them."
    )


def _metric_sentence(facts: Facts) -> str:
    """The metric the search used, in words."""
    if facts.leader is None or facts.leader.test is None or facts.evaluation is None:
        return ""
    if facts.classification and facts.solid_rows < TOO_FEW:
        return ""
    score, key, guess = facts.leader.test, facts.evaluation.metric, facts.baseline.test if facts.baseline else None
    if score.method == ONE_CLASS:
        return ""
    e = fmt.estimate(score)
    name = metric_words(key, facts.metric.greater_is_better).name
    if key == "accuracy":
        return ""
    if key == "roc_auc" and len(facts.classes) == 2:
        base = fmt.share_base(score.value, score.low, score.high)
        return (
            f"Shown one {code(facts.classes[1], 24)} and one {code(facts.classes[0], 24)}, it ranks them the right "
            "way "
            f"round {fmt.in_base(score.value, base)} times; a guess "
            f"gets {fmt.in_base(0.5, base)} ({term('roc_auc', name)} {e.value}, interval {e.low} to {e.high})."
        )
    versus = (
        f"; the guess has {fmt.fixed(guess.value, fmt.decimals(score.low, score.high, score.value))}" if guess else ""
    )
    if key == "log_loss":
        return (
            f"The search judged models by {term('log_loss', name)}, which punishes being sure and wrong: "
            f"{e}{versus}; "
            "lower is better."
        )
    better = "higher" if facts.metric.greater_is_better else "lower"
    extra = ", in which large misses count more" if key in ("rmse", "mse") else ""
    return f"The search judged models by {term(key, name)}{extra}: {e}{versus}; {better} is better."


def _belongs(facts: Facts) -> str:
    if facts.evaluation is None:
        return f"The folder {code('model')} holds: {facts.run.delivered}" if facts.run.delivered else ""
    text = (
        f"The score belongs to {facts.evaluation.leader}, made from {fmt.plural(facts.evaluation.n_train, 'row')} "
        f"(training and validation) and tested once on {fmt.count(facts.evaluation.n_test)} others that neither "
        "training nor the choice "
        "between models had seen."
    )
    if cut := answers_from(facts):
        text += f" {cut}"
    if facts.run.delivered:
        text += f" What you deploy, in the folder {code('model')}: {facts.run.delivered.rstrip('.')}."
    return text


def answers_from(facts: Facts) -> str:
    """How answers follow from probabilities, where they are not simply the most probable class; else empty."""
    factors = facts.ensemble.factors if facts.ensemble else ()
    if factors and len(factors) < len(facts.classes):
        return f"{_levels_told(facts, factors)} In validation that gave a better {facts.metric.name}."
    if factors:
        most = max(range(len(factors)), key=lambda k: factors[k])
        least = min(range(len(factors)), key=lambda k: factors[k])
        return (
            f"Its answer is not always the most probable class: {code(facts.classes[most], 24)} is favoured most, "
            f"its probability counting {factors[most] / factors[least]:.3g} times that of "
            f"{code(facts.classes[least], 24)}, since in validation that gave a better {facts.metric.name}."
        )
    if facts.threshold == 0.5 or len(facts.classes) != 2:
        return ""
    return (
        f"It answers {code(facts.positive, 24)} from a probability of {facts.threshold:.3g} on, not 0.5: in "
        f"validation that gave a better {facts.metric.name}."
    )


def _levels_told(facts: Facts, cuts: Sequence[float]) -> str:
    """How the expected level becomes an answer: in the user's own grades where these are evenly spaced numbers."""
    grades = [_grade(name) for name in facts.classes]
    known = [g for g in grades if g is not None]
    steps_between = [high - low for low, high in pairwise(known)]
    if len(known) == len(grades) and min(steps_between) > 0 and math.isclose(min(steps_between), max(steps_between)):
        at = [known[0] + cut * steps_between[0] for cut in cuts]
        spoken = f"a row's expected grade ({fmt.number(known[0])} to {fmt.number(known[-1])})"
    else:
        at = list(cuts)
        spoken = f"a row's expected level ({code(facts.classes[0], 24)} is 0, {code(facts.classes[-1], 24)} is "
        spoken += f"{len(grades) - 1})"
    steps = fmt.words(
        [f"{code(name, 24)} from {cut:.3g} on" for name, cut in zip(facts.classes[1:], at, strict=True)]
    )
    return f"It answers by {spoken}, not by the most probable class: {steps}."


def _grade(name: str) -> float | None:
    try:
        value = float(name)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _drivers_note(facts: Facts, drivers: Sequence[Driver]) -> str:
    if not drivers:
        return _no_drivers(facts)
    spoken = class_spoken_of(facts) if any(d.direction for d in drivers) else ""
    return " ".join(filter(None, (spoken, columns_measured(facts))))


def _no_drivers(facts: Facts) -> str:
    if facts.explanation is None:
        return "Not measured in this run."
    some = columns_measured(facts)
    single = "Shuffling any single column did not make the score measurably worse on the rows examined."
    if facts.objects and len(facts.plan.features) == 1:
        kind = facts.objects.removesuffix("s") + "s"
        single = f"It looks at nothing but the {kind}, so there are no columns to compare."
        if facts.explanation.importances:
            single += " Shuffling them among the rows examined did not make the score measurably worse."
    return " ".join([single, *([some] if some else [])])
