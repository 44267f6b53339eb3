"""What each choice of the preparation gives: test loss with and without it, on the same rows.

    python benchmarks/preparation.py DATA text_pieces splines --rows 2000 --splits 5 --cache FILE.jsonl

DATA is the folder of the development tables; without names all choices are measured. Each pair of trials has the same
training and test rows and the same model. What counts is by how many percent the test loss (1 - AUC, log loss or
RMSE) changes: below 0 is better. CPU seconds are those of one trial, with and without. The same command goes on
where it ended. The table ``docstrings`` is made of the installed packages: which of six does a paragraph come from?
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy import stats

from autodl.dataset import load
from autodl.evaluate.base import metrics
from autodl.options import FitOptions
from autodl.records import JsonScalar, Plan, TrialSpec
from autodl.search.job import Job, TrialData
from autodl.search.prepared import PreparedFolds
from autodl.search.trial import run_trial
from autodl.stages.preparing import plan, profile

TARGETS = {
    "titanic": "Survived", "bank_churn": "Exited", "cells": "Class", "concrete": "strength",
    "california_housing": "median_house_value", "wine_quality": "quality", "adult": "class", "letter": "lettr",
    "sms_spam": "type", "diabetes": "target", "docstrings": "package",
}  # fmt: skip
TEXTS = ("sms_spam", "docstrings")
SMALL = ("titanic", "bank_churn", "cells", "concrete", "california_housing", "wine_quality", "adult", "diabetes")
WORDS = ("titanic", "bank_churn", "adult")
REGRESSIONS = ("concrete", "california_housing", "wine_quality", "diabetes")
CODED = ("lightgbm", "catboost", "mlp")
"""Families that read categories as codes."""
TREES, SUMS, NETS = ("lightgbm",), ("linear",), ("mlp",)
MODELS: Mapping[str, Mapping[str, JsonScalar]] = {
    "lightgbm": {}, "linear": {}, "catboost": {"n_estimators": 200}, "extra_trees": {}, "forest": {}, "neighbors": {},
    "mlp": {"width": 128, "depth": 2, "batch_size": 256, "lr": 0.004},
}  # fmt: skip
"""Models of the measurements, cheaper than a fit's where that is needed."""


@dataclass(frozen=True)
class Choice:
    """Settings compared on some tables with some families.

    Attributes:
        without, with_: Fields of ``Recipe``, or settings of the family where the name has a prefix ``model.``.
        tables, families: Where.
    """

    without: Mapping[str, JsonScalar]
    with_: Mapping[str, JsonScalar]
    tables: tuple[str, ...] = SMALL
    families: tuple[str, ...] = (*TREES, *SUMS, *NETS)


DENSE = ("lightgbm", "mlp", "extra_trees")
BARE = {"text_pieces": False, "text_statistics": False, "text_score": False, "text_terms": 0, "text_components": 32}
SCORED = {"text_pieces": True, "text_statistics": True, "text_score": True, "text_terms": 0}
CHOICES: dict[str, Choice] = {
    "text all": Choice(BARE, {**SCORED, "text_components": 32}, TEXTS, (*DENSE, "linear")),
    "text_pieces": Choice({**SCORED, "text_pieces": False}, SCORED, TEXTS, (*DENSE, "linear")),
    "text_statistics": Choice({**SCORED, "text_statistics": False}, SCORED, TEXTS, (*DENSE, "linear")),
    "text_score": Choice({**SCORED, "text_score": False}, SCORED, TEXTS, DENSE),
    "text_terms 32": Choice(SCORED, {**SCORED, "text_terms": 32}, TEXTS, DENSE),
    "text_terms 32 for 16 topics": Choice(SCORED, {**SCORED, "text_terms": 32, "text_components": 16}, TEXTS, DENSE),
    "text_terms 64 for topics": Choice(SCORED, {**SCORED, "text_terms": 64, "text_components": 0}, TEXTS, DENSE),
    "text, linear C 10": Choice({}, {"model.C": 10.0}, TEXTS, SUMS),
    "crosses 4": Choice({}, {"crosses": 4}),
    "crosses 10": Choice({}, {"crosses": 10}),
    "segments 6": Choice({}, {"segments": 6}, SMALL, SUMS),
    "segments 12": Choice({}, {"segments": 12}, SMALL, SUMS),
    "segments 6 and crosses 10": Choice({"segments": 6}, {"segments": 6, "crosses": 10}, SMALL, SUMS),
    "scale power": Choice({}, {"scale": "power"}, SMALL, (*SUMS, *NETS, "neighbors")),
    "scale quantile": Choice({}, {"scale": "quantile"}, SMALL, (*SUMS, *NETS, "neighbors")),
    "frequency": Choice({}, {"frequency": True}, WORDS),
    "code_parts": Choice({}, {"code_parts": True}, ("titanic",), ("lightgbm", "catboost", "linear", "mlp")),
    "gaps": Choice({}, {"gaps": True}, ("titanic",)),
    "categories target": Choice({}, {"categories": "target"}, WORDS),
    "max_codes 50": Choice({}, {"max_codes": 50}, WORDS, CODED),
    "max_codes 50 and code_parts": Choice({}, {"max_codes": 50, "code_parts": True}, WORDS, CODED),
    "target, code_parts": Choice({}, {"categories": "target", "code_parts": True}, WORDS, ("extra_trees", "forest")),
    "ordinal, code_parts": Choice({}, {"code_parts": True}, WORDS, ("extra_trees", "forest")),
    "rare": Choice({"rare": 0.0}, {"rare": 0.005}, WORDS),
    "target power": Choice({}, {"target": "power"}, REGRESSIONS),
    "target quantile": Choice({}, {"target": "quantile"}, REGRESSIONS),
    "target log": Choice({}, {"target": "log"}, REGRESSIONS),
}  # fmt: skip


def docstrings(most: int = 700) -> pd.DataFrame:
    """First paragraphs of the documentation of functions and classes, and the package that each stands in."""
    import ast
    import importlib.util

    rows: dict[str, str] = {}
    for package in ("numpy", "pandas", "scipy", "sklearn", "statsmodels", "torch"):
        spec = importlib.util.find_spec(package)
        folder = Path(str(spec.origin if spec else "")).parent
        found: dict[str, str] = {}
        for file in sorted(folder.rglob("*.py")):
            if "test" in str(file.relative_to(folder)) or len(found) > 20 * most:
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8", errors="replace"))):
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and (text := ast.get_docstring(node)):
                    first = " ".join(text.split("\n\n")[0].split())
                    if len(first.split()) >= 5:
                        found[first] = package
        drawn = np.random.default_rng(0).permutation(sorted(found))[:most]
        rows |= {str(text): package for text in drawn}
    return pd.DataFrame({"text": list(rows), "package": list(rows.values())}).sample(frac=1.0, random_state=0)


@cache
def table(folder: Path, name: str, family: str) -> tuple[pd.DataFrame, np.ndarray, Plan, TrialData]:
    """All rows of a table, the plan of a fit with this family, and its data without folds."""
    options = FitOptions(target=TARGETS[name], families=(family,))
    source: str | pd.DataFrame = str(folder / f"{name}.csv")
    if name == "docstrings":
        source = docstrings()
    elif name == "diabetes":
        from sklearn.datasets import load_diabetes

        source = load_diabetes(as_frame=True, scaled=False).frame
    read = load(source, options)
    made = plan(profile(read, None, options), options, False)
    data = TrialData(
        frame=read.frame[list(made.features)],
        y=read.y,
        test_frame=read.frame.iloc[:0][list(made.features)],
        folds=(),
        schema=read.schema.only(made.features),
        task=made.task,
        n_classes=len(made.classes),
        metric=made.metric,
        recipes={f.key: f.recipe for f in made.families},
    )
    return data.frame, read.y, made, data


def loss(
    folder: Path, name: str, family: str, settings: Mapping[str, JsonScalar], rows: int, split: int
) -> tuple[float | None, float]:
    """Loss on up to 3,000 test rows after training on ``rows`` rows (a fifth for early stopping), and CPU seconds."""
    from dataclasses import replace

    frame, y, made, data = table(folder, name, family)
    drawn = np.random.default_rng(split).permutation(len(y))
    size = min(rows, int(0.7 * len(y)))
    train, test = drawn[:size], drawn[size : size + 3_000]
    fold = (np.arange(size // 5, size), np.arange(size // 5))
    data = replace(
        data, frame=frame.iloc[train].reset_index(drop=True), y=y[train], test_frame=frame.iloc[test], folds=(fold,)
    )
    own = {k.removeprefix("model."): v for k, v in settings.items() if k.startswith("model.")}
    prep = {f"prep.{k}": v for k, v in settings.items() if not k.startswith("model.")}
    config = {**MODELS[family], **own, **prep}
    began = time.process_time()
    done = run_trial(Job(TrialSpec(id="t0001", family=family, config=config)), data, PreparedFolds(data))
    spent = time.process_time() - began
    if done.test is None:
        print(f"  {family} on {name}: {done.result.error}", flush=True)
        return None, spent
    return metrics[made.metric].loss(y[test], done.test, data.n_classes), spent


class Measured:
    """Losses and CPU seconds, kept in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        self.known = {key: (value, seconds) for key, value, seconds in map(json.loads, lines)}

    def of(self, args: argparse.Namespace, name: str, family: str, settings: Mapping[str, JsonScalar], split: int):
        """Loss (None: failed) and CPU seconds of one trial."""
        key = f"{name} {family} {args.rows} {split} {json.dumps(dict(settings), sort_keys=True)}"
        if key not in self.known:
            self.known[key] = loss(args.folder, name, family, settings, args.rows, split)
            with self.file.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps([key, *self.known[key]]) + "\n")
        return self.known[key]


def changes(
    measured: Measured, args: argparse.Namespace, choice: Choice, family: str
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Of each table: percent by which the loss changes, one a split, and mean CPU seconds without and with."""
    for name in choice.tables:
        if args.tables and name not in args.tables:
            continue
        pairs = [
            [measured.of(args, name, family, settings, split) for settings in (choice.without, choice.with_)]
            for split in range(args.splits)
        ]
        kept = [(a, b) for a, b in pairs if a[0] is not None and b[0] is not None and a[0] > 0]
        if kept:
            percent = np.array([100.0 * (b[0] / a[0] - 1.0) for a, b in kept])
            yield name, percent, np.mean([[a[1], b[1]] for a, b in kept], axis=0)


def interval(values: np.ndarray) -> str:
    """Mean with a 95 % interval."""
    if len(values) < 2:
        return f"{values.mean():+.1f}"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.1f} [{values.mean() - half:+.1f}, {values.mean() + half:+.1f}]"


def times(cpu: np.ndarray) -> str:
    """CPU seconds without and with."""
    return f"{cpu[0]:.2f} -> {cpu[1]:.2f} s"


def main() -> None:
    """Measure the choices asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("choices", nargs="*", help=", ".join(CHOICES))
    parser.add_argument("--families", nargs="*", default=[])
    parser.add_argument("--tables", nargs="*", default=[])
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path("preparation.jsonl"))
    args = parser.parse_args()
    measured = Measured(args.cache)
    for title in args.choices or CHOICES:
        choice = CHOICES[title]
        for family in args.families or choice.families:
            if family not in choice.families:
                continue
            pairs, seconds = [], []
            for name, percent, cpu in changes(measured, args, choice, family):
                print(f"  {title} | {family} | {name}: {interval(percent)} % ({times(cpu)})", flush=True)
                pairs += list(percent)
                seconds.append(cpu)
            if pairs:
                print(
                    f"{title} | {family}: {interval(np.array(pairs))} % ({times(np.mean(seconds, axis=0))})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
