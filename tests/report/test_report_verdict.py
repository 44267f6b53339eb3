"""The first screen says what the records say, in words a manager understands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_records import Records, make_records
from report_score_records import interval

from autodl.records import ColumnKind, Curve, Decision, EffectPoint, Evaluation, Interval, Severity
from autodl.records.evaluation import ONE_CLASS
from autodl.report.facts import gather, turned
from autodl.report.sections.closing import closing
from autodl.report.sections.curves import TradeOff, curves, trade_offs
from autodl.report.sections.drives import drives
from autodl.report.sections.leaderboard import board, versus
from autodl.report.sections.planning import plan_view
from autodl.report.sections.trust import lean
from autodl.report.sections.verdict import answers_from, verdict
from autodl.report.sections.wrong import wrong
from autodl.report.text import plain
from autodl.report.view import Verdict


def first(records: Records) -> Verdict:
    return verdict(gather(**records.kwargs()))


def evaluation(records: Records) -> Evaluation:
    assert records.evaluation is not None
    return records.evaluation


def leads(found: Verdict) -> str:
    return " | ".join(plain(f"{s.word} {s.lead} {s.body}") for s in found.statements)


def test_classification_counts_with_interval_and_guess() -> None:
    records = make_records("binary")
    e = evaluation(records)
    hits = e.confusion[0][0] + e.confusion[1][1]
    guess = sum(e.confusion[0]) / e.n_test
    score = plain(first(records).score)
    acc = e.models[0].metrics["accuracy"]
    assert score == (
        f"Of 179 rows held back, it got {hits} right: {hits / 1.79:.0f} in 100 (95 % interval {100 * acc.low:.0f} to "
        f"{100 * acc.high:.0f}). Always answering died would get {100 * guess:.0f} in 100."
    )


def test_a_guess_that_is_nearly_always_right_is_not_told_as_always() -> None:
    records = make_records("binary")
    sure = evaluation(records).model_copy(update={"usual": "died", "usual_share": 0.996})
    found = first(records.but(evaluation=sure))
    text = plain(found.score)
    assert "Always answering died would get 996 in 1,000" in text and " in 100 " not in text
    assert found.strip_labels[2] == "guess 996"


def test_a_ranking_without_a_second_class_is_not_told() -> None:
    records = make_records("binary")
    e = evaluation(records)
    nothing = Interval(value=0.5, low=0.0, high=1.0, n=e.n_test, method=ONE_CLASS)
    leader = e.models[0].model_copy(update={"test": nothing})
    assert first(records.but(evaluation=e.model_copy(update={"models": (leader, *e.models[1:])}))).detail == ""


def test_auc_is_explained_as_ranking() -> None:
    detail = plain(first(make_records("binary")).detail)
    assert detail.startswith("Shown one survived and one died, it ranks them the right way round 87 in 100 times")


def test_purpose_names_target_classes_and_columns() -> None:
    assert plain(first(make_records("binary")).purpose) == (
        "Predicts Survived (died / survived) of a row of titanic.csv from 9 columns."
    )
    many = make_records("multiclass", classes=tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    assert "(26 classes)" in plain(first(many).purpose)


def test_trust_tells_ties_calibration_and_weak_groups() -> None:
    text = leads(first(make_records("binary")))
    assert "Yes Better than guessing: ROC AUC differs by 0.37" in text
    assert "p < 0.001" in text
    assert "Tie A simpler model does as well: Linear model #1" in text
    assert "Careful Its probabilities are too sure" in text
    assert "Careful Weaker where Sex is female" in text
    assert "Look Target leak in Sex" in text
    assert "Limits Not for" in text


def test_honest_probabilities_are_called_honest() -> None:
    records = make_records("binary")
    e = evaluation(records).model_copy(update={"calibration_error": interval(0.02, 0.01, 179)})
    assert "Yes Its probabilities are honest" in leads(first(records.but(evaluation=e)))


def test_a_calibration_gap_cut_at_zero_is_told_as_chance() -> None:
    records = make_records("binary")
    error = Interval(value=0.0, low=0.0, high=0.023, n=179)
    text = leads(first(records.but(evaluation=evaluation(records).model_copy(update={"calibration_error": error}))))
    assert "differ by no more than chance would make (at most 2.3 in 100; n = 179)" in text
    assert "0.0 " not in text


def test_the_method_names_only_what_was_tried() -> None:
    records = make_records("binary")
    start = records.trials[0]
    spec = start.spec.model_copy(update={"origin": "default"})
    one = closing(gather(**records.but(trials=(start.model_copy(update={"spec": spec}),)).kwargs())).method
    assert "proposed" not in one
    others = {f.name for f in records.plan.families if f.key != spec.family}
    tried = one.split("1 configuration of ")[1].split(" tried")[0]
    assert not any(name in tried for name in others)


def test_few_held_back_rows_give_no_shares() -> None:
    records = make_records("binary")
    few = evaluation(records).model_copy(update={"confusion": ((2, 1), (0, 2)), "n_test": 5})
    shown = first(records.but(evaluation=few))
    assert plain(shown.score) == "On 5 rows never seen, right 4 times: too few rows to conclude anything."
    assert shown.strip is None
    assert shown.detail == ""


def test_weighted_rows_are_told_by_their_weighted_share_and_worth() -> None:
    records = make_records("binary")
    e = evaluation(records)
    score = e.models[0].metrics["accuracy"].model_copy(update={"value": 0.61, "low": 0.5, "high": 0.7})
    leader = e.models[0].model_copy(update={"metrics": {**e.models[0].metrics, "accuracy": score}})
    weighted = e.model_copy(update={"models": (leader, *e.models[1:]), "worth": 120.4})
    found = first(records.but(evaluation=weighted))
    assert plain(found.score).startswith(
        "On 179 rows held back (weighted: they tell about as much as 120 rows of equal weight) its share right is "
        "61 in 100 (95 % interval 50 to 70)."
    )
    assert found.strip is not None and found.strip.value == pytest.approx(61)
    assert "Yes Better than guessing" in leads(found)


def test_rows_that_outweigh_all_others_prove_nothing() -> None:
    records = make_records("binary")
    found = first(records.but(evaluation=evaluation(records).model_copy(update={"worth": 1.2})))
    assert "too few rows to conclude anything" in plain(found.score) and found.strip is None and not found.detail
    assert "Careful Better than guessing?" in leads(found) and "Yes Better" not in leads(found)
    assert "tell only about as much as 1 of equal weight, too few rows to conclude anything" in leads(found)


@pytest.mark.parametrize(("outcome", "words"), [("tie", "Not shown to be better"), ("worse", "Worse than guessing")])
def test_no_better_than_guessing_is_said(outcome: str, words: str) -> None:
    records = make_records("binary")
    e = evaluation(records)
    last = e.comparisons[-1].model_copy(update={"verdict": outcome, "p_holm": 0.4})
    text = leads(first(records.but(evaluation=e.model_copy(update={"comparisons": (*e.comparisons[:-1], last)}))))
    assert f"No {words}" in text
    assert "Yes Better" not in text


def test_worse_than_guessing_the_next_step_is_not_to_use_it() -> None:
    records = make_records("binary")
    e = evaluation(records)
    assert not e.worse_than_guessing
    last = e.comparisons[-1].model_copy(update={"verdict": "worse"})
    assert {last.a, last.b} == {e.leader, e.baseline}
    for other in (last, turned(last)):
        worse = e.model_copy(update={"comparisons": (*e.comparisons[:-1], other)})
        step = first(records.but(evaluation=worse)).next_steps[0]
        assert plain(step.lead) == "Do not use this model yet."
    dated = records.profile.model_copy(update={"time_column": "date"})
    assert "latest by date" in plain(first(records.but(evaluation=worse, profile=dated)).next_steps[0].body)


def test_a_model_that_did_better_on_the_test_rows_is_named() -> None:
    records = make_records("binary")
    e = evaluation(records)
    better = e.comparisons[1].model_copy(
        update={"verdict": "worse", "difference": -0.05, "low": -0.08, "high": -0.02}
    )
    comparisons = (e.comparisons[0], better, *e.comparisons[2:])
    text = leads(first(records.but(evaluation=e.model_copy(update={"comparisons": comparisons}))))
    assert "Note LightGBM #2 did better on these rows: by 0.05" in text


def test_comparisons_stored_the_other_way_round_read_the_same() -> None:
    records = make_records("binary")
    e = evaluation(records)
    other = records.but(evaluation=e.model_copy(update={"comparisons": tuple(turned(c) for c in e.comparisons)}))
    assert first(other) == first(records)


def test_drivers_are_the_columns_that_surely_matter_in_order() -> None:
    records = make_records("binary")
    drivers = first(records).drivers
    assert [plain(d.name) for d in drivers] == ["Sex", "Age", "Pclass", "Fare", "Embarked"]
    widths = [d.width for d in drivers]
    assert widths == sorted(widths, reverse=True)
    assert all(0 <= d.low <= d.width <= d.high <= 100 for d in drivers)


def test_next_steps_follow_the_evidence() -> None:
    steps = [plain(s.lead) for s in first(make_records("binary")).next_steps]
    assert steps == ["Ask when Sex is known.", "Check some labels."]
    records = make_records("binary")
    clean = tuple(f for f in records.profile.findings if f.severity is not Severity.WARNS)
    e = evaluation(records).model_copy(update={"mistakes": (), "recommended": "Ensemble"})
    calm = records.but(profile=records.profile.model_copy(update={"findings": clean}), evaluation=e)
    assert plain(first(calm).next_steps[0].lead) == "Gather more rows."


def test_more_time_is_judged_by_when_the_best_was_found() -> None:
    records = make_records("regression", n_trials=40)
    clean = tuple(f for f in records.profile.findings if f.severity is not Severity.WARNS)
    e = evaluation(records).model_copy(update={"recommended": "Ensemble"})
    base = records.but(profile=records.profile.model_copy(update={"findings": clean}), evaluation=e)
    ok = [t for t in records.trials if t.ok]

    def leads_when_best_is(k: int, family: str | None = None, origin: str | None = None) -> list[str]:
        trials = tuple(t.model_copy(update={"loss": 1.0 if i == k else 9.0}) for i, t in enumerate(ok))
        if family is not None:
            specs = [
                t.spec.model_copy(update={"family": family if i != k else t.spec.family}) for i, t in enumerate(ok)
            ]
            trials = tuple(t.model_copy(update={"spec": s}) for t, s in zip(trials, specs, strict=True))
        if origin is not None:
            trials = tuple(
                t.model_copy(update={"spec": t.spec.model_copy(update={"origin": origin})}) for t in trials
            )
        return [plain(s.lead) for s in first(base.but(trials=trials)).next_steps]

    tuned = [t.spec.family for t in ok if t.spec.origin == "tpe"]
    best = next(i for i, t in enumerate(ok) if tuned.count(t.spec.family) >= 3)
    assert "More time would hardly help." in leads_when_best_is(best)
    assert "More time would hardly help." not in leads_when_best_is(best, "another")  # the winner was never tuned
    assert "More time would hardly help." not in leads_when_best_is(best, origin="portfolio")
    assert "More time may help." in leads_when_best_is(len(ok) - 1)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=20), st.floats(0.1, 0.9))
def test_lean_has_the_sign_of_overconfidence(xs: list[float], shrink: float) -> None:
    sure = Curve(label="m", x=tuple(xs), y=tuple(0.5 + shrink * (x - 0.5) for x in xs))
    shy = Curve(label="m", x=sure.y, y=sure.x)
    assert lean(sure, binary=True) >= 0 >= lean(shy, binary=True)


def test_threshold_table_agrees_with_the_roc_points() -> None:
    roc = Curve(label="yes", x=(0.0, 0.1, 0.4, 1.0), y=(0.0, 0.6, 0.9, 1.0))
    assert trade_offs(roc, positives=100, negatives=200) == [
        TradeOff(None, 0.6, 0.1, 80, 60), TradeOff(None, 0.9, 0.4, 170, 90), TradeOff(None, 1.0, 1.0, 300, 100),
    ]  # fmt: skip


def test_the_threshold_table_says_from_which_probability_on() -> None:
    records = make_records("binary")
    e = evaluation(records)
    points = {"x": (0.0, 0.1, 0.4, 1.0), "y": (0.0, 0.6, 0.9, 1.0)}
    shown = {}
    for name, at in {"known": (1.0, 0.81239, 0.57, 0.00012345), "older": ()}.items():
        roc = (Curve(label="yes", at=at, **points),)
        found = curves(gather(**records.but(evaluation=e.model_copy(update={"roc": roc})).kwargs()))
        assert found is not None and found.threshold is not None
        shown[name] = found.threshold
    # Rounded down: from 0.813 on the row that sets the threshold would be left out.
    assert [row[0] for row in shown["known"].rows] == ["0.812", "0.570", "0.000123"]
    assert shown["known"].columns[0].label == "Probability from"
    assert [row[1:] for row in shown["known"].rows] == list(shown["older"].rows)
    assert shown["older"].columns[0].label == "Found"


def test_thresholds_near_1_have_the_places_that_tell_them_apart() -> None:
    records = make_records("binary")
    points = {"x": (0.0, 0.1, 0.4, 1.0), "y": (0.0, 0.6, 0.9, 1.0)}
    roc = (Curve(label="yes", at=(1.0, 0.9999876, 0.9992, 1e-320), **points),)
    found = curves(gather(**records.but(evaluation=evaluation(records).model_copy(update={"roc": roc})).kwargs()))
    assert found is not None and found.threshold is not None
    assert [row[0] for row in found.threshold.rows] == ["0.9999876", "0.999200", "0.000000000"]


def test_strips_lie_inside_and_keep_the_order_of_scores() -> None:
    for kind in ("binary", "multiclass", "regression"):
        records = make_records(kind)
        rows = board(gather(**records.kwargs())).rows
        values = [r.strip.value for r in rows if r.strip]
        assert values == sorted(values, reverse=kind == "binary")
        assert all(0 <= r.strip.low <= r.strip.value <= r.strip.high <= 100 for r in rows if r.strip)
        assert [r.tied for r in rows] == [True, True, True, True, False, False, False]


def test_a_cut_other_than_one_half_is_said_in_words() -> None:
    records = make_records("binary")
    assert records.ensemble is not None
    cut = records.but(ensemble=records.ensemble.model_copy(update={"threshold": 0.3125}))
    words = "It answers survived from a probability of 0.312 on, not 0.5"
    facts = gather(**cut.kwargs())
    section = wrong(facts)
    assert section is not None
    assert words in plain(verdict(facts).belongs)
    assert words in plain(section.intro)
    assert "It answers" not in plain(first(records).belongs)


def test_groups_are_told_by_the_metric_they_were_compared_by() -> None:
    records = make_records("binary")
    e = evaluation(records)
    segments = tuple(s.model_copy(update={"metric": "accuracy"}) for s in e.segments)
    facts = gather(**records.but(evaluation=e.model_copy(update={"segments": segments})).kwargs())
    section, older = wrong(facts), wrong(gather(**records.kwargs()))
    assert section is not None
    assert section.segments is not None
    assert section.segments.caption == "Accuracy by group"
    assert older is not None
    assert older.segments is not None
    assert older.segments.caption == "ROC AUC by group"
    weaker = next(s for s in verdict(facts).statements if "Weaker" in s.lead)
    assert weaker.body.startswith("Accuracy ")


def test_going_on_names_the_folder_to_be_copied() -> None:
    folder = "/data/" + "long name/" * 12 + "run"
    unfinished = make_records("binary").but(evaluation=None).kwargs()
    step = verdict(gather(**unfinished, folder=folder)).next_steps[0]
    assert f"--resume --out '{folder}'" in plain(step.body)
    assert "--resume" in plain(verdict(gather(**unfinished)).next_steps[0].body)


def test_the_guess_is_the_most_frequent_class_of_the_test_rows() -> None:
    records = make_records("binary")
    found = evaluation(records).model_copy(update={"usual": "survived", "usual_share": 0.4321})
    text = plain(first(records.but(evaluation=found)).score)
    assert "Always answering survived would get 43 in 100" in text


def test_columns_that_there_was_no_time_for_are_told() -> None:
    records = make_records("binary")
    e = records.explanation
    assert e is not None
    n = len(e.importances)
    some = e.model_copy(update={"importances": e.importances[:3], "n_columns": n, "n_repeats": 0})
    cut = records.but(explanation=some)
    assert first(cut).drivers_note == f"Measured for 3 of {n} columns, then time was up."
    section = drives(gather(**cut.kwargs()))
    assert section is not None and "Each of the 3 columns that there was time for" in section.intro
    assert "shuffled once" in section.intro
    whole = records.but(explanation=e.model_copy(update={"n_columns": n}))
    assert first(whole).drivers_note == ""


def test_directions_say_of_which_class_they_speak() -> None:
    records = make_records("multiclass")
    e = records.explanation
    assert e is not None
    points = tuple(EffectPoint(value=str(v), number=v, prediction=p) for v, p in ((4, 0.1), (6, 0.2), (8, 0.5)))
    turning = e.importances[0].model_copy(update={"direction": "", "effect": points})
    said = e.model_copy(update={"importances": (turning,), "positive_class": "A"})
    usual = evaluation(records).model_copy(update={"usual": "A"})
    told = records.but(explanation=said, evaluation=usual)
    note = "Directions speak of how likely A is, the most frequent class."
    section = drives(gather(**told.kwargs()))
    assert section is not None and plain(section.note).startswith(note)
    assert section.bars[0].direction == "most likely 'A' at 8, least likely at 4"
    assert plain(first(told).drivers_note).startswith(note)
    # A number has no class, and of two classes the second is spoken of everywhere.
    number = drives(gather(**records.but(explanation=said.model_copy(update={"positive_class": None})).kwargs()))
    assert number is not None and number.bars[0].direction == "highest at 8, lowest at 4"
    two = make_records("binary")
    assert "Directions" not in first(two).drivers_note


def test_a_direction_is_missed_only_where_it_was_looked_for() -> None:
    """Images have no effects, and neither have columns beyond the leading ones."""
    records = make_records("binary")
    e = records.explanation
    assert e is not None
    level = (EffectPoint(value="1", number=1.0, prediction=0.4), EffectPoint(value="2", number=2.0, prediction=0.4))
    for effect, words in ((level, "no simple direction"), ((), "")):
        flat = e.importances[0].model_copy(update={"direction": "", "effect": effect})
        told = records.but(explanation=e.model_copy(update={"importances": (flat,)}))
        section = drives(gather(**told.kwargs()))
        assert section is not None
        assert [b.direction for b in section.bars] == [words] and str(section.table.rows[0][-1]) == words


def test_what_may_have_no_effect_has_no_direction_and_no_chart() -> None:
    records = make_records("binary")
    e = records.explanation
    assert e is not None
    effect = (EffectPoint(value="1", number=1.0, prediction=0.4), EffectPoint(value="2", number=2.0, prediction=0.6))
    given = {"direction": "higher x: more likely", "effect": effect}
    clear = e.importances[0].model_copy(update={**given, "column": "clear", "drop": 0.2, "low": 0.1, "high": 0.3})
    weak, weaker = (clear.model_copy(update={"column": c, "drop": 0.0, "low": -0.1, "high": 0.1}) for c in "ab")
    for importances, charts in (((clear, weak), ["clear"]), ((weak, weaker), ["a"])):
        told = records.but(explanation=e.model_copy(update={"importances": importances}))
        section = drives(gather(**told.kwargs()))
        assert section is not None and [f.title for f in section.effects] == charts
        words = ["higher x: more likely" if i is clear else "no measurable effect" for i in importances]
        assert [b.direction for b in section.bars] == words == [str(r[-1]) for r in section.table.rows]
        assert ("more likely" in section.effects[0].alt) == (importances[0] is clear)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("3", "4", "5"), "expected grade (3 to 5), not by the most probable class: 4 from 3.6 on and 5 from 4.3 on"),
        (("low", "mid", "top"), "expected level (low is 0, top is 2), not by the most probable class: mid from 0.6"),
        (("1", "2", "5"), "expected level (1 is 0, 5 is 2)"),
    ],
)
def test_cuts_between_levels_are_in_the_users_grades(names: tuple[str, ...], words: str) -> None:
    records = make_records("multiclass")
    assert records.ensemble is not None
    found = evaluation(records).model_copy(update={"classes": names})
    cut = records.but(evaluation=found, ensemble=records.ensemble.model_copy(update={"factors": (0.6, 1.3)}))
    assert words in plain(answers_from(gather(**cut.kwargs())))


def test_the_plan_says_when_no_model_was_checked_on_further_splits() -> None:
    records = make_records("binary")
    validation = records.plan.validation.model_copy(update={"repeats": 3})
    decision = Decision(topic="Validation", choice="5 folds, drawn anew up to 3 times", why="The mean counts.")
    promised = records.but(plan=records.plan.model_copy(update={"validation": validation, "decisions": (decision,)}))
    told = "In this run it came to none"
    assert told in plan_view(gather(**promised.kwargs())).decisions[0][2]
    again = [t.model_copy(update={"split_losses": (0.1, 0.2)}) if t.ok else t for t in records.trials]
    assert told not in plan_view(gather(**promised.but(trials=tuple(again)).kwargs())).decisions[0][2]


@pytest.mark.parametrize(("kind", "noun"), [(ColumnKind.IMAGE, "images"), (ColumnKind.SERIES, "series")])
def test_what_is_learnt_from_images_or_series_alone_has_no_columns_to_compare(kind: ColumnKind, noun: str) -> None:
    records = make_records("binary", columns=("picture",))
    columns = records.profile.columns
    alone = tuple(c.model_copy(update={"kind": kind}) if c.name == "picture" else c for c in columns.columns)
    assert records.explanation is not None
    weak = records.explanation.importances[0].model_copy(update={"drop": 0.0, "low": -0.1, "high": 0.1})
    records = records.but(
        profile=records.profile.model_copy(update={"columns": columns.model_copy(update={"columns": alone})}),
        explanation=records.explanation.model_copy(update={"importances": (weak,), "n_columns": 1}),
    )
    found = first(records)
    assert plain(found.purpose).endswith(f"of a row of titanic.csv from its {kind.value}.")
    assert plain(found.drivers_note) == (
        f"It looks at nothing but the {noun}, so there are no columns to compare. Shuffling them among the rows "
        "examined did not make the score measurably worse."
    )


def test_half_of_the_rows_is_said_only_where_all_count_alike() -> None:
    records = make_records("regression")
    assert "Half of the model's answers are closer" in plain(first(records).score)
    weighted = records.but(evaluation=evaluation(records).model_copy(update={"worth": 120.4}))
    assert "Half of" not in plain(first(weighted).score)


@pytest.mark.parametrize(
    ("guess", "metric", "words"),
    [
        (0.0, "rmse", "At least half of these rows hold one and the same value, so a typical error says little here; "
                      "judge by RMSE below. Half"),
        (0.0, "median_ae", "so a typical error says little here. Half"),
        (12.0, "rmse", "Always answering the middle value of the training rows is off by 12, since many rows lie "
                       "near it; but judged by RMSE below, that is worse. Half"),
    ],
)  # fmt: skip
def test_a_guess_that_is_typically_closer_is_not_told_as_better(guess: float, metric: str, words: str) -> None:
    """Of counts and amounts most are often 0, which the middle value guesses exactly."""
    records = make_records("regression")
    e = evaluation(records)
    assert e.residuals is not None
    changed = e.model_copy(
        update={"metric": metric, "residuals": e.residuals.model_copy(update={"typical_guess": guess})}
    )
    found = first(records.but(evaluation=changed))
    assert words in plain(found.score) and "off by 0" not in found.score
    assert found.strip is not None and found.strip.guess is None and found.strip_labels[2] == ""
    usual = first(records)
    assert usual.strip is not None and usual.strip.guess is not None and "; always answering" in usual.score


def test_no_driver_speaks_of_the_score_not_of_the_predictions() -> None:
    records = make_records("binary")
    assert records.explanation is not None
    none = records.explanation.model_copy(update={"importances": ()})
    told = plain(first(records.but(explanation=none)).drivers_note)
    assert told.startswith("Shuffling any single column did not make the score measurably worse")


def test_rows_of_a_test_file_are_told_to_be_of_it() -> None:
    records = make_records("binary")
    split = records.plan.validation.model_copy(update={"test_size": 0.0})
    apart = records.but(plan=records.plan.model_copy(update={"validation": split}))
    for found, name in ((records, "the file"), (apart, "the test file")):
        section = wrong(gather(**found.kwargs()))
        assert section is not None and section.mistakes is not None
        assert f"a wrong entry in {name}" in section.mistakes_intro
        assert [c.label for c in section.mistakes.columns][1] == f"In {name}"


def test_a_quicker_model_is_not_called_simpler() -> None:
    records = make_records("binary")
    e = evaluation(records)
    for how in ("simpler", "quicker"):
        name = e.models[1].name
        other = e.model_copy(update={"recommended": name, "recommended_why": f"{name} is {how} than {e.leader}."})
        assert f"A {how} model does as well" in leads(first(records.but(evaluation=other)))


def test_a_tie_is_told_by_the_corrected_p_alone() -> None:
    found = versus(gather(**make_records("binary").kwargs()))
    assert found is not None and "where p after correction is not below 0.05, it is a tie" in found.intro
    assert "interval crosses" not in found.intro


def test_lean_follows_what_rows_weigh() -> None:
    by_rows = Curve(label="m", x=(0.6, 0.9), y=(0.9, 0.6), counts=(900, 100))
    assert lean(by_rows, binary=True) < 0 < lean(by_rows.model_copy(update={"mass": (1.0, 50.0)}), binary=True)


def test_comparisons_of_small_numbers_are_no_zeros() -> None:
    records = make_records("regression")
    e = evaluation(records)
    unit = 1e-12
    small = tuple(
        c.model_copy(update={"difference": c.difference * unit, "low": c.low * unit, "high": c.high * unit})
        for c in e.comparisons
    )
    found = versus(gather(**records.but(evaluation=e.model_copy(update={"comparisons": small})).kwargs()))
    assert found is not None
    for row, c in zip(found.rows, small, strict=True):
        shown = row.difference.split(" (")[0].replace("−", "-")
        assert float(shown) == pytest.approx(c.difference, rel=0.06)
