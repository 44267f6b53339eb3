"""Method paragraph, model card (Mitchell et al. 2019), glossary, and how to use and reproduce the run."""

from __future__ import annotations

from autodl.report import format as fmt
from autodl.report.elements import Column, Table
from autodl.report.facts import Facts, metric_words
from autodl.report.glossary import GLOSSARY
from autodl.report.sections import combining
from autodl.report.sections.trust import headline, sentence, warnings
from autodl.report.sections.verdict import purpose
from autodl.report.text import clean, code, command, shorten
from autodl.report.using import predict_command
from autodl.report.view import Closing

KINDS = {
    "stratified": "at random with equal class shares",
    "random": "at random",
    "group": "by group, so that no group stands on both sides",
    "time": "by time, the latest rows last",
}


def closing(facts: Facts) -> Closing:
    """The section."""
    run = facts.run
    started = f"Started {clean(run.started)}. " if run.started else ""
    rows = tuple((clean(k), clean(v)) for k, v in sorted(run.versions.items()))
    options = [
        f"{shorten(k, 40)} = {shorten(v, 60)}"
        for k, v in run.options.items()
        if v is not None and v != "" and not isinstance(v, bool)
    ]
    given = f" Options: {', '.join(options)}." if options else ""
    again = (
        "With one worker and a number of trials instead of a time budget (--max-trials), the same command gives the "
        "same scores; with a time budget a faster machine tries more."
    )
    if run.resumed_with:
        later = ", then with ".join(map(command, run.resumed_with))
        again = f"Begun with this command, then resumed with {later}: the first command alone may give other scores."
    reproduce = f"{started}Seed {run.seed}. {again}{given}"
    versions = Table("Versions", (Column("Software"), Column("Version")), rows)
    use = clean(predict_command(facts.folder, facts.profile.read)) if facts.folder and run.delivered else ""
    return Closing(_method(facts), _card(facts), GLOSSARY, use, clean(run.command), reproduce, versions)


def _split(facts: Facts) -> str:
    from autodl.profiling.words import share

    v = facts.plan.validation
    kind = KINDS[v.kind]
    test = f"{share(v.test_size)} of the rows were set apart {kind} and opened once" if v.test_size else (
        "a separate test file was opened once"
    )  # fmt: skip
    if v.n_folds == 1:
        folds = f"a single hold-out of {share(v.holdout)}"
    elif v.kind == "time":
        folds = f"training on {v.n_folds} ever longer pasts, each judged by the rows that follow it,"
    else:
        folds = f"{v.n_folds}-fold cross-validation"
    return f"{test}; candidates were compared by {folds} on the rest"


def _method(facts: Facts) -> str:
    plan, profile, e = facts.plan, facts.profile, facts.evaluation
    version = clean(facts.run.versions.get("autodl", ""))
    goal = "classification" if facts.classification else "regression"
    given = facts.run.budget.given_s
    limit = "no time limit" if given is None else f"time budget {fmt.seconds(given)}"
    parts = [
        f"We predicted {shorten(profile.target.name)} ({goal}) from {fmt.plural(len(plan.features), 'column')} and "
        f"{fmt.plural(profile.n_rows, 'row')} with autodl{' ' + version if version else ''} (seed {facts.run.seed}, "
        f"{limit}). "
        f"For the final test, {_split(facts)}. All preparation was fitted inside the training part of each split. "
        f"{_tried(facts)}"
    ]
    if facts.ensemble and (text := combining.method(facts.ensemble)):
        parts.append(text)
    if e and facts.leader and facts.leader.test:
        score, metric = facts.leader.test, metric_words(e.metric, facts.metric.greater_is_better)
        places = fmt.decimals(score.low, score.high, score.value)
        parts.append(
            f"On {fmt.plural(e.n_test, 'test row')} {e.leader} reached {metric.name} {fmt.estimate(score)} "
            f"({round(100 * score.level)} % interval, {clean(score.method)})"
            + (
                f" against {fmt.fixed(facts.baseline.test.value, places)} for a constant guess"
                if facts.baseline and facts.baseline.test
                else ""
            )
            + "."
        )
        if e.comparisons:
            methods = fmt.words(list(dict.fromkeys(clean(c.method) for c in e.comparisons)))
            parts.append(
                f"Models were compared on the same test rows ({methods}), p-values corrected after Holm (1979)."
            )
    return " ".join(parts)


def _tried(facts: Facts) -> str:
    """What was tried, what of it got a score, and who proposed it; only what the trials themselves show."""
    n = len(facts.trials)
    if n == 0:
        return "No configuration was tried."
    keys = list(dict.fromkeys(t.spec.family for t in facts.trials))
    kinds = [clean(facts.family_name(k)) for k in keys]
    named = fmt.words(kinds if len(kinds) <= 12 else [*kinds[:11], f"{len(kinds) - 11} more kinds"])
    done = len(facts.done)
    were = "was" if n == 1 else "were"
    got = "and scored" if done == n else f"({fmt.count(done)} of them with a score)" if n > 1 else "(without a score)"
    who = (
        f"after fixed starting configurations {clean(facts.proposers)} proposed "
        f"{fmt.count(facts.proposed)} of them; all were"
        if facts.proposed
        else "all came from fixed starting configurations and were"
        if n > 1
        else "it was"
    )
    return f"{fmt.plural(n, 'configuration')} of {named} {were} tried {got}; {who} judged by {facts.metric.name}."


def _card(facts: Facts) -> tuple[tuple[str, tuple[str, ...]], ...]:
    e, profile, plan = facts.evaluation, facts.profile, facts.plan
    model = e.leader if e else "none tested yet"
    details = [
        f"Model: {model}. Made by autodl {clean(facts.run.versions.get('autodl', ''))} on {clean(facts.run.started)}."
    ]
    if facts.run.delivered:
        details.append(f"Delivered: {sentence(facts.run.delivered)}")
    if facts.ensemble and len(facts.ensemble.members) > 1:
        details.append(combining.kind(facts.ensemble))
    metrics = [
        f"{facts.metric.name}: {sentence(facts.metric.summary)}" if facts.metric.summary else facts.metric.name
    ]
    metrics.append("Intervals are 95 %; differences between models are tested in pairs and corrected after Holm.")
    factors = (
        [f"Weaker where {code(s.column)} is {code(s.value)}." for s in e.segments if s.p_holm < 0.05][:5] if e else []
    )
    test = f"{fmt.plural(e.n_test, 'row')}, {_split(facts)}." if e else "Not opened yet."
    analyses: list[str] = []
    if e and facts.leader:
        for key, interval in facts.leader.metrics.items() or ((e.metric, facts.leader.test),):
            if interval is not None:
                analyses.append(f"{metric_words(key).name} {fmt.estimate(interval)}, n = {fmt.count(interval.n)}.")
    people = [
        "Nobody has checked whether the columns contain protected attributes or stand-ins for them. Before "
        "decisions about "
        "people: check groups that matter to you under “where it is wrong”, and let a person review."
    ]
    caveats = [f"{headline(f)}: {sentence(f.message)}" for f in warnings(facts)[:5]]
    caveats.append(
        "Scores hold for rows drawn like those in the file; they say nothing about other places, times or groups."
    )
    if e:
        caveats += [sentence(n) for n in e.notes]
    return (
        ("Model details", tuple(details)),
        (
            "Intended use",
            (
                purpose(facts),
                "Not for rows unlike those in the file, for causal questions, or for decisions about people that "
                "nobody reviews.",
            ),
        ),
        ("Factors", tuple(factors) or ("No group of rows was shown to fare worse than the rest.",)),
        ("Metrics", tuple(metrics)),
        ("Evaluation data", (test,)),
        ("Training data", (f"{fmt.plural(e.n_train if e else profile.n_rows, 'row')} of "
                           f"{code(profile.read.path, 80)}; "
                           f"{fmt.plural(len(plan.features), 'column')} used, "
                           f"{fmt.plural(len(profile.dropped), 'column')} left out.",)),
        ("Quantitative analyses", tuple(analyses) or ("None yet.",)),
        ("Ethical considerations", tuple(people)),
        ("Caveats and recommendations", tuple(caveats)),
    )  # fmt: skip
