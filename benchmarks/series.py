"""Classes of series: accuracy of a fit with a time budget, and of MiniRocket with ridge, here and in aeon.

    python benchmarks/series.py --data GunPoint OSULeaf --seconds 60 --seeds 0 1 2 --out series.jsonl
    python benchmarks/series.py --out series.jsonl --print

DATA are names of data sets that come with aeon, or folders with NAME_TRAIN.ts and NAME_TEST.ts. Compared are:

- `fit`: `autodl fit` with default settings, scored on the test file, which it never sees.
- `rocket`: our MiniRocket and scikit-learn's RidgeClassifierCV, without any clock.
- `linear`: our MiniRocket and our linear model as the planner starts it, without any clock.
- `aeon`: aeon's MiniRocket and the same RidgeClassifierCV. It takes series of one length; shorter ones are filled up
  with zeros at the end.

A line of JSON a result; what is in the file already is not run again, so take a new file for a new version.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench_fit import append, commit, facts, fit, predict, rows_of

WAYS = ("aeon", "rocket", "linear", "fit")
DATA = ("GunPoint", "ItalyPowerDemand", "ArrowHead", "BasicMotions", "JapaneseVowels", "OSULeaf")
ALPHAS = np.logspace(-3, 3, 10)


def files(name: str) -> tuple[Path, Path]:
    """The training and the test file of a data set."""
    folder = Path(name)
    if not folder.is_dir():
        spec = find_spec("aeon")
        if spec is None or spec.origin is None:
            raise SystemExit(f"there is no folder {name}, and aeon, which has some data sets, is not installed")
        folder = Path(spec.origin).parent / "datasets" / "data" / name
    train, test = (next(iter(sorted(folder.glob(f"{folder.name}_{part}.ts"))), None) for part in ("TRAIN", "TEST"))
    if train is None or test is None:
        raise SystemExit(f"{folder} has no {folder.name}_TRAIN.ts and {folder.name}_TEST.ts")
    return train, test


def in_process(way: str, train: Path, test: Path, seed: int) -> tuple[float, int]:
    """Accuracy and test series of a transform with a linear classifier."""
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from autodl.dataset import load, load_test
    from autodl.models.base import Meta, families
    from autodl.options import build_options
    from autodl.preprocess import Preparer

    rows = load(str(train), build_options(seed=seed))
    new = load_test(str(test), rows, seed)
    if way == "aeon":
        a, b = _aeon(rows.frame["series"].array, new.frame["series"].array, seed)
        model = make_pipeline(StandardScaler(with_mean=False), RidgeClassifierCV(ALPHAS)).fit(a, rows.y)
        return float((model.predict(b) == new.y).mean()), len(new.y)
    family = families["linear"]()
    preparer = Preparer(family.recipe, rows.schema.only(["series"]), rows.target.task, seed)
    a, b = preparer.fit_transform(rows.frame, rows.y), preparer.transform(new.frame)
    if way == "rocket":
        ridge = RidgeClassifierCV(ALPHAS).fit(a.numeric, rows.y)
        return float((ridge.predict(b.numeric) == new.y).mean()), len(new.y)
    linear = family.build(family.config(), Meta(rows.target.task, len(rows.target.classes), seed))
    linear.fit(a, rows.y)
    return float((linear.predict(b) == new.y).mean()), len(new.y)


def _aeon(train: Any, test: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """aeon's features of two columns of series."""
    from aeon.transformations.collection.convolution_based import MiniRocket

    length = max(9, *(len(one) for part in (train, test) for one in part))
    cubes = []
    for part in (train, test):
        cube = np.zeros((len(part), part[0].shape[1], length), np.float32)
        for place, one in enumerate(part):
            cube[place, :, : len(one)] = one.T
        cubes.append(cube)
    rocket = MiniRocket(random_state=seed).fit(cubes[0])
    return np.asarray(rocket.transform(cubes[0])), np.asarray(rocket.transform(cubes[1]))


def measure(name: str, way: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """One result."""
    train, test = files(name)
    row: dict[str, Any] = {"data": train.parent.name, "way": way, "seed": seed, "commit": commit(), "error": None}
    begun, used = time.perf_counter(), time.process_time()
    if way != "fit":
        row["accuracy"], row["series"] = in_process(way, train, test, seed)
        return {**row, "wall_s": round(time.perf_counter() - begun, 2), "cpu_s": round(time.process_time() - used, 2)}
    place = args.work / f"{train.parent.name}-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    log, answers = place / "log.txt", place / "predictions.csv"
    took = fit(args.autodl, train, ("--metric", "accuracy"), args.seconds, seed, place / "run", log)
    asked = predict(args.autodl, place / "run", test, answers, log, proba=False)
    row |= {"seconds": args.seconds, "wall_s": round(took.wall_s, 2), "cpu_s": round(took.cpu_s, 1)}
    row |= {"predict_s": round(asked.wall_s, 2), **facts(place / "run")}
    if took.code or asked.code:
        said = " ".join(log.read_text("utf-8", "replace").split())[-200:]
        row |= {"accuracy": None, "error": f"fit {took.code}, predict {asked.code}: {said}"}
    else:
        from autodl.data import read_table

        truth = read_table(test)[0]["label"].astype(str)
        said_right = pd.read_csv(answers, dtype=str)["prediction"] == truth
        row |= {"accuracy": float(said_right.mean()), "series": len(truth)}
    if not args.keep:
        shutil.rmtree(place / "run", ignore_errors=True)
    return row


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Mean accuracy over seeds of each way on each data set, and the mean over those that all ways have."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["accuracy"] is not None:
            found[row["data"]][row["way"]].append(row["accuracy"])
    ways = [way for way in WAYS if any(way in by_way for by_way in found.values())]
    means = {data: {way: statistics.mean(v) for way, v in by_way.items()} for data, by_way in found.items()}
    lines = [f"{'data':18} " + " ".join(f"{way:>8}" for way in ways)]
    for data, by_way in means.items():
        cells = (f"{by_way[way]:8.4f}" if way in by_way else f"{'-':>8}" for way in ways)
        lines.append(f"{data:18} " + " ".join(cells))
    common = [by_way for by_way in means.values() if all(way in by_way for way in ways)]
    if common:
        cells = (f"{statistics.mean(by_way[way] for by_way in common):8.4f}" for way in ways)
        lines.append(f"{f'mean of {len(common)}':18} " + " ".join(cells))
    return lines


def main() -> None:
    """Parse, run what is not there yet, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=list(DATA))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    parser.add_argument("--out", type=Path, default=Path("series.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("series-work"))
    parser.add_argument("--keep", action="store_true", help="keep the run folders")
    parser.add_argument("--print", action="store_true", help="only print what is in the file")
    args = parser.parse_args()
    if not args.print:
        done = {(r["data"], r["way"], r["seed"]) for r in rows_of(args.out) if r["accuracy"] is not None}
        for seed in args.seeds:
            for name in args.data:
                for way in args.ways:
                    if (Path(name).name, way, seed) not in done:
                        append(args.out, measure(name, way, seed, args))
    print("\n".join(table(rows_of(args.out))))


if __name__ == "__main__":
    main()
