"""What memory a trial will take: preparation and model, corrected by what trials of its family have shown.

Notation: n rows, w numeric columns after preparation, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from autodl.models.base import CostEstimate, Shape
from autodl.preprocess.category_blocks import shown_classes
from autodl.preprocess.dates import CYCLES, DATE_PARTS
from autodl.preprocess.series_block import series_seconds, series_width
from autodl.preprocess.series_values import part_size
from autodl.preprocess.text_statistics import STATISTICS
from autodl.preprocess.text_terms import PIECE_CHARACTERS
from autodl.preprocess.vector_makers import vector_width
from autodl.records import ColumnInfo, ColumnKind, Modality, Recipe, TrialResult, TrialSpec
from autodl.records.origins import SUPERNET
from autodl.records.recipe import BENT_COLUMNS
from autodl.search.costs import one_fit
from autodl.search.nas.sharing import largest, shared_choices, without_rankings
from autodl.search.space import Config, SearchSpace

if TYPE_CHECKING:
    from autodl.search.job import TrialData

CHARS = 200.0
"""Characters of a text whose length is not known."""
TERM_BYTES = 100.0
"""A word or word pair of a text while the vocabulary is counted: in lists and in the dictionary."""
TOKEN_BYTES = 4.0
"""Of the tokens of a text, for each of its characters: as numbers, twice while they are put together."""
PIECES_A_CHAR, PIECE_BYTES = 2.5, 40.0
"""Pieces of words in a text, and the bytes of one while they are counted."""
CHARS_A_TERM = 3.0
"""Words of five letters and a blank, each also in a pair."""
COMPONENTS_S = 2e-6
"""Of a principal component of a row."""
WORKER_BYTES = 4e8
"""What a worker process holds besides its trial: the libraries and its view of the data."""
LEAST_TRIAL_BYTES = 1e8
"""Room without which a worker is of no use."""
RESERVE_SHARE, RESERVE_BYTES = 0.08, 3e8
"""Memory kept for the driver and the system: a share of what is free, and at least so many bytes."""
STEP_BYTES = 16.0
"""A number of a series while it becomes columns: as it is, scaled, and in sums."""
LIGHT_SHARE = 0.1
"""Up to this share of the memory that it may take, a trial runs in the process of the run; estimates may err."""
LEAST_RATIO, MOST_RATIO = 0.3, 10.0
UNSURE = 1.25
"""A trial may need more than estimated, and a failed one more than it had taken when it ended."""


def allowance(free: float, workers: int) -> float:
    """Bytes that each of several workers may hold.

    Args:
        free: Bytes free now, before the workers start.
        workers: How many.
    """
    return max(0.25 * free, free - max(RESERVE_SHARE * free, RESERVE_BYTES)) / max(1, workers)


def room(free: float, trial_bytes: float = 0.0) -> int:
    """Workers that there is memory for; at least one.

    Args:
        free: Bytes free now, before the workers start.
        trial_bytes: What the trial of each may add to the worker.
    """
    return max(1, int(allowance(free, 1) // (WORKER_BYTES + max(trial_bytes, LEAST_TRIAL_BYTES))))


@dataclass(frozen=True)
class Rows:
    """Rows of one fold: training, validation and test."""

    train: int
    valid: int
    test: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.train + self.valid + self.test


def preparation_cost(
    recipe: Recipe,
    columns: Iterable[ColumnInfo],
    rows: Rows,
    classes: int,
) -> CostEstimate:
    """Peak bytes of preparing one fold, its features included, and the seconds that families do not count.

    The families' own seconds hold the preparation of numbers and categories; texts, gaps filled from other columns
    and target means of many classes come on top.

    Args:
        recipe: What is done.
        columns: The features.
        rows: Of one fold.
        classes: K, 0 for regression.
    """
    features = tuple(columns) if recipe.columns == "all" else ()
    numbers = [c for c in features if c.kind in (ColumnKind.NUMERIC, ColumnKind.BOOLEAN)]
    gaps = sum(c.n_missing > 0 for c in numbers)
    numeric = len(numbers) + (gaps if recipe.indicator and recipe.impute != "none" else 0)
    parts = DATE_PARTS + CYCLES * (recipe.scale != "none")
    numeric += parts * sum(c.kind is ColumnKind.DATETIME for c in features) * recipe.dates
    words = [c for c in features if c.kind in (ColumnKind.CATEGORICAL, ColumnKind.ID)]
    codes, onehot, means = _category_widths(recipe, words, classes)
    texts = [c for c in features if c.kind is ColumnKind.TEXT and recipe.text in ("tfidf", "svd", "tokens")]
    chars = sum(CHARS if c.mean_length is None else c.mean_length for c in texts)
    cut = rows.total * chars * (recipe.text == "tokens")
    if cut:
        texts, chars = [], 0.0
    pieces = PIECES_A_CHAR * chars if recipe.text_pieces and rows.train * chars <= PIECE_CHARACTERS else 0.0
    terms = chars / CHARS_A_TERM
    dense = recipe.text == "svd"
    outputs = shown_classes(classes)
    own = recipe.text_components + recipe.text_terms + outputs * recipe.text_score if dense else 0
    topics = (own + len(STATISTICS) * recipe.text_statistics) * len(texts)
    numeric += recipe.crosses + recipe.gaps
    numeric += len(words) * recipe.frequency + 2 * len(words) * recipe.code_parts
    numeric += min(recipe.segments * len(numbers), BENT_COLUMNS) * (recipe.impute != "none")
    vectors = vector_columns(recipe, features)
    width = numeric + onehot + means + topics + vectors
    # Each block is made of float64 copies, then all are joined as float32; the frame itself is cut first.
    largest = max(numeric, onehot / 4, means, topics, vectors / 2)
    bytes_ = rows.train * (8.0 * len(features) + 32.0 * largest + 4.0 * width)
    bytes_ += rows.total * (4.0 * width + 8.0 * codes)
    bytes_ += rows.train * (TERM_BYTES * terms + PIECE_BYTES * pieces)
    bytes_ += 8.0 * rows.total * (terms + pieces) * (not dense) + TOKEN_BYTES * cut
    # Cutting texts into terms; then the components and the scores, which pass over all weights.
    seconds = rows.total * (5e-7 * chars + 5e-7 * pieces) + 5e-7 * cut
    if dense:
        passes = 6e-9 * recipe.text_components + 1.2e-7 * outputs * recipe.text_score
        seconds += rows.train * (terms + pieces) * passes
    if recipe.vector_components and vectors:
        seconds += COMPONENTS_S * rows.train * vectors
    for stats in (c.series for c in features if c.series is not None and recipe.series != "none"):
        seconds += rows.total * series_seconds(recipe, stats.length[1], stats.channels)
        longest = stats.length[2]
        bytes_ += STEP_BYTES * longest * stats.channels * min(rows.total, part_size(longest, stats.channels))
    if recipe.crosses:
        seconds += 0.1 + 1e-4 * min(rows.train, 4_000) * min(3, max(1, outputs)) * (recipe.scale == "none")
    seconds += 2.0 if recipe.impute == "knn" and gaps else 0.0
    seconds += 2e-6 * min(rows.train, 2_000) * min(20, len(numbers)) * gaps if recipe.impute == "iterative" else 0.0
    seconds += 3e-7 * rows.train * means
    return CostEstimate(seconds=seconds, bytes=bytes_)


def vector_columns(recipe: Recipe, columns: Iterable[ColumnInfo]) -> int:
    """Numeric columns that images, series and the embeddings of texts become; nothing else is counted."""
    columns = tuple(columns)
    kinds = [c.kind for c in columns]
    pairs = ((ColumnKind.IMAGE, Modality.IMAGE), (ColumnKind.TEXT, Modality.TEXT))
    width = sum(kinds.count(kind) * vector_width(recipe, modality) for kind, modality in pairs if kind in kinds)
    known = [c.series for c in columns if c.series is not None] if recipe.series != "none" else []
    return width + sum(series_width(recipe, s.length[1], s.channels) for s in known)


def _category_widths(recipe: Recipe, words: Sequence[ColumnInfo], classes: int) -> tuple[int, int, int]:
    """Columns of codes, of 0/1 and of target means."""
    outputs = shown_classes(classes)
    if recipe.categories == "codes":
        many = sum(c.n_unique > recipe.max_codes for c in words) if recipe.max_codes else 0
        return len(words) - many, 0, outputs * many
    if recipe.categories == "ordinal":
        return 0, 0, len(words)
    if recipe.categories == "target":
        return 0, 0, outputs * len(words)
    small = [c for c in words if c.n_unique <= recipe.max_onehot + 1]
    return 0, sum(c.n_unique + 1 for c in small), outputs * (len(words) - len(small))


@dataclass(frozen=True)
class MemoryModel:
    """Estimates the bytes that a trial adds at its peak to what its process holds before.

    Attributes:
        shape: Size of one fit.
        data: Columns, recipes and folds.
        allowed: Bytes that a trial may add.
        here: Bytes that one may add in the process of the run, where that is less.
        spaces: Of the families; what a training of shared weights takes depends on them.
    """

    shape: Shape
    data: TrialData
    allowed: float = math.inf
    here: float = math.inf
    spaces: Mapping[str, SearchSpace] = field(default_factory=dict)
    _seen: dict[object, CostEstimate] = field(default_factory=dict, repr=False)

    def raw(self, spec: TrialSpec) -> float:
        """The estimate before anything was measured; shared weights take what the largest of their networks takes."""

        rows = 1.0 if spec.fidelity is None else spec.fidelity
        columns = self.shape.numeric + self.vectors(spec)
        shape = replace(self.shape, rows=max(1, round(rows * self.shape.rows)), numeric=columns)

        def fit(config: Config) -> float:
            return one_fit(shape, spec.family, tuple(sorted(config.items()))).bytes

        config = spec.config
        if spec.origin == SUPERNET and spec.family in self.spaces:
            config = largest(config, shared_choices(spec.family, self.spaces[spec.family], config), fit)
        return self.preparation(spec).bytes + fit(config)

    def vectors(self, spec: TrialSpec) -> int:
        """Numeric columns that images, series and embeddings of texts become."""
        from autodl.search.trial import trial_recipe

        if not self._media:
            return 0
        return vector_columns(trial_recipe(spec, self.data), self.data.schema.columns)

    @cached_property
    def _media(self) -> bool:
        return bool(self.data.schema.of_kind(ColumnKind.IMAGE, ColumnKind.TEXT, ColumnKind.SERIES))

    def preparation(self, spec: TrialSpec) -> CostEstimate:
        """Of one fold."""
        from autodl.search.trial import trial_recipe

        key = (spec.family, spec.fidelity, *sorted((k, v) for k, v in spec.config.items() if k.startswith("prep.")))
        if key not in self._seen:
            data, recipe = self.data, trial_recipe(spec, self.data)
            part = 1.0 if spec.fidelity is None else spec.fidelity

            def at(train: float, valid: float) -> CostEstimate:
                rows = Rows(max(1, round(part * train)), round(valid), len(data.test_frame))
                return preparation_cost(recipe, data.schema.columns, rows, data.n_classes)

            sizes = [(len(train), len(valid)) for train, valid in data.folds]
            train, valid = (sum(size) / len(sizes) for size in zip(*sizes, strict=True))
            most = max(sizes)
            # Windows of time grow: the last one needs the most memory, each of them the mean of the time.
            found = at(train, valid)
            self._seen[key] = found if (train, valid) == most else replace(found, bytes=at(*most).bytes)
        return self._seen[key]

    def estimate(self, spec: TrialSpec, history: Sequence[TrialResult]) -> float:
        """The estimate times the largest ratio of measured to estimated bytes that single models have shown."""
        ratios = [
            r.cost.peak_bytes / max(1.0, self.raw(r.spec)) * (1.0 if r.loss is not None else UNSURE)
            for r in without_rankings(history)
            if r.spec.family == spec.family and r.cost is not None and r.cost.peak_bytes > 0
        ]
        ratio = min(MOST_RATIO, max(LEAST_RATIO, *ratios)) if ratios else 1.0
        return self.raw(spec) * ratio

    def light(self, spec: TrialSpec, history: Sequence[TrialResult]) -> bool:
        """Whether the trial is no danger to the process that it runs in, even if the estimate is far too low."""
        return self.estimate(spec, history) <= LIGHT_SHARE * min(self.allowed, self.here)
