"""How the columns are prepared, in words: one decision a topic."""

from __future__ import annotations

from autodl.ensemble.threshold import forgives_missed, one_sided
from autodl.evaluate.base import Metric
from autodl.planning.facts import Facts
from autodl.planning.preparation import (
    IMBALANCED,
    RARE_ROWS,
    SKEWED,
    by_logarithms,
    log_target,
    weighs_classes,
)
from autodl.planning.series import decide_series
from autodl.planning.texts import only_letters_tell
from autodl.profiling.words import count, share
from autodl.records import Decision, Recipe


def decide(facts: Facts, metric: Metric, recipes: dict[str, Recipe], searched: frozenset[str]) -> list[Decision]:
    """The choices in words.

    Args:
        facts: Of the table.
        metric: What is optimized.
        recipes: Name of a family -> its adapted recipe.
        searched: Fields of ``Recipe`` that some family's search space varies.
    """
    found = [_scaling(facts, recipes, searched)]
    if not facts.objects:  # nothing of images, texts or series alone is filled, pulled in or encoded
        found = [
            _missing(facts, recipes, searched),
            _outliers(facts, recipes, searched),
            *found,
            _categories(facts, recipes, searched),
        ]
    if facts.text:
        found.append(_text(facts, recipes, searched))
    found += decide_series(facts, recipes, "series" in searched)
    if facts.dates:
        found.append(_dates(facts))
    found.append(
        _balance(facts, metric, recipes, searched)
        if facts.classification
        else _target(facts, metric, recipes, searched)
    )
    return found


def _may(searched: frozenset[str], field: str) -> str:
    return " The search tries other ways too." if field in searched else ""


def _have(n: int, noun: str, what: str, verb: str = "have") -> str:
    """``1 column has gaps``, ``2 columns have gaps``."""
    one = "has" if verb == "have" else f"{verb}s"
    return f"{count(n, noun)} {one if n == 1 else verb} {what}"


def _spread(recipes: dict[str, Recipe], field: str, words: dict[str, str]) -> str:
    """Which families do what: ``fill with the median (Linear, MLP); leave gaps (LightGBM)``."""
    groups: dict[str, list[str]] = {}
    for name, recipe in recipes.items():
        groups.setdefault(words[str(getattr(recipe, field))], []).append(name)
    if len(groups) == 1:
        return next(iter(groups))
    return "; ".join(f"{what} ({', '.join(names)})" for what, names in groups.items())


def _missing(facts: Facts, recipes: dict[str, Recipe], searched: frozenset[str]) -> Decision:
    words_missing = sum(1 for c in (*facts.categorical, *facts.text) if c.n_missing)
    if not facts.gaps:
        why = "No number is missing." + (" A missing category counts as one of its own." if words_missing else "")
        return Decision(topic="Missing values", choice="nothing to fill", why=why)
    words = {
        "none": "leave the gaps to the model",
        "mean": "fill with the mean",
        "median": "fill with the median",
        "most_frequent": "fill with the most frequent value",
        "knn": "fill from similar rows",
        "iterative": "predict from the other columns",
    }
    worst = facts.gaps[0]
    flagged = any(r.indicator and r.impute != "none" for r in recipes.values())
    why = (
        f"{_have(len(facts.gaps), 'numeric column', 'gaps')}, '{worst.name}' the most "
        f"({share(worst.n_missing / worst.n)}). The median is not pulled by extreme values"
        + (", and a 0/1 column tells the model where a value was missing." if flagged else ".")
        + " Trees that handle gaps learn from them directly."
    )
    evidence = {"columns": len(facts.gaps), "largest_share": worst.n_missing / worst.n}
    return Decision(
        topic="Missing values",
        choice=_spread(recipes, "impute", words),
        why=why + _may(searched, "impute"),
        evidence=dict(evidence),
    )


def _outliers(facts: Facts, recipes: dict[str, Recipe], searched: frozenset[str]) -> Decision:
    far = [c for c in facts.numeric if c.numeric is not None and c.numeric.n_outliers]
    if not far:
        return Decision(topic="Outliers", choice="nothing to treat", why="No value lies far outside the others.")
    words = {"none": "leave as they are", "clip": "pull in to the edge of the usual range"}
    why = (
        f"{_have(len(far), 'column', 'far-out values')}. Models that add columns up are pulled astray by them, so "
        "they see them pulled in or squeezed by the scaling; trees look only at the order of values. No row is "
        "removed."
    )
    return Decision(
        topic="Outliers",
        choice=_spread(recipes, "outliers", words),
        why=why + _may(searched, "outliers"),
        evidence={"columns": len(far)},
    )


def _scaling(facts: Facts, recipes: dict[str, Recipe], searched: frozenset[str]) -> Decision:
    words = {
        "none": "as they are",
        "standard": "mean 0, spread 1",
        "robust": "median 0, quartiles 1 apart, extremes squeezed",
        "quantile": "ranks made bell-shaped",
        "power": "skewed columns straightened, median 0, quartiles 1 apart",
    }
    why = "Models that add columns up need them on one scale; trees do not." + _may(searched, "scale")
    if any(r.crosses for r in recipes.values()):
        why += " Ratios, differences and products of columns are added for them where those explain their errors."
    if any(r.segments for r in recipes.values()):
        why += " Models that draw straight lines get lines with bends, so that they can follow ups and downs."
    return Decision(topic="Scaling", choice=_spread(recipes, "scale", words), why=why)


def _categories(facts: Facts, recipes: dict[str, Recipe], searched: frozenset[str]) -> Decision:
    if not facts.categorical:
        return Decision(topic="Categories", choice="nothing to encode", why="No column holds categories.")
    words = {
        "codes": "by the model itself",
        "onehot": "one 0/1 column for each value",
        "target": "the mean target of each value, learnt within folds",
        "ordinal": "numbered by frequency",
    }
    largest = max(facts.categorical, key=lambda c: c.n_unique)
    hold = _have(len(facts.categorical), "column", "categories", "hold")
    why = f"{hold}; '{largest.name}' has the most ({largest.n_unique:,})."
    limit = min((r.max_onehot for r in recipes.values() if r.categories == "onehot"), default=0)
    if limit and largest.n_unique > limit:
        why += f" Beyond {limit} values the mean target takes the place of 0/1 columns."
    coded: dict[int, list[str]] = {}
    for name, recipe in recipes.items():
        if recipe.categories == "codes" and 0 < recipe.max_codes < largest.n_unique:
            coded.setdefault(recipe.max_codes, []).append(name)
    for limit, names in sorted(coded.items()):
        why += f" Beyond {limit} values the mean target is used for {', '.join(names)} too."
    unseen = " Values never seen before count as unknown."
    if any(r.rare > 0 for r in recipes.values()):
        why += f" Values with fewer than about {RARE_ROWS} rows are grouped."
        unseen = " Values never seen before count as such, or as unknown."
    return Decision(
        topic="Categories",
        choice=_spread(recipes, "categories", words),
        why=why + unseen + _may(searched, "categories"),
        evidence={"columns": len(facts.categorical), "levels": facts.levels},
    )


def _text(facts: Facts, recipes: dict[str, Recipe], searched: frozenset[str]) -> Decision:
    letters = any(r.text_letters for r in recipes.values())
    pieces = any(r.tokenizer for r in recipes.values())
    units = " and ".join(["letter by letter"] * letters + ["by words and their pieces"] * (pieces and letters))
    words = {
        "none": "not used",
        "tfidf": "weights of words, word pairs and pieces of words",
        "svd": "its themes, its telling words and a linear model's answer, as numbers",
        "tokens": f"{units or 'word by word'}, in their order",
    }
    names = ", ".join(f"'{c.name}'" for c in facts.text[:3])
    why = f"{names}: free text. Few words matter in a long list of them, so rare ones are weighted up (tf-idf)."
    if len({r.text == "tokens" for r in recipes.values()}) == 2:
        why += " Models of which words occur come first: they take seconds and are hard to beat."
        if pieces:
            why += " A network that was trained on very many texts goes on learning from these."
        if letters:
            why += " Their words hardly recur, so that letters must tell."
        if any(r.text == "tokens" and not r.tokenizer for r in recipes.values()):
            what = "letters" if letters else "words"
            much = "as much time as others" if only_letters_tell(facts) else "a small part of the time"
            why += f" Networks that learn from nothing to read {what} in their order get {much}."
    return Decision(
        topic="Text",
        choice=_spread(recipes, "text", words),
        why=why + _may(searched, "text"),
        evidence={"columns": len(facts.text)},
    )


def _dates(facts: Facts) -> Decision:
    names = ", ".join(f"'{c.name}'" for c in facts.dates[:3])
    choice = "year, month, day, weekday, hour and days since the first date"
    return Decision(
        topic="Dates", choice=choice, why=f"{names}: models need numbers; seasons and weekdays often matter."
    )


def _balance(facts: Facts, metric: Metric, recipes: dict[str, Recipe], searched: frozenset[str]) -> Decision:
    words = {
        "none": "rows as they are",
        "class_weight": "rare classes weigh more",
        "smote": "rare classes filled up by interpolation",
        "oversample": "rare classes repeated",
        "undersample": "common classes thinned",
    }
    if facts.minority >= IMBALANCED:
        why = f"The rarest class is not rare enough to need it ({facts.minority:.2g} times the largest)."
    elif weighs_classes(facts, metric):
        why = f"The rarest class is {facts.minority:.3g} times the largest, and {metric.name} counts decisions."
    elif facts.profile.n_classes == 2 and metric.needs == "label" and forgives_missed(metric):
        why = (
            f"The rarest class is {facts.minority:.3g} times the largest. Weights would only make more rows be said "
            f"to be rare, and {metric.name} counts which of those truly are."
        )
    elif metric.needs == "label":
        why = (
            f"The rarest class is {facts.minority:.3g} times the largest. Weights would bend the probabilities, on "
            f"which the answers that {metric.name} counts are chosen."
        )
    else:
        why = (
            f"The rarest class is {facts.minority:.3g} times the largest, but {metric.name} judges probabilities or "
            "their order, which weights would distort more than help."
        )
    if metric.needs == "label" and facts.profile.n_classes == 2 and not one_sided(metric, 2):
        why += " From which probability on the answer is the second class is chosen by validation afterwards."
    elif metric.needs == "label" and facts.profile.n_classes > 2:
        why += " How much each class's probability is favoured in the answer is chosen by validation afterwards."
    return Decision(
        topic="Imbalance",
        choice=_spread(recipes, "balance", words),
        why=why + _may(searched, "balance"),
        evidence={"ratio": facts.minority},
    )


def _target(facts: Facts, metric: Metric, recipes: dict[str, Recipe], searched: frozenset[str]) -> Decision:
    words = {
        "none": "as it is",
        "standard": "mean 0, spread 1 while learning",
        "log": "its logarithm while learning",
        "power": "a power of it while learning",
        "quantile": "its ranks made bell-shaped while learning",
    }
    stats = facts.profile.target.numeric
    skew = stats.skew if stats is not None else 0.0
    if by_logarithms(facts, metric):
        why = f"{metric.name} counts errors of the logarithm, so that is what all models learn."
    elif log_target(facts, metric):
        why = f"It has a long tail (skewness {skew:.1f}) and {metric.name} does not weigh large values most."
    elif skew > SKEWED:
        why = f"It has a long tail (skewness {skew:.1f}), but {metric.name} counts errors in its own units."
    else:
        why = "It has no long tail."
    return Decision(
        topic="Target transform",
        choice=_spread(recipes, "target", words),
        why=why + _may(searched, "target"),
        evidence={"skew": skew},
    )
