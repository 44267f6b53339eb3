"""Quickly trained models of any family, and predictions checked for their form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.models.base import Estimator, Family, FamilyConfig, Meta
from autodl.records import Modality, Task
from autodl.testing.problems import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.features import Features


def quick_config(family: type[Family], brief: bool = False) -> FamilyConfig:
    """The default configuration with few rounds, so that the battery is quick.

    Args:
        family: Any. brief: Whether it matters only that a model is trained, not what it learns: networks over images,
            series and texts, which take longest, then pass the rows twice.
    """
    fields = family.config.model_fields
    small: dict[str, Any] = {"n_estimators": 40, "epochs": 20, "depth": 2, "width": 64}
    if Modality.TABLE not in family.modalities:
        # One stage that sees the whole image; few steps at a high rate.
        small = {
            "epochs": 2 if brief else 12,
            "batch_size": 64,
            "lr": 0.01,
            "stages": 1,
            "width": (16,),
            "stem_width": 8,
            "kernel": (3,),
            "hidden": 16,
            "crop": 0.0,
            "layers": 1,
            "token_size": 32,
            "side": 16,
        }
    return family.config(**{name: value for name, value in small.items() if name in fields})


def kinds(family: type[Family]) -> list[int]:
    """Numbers of classes to try: 0 is regression."""
    out = [0] if Task.REGRESSION in family.tasks else []
    return out + ([2, 4] if Task.CLASSIFICATION in family.tasks else [])


def fitted(
    family: type[Family], problem: Problem, sample_weight: NDArray[Any] | None = None, *, brief: bool = False
) -> Estimator:
    """A quick model, trained; ``brief`` as for ``quick_config``."""
    model = family().build(quick_config(family, brief), problem.meta)
    model.fit(problem.X, problem.y, problem.X_val, problem.y_val, sample_weight=sample_weight)
    return model


def predictions(model: Estimator, X: Features, meta: Meta) -> NDArray[np.float64]:
    """Probabilities or values, checked for shape, finiteness and sums."""
    out = model.predict(X)
    assert out.shape == (len(X),), f"predict gives {out.shape} for {len(X)} rows"
    if meta.task is Task.REGRESSION:
        assert np.isfinite(out).all(), "predictions are not finite"
        return np.asarray(out, dtype=np.float64)
    proba = model.predict_proba(X)
    assert proba.shape == (len(X), meta.n_classes), f"predict_proba gives {proba.shape}, K={meta.n_classes}"
    assert np.isfinite(proba).all() and (proba >= 0).all(), "probabilities are negative or not finite"
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-5, err_msg="probabilities do not sum to 1")
    assert np.issubdtype(out.dtype, np.integer), f"class codes have dtype {out.dtype}"
    assert ((out >= 0) & (out < meta.n_classes)).all(), "a class code lies outside 0..K-1"
    # float32 ties may break either way.
    shown = proba[np.arange(len(out)), out]
    assert (shown >= proba.max(axis=1) - 1e-6).all(), "predict does not give the most probable class"
    return np.asarray(proba, dtype=np.float64)
