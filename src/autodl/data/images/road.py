"""Where images come in on the road from a raw table to canonical rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodl.data.images.part import FEWEST, LEAST, draw_images
from autodl.errors import ConfigError
from autodl.records import ColumnKind, TableSchema

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.data.allowance import Allowance
    from autodl.data.reading import TableRead
    from autodl.media.place import MediaPlace
    from autodl.options import FitOptions
    from autodl.records import ReadInfo, RowSample

TEST_SHARE = 2
"""At most so many times the rows of the training are read for the test: decoding them takes time."""


def drawn(table: TableRead, allowance: Allowance, place: MediaPlace, earlier: ReadInfo | None = None) -> TableRead:
    """The table, or of very many images a random part.

    Args:
        table: As read. allowance: What reading may use. place: Where images are kept.
        earlier: How a run that is resumed read its data: if it took all images, all are taken.
    """
    if earlier is not None and earlier.sample is None:
        return table
    return _part(table, *draw_images(table.frame, allowance, place.folder))


def _part(table: TableRead, rows: NDArray[np.int64], sample: RowSample | None) -> TableRead:
    if sample is None:
        return table
    info = table.info.model_copy(update={"sample": sample, "notes": (*table.info.notes, sample.note)})
    return replace(table, frame=table.frame.iloc[rows].reset_index(drop=True), info=info, rows=table.rows[rows])


def drawn_test(table: TableRead, n_train: int, seed: int, *, hurried: bool = False) -> TableRead:
    """The test table, or of very many images a random part.

    The limit follows from the training alone, not from the clock, so that a resumed run reads the same rows.

    Args:
        table: As read. n_train: Rows of the training. seed: Of the part.
        hurried: Whether there was no time to read all images of the training: then no more are read for the test.
    """
    from autodl.data.allowance import Allowance

    limit = max(LEAST, n_train) if hurried else max(FEWEST, TEST_SHARE * n_train)
    allowance = Allowance(max_rows=limit, seed=seed)
    return _part(table, *draw_images(table.frame, allowance, Path(), f"{limit:,} images are enough for the test"))


def own_test(place: str, kind: str, options: FitOptions) -> str:
    """What becomes of test data that came with the data, in a sentence.

    Args:
        place: A folder or a file. kind: What it holds: images, series or rows. options: What the user asked for.

    Raises:
        ConfigError: If a share of the other rows is asked for as well.
    """
    if options.test_size is not None:
        raise ConfigError(
            f"--test-size asks for a part of the {kind} as test data, but test data came with them: {place}",
            f"Leave out --test-size, or name only the {kind} to learn from.",
        )
    if options.test is None:
        return f"The {kind} in '{Path(place).name}' are the test data."
    return f"The {kind} in '{Path(place).name}' are not used, since --test names others."


def without_images(frame: pd.DataFrame, schema: TableSchema, others: set[str | None]) -> NDArray[np.bool_]:
    """(n,) rows of which nothing is known, since the images are all there is to learn from and none could be read.

    Args:
        frame: (n,) canonical rows. schema: Of the columns. others: Columns that are not learnt from.
    """
    used = [c for c in schema.columns if c.name not in others and c.kind not in (ColumnKind.ID, ColumnKind.CONSTANT)]
    if not used or any(c.kind is not ColumnKind.IMAGE for c in used):
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(frame[[c.name for c in used]].isna().to_numpy().all(axis=1))


def left_out(n: int, of: int, name: str) -> str:
    """That rows without an image are not used, in a sentence."""
    return f"{n:,} of {of:,} rows of {name} {'is' if n == 1 else 'are'} left out: no image could be read."
