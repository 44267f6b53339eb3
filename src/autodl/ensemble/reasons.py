"""Why one way of combining the models was chosen, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autodl.ensemble.nested import PROOF_SE, Judged
from autodl.ensemble.pool import Pool
from autodl.evaluate.base import Metric
from autodl.records import Calibration


def reasons(
    pool: Pool,
    chosen: Judged,
    compared: Sequence[Judged],
    sizes: Mapping[str, int],
    calibration: Calibration | None,
    metric: Metric,
) -> str:
    """What was compared and why this was chosen.

    Args:
        pool: Candidates. chosen: Among all that were compared.
        compared: The best single model first.
        sizes: How many models have weight, by the key of each way. calibration: Of what was chosen.
        metric: What is optimized, where that is not what the pool is judged by.
    """
    single = compared[0]
    name = pool.metric.name
    gain, spread = single.worse(chosen)
    n_models = sizes[chosen.way.key]
    rivals = [j for j in compared if sizes[j.way.key] > 1]
    if n_models == 1:
        if chosen.way.key == "simplest":
            text = (
                "One model alone is as good as any combination, and several cannot be told apart: the simplest of "
                f"them is the safest. On rows not used for the choice, {name} differs from that of the model with "
                f"the best score by {gain:+.2g} (standard error {spread:.2g}; positive is better)."
            )
        elif not rivals and len(sizes) > 1:
            text = f"By {name}, every way to combine models comes down to one model."
        elif not rivals:
            text = f"There was no time to compare combinations of models by {name}."
        else:
            best = min(rivals, key=lambda j: j.loss)
            lost, noise = chosen.worse(best)
            text = (
                f"Combining models does not beat the best single one by more than noise: on rows not used for the "
                f"weights, {name} changes by {lost:+.2g} (standard error {noise:.2g}; positive is better)."
            )
    else:
        if gain > PROOF_SE * spread:
            text = (
                f"{n_models} models together beat the best single one: on rows not used for the weights, {name} "
                f"improves by {gain:.2g} (standard error {spread:.2g})."
            )
        else:
            text = (
                f"{n_models} models are combined because that usually helps on new rows. On rows not used for the "
                f"weights they differ from the best single one by no more than noise: {name} changes by {gain:+.2g} "
                f"(standard error {spread:.2g}; positive is better)."
            )
        others = len({j.way.key for j in rivals} - {chosen.way.key})
        if others:
            rest = "The other way" if others == 1 else f"None of {others} other ways"
            verb = "does not beat" if others == 1 else "beats"
            text += f" {rest} to combine them {verb} {chosen.way.words} by more than noise."
    if metric is not pool.metric:
        text += (
            f" They are compared by the {name[0].lower()}{name[1:]}, since {metric.name} depends on how the answer "
            "follows from the probabilities, which is chosen afterwards."
        )
    return text if calibration is None else f"{text} {_calibrated(calibration)}"


def _calibrated(calibration: Calibration) -> str:
    if calibration.kind != "linear":
        return "The probabilities were then calibrated, which makes them truer on rows not used for it."
    _, slope = calibration.coefficients
    what = "for a constant bias" if slope == 1 else "by a straight line (slope and shift)"
    return f"The numbers were then corrected {what}, which brings them closer on rows not used for it."
