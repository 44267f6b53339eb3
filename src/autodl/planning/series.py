"""How series are turned into numbers, and the word on wide columns that are taken for one."""

from __future__ import annotations

from autodl.planning.facts import Facts
from autodl.records import ColumnInfo, ColumnKind, Decision, Recipe

MOST_CELLS = 4e7
"""Numbers that the convolutions of all training series may give: 160 MB, which models copy."""
FEWEST_FEATURES = 840
SHOWN = 3
_WORDS = {
    "none": "as they are",
    "summary": "level, spread, trend and rhythm",
    "rocket": "responses to fixed convolutions, MiniRocket",
    "both": "responses to fixed convolutions, level, spread, trend and rhythm",
}


def series_fields(recipe: Recipe, facts: Facts) -> dict[str, object]:
    """Fields of a recipe that say how series become numbers on these data."""
    columns = facts.of_kind(ColumnKind.SERIES)
    if not columns:
        return {"series": "none"}
    room = int(MOST_CELLS / (max(1, facts.rows) * len(columns)))
    return {"series_features": max(FEWEST_FEATURES, min(recipe.series_features, room))}


def decide_series(facts: Facts, recipes: dict[str, Recipe], searched: bool) -> list[Decision]:
    """The choices in words.

    Args:
        facts: Of the table. recipes: Name of a family -> its adapted recipe.
        searched: Whether the search varies them.
    """
    columns = facts.of_kind(ColumnKind.SERIES)
    if not columns:
        return []
    groups: dict[str, list[str]] = {}
    for name, recipe in recipes.items():
        groups.setdefault(_WORDS[recipe.series], []).append(name)
    choice = "; ".join(f"{what} ({', '.join(names)})" for what, names in groups.items())
    if len(groups) == 1:
        choice = next(iter(groups))
    why = (
        f"{', '.join(_about(c) for c in columns[:SHOWN])}. How often a series exceeds thresholds after fixed "
        "convolutions, weighed by a linear model, is as good as most networks and takes seconds; trees do better "
        "with few telling numbers."
    )
    more = " The search tries other ways too." if searched else ""
    found = [Decision(topic="Series", choice=choice, why=why + more, evidence={"columns": len(columns)})]
    for column in columns:
        rule = column.parse.series
        if rule is not None and rule.columns and rule.id_column is None:
            found.append(_wide(column, len(rule.columns)))
    return found


def _about(column: ColumnInfo) -> str:
    stats = column.series
    if stats is None:
        return f"'{column.name}'"
    low, middle, high = stats.length
    steps = f"{high} steps" if low == high else f"{low} to {high} steps, mostly about {middle}"
    return f"'{column.name}' has {steps}" + (f" of {stats.channels} numbers" if stats.channels > 1 else "")


def _wide(column: ColumnInfo, n: int) -> Decision:
    return Decision(
        topic="Columns that are a series",
        choice=f"{column.name}, beside the {n} columns themselves",
        why=f"They are {column.why}. Columns in no order would not be alike in this way. "
        f"To learn from the columns alone, pass --drop '{column.name}'.",
        evidence={"columns": n},
    )
