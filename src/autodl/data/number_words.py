"""Numbers as the words that stand for them, where they are categories."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

_PLAIN = re.compile(r"(-?(?:0|[1-9]\d*))(\.\d*)?")
"""A whole number and its decimals, as programs write them; a zero in front makes a code of it."""


def as_numbers(words: NDArray[np.object_]) -> NDArray[np.object_]:
    """(k,) the words, numbers among them as ``number_word`` writes them."""
    out = words.copy()
    for i, found in enumerate(map(_PLAIN.fullmatch, words)):
        if found is not None:
            out[i] = found[1] if not (found[2] or "").strip(".0") else number_word(float(found[0]))
    return out


def with_zeros(words: NDArray[np.object_], digits: int) -> NDArray[np.object_]:
    """(k,) the words, whole numbers among them with the zeros in front that make codes of so many digits of them."""
    out = words.copy()
    for i, found in enumerate(map(_PLAIN.fullmatch, words)):
        if found is not None and found[1].isdigit() and not (found[2] or "").strip(".0"):
            out[i] = found[1].zfill(digits)
    return out


def number_words(values: NDArray[Any]) -> NDArray[np.object_]:
    """(k,) ``number_word`` of each value; whole numbers at once, since there may be millions."""
    if values.dtype.kind == "i" or (
        values.dtype.kind == "f"
        and bool(np.isfinite(values).all())
        and bool(((np.abs(values) < 2**53) & (values % 1 == 0)).all())
    ):
        words = pa.array(values.astype(np.int64)).cast(pa.string())
        return np.asarray(words.to_numpy(zero_copy_only=False), dtype=object)
    out = np.empty(len(values), dtype=object)
    out[:] = [number_word(v) for v in values]
    return out


def number_word(value: Any) -> str:
    """A number, truth value or date as the text that a file would hold.

    >>> number_word(3.0), number_word(0.1), number_word(np.bool_(True))
    ('3', '0.1', 'True')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, np.datetime64 | pd.Timestamp):
        return pd.Timestamp(value).isoformat()
    number = float(value)
    if number.is_integer() and abs(number) < 2**63:
        return str(int(value))
    return repr(number)
