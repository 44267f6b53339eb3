"""Which ways of combining the models were compared, on which evidence, in words for people who did not make them."""

from __future__ import annotations

import math

from autodl.records import Compared, Ensemble
from autodl.report import format as fmt
from autodl.report.elements import Column, Table
from autodl.report.facts import Facts, metric_words

WAYS = {
    "single": "The best single model",
    "simplest": "The simplest of the models that tie with it",
    "greedy": "Greedy selection",
    "bagged": "Mean of greedy selections",
    "weighted": "Mean with the best weights",
    "pooled": "Mean of log-probabilities with the best weights",
}
SOURCES = {
    "greedy": "greedy ensemble selection (Caruana et al. 2004)",
    "bagged": "greedy ensemble selection among random subsets of the models (Caruana et al. 2004)",
    "weighted": "a mean with regularized weights (stacked regressions, Breiman 1996; stacking of predictive "
    "distributions, Yao et al. 2018)",
    "pooled": "a logarithmic pool with regularized weights (Genest and Zidek 1986)",
}
CALIBRATIONS = {
    "linear": "a straight line (slope and shift)",
    "beta": "beta calibration (Kull et al. 2017)",
    "temperature": "temperature scaling (Guo et al. 2017)",
    "isotonic": "isotonic regression (Zadrozny and Elkan 2002)",
    "quantiles": "conformal shifts (Romano et al. 2019)",
}


def method(ensemble: Ensemble) -> str | None:
    """How the models were combined, as methods sections say it; None for a single model as it is."""
    source = SOURCES.get(ensemble.method) if len(ensemble.members) > 1 else None
    text = f"The models were combined by {source} on out-of-fold predictions." if source else ""
    if ensemble.calibration is not None:
        what = "combined predictions" if source else "predictions"
        text += f" The {what} were corrected by {CALIBRATIONS[ensemble.calibration.kind]}, learnt out of fold."
    return text.strip() or None


def kind(ensemble: Ensemble) -> str:
    """What a combination is, in one short sentence."""
    mean = "weighted mean" if ensemble.pooling == "mean" else "weighted mean of the log-probabilities"
    return f"A {mean} of {len(ensemble.members)} models."


def compared(facts: Facts) -> Table | None:
    """The ways side by side; None where there was nothing to compare."""
    e = facts.ensemble
    if e is None or len({c.way for c in e.compared}) < 2:
        return None
    best = min(e.compared, key=lambda c: c.loss)
    by = e.compared_by or facts.plan.metric
    scores = [_score(by, c) for c in e.compared]
    places = fmt.common_places([s for s in scores if math.isfinite(s)])
    rows = []
    for c, score in zip(e.compared, scores, strict=True):
        name = WAYS[c.way] + (", calibrated" if c.calibrated else "")
        behind = "best" if c is best else fmt.number(c.worse, 2)
        if c is not best and c.worse_se is not None:
            behind += f" ± {fmt.number(c.worse_se, 2)}"
        rows.append((name, "chosen" if c.chosen else "", str(c.n_models), fmt.fixed(score, places), behind))
    return Table(
        "Ways to combine the models",
        (
            Column("Way"),
            Column(""),
            Column("Models", True),
            Column(f"{metric_words(by).name} on held-out rows", True),
            Column("Behind the best", True),
        ),
        tuple(rows),
        "Each way was fitted on a part of the validation rows and judged on the others, in turn; ± is one standard "
        "error of the difference on the same rows. A greedy selection is taken unless another way is better by two "
        "standard errors; of several that are, the simplest that ties with the best of them.",
    )


def _score(key: str, c: Compared) -> float:
    """The held-out loss in the metric's own direction; the loss where the metric is not known."""
    from autodl.errors import ConfigError
    from autodl.evaluate.base import metrics

    try:
        return metrics[key].to_score(c.loss)
    except ConfigError:  # a metric of a package that is not installed any more
        return c.loss
