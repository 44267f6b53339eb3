"""What the values of a column look like."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from autodl.data.number_words import number_word
from autodl.data.parsing import MANY_WORDS, STRINGS, Levels, present_words
from autodl.records import ColumnInfo, ColumnKind, NumericStats, ParseRule
from autodl.text_words import in_long_runs, part_pattern

if TYPE_CHECKING:
    from autodl.media.array import MediaArray

TOP = 10
KNOWN = 200
"""Up to so many categories are all kept, so that new ones are known as such."""
SHOWN_LENGTH = 200
"""Characters of a value in ``ColumnInfo.top``."""
SHORT = 100
"""Characters; longer texts hold words that recur, or no words at all."""
LOOKED_AT = 10_000
"""Different texts that are looked at for words that recur."""
FEW = 100
"""Longer ones of them that tell whether they hold words."""


def describe(
    name: str,
    kind: ColumnKind,
    why: str,
    values: NDArray[Any] | MediaArray,
    rule: ParseRule,
    text: Levels | None = None,
) -> ColumnInfo:
    """The record of a column from its (n,) canonical values; ``text``: the words of a column of text, if known."""
    if not isinstance(values, np.ndarray) and kind is ColumnKind.SERIES:
        from autodl.data.series.stats import describe_series

        return describe_series(name, why, values, rule)
    if not isinstance(values, np.ndarray):
        from autodl.data.images.stats import describe_images

        return describe_images(name, why, values, rule)
    if text is not None and kind in STRINGS:
        kept = present_words(text, rule)
        levels, counts = text.words[kept], text.counts()[kept]
    else:
        codes, levels = pd.factorize(values, use_na_sentinel=True)
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    n_present = int(counts.sum())
    return ColumnInfo(
        name=name,
        kind=kind,
        why=why,
        n=len(values),
        n_missing=len(values) - n_present,
        n_unique=len(levels),
        parse=rule,
        numeric=numeric_stats(values[~np.isnan(values)]) if kind is ColumnKind.NUMERIC and n_present else None,
        first=_date(levels, np.min) if kind is ColumnKind.DATETIME else None,
        last=_date(levels, np.max) if kind is ColumnKind.DATETIME else None,
        top=_top(levels, counts, kind, rule),
        words=_all_words(levels) if kind is ColumnKind.CATEGORICAL else (),
        mean_length=(length := _mean_length(levels, counts)),
        recurring=_recurring(levels, counts, length) if kind is ColumnKind.TEXT and length is not None else None,
    )


def numeric_stats(values: NDArray[np.float64]) -> NumericStats:
    """Statistics of (m,) present finite values, m >= 1.

    The standard deviation is the sample's (divisor m - 1; 0 for m = 1); skew is the moment coefficient
    m3 / m2^1.5 (0 where all values are equal).
    """
    q01, q25, q50, q75, q99 = (float(q) for q in np.quantile(values, (0.01, 0.25, 0.5, 0.75, 0.99)))
    # Scaled by the largest magnitude, since squares of values near 1e200 overflow.
    scale = float(np.abs(values).max()) or 1.0
    scaled = values / scale
    mean = float(scaled.mean())
    centred = scaled - mean
    m2 = float((centred**2).mean())
    flat = m2 <= 1e-20
    fence = 3.0 * (q75 - q25)
    return NumericStats(
        mean=mean * scale,
        std=float(scaled.std(ddof=1)) * scale if len(values) > 1 else 0.0,
        minimum=float(values.min()),
        q01=q01,
        q25=q25,
        median=q50,
        q75=q75,
        q99=q99,
        maximum=float(values.max()),
        skew=0.0 if flat else float((centred**3).mean()) / m2**1.5,
        n_outliers=int(((values < q25 - fence) | (values > q75 + fence)).sum()) if fence > 0 else 0,
        integers=bool((values % 1 == 0).all()),
    )


def _date(levels: NDArray[Any], pick: Any) -> str | None:
    return str(pd.Timestamp(pick(levels)).isoformat()) if len(levels) else None


def _top(
    levels: NDArray[Any], counts: NDArray[np.intp], kind: ColumnKind, rule: ParseRule
) -> tuple[tuple[str, int], ...]:
    if kind is ColumnKind.DATETIME or len(levels) == 0:
        return ()
    order = np.argsort(-counts, kind="stable")[:TOP]
    if kind is ColumnKind.BOOLEAN and rule.true_words:
        words = {1.0: rule.true_words[0], 0.0: rule.false_words[0]}
        return tuple((words[float(levels[i])], int(counts[i])) for i in order)
    shown = number_word if kind in (ColumnKind.NUMERIC, ColumnKind.BOOLEAN) else str
    return tuple((shown(levels[i])[:SHOWN_LENGTH], int(counts[i])) for i in order)


def _all_words(levels: NDArray[Any]) -> tuple[str, ...]:
    return tuple(sorted(str(w)[:SHOWN_LENGTH] for w in levels)) if TOP < len(levels) <= KNOWN else ()


def _mean_length(levels: NDArray[Any], counts: NDArray[np.intp]) -> float | None:
    if levels.dtype != object or len(levels) == 0:
        return None
    if len(levels) > MANY_WORDS:
        lengths = pc.utf8_length(pa.array(levels, pa.string())).to_numpy(zero_copy_only=False).astype(np.int64)
    else:
        lengths = np.fromiter((len(w) for w in levels), dtype=np.int64, count=len(levels))
    return float((lengths * counts).sum() / counts.sum())


def _recurring(levels: NDArray[Any], counts: NDArray[np.intp], mean_length: float) -> float | None:
    looked_at = np.linspace(0, len(levels) - 1, min(len(levels), LOOKED_AT)).astype(np.int64)
    if mean_length > SHORT and not in_long_runs([str(levels[k]) for k in looked_at[:FEW]]):
        return None
    rows: Counter[str] = Counter()
    for k in looked_at:
        for word in set(part_pattern().findall(str(levels[k]).lower())):
            if any(c.isalnum() for c in word):
                rows[word] += int(counts[k])
    total = sum(rows.values())
    return sum(n for n in rows.values() if n > 1) / total if total else None
