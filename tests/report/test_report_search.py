"""What the report says of the search."""

from __future__ import annotations

import re

import pytest
from report_records import make_records

from autodl.records import CurvePoint, Proposal, TrialStatus
from autodl.records.origins import INHERITED, SUPERNET
from autodl.report.facts import gather, metric_words
from autodl.report.figures.style import draw
from autodl.report.sections.leaderboard import board
from autodl.report.sections.search import search_view, time_use
from autodl.report.text import plain


def facts_of(records):
    r = records.kwargs()
    names = (
        r["run"],
        r["profile"],
        r["plan"],
        r["trials"],
        r["ensemble"],
        r["evaluation"],
        r["explanation"],
        r["names"],
    )
    return gather(*names, "", r["front"])


def with_ends(scheduler="extrapolate"):
    """Records with one trial of each way to end without a score."""
    records = make_records("binary")
    done = [t for t in records.trials if t.ok and t.spec.origin == "tpe"][:5]

    def stopped(t, reached=1.0, origin="tpe", proposals=(), fidelity=None):
        spec = t.spec.model_copy(update={"origin": origin, "fidelity": fidelity})
        changes = {"spec": spec, "status": TrialStatus.STOPPED, "reached": reached, "proposals": proposals}
        return t.model_copy(update=changes)

    ranked = Proposal(config={"depth": 1}, loss=0.1), Proposal(config={"depth": 2}, loss=0.2)
    changed = [
        stopped(done[0], reached=0.3),
        stopped(done[1]),
        stopped(done[2], fidelity=1 / 9),
        stopped(done[3], reached=0.0, origin=SUPERNET, proposals=ranked),
    ]
    by_id = {t.spec.id: t for t in changed}
    plan = records.plan.model_copy(update={"scheduler": scheduler})
    return records.but(trials=tuple(by_id.get(t.spec.id, t) for t in records.trials), plan=plan)


@pytest.mark.parametrize(
    ("scheduler", "hopeless"),
    [("extrapolate", "would hardly have beaten the best"), ("median", "fell behind the others")],
)
def test_each_try_without_a_score_has_a_reason(scheduler, hopeless):
    view = search_view(facts_of(with_ends(scheduler)))
    reasons = {(plain(row[1]), plain(row[3])) for row in view.failed.rows}
    assert not any("no reason" in why for _, why in reasons)
    stopped = {why for end, why in reasons if end == "stopped early"}
    assert {why.split()[1] for why in stopped} == {"curve", "first"}
    assert all(hopeless in why for why in stopped)
    assert ("tried on a part of the rows", "tried on 11 % of the rows") in reasons
    assert [why for end, why in reasons if end == "compared networks"]


def test_only_what_was_stopped_counts_as_stopped():
    intro = plain(search_view(facts_of(with_ends())).intro)
    for part in ("2 stopped early", "1 tried on a part of the rows", "1 compared networks"):
        assert part in intro


def test_who_proposed_is_told_from_the_trials():
    records = make_records("binary")
    assert facts_of(records).proposers == "the strategy 'tpe'"

    def asked_by(*origins):
        mine = [t for t in records.trials if t.spec.origin == "tpe"]
        change = dict(zip([t.spec.id for t in mine], origins, strict=False))
        trials = [
            t.model_copy(update={"spec": t.spec.model_copy(update={"origin": change.get(t.spec.id, "portfolio")})})
            for t in records.trials
        ]
        plan = records.plan.model_copy(update={"strategy": "pbt", "nas": "evolution"})
        return facts_of(records.but(trials=tuple(trials), plan=plan))

    assert asked_by("auto", "auto").proposers == "the strategy 'auto'"
    assert asked_by("pbt", "auto").proposers == "the strategies 'auto' and 'pbt'"
    assert (
        asked_by("auto", "evolution").proposers
        == "the strategy 'auto' and for architectures the strategy 'evolution'"
    )
    shared = asked_by(SUPERNET, INHERITED)
    assert shared.proposers == "the ranking of networks by shared weights"
    assert shared.proposed == 1


def test_the_text_on_learning_curves_speaks_of_the_lines_that_there_are():
    records = make_records("binary")
    both = [t.model_copy(update={"curve": tuple(CurvePoint(step=i, train=1 / i, valid=2 / i) for i in (1, 2, 3))})
            for t in records.trials]  # fmt: skip
    one = [t.model_copy(update={"curve": tuple(p.model_copy(update={"train": None}) for p in t.curve)}) for t in both]
    assert "two lines" in search_view(facts_of(records.but(trials=tuple(both)))).learning_intro
    told = search_view(facts_of(records.but(trials=tuple(one)))).learning_intro
    assert "two lines" not in told
    # Most networks train to a planned end, whatever the held-out rows say.
    assert "stopped improving" not in told and "Of boosted trees a falling right end" in told


def test_what_the_end_cut_off_is_named():
    records = make_records("binary")
    cut = records.but(run=records.run.model_copy(update={"unfinished": ("LightGBM #7",)}))
    assert "1 was still being tried when the search ended: LightGBM #7." in plain(search_view(facts_of(cut)).intro)


def test_axes_end_at_the_best_there_is_and_their_labels_differ():
    auc, rmse = metric_words("roc_auc"), metric_words("rmse")
    assert auc.within(0.9, 1.03) == (0.9, 1.0) and rmse.within(-0.2, 3.0) == (0.0, 3.0)

    def paint(ax):
        ax.plot([0.12345678, 1], [0.9215, 0.9285])
        ax.set_ylim(0.9215, 0.9285)

    svg = draw("x", paint)
    ticks = re.findall(r"<text[^>]*>(0\.92\d*)</text>", svg)
    assert len(ticks) > 2 and len(set(ticks)) == len(ticks)
    assert not re.search(r' d="[^"]*\d\.\d{3}', svg)


@pytest.mark.parametrize(
    ("scores", "edge"),
    [
        ((0.9, 0.91, 0.905, 0.4), "1 try far off the best is drawn at the lower edge."),
        ((0.9, 0.91, 0.905, 0.89), ""),
        ((0.9, 0.91, 0.4), ""),
        ((0.9, 0.91, 0.905, 0.902, 0.908, 0.904, 0.41, 0.4), "2 tries far off the best are drawn at the lower edge."),
    ],
)
def test_a_hopeless_try_among_few_does_not_flatten_the_others(scores, edge):
    records = make_records("binary")
    done = [t for t in records.trials if t.ok and t.spec.origin == "tpe"][: len(scores)]
    trials = tuple(
        t.model_copy(update={"score": s, "loss": 1 - s, "finished_s": 20.0 * k})
        for k, (t, s) in enumerate(zip(done, scores, strict=True))
    )
    figure = search_view(facts_of(records.but(trials=trials))).history
    assert figure is not None
    assert figure.caption == f"The line is the best so far. {edge}".rstrip()
    lowest = min(float(t) for t in re.findall(r"<text[^>]*>(0\.\d+)</text>", figure.svg))
    assert lowest > 0.8 if edge else lowest <= min(scores)


def test_scores_at_cuts_of_their_own_are_told():
    records = make_records("binary")
    assert "cut of its own" not in search_view(facts_of(records)).intro
    trials = tuple(t.model_copy(update={"plain_loss": 0.5}) if t.ok else t for t in records.trials)
    assert "here each model has a cut of its own" in search_view(facts_of(records.but(trials=trials))).intro


def test_time_and_size_are_those_of_one_model_not_of_all_folds():
    records = make_records("binary")
    cost = next(t.cost for t in records.trials if t.ok).model_copy(update={"fit_s": 30.0, "size_bytes": 50_000_000})
    trials = tuple(
        t.model_copy(update={"cost": cost, "fold_losses": (0.1,) * 10}) if t.ok else t for t in records.trials
    )
    facts = facts_of(records.but(trials=trials, evaluation=None))
    assert {(row.fit, row.size) for row in board(facts).rows} == {("3.0 s", "5.0 MB")}
    assert "The largest model tried takes 5.0 MB, those of all tries and folds together" in time_use(facts).intro
