"""The tasks of a bench folder: their rows, split as its duel splits them, and the loss of predictions.

A bench is a folder with `tasks.py`, whose ``TASKS`` maps a file in ``../data`` to (target, kind), and `duel.py`.
Kinds: binary (loss 1 - AUC), multiclass (log loss), regression (RMSE).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score
from sklearn.model_selection import train_test_split

CONFIRM = ("telco_churn", "insurance", "diamonds", "bank_marketing", "abalone")
"""Tasks that nobody looked at while developing; the others were used to develop."""
FLOOR = 1e-12
"""Probability of a class that the predictions do not know, as in the duel."""


@dataclass(frozen=True)
class BenchTask:
    """One task of the bench: a file, the column to predict and the kind of task."""

    name: str
    target: str
    kind: str
    file: Path

    @property
    def flags(self) -> list[str]:
        """What `autodl fit` is told of the task."""
        return ["--target", self.target, "--task", "regression" if self.kind == "regression" else "classification"]


def read_tasks(bench: Path, chosen: str = "all") -> list[BenchTask]:
    """Tasks of a bench, in its order.

    Args:
        bench: Folder with `tasks.py`. chosen: Names with commas between; ``all``, ``develop`` or ``confirm``.

    Raises:
        SystemExit: If a name is unknown.
    """
    spec = importlib.util.spec_from_file_location("tasks", bench / "tasks.py")
    if spec is None or spec.loader is None or not (bench / "tasks.py").is_file():
        raise SystemExit(f"{bench} has no tasks.py: give the bench folder with --bench")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data = bench.resolve().parent / "data"
    known = {n: BenchTask(n, target, kind, data / f"{n}.csv") for n, (target, kind) in module.TASKS.items()}
    groups = {"all": list(known), "develop": [n for n in known if n not in CONFIRM],
              "confirm": [n for n in known if n in CONFIRM]}  # fmt: skip
    names = groups.get(chosen) or chosen.split(",")
    if unknown := [n for n in names if n not in known]:
        raise SystemExit(f"no task {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[n] for n in names]


def split(task: BenchTask, seed: int, folder: Path) -> tuple[Path, Path]:
    """Write `train.csv` and `test.csv` of a task, the rows that the duel draws with this seed.

    Returns:
        Both paths, in ``folder/NAME-SEED``.
    """
    place = folder / f"{task.name}-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    train, test = place / "train.csv", place / "test.csv"
    if not (train.exists() and test.exists()):
        frame = pd.read_csv(task.file).dropna(subset=[task.target])
        classes = None
        if task.kind != "regression":
            frame = frame[frame[task.target].map(frame[task.target].value_counts()) >= 5]
            classes = frame[task.target]
        first, second = train_test_split(frame, test_size=0.25, random_state=seed, stratify=classes)
        first.to_csv(train, index=False)
        second.to_csv(test, index=False)
    return train, test


def read_answers(task: BenchTask, test: Path, predictions: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Truth and predictions of the test rows.

    Args:
        test: CSV with the target. predictions: What `autodl predict` wrote for it, with ``--proba`` for classes.

    Returns:
        See `answers`.
    """
    return answers(task, pd.read_csv(test)[task.target], pd.read_csv(predictions))


def answers(task: BenchTask, truth: pd.Series, found: pd.DataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    """Truth and predictions as arrays.

    Args:
        truth: (n,) targets. found: (n,) rows with ``prediction`` or, for classes, ``proba_CLASS`` columns.

    Returns:
        For regression (n,) and (n,) values; else (n,) class codes and (n, K) probabilities. K counts the classes of
        both, and rows sum to 1.
    """
    if len(truth) != len(found):
        raise ValueError(f"{len(found)} predictions for {len(truth)} rows")
    if task.kind == "regression":
        return truth.to_numpy(float), found["prediction"].to_numpy(float)
    labels = truth.astype(str).to_numpy()
    columns = [c for c in found.columns if c.startswith("proba_")]
    names = {c: _written(c.removeprefix("proba_"), set(labels)) for c in columns}
    order = sorted({*labels, *names.values()})
    wide = np.full((len(labels), len(order)), FLOOR)
    for column, name in names.items():
        wide[:, order.index(name)] = np.maximum(found[column].to_numpy(float), FLOOR)
    codes = {name: i for i, name in enumerate(order)}
    return np.array([codes[label] for label in labels]), wide / wide.sum(axis=1, keepdims=True)


def _written(name: str, labels: set[str]) -> str:
    """The label that a class is, which may be written as 1.0 on one side and as 1 on the other."""
    if name in labels:
        return name
    for label in labels:
        try:
            if float(label) == float(name):
                return label
        except ValueError:
            continue
    return name


def loss(kind: str, truth: NDArray[Any], prediction: NDArray[Any]) -> float:
    """The bench's loss, lower is better; arrays as `read_answers` gives them."""
    if kind == "regression":
        return float(mean_squared_error(truth, prediction) ** 0.5)
    if kind == "binary":
        return float(1 - roc_auc_score(truth == 1, prediction[:, 1]))
    return float(log_loss(truth, prediction, labels=list(range(prediction.shape[1]))))


def difference_error(
    kind: str, truth: NDArray[Any], first: NDArray[Any], second: NDArray[Any], draws: int = 100
) -> float:
    """Standard error of the loss of ``first`` minus that of ``second``: paired bootstrap over the test rows."""
    rng, gaps = np.random.default_rng(0), []
    for _ in range(draws):
        rows = rng.integers(0, len(truth), len(truth))
        if kind == "binary" and len(np.unique(truth[rows])) < 2:
            continue
        gaps.append(loss(kind, truth[rows], first[rows]) - loss(kind, truth[rows], second[rows]))
    return float(np.std(gaps, ddof=1))
