"""Of very many rows a part is learnt from: a class may be lost on the way, its label may not."""

from __future__ import annotations

import numpy as np
import pytest

from autodl import AutoClassifier
from autodl.data import reading


def test_a_class_that_the_sample_lost_moves_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from autodl.data.allowance import Allowance

    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 2))
    y = np.where(X[:, 0] > 0, "north", "south").astype(object)
    y[[5, 17]] = "east"  # first in the order of the labels
    limit = Allowance.limit

    def few(self: Allowance, columns: int, text: float) -> tuple[int | None, str]:
        return limit(self, columns, text) if self.memory_bytes is None else (600, "of the test")

    monkeypatch.setattr(Allowance, "limit", few)
    monkeypatch.setattr(reading, "LARGE_CELLS", 1)
    model = AutoClassifier(max_trials=2, families=("linear",), random_state=3, workers=1).fit(X, y)
    assert model.classes_.tolist() == ["east", "north", "south"]
    assert len(model.model_.manifest.classes) == 2
    new = rng.normal(size=(200, 2))
    assert np.mean(model.predict(new) == np.where(new[:, 0] > 0, "north", "south")) > 0.95
    proba = model.predict_proba(new)
    assert proba.shape == (200, 3)
    assert (proba[:, 0] == 0).all()
    np.testing.assert_allclose(proba.sum(1), 1.0, atol=1e-6)
    assert (model.classes_[proba.argmax(1)] == model.predict(new)).all()
