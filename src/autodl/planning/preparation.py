"""How the columns are prepared: what each family's recipe becomes on these data."""

from __future__ import annotations

from collections.abc import Mapping

from autodl.ensemble.class_factors import MAX_ROWS as FACTOR_ROWS
from autodl.ensemble.pool import most_rows
from autodl.ensemble.threshold import forgives_missed, one_sided
from autodl.evaluate.base import Metric
from autodl.planning.encoding import Encoding
from autodl.planning.facts import Facts
from autodl.planning.series import series_fields
from autodl.planning.texts import reads_letters
from autodl.records import Modality, Recipe, Task
from autodl.records.recipe import BENT_COLUMNS

_NONE: Mapping[Modality, Encoding] = {}
TREE_COMPONENTS = 64
"""Principal components of images and embeddings for models that do not scale their columns: trees."""
RARE_LEVELS = 50
"""From this many categories on, the rarest are grouped where each would become a column."""
RARE_ROWS = 5
ROWS_A_SEGMENT = 10
"""Rows for each coefficient of a linear model: the usual rule of thumb is ten to twenty (Harrell 2015)."""
SKEWED = 1.0
IMBALANCED = 0.25
EACH_ROW_ALIKE = frozenset({"accuracy", "f1_weighted", "level_mae"})
"""Metrics of decisions in which a row of a rare class counts as much as any other: weights would only bend them."""
RATIO_METRICS = frozenset({"mape", "rmsle", "mae", "median_ae"})
"""Metrics for which a log target is a safe start: errors count by ratio, or the middle is asked for."""
ROWS_FOR_A_CUT = 100
"""From so many rows of the rarest class on the answers are cut afterwards, which needs probabilities that hold."""
RARE_SHARE = 0.01
"""Of more than two classes, the rows of such rare ones are at least so large a part where they weigh more."""


def adapt(recipe: Recipe, facts: Facts, metric: Metric, encodings: Mapping[Modality, Encoding] = _NONE) -> Recipe:
    """A family's recipe with the choices that these data ask for.

    Args:
        recipe: What the family starts from.
        facts: Of the table.
        metric: What is optimized.
        encodings: Pretrained networks that take part.
    """
    change = vectors(recipe, facts, encodings) | series_fields(recipe, facts)
    if not facts.gaps:
        change["indicator"] = False
    if not facts.text:
        change["text"] = "none"
    if not facts.classification:
        change["text_ratios"] = False
    if not facts.dates:
        change["dates"] = False
    if len(facts.numeric) + len(facts.dates) < 2:
        change["crosses"] = 0
    if recipe.segments:
        change["segments"] = affordable_segments(recipe.segments, facts)
    if recipe.categories == "onehot" and facts.most_levels > RARE_LEVELS:
        change["rare"] = max(recipe.rare, min(0.01, RARE_ROWS / facts.rows))
    if by_logarithms(facts, metric) or (recipe.target != "none" and log_target(facts, metric)):
        change["target"] = "log"
    if facts.task is Task.CLASSIFICATION:
        change["target"] = "none"
        if weighs_classes(facts, metric):
            change["balance"] = "class_weight"
    return recipe.model_copy(update=change)


def weighs_classes(facts: Facts, metric: Metric) -> bool:
    """Whether rare classes weigh more while learning.

    Where cuts or factors are chosen on the probabilities afterwards they do the same, and better: weights bend the
    probabilities by which models are compared and combined. Only too few rows of a class leave no other way.
    """
    if metric.needs != "label" or metric.key in EACH_ROW_ALIKE or facts.minority >= IMBALANCED:
        return False
    counts = [c for c in facts.profile.target.class_counts if c]
    if one_sided(metric, len(counts)):
        return not forgives_missed(
            metric
        )  # by weights more rows are said to be rare: fewer missed, more false alarms
    # A sample of many rows, in which rare ones are rarer still.
    looked_at = most_rows(counts) if len(counts) == 2 else FACTOR_ROWS
    sampled = min(1.0, looked_at / max(1, sum(counts)))
    rare = sum(c for c in counts if c * sampled < ROWS_FOR_A_CUT)
    # A lone row of one of many classes would weigh as much as all rows of another.
    return rare > (0 if len(counts) == 2 else RARE_SHARE * sum(counts))


def by_logarithms(facts: Facts, metric: Metric) -> bool:
    """Whether the metric is the squared error of the target's logarithm, so that every model must learn that."""
    stats = facts.profile.target.numeric
    return metric.key == "rmsle" and stats is not None and stats.minimum >= 0


def vectors(recipe: Recipe, facts: Facts, encodings: Mapping[Modality, Encoding]) -> dict[str, object]:
    """Fields of a recipe that say how images and texts become vectors."""
    reading = {modality: e for modality, e in encodings.items() if e.reads}
    images, texts = (reading.get(modality) for modality in (Modality.IMAGE, Modality.TEXT))
    change: dict[str, object] = {}
    if not facts.images:
        change["images"] = "none"
    elif images is not None and recipe.images != "none":
        change |= {"images": "pretrained", "image_encoder": images.key, "image_side": images.size}
    if not facts.text or texts is None or recipe.text == "none" or not recipe.embedding:
        change["embedding"] = False
    else:
        change |= {"text_encoder": texts.key, "text_tokens": texts.size}
    change["text_letters"] = recipe.text == "tokens" and reads_letters(facts.text)
    change["encoder_half"] = any(e.half for e in (images, texts) if e is not None)
    if recipe.scale == "none" and (change.get("embedding", True) or change.get("images", recipe.images) != "none"):
        # Trees look at every column for every split: hundreds that are alike cost time and tell little more.
        change["vector_components"] = recipe.vector_components or TREE_COMPONENTS
    return change


def affordable_segments(wanted: int, facts: Facts) -> int:
    """Segments of each number so that there are ten rows for each of them, and not too many columns; 0 below two."""
    numbers = max(1, len(facts.numeric))
    segments = min(wanted, facts.rows // (ROWS_A_SEGMENT * numbers), BENT_COLUMNS // numbers)
    return segments if segments >= 2 else 0


def log_target(facts: Facts, metric: Metric) -> bool:
    """Whether a logarithm of the target is the better start."""
    stats = facts.profile.target.numeric
    return (
        facts.task is Task.REGRESSION
        and stats is not None
        and stats.minimum >= 0
        and stats.skew > SKEWED
        and (metric.key in RATIO_METRICS or bool(metric.levels))  # quantiles pass a monotone transform unharmed
    )
