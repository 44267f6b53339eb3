"""The text benchmark: scores are those of the predictions as users get them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import texts
from bench_fit import Took
from bench_tasks import read_tasks


def test_accuracy_is_of_the_answers_and_auc_of_the_probabilities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, data = tmp_path / "bench", tmp_path / "data"
    bench.mkdir(), data.mkdir()
    (bench / "tasks.py").write_text('TASKS = {"mails": ("kind", "binary")}')
    rows = {"text": [f"words {i}" for i in range(40)], "kind": ["ham", "spam"] * 20}
    pd.DataFrame(rows).to_csv(data / "mails.csv", index=False)
    asked: list[Sequence[str]] = []

    def fit(autodl: str, train: Path, flags: Sequence[str], *rest: Any) -> Took:
        asked.append(flags)
        return Took(1.0, 1.0, 1, 0)

    def predict(autodl: str, run: Path, test: Path, out: Path, log: Path, *, proba: bool) -> Took:
        # All below a half, and in the right order; the answers follow a cut at 0.2, and one of them is wrong.
        spam = pd.read_csv(test)["kind"].eq("spam")
        p = spam.map({True: 0.3, False: 0.1})
        told = spam.map({True: "spam", False: "ham"})
        told.iloc[0] = "ham" if spam.iloc[0] else "spam"
        pd.DataFrame({"prediction": told, "proba_ham": 1 - p, "proba_spam": p}).to_csv(out, index=False)
        return Took(1.0, 1.0, 1, 0)

    monkeypatch.setattr(texts, "fit", fit)
    monkeypatch.setattr(texts, "predict", predict)
    (task,) = read_tasks(bench, "mails")
    row = texts.measure(task, "none", 60.0, 0, Namespace(work=tmp_path / "work", autodl="autodl", keep=False))
    assert row["accuracy"] == pytest.approx(0.9) and row["auc"] == 1.0 and row["error"] is None
    assert list(asked[0]) == ["--target", "kind", "--task", "classification", "--pretrained", "none"]
    assert texts.table([row])[1].split() == ["mails", "none", "60", "0", "0.9000", "1.0000", "1.0"]
