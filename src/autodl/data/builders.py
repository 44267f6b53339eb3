"""Columns put together from the kept rows of many blocks, each in its compact form.

Text stands as codes and distinct words, numbers as NumPy arrays; the whole table never exists as strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from autodl.data.arrow_blocks import WHOLE
from autodl.data.plain_columns import PRECISE, may_be_numbers, no_values, plain_numbers

MERGE_CHUNKS = 64
"""Blocks of words after which their dictionaries are made one."""
REPEATED = 0.2
"""Share of different words in the first block up to which a column's words are coded block by block."""


class Builder(Protocol):
    """Collects one column."""

    def add(self, cells: pa.ChunkedArray) -> None:
        """The kept cells of the next block."""

    def keep(self, stay: NDArray[np.bool_]) -> None:
        """Drop those of the cells collected so far that do not ``stay``."""

    def finish(self) -> pd.Series[Any]:
        """The column; the builder is empty afterwards."""


class Words:
    """Text as a pandas categorical: (m,) codes, and the distinct words in order of appearance.

    Words that repeat within a block are coded at once; others stay as they are until the end, since to merge the
    large dictionaries of many blocks costs more than it saves.
    """

    def __init__(self) -> None:
        self._chunks: list[pa.Array] = []
        self._coded: bool | None = None

    def add(self, cells: pa.ChunkedArray) -> None:
        """Cells of strings, plain or coded."""
        if pa.types.is_dictionary(cells.type):
            self._coded = True
        if self._coded is None and len(cells) > cells.null_count:
            self._coded = len(pc.unique(cells)) <= REPEATED * len(cells)
        if self._coded and not pa.types.is_dictionary(cells.type):
            cells = pc.dictionary_encode(cells)
        self._chunks += [c for c in cells.chunks if len(c)]
        if self._coded and len(self._chunks) >= MERGE_CHUNKS:
            self._chunks = [self._whole()]

    def keep(self, stay: NDArray[np.bool_]) -> None:
        """Filter."""
        if self._chunks:
            self._chunks = [self._whole().filter(pa.array(stay))]

    def finish(self) -> pd.Series[Any]:
        """Codes and words."""
        if not self._chunks:
            return pd.Series(pd.Categorical([]))
        whole = self._whole()
        self._chunks = []
        raw = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        words = whole.dictionary.to_numpy(zero_copy_only=False).astype(object)
        # Words that were filtered away leave gaps; the order is that of the words' first rows.
        fresh, used = pd.factorize(np.where(raw < 0, np.nan, raw), use_na_sentinel=True)
        kind = pd.CategoricalDtype(pd.Index(words[used.astype(np.intp)], dtype=object))
        return pd.Series(pd.Categorical.from_codes(fresh.astype(np.int32), dtype=kind, validate=False))

    def _whole(self) -> pa.DictionaryArray:
        """All chunks as one under one dictionary."""
        coded = [pa.types.is_dictionary(c.type) for c in self._chunks]
        if any(coded):
            chunks = [
                c if is_coded else c.dictionary_encode() for c, is_coded in zip(self._chunks, coded, strict=True)
            ]
            whole = pa.chunked_array(chunks).unify_dictionaries()
        else:
            whole = pc.dictionary_encode(pa.chunked_array(self._chunks))
        codes = pa.concat_arrays([c.indices for c in whole.chunks])
        return pa.DictionaryArray.from_arrays(codes, whole.chunk(0).dictionary)


class Cells:
    """A column of delimited text: numbers as long as every cell is one, else words.

    Each block is judged by the rules that ``to_frame`` has for a whole column. A column that turns out to be text
    after blocks of it have been stored as numbers is ``defied``: its first cells are needed again as they were.
    """

    def __init__(self, decimal: str, *, text: bool) -> None:
        self._decimal = decimal
        self._text = text
        self._numbers: list[NDArray[Any]] = []
        self._words = Words()
        self._probed = False
        self._worded = False  # whether words for missing values were, though they count as words in a column of text
        self._filled = False  # whether a cell that is not blank was ever stored as a number
        self.defied = False

    def add(self, cells: pa.ChunkedArray) -> None:
        """Cells of strings, None where empty."""
        if not len(cells):
            return
        if cells.null_count == len(cells) and not self._text:
            self._numbers.append(np.full(len(cells), np.nan))
            return
        if not self._text:
            numbers = None
            if self._probed or may_be_numbers(cells, self._decimal):
                numbers = plain_numbers(cells, self._decimal)
            if numbers is None and no_values(cells):
                self._worded = True
                self._numbers.append(np.full(len(cells), np.nan))
                return
            self._probed = True
            if numbers is not None:
                self._filled = True
                self._numbers.append(numbers.to_numpy())
                return
            self._to_text()
        self._words.add(cells)

    def _to_text(self) -> None:
        n = sum(map(len, self._numbers))
        self.defied = self._filled or self._worded
        self._text = True
        self._numbers = []
        if n:  # so that the column keeps its length until it is read again
            self._words.add(pa.chunked_array([pa.nulls(n, pa.string())]))

    def keep(self, stay: NDArray[np.bool_]) -> None:
        """Filter."""
        if self._text:
            self._words.keep(stay)
        elif self._numbers:
            whole = self._joined()
            self._numbers = [whole[stay]]

    def _joined(self) -> NDArray[Any]:
        kinds = {c.dtype.kind for c in self._numbers}
        if kinds == {"i", "f"}:
            # Digits that float64 cannot hold: as text, where the whole column would stand as text too.
            self.defied |= any(bool((np.abs(c) >= PRECISE).any()) for c in self._numbers if c.dtype.kind == "i")
        return np.concatenate(self._numbers)

    def finish(self) -> pd.Series[Any]:
        """int64, float64 or a categorical; objects of None where no cell is filled."""
        if self._text:
            return self._words.finish()
        whole = self._joined()
        self._numbers = []
        if not self._filled:
            self.defied |= self._worded
            return pd.Series(np.full(len(whole), None, dtype=object))
        return pd.Series(whole, copy=False)


class Typed:
    """A column of a format with types of its own (Parquet, Arrow), other than text."""

    def __init__(self) -> None:
        self._chunks: list[pa.Array] = []

    def add(self, cells: pa.ChunkedArray) -> None:
        """Cells of any one type."""
        self._chunks += [c for c in cells.chunks if len(c)]

    def keep(self, stay: NDArray[np.bool_]) -> None:
        """Filter."""
        if self._chunks:
            self._chunks = pa.chunked_array(self._chunks).filter(pa.array(stay)).chunks

    def finish(self) -> pd.Series[Any]:
        """As Arrow hands it to pandas."""
        whole, self._chunks = pa.chunked_array(self._chunks), []
        column: pd.Series[Any] = whole.to_pandas(types_mapper=WHOLE.get if whole.null_count else None)
        return column


def builder_for(kind: pa.DataType) -> Builder:
    """The builder of an Arrow column."""
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return Words() if pa.types.is_string(value) or pa.types.is_large_string(value) else Typed()


def text_bytes(columns: Sequence[pa.ChunkedArray], each: int) -> float:
    """Mean bytes a row of the texts that stand in one row only, ``each`` bytes for a text besides its characters."""
    total = 0.0
    for column in columns:
        if len(column) and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            distinct = pc.unique(column).drop_null()
            if len(distinct) > 0.3 * len(column):
                length = pc.sum(pc.binary_length(distinct)).as_py() or 0
                total += (each * len(distinct) + length) / len(column)
    return total
