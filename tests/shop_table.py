"""A table of mixed kinds with a known rule, and the options of a small fit on it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autodl.options import FitOptions


def make_table(n=240, seed=0, task="classification"):
    """Mixed types with missing values; a known rule plus noise."""
    rng = np.random.default_rng(seed)
    size, colour = rng.normal(size=n), rng.choice(["red", "green", "blue"], n)
    signal = 2 * size + np.where(colour == "red", 2.0, -1.0)
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, size.round(4)),
            "colour": colour,
            "noise": rng.normal(size=n).round(4),
            "when": pd.date_range("2024-01-01", periods=n).strftime("%Y-%m-%d"),
        }
    )
    noise = rng.normal(size=n)
    if task == "regression":
        return frame.assign(price=(10 + signal + 0.3 * noise).round(3))
    return frame.assign(bought=np.where(signal + 0.7 * noise > 0, "yes", "no"))


OPTIONS = FitOptions(
    target="bought", time_budget_s=None, max_trials=4, families=("dummy", "linear", "lightgbm"), workers=1
)
