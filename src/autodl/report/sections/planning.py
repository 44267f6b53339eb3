"""The plan and why."""

from __future__ import annotations

from autodl.report import format as fmt
from autodl.report.elements import Column, Table
from autodl.report.facts import Facts
from autodl.report.sections.health import _scalar
from autodl.report.sections.trust import sentence
from autodl.report.text import clean, code
from autodl.report.view import PlanView

IN_INTRO = ("Target", "Task")


def _repeats(facts: Facts) -> str:
    """That no model was checked on further splits, where the plan said that the leading ones would be."""
    promised = facts.plan.validation.repeats > 1 and facts.run.status != "running"
    if not promised or any(t.n_splits > 1 for t in facts.trials):
        return ""
    return " In this run it came to none: every score is that of one split."


def plan_view(facts: Facts) -> PlanView:
    """The section."""
    plan, target = facts.plan, facts.profile.target
    guessed = [w for w, g in (("target", target.guessed), ("task", target.task_guessed)) if g]
    intro = f"Target {code(target.name)}: {sentence(target.why)} Task {plan.task.value}: {sentence(target.task_why)}"
    if guessed:
        intro += f" The {fmt.words(guessed)} {'were' if len(guessed) > 1 else 'was'} guessed: say otherwise with "
        intro += f"{fmt.words([f'--{g}' for g in guessed], 'or')}."
    decisions = tuple(
        (
            clean(d.topic), clean(d.choice), sentence(d.why) + (_repeats(facts) if d.topic == "Validation" else ""),
            "; ".join(f"{clean(k).replace('_', ' ')} {_scalar(v)}" for k, v in d.evidence.items()),
        )
        for d in plan.decisions
        if d.topic not in IN_INTRO
    )  # fmt: skip
    families = Table(
        "Kinds of model, in the order in which they were first tried",
        (Column("Kind"), Column("Why"), Column("Expected time of one try", True)),
        tuple((clean(f.name), sentence(f.why), fmt.seconds(f.est_seconds)) for f in plan.families),
    )
    skipped = None
    if plan.skipped:
        rows = tuple((clean(s.what), sentence(s.why)) for s in plan.skipped)
        skipped = Table("Left out, and why", (Column("What"), Column("Why")), rows)
    return PlanView(intro, decisions, families, skipped)
