"""From finished trials to the candidates that the test rows judge, and to a model that can be explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.decision import HALF
from autodl.ensemble import KnownRows, combine
from autodl.ensemble.answers import choose_answers, held_out_answers, held_out_shifted, needs_cut
from autodl.ensemble.class_factors import MAX_CLASSES
from autodl.ensemble.guess_answers import guess_answers
from autodl.ensemble.nested import cut_parts
from autodl.ensemble.quantile_shifts import fit_shifts, shifted
from autodl.ensemble.quick_answers import quick_answers, quick_cut
from autodl.evaluate import Candidate
from autodl.model import load_model, shared, weighted_prediction
from autodl.models.base import families
from autodl.records import Ensemble, Footprint, Plan, TrialResult, together
from autodl.search.feasibility import Feasibility
from autodl.search.repeats import first_split
from autodl.store import RunFolder

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Predicted = Callable[[TrialResult, Sequence[str]], "NDArray[Any]"]

ENSEMBLE_NAME = "Ensemble"
MAX_CANDIDATES = 15
CUTS_S = 2.0
"""Seconds for careful cuts and factors of the leaderboard's models, then quick ones; the leader's are known."""


def best_per_family(results: Sequence[TrialResult]) -> list[TrialResult]:
    """The best finished trial of each family, best first."""
    best: dict[str, TrialResult] = {}
    for r in sorted((r for r in results if r.ok), key=_loss):
        best.setdefault(r.spec.family, r)
    return sorted(best.values(), key=_loss)


def choose_candidates(results: Sequence[TrialResult], ensemble: Ensemble) -> list[TrialResult]:
    """Models shown on the leaderboard: the ensemble's members, the best of each family, then the next best."""
    members = {m.trial_id for m in ensemble.members}
    by_loss = sorted((r for r in results if r.ok), key=_loss)
    first = [r for r in by_loss if r.spec.id in members]
    chosen = first + [r for r in best_per_family(results) if r not in first]
    chosen += [r for r in by_loss if r not in chosen][: max(0, MAX_CANDIDATES - len(chosen))]
    return sorted(chosen, key=_loss)


def candidates(
    results: Sequence[TrialResult],
    ensemble: Ensemble,
    plan: Plan,
    rows: KnownRows,
    folder: RunFolder,
    names: Mapping[str, str],
    feasibility: Feasibility | None = None,
    predicted: Predicted | None = None,
) -> tuple[list[Candidate], str]:
    """Test predictions of the leaderboard's models, and the name of the leader.

    The leader is chosen by validation alone: the ensemble, or the single model that it consists of. Every model that
    has learnt something gets a cut of its own, chosen as the leader's was, so that none wins by its cut alone; the
    guess gives all rows the answer that is best for the metric.

    Args:
        results: Finished trials. ensemble: What was chosen. plan: Of the run.
        rows: The n search rows. After their deadline cuts and factors are chosen quickly; of very many classes the
            most probable one is the answer.
        folder: The run. names: Readable names by trial id.
        feasibility: Limits of the user, and what every model takes besides its own part; none if left out.
        predicted: Test predictions of a trial as it is delivered together with others, by their ids; those of all its
            fold models if left out.
    """
    feasible = feasibility or Feasibility()
    predict = predicted or (lambda r, ids: all_folds(r, folder))
    metric = rows.metric
    by_id = {r.spec.id: r for r in results}
    weights = {m.trial_id: m.weight for m in ensemble.members}
    counts = {r.spec.family: 0 for r in results}
    for r in results:
        counts[r.spec.family] += 1
    decides = metric.needs == "label"
    found: list[Candidate] = []
    predictions: dict[str, NDArray[Any]] = {}
    for r in choose_candidates(results, ensemble):
        if r.test is None or r.cost is None:
            continue
        predictions[r.spec.id] = predict(r, [r.spec.id])
        plain = r.uncut_loss
        threshold, validation = HALF, None if plain is None else metric.to_score(plain)
        factors: tuple[float, ...] = ()
        prediction = predictions[r.spec.id]
        if r.spec.id in weights and len(weights) == 1:
            threshold, factors = ensemble.threshold, ensemble.factors
            if ensemble.calibration is not None or threshold != HALF or factors:
                prediction, validation = combine(ensemble, predictions), metric.to_score(ensemble.loss)
        elif plan.quantiles and r.oof is not None:
            # By one split, as the leader; each model gets shifts of its own, as that did: none wins by them alone.
            oof = folder.read_array(first_split(r.oof))
            prediction, validation = _shifted(prediction, oof, rows)
        elif decides and r.oof is not None and families[r.spec.family].complexity > 0:
            oof = folder.read_array(first_split(r.oof))
            threshold, factors, moved = _own_answers(oof, rows)
            validation = validation if moved is None else moved
        elif decides and families[r.spec.family].complexity == 0:
            threshold, factors, moved = guess_answers(prediction, rows)
            validation = validation if moved is None else moved
        found.append(
            Candidate(
                name=names[r.spec.id],
                family=r.spec.family,
                trial_id=r.spec.id,
                prediction=prediction,
                validation=validation,
                fit_s=r.fit_s,
                predict_ms_per_row=_bulk_ms([r]),
                size_bytes=r.need.size_bytes or 0,
                complexity=families[r.spec.family].complexity,
                weight=weights.get(r.spec.id, 0.0),
                n_trials=counts[r.spec.family],
                threshold=threshold,
                factors=factors,
                early_stopped=bool(r.refit),
                row_ms=_row_ms(feasible.base, [r]),
                within_limits=feasible.violation(r) == 0,
                levels=plan.quantiles,
            )
        )
    if len(ensemble.members) == 1:
        return found, names[ensemble.members[0].trial_id]
    together = {i: predict(by_id[i], list(weights)) for i in predictions if i in weights}
    members = [by_id[m.trial_id] for m in ensemble.members]
    found.insert(
        0,
        Candidate(
            name=ENSEMBLE_NAME,
            family="ensemble",
            trial_id=None,
            prediction=combine(ensemble, together),
            validation=metric.to_score(ensemble.loss),
            fit_s=sum(r.fit_s for r in members),
            predict_ms_per_row=_bulk_ms(members),
            size_bytes=sum(r.need.size_bytes or 0 for r in members),
            complexity=max(families[m.family].complexity for m in ensemble.members) + 1,
            weight=1.0,
            n_trials=1,
            threshold=ensemble.threshold,
            factors=ensemble.factors,
            early_stopped=any(r.refit for r in members),
            row_ms=_row_ms(feasible.base, members),
            levels=plan.quantiles,
        ),
    )
    return found, ENSEMBLE_NAME


def few_models_predicted(
    result: TrialResult, folder: RunFolder, frame: pd.DataFrame, most: int | None
) -> NDArray[Any]:
    """Test predictions of a trial's first ``most`` fold models, as they would be delivered; of all where None.

    Args:
        result: With test predictions.
        folder: The run, with its fold models.
        frame: (n,) test rows.
        most: At least 1.
    """
    if most is None or most >= len(result.models):
        return all_folds(result, folder)
    models = [load_model(folder, ref) for ref in result.models[:most]]
    return weighted_prediction([(1.0, models)], frame).astype(float)


def all_folds(result: TrialResult, folder: RunFolder) -> NDArray[Any]:
    """Stored test predictions of a trial: of all fold models, by time of the last one."""
    assert result.test is not None
    return folder.read_array(result.test).astype(float)


def one_fold_predictor(
    ensemble: Ensemble, results: Mapping[str, TrialResult], folder: RunFolder
) -> Callable[[pd.DataFrame], NDArray[Any]] | None:
    """The ensemble with the last fold's models only: never trained on test rows, and quick enough to explain."""
    kept = [m for m in ensemble.members if folder.has_models(results[m.trial_id])]
    if not kept:
        return None
    total = sum(m.weight for m in kept)
    members = shared([(m.weight / total, [load_model(folder, results[m.trial_id].models[-1])]) for m in kept])
    return lambda frame: weighted_prediction(members, frame, ensemble.pooling, ensemble.calibration)


def _shifted(prediction: NDArray[Any], oof: NDArray[Any], rows: KnownRows) -> tuple[NDArray[Any], float]:
    """A model's test quantiles with the shifts that its out-of-fold ones ask for, and the score of such shifts."""
    oof, rows, part = _halves(oof, rows)
    moved = shifted(fit_shifts(oof, rows.y, rows.metric.levels, rows.weight, rows.block), prediction)
    return moved, rows.metric.to_score(rows.loss(held_out_shifted(oof, rows, part), 0))


def _own_answers(oof: NDArray[Any], rows: KnownRows) -> tuple[float, tuple[float, ...], float | None]:
    """A model's cut or factors and the score with them; None for the score where it has neither.

    The score is out of fold, each half of the rows with what the other one asks for. Both are chosen in the same way:
    quickly where the deadline passes on it, for a model without a cut would lose to the leader by that alone.
    """
    n_classes = oof.shape[1]
    threshold, factors = choose_answers(oof, rows)
    known, rows, part = _halves(oof, rows)
    answers = None
    if threshold != HALF or factors:
        answers = held_out_answers(known, rows, part)
    if rows.deadline.passed():
        # Of very many classes even this takes long.
        quick = needs_cut(rows.metric, n_classes) and n_classes <= MAX_CLASSES
        threshold, factors = quick_cut(known, rows) if quick else (HALF, ())
        answers = quick_answers(known, rows, part) if threshold != HALF or factors else None
    return threshold, factors, None if answers is None else rows.metric.to_score(rows.loss(answers, n_classes))


def _halves(oof: NDArray[Any], rows: KnownRows) -> tuple[NDArray[Any], KnownRows, NDArray[Any]]:
    """The rows that have predictions, these, and the half of each."""
    known = np.isfinite(oof).all(axis=1)
    rows = rows.only(known)
    part = cut_parts(rows.y, rows.metric.needs == "label", rows.block, np.random.default_rng(rows.seed), 2)
    return oof[known].astype(float), rows, part


def _row_ms(base: Footprint, trials: Sequence[TrialResult]) -> float | None:
    """Milliseconds for one row with one model of each trial; None if one of them was not measured."""
    if any(r.need.row_s is None for r in trials):
        return None
    return 1000.0 * ((base.row_s or 0.0) + (together(trials).row_s or 0.0))


def _bulk_ms(trials: Sequence[TrialResult]) -> float:
    """Milliseconds for a row among many with one model of each trial; what was not measured takes nothing."""
    return (together(trials).ms_per_1000 or 0.0) / 1000.0


def _loss(result: TrialResult) -> float:
    return result.loss if result.loss is not None else float("inf")
