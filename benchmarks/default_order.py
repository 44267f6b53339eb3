"""What ``benchmarks/defaults.py`` makes of its records: an order of the candidates, and errors of the cost estimates.

Notation: T splits of tables, c candidates, n rows, K classes.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
WORST = 0.25
"""Relative losses are cut here, so that one table does not decide."""
PICKS = 12
"""Steps of the greedy ensemble."""


def loss(y: np.ndarray, p: np.ndarray) -> float:
    """Log loss of (n, K) probabilities, RMSE of (n,) values."""
    if p.ndim == 2:
        return float(-np.log(np.clip(p[np.arange(len(y)), y], 1e-7, 1.0)).mean())
    return float(np.sqrt(np.mean((y - p) ** 2)))


def blend_loss(members: list[dict[str, np.ndarray]]) -> float:
    """Loss on the test rows of the ensemble that greedy picks make on the validation rows (Caruana et al. 2004)."""
    y, valid = members[0]["y_valid"], [m["valid"].astype(float) for m in members]
    total, picks = np.zeros_like(valid[0]), [0] * len(members)
    best = np.inf
    for step in range(PICKS):
        tried = [loss(y, (total + v) / (step + 1)) for v in valid]
        i = int(np.argmin(tried))
        if tried[i] >= best:
            break
        best, total = tried[i], total + valid[i]
        picks[i] += 1
    test = sum(k * m["test"].astype(float) for k, m in zip(picks, members, strict=True)) / sum(picks)
    return loss(members[0]["y_test"], test)


def order(cache: Path, rows: list[Row], keys: list[str], length: int, joint: bool) -> None:
    """Print candidates by their mean relative loss, then the portfolio of each family, or of all together."""
    best: dict[tuple[str, int], float] = defaultdict(lambda: np.inf)
    for r in rows:
        best[r["table"], r["split"]] = min(best[r["table"], r["split"]], r["loss"])
    for group in [keys] if joint else [[key] for key in keys]:
        names: dict[str, dict[tuple[str, int], Row]] = defaultdict(dict)
        for r in rows:
            if r["family"] in group:
                names[f"{r['family']} {r['name']}" if joint else r["name"]][r["table"], r["split"]] = r
        most = max((len(v) for v in names.values()), default=0)
        names = {n: v for n, v in names.items() if len(v) >= 0.75 * most}
        if not names:
            continue
        common = set.intersection(*(set(v) for v in names.values()))
        print(f"\n## {', '.join(group)}: {len(names)} candidates, {len(common)} splits in common")
        first = f"{keys[0]} shipped-0" if joint else "shipped-0"
        base = names[first]
        unit = {t: base[t]["seconds"] for t in common}
        alone, cost = {}, {}
        for n, found in names.items():
            alone[n] = {t: min(WORST, found[t]["loss"] / best[t] - 1) for t in common}
            cost[n] = float(np.exp(np.mean([np.log(found[t]["seconds"] / unit[t]) for t in common])))
        print("name, mean relative loss, of classes, of numbers, won against the first, seconds relative to its")
        for n in sorted(names, key=lambda n: float(np.mean(list(alone[n].values())))):
            kinds = [[v for t, v in alone[n].items() if (names[n][t]["classes"] > 0) is c] for c in (True, False)]
            won = sum(alone[n][t] < alone[first][t] for t in common)
            means = [float(np.mean(k)) if k else float("nan") for k in kinds]
            print(
                f"{n:26s} {np.mean(list(alone[n].values())):.4f}  {means[0]:.4f}  {means[1]:.4f}"
                f"  {won:2d}/{len(common)}  {cost[n]:6.2f}"
            )
        _portfolio(cache, names, common, best, cost, length)


def _portfolio(
    cache: Path,
    names: dict[str, dict[tuple[str, int], Row]],
    common: set[tuple[str, int]],
    best: dict[tuple[str, int], float],
    cost: dict[str, float],
    length: int,
) -> None:
    """Greedy additions by gain of the ensemble a second."""
    made: dict[tuple[str, tuple[str, int]], dict[str, np.ndarray]] = {}
    for n, found in names.items():
        for t in common:
            with np.load(cache / f"{t[0]}-{t[1]}-{found[t]['id']}.npz") as file:
                made[n, t] = {k: file[k] for k in file.files}
    chosen: list[str] = []
    now = WORST
    print("portfolio: mean relative loss of the ensemble so far, seconds so far")
    spent = 0.0
    while len(chosen) < min(length, len(names)):
        after = {}
        for n in [n for n in names if n not in chosen]:
            blends = {t: blend_loss([made[m, t] for m in [*chosen, n]]) for t in common}
            after[n] = float(np.mean([min(WORST, blends[t] / best[t] - 1) for t in common]))
        # The first entry must be good by itself: it is all that short fits try.
        pick = max(after, key=lambda n: (now - after[n]) / (cost[n] ** (0.1 if not chosen else 0.5)))
        spent += cost[pick]
        chosen.append(pick)
        now = after[pick]
        print(f"{len(chosen):2d} {pick:26s} {now:.4f}  {spent:6.2f}")


def costs(rows: list[Row]) -> None:
    """Print for each family the errors of its estimate: bias and spread of log(measured / estimated)."""
    print(
        "family, trainings, factor measured/estimated: median, 10 % and 90 %; share within a factor 1.5 of the median"
    )
    for key in sorted({r["family"] for r in rows}):
        ratio = np.array([np.log(r["seconds"] / r["estimate"]) for r in rows if r["family"] == key])
        near = np.mean(np.abs(ratio - np.median(ratio)) < np.log(1.5))
        q = np.exp(np.quantile(ratio, [0.5, 0.1, 0.9]))
        print(f"{key:12s} {len(ratio):5d}  {q[0]:.2f}  {q[1]:.2f}  {q[2]:.2f}  {near:.2f}")
