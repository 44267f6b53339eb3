"""What the report says of the search."""

from __future__ import annotations

import pytest
from report_records import make_records

from autodl.records import Proposal, TrialStatus
from autodl.records.origins import INHERITED, SUPERNET
from autodl.report.facts import gather
from autodl.report.sections.search import search_view
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
