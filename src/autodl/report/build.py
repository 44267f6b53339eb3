"""From records to the view: every word and number of the report, nothing of its looks."""

from __future__ import annotations

from autodl.report import format as fmt
from autodl.report.facts import Facts
from autodl.report.sections.closing import closing
from autodl.report.sections.curves import curves
from autodl.report.sections.drives import drives
from autodl.report.sections.examples import examples
from autodl.report.sections.front import front_view
from autodl.report.sections.health import health
from autodl.report.sections.intervals import intervals
from autodl.report.sections.leaderboard import board, versus
from autodl.report.sections.planning import plan_view
from autodl.report.sections.search import search_view, time_use
from autodl.report.sections.verdict import verdict
from autodl.report.sections.wrong import wrong
from autodl.report.text import shorten
from autodl.report.view import Report


def build_report(facts: Facts) -> Report:
    """The whole view; sections whose records are missing are None and say so."""
    pending = "The run ended before the held-back rows were opened" if facts.run.status != "running" else (
        "The run is still going; the held-back rows have not been opened"
    )  # fmt: skip
    unexplained = "Importances were not measured: the run ended, or its time was spent, before that stage."
    return Report(
        title=f"Predicting {shorten(facts.plan.target, 60)}",
        kicker=_kicker(facts),
        verdict=verdict(facts),
        health=health(facts),
        plan=plan_view(facts),
        board=board(facts),
        versus=versus(facts),
        versus_missing="No comparison was made."
        if facts.evaluation
        else f"{pending}, so no model has been compared.",
        front=front_view(facts),
        wrong=wrong(facts),
        examples=examples(facts),
        curves=curves(facts),
        intervals=intervals(facts),
        drives=drives(facts),
        drives_missing=unexplained,
        search=search_view(facts),
        time=time_use(facts),
        closing=closing(facts),
    )


def _kicker(facts: Facts) -> str:
    parts = ["autodl report", facts.run.started.replace("T", " ")[:16] + (" UTC" if facts.run.started else "")]
    parts.append(fmt.plural(facts.profile.n_rows, "row"))
    if facts.run.status != "done":
        parts.append(facts.run.status)
    return " · ".join(p for p in parts if p)
