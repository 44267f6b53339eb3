"""A table with its target: what is read once and then only cut into rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.errors import DataError
from autodl.options import FitOptions
from autodl.records import ReadInfo, TableSchema, TargetInfo, Task
from autodl.row_weights import row_weights, weight_notes

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.data.allowance import Allowance
    from autodl.media.place import MediaPlace


TOLD_ROWS = 300_000
"""Up to so many rows each value is looked at that could not be read by its column's rule."""


@dataclass(frozen=True)
class Dataset:
    """Rows that have a target.

    Attributes:
        frame: (n,) canonical rows, all columns.
        y: (n,) int64 class codes or float64 values.
        rows: (n,) 0-based row numbers in the file.
        schema: All columns.
        target: What is predicted, and why.
        read: How the file was read.
        name: Name of the data in messages.
        weight: (n,) positive weights of the rows, mean 1; None where all count alike.
        test: Where test data lie that came with the data, as a folder of images may have them.
    """

    frame: pd.DataFrame
    y: NDArray[Any]
    rows: NDArray[np.int_]
    schema: TableSchema
    target: TargetInfo
    read: ReadInfo
    name: str
    weight: NDArray[np.float64] | None = None
    test: str | None = None

    def fingerprint(self) -> str:
        """A hash of all values and of what is predicted: equal for equal data and target."""
        import pandas as pd

        digest = hashlib.sha256(pd.util.hash_pandas_object(self.frame, index=False).to_numpy().tobytes())
        digest.update(f"{self.target.name} {self.target.task} {self.target.classes}".encode())
        digest.update(self.y.tobytes())
        return digest.hexdigest()


def load(
    data: str | pd.DataFrame,
    options: FitOptions,
    earlier: ReadInfo | None = None,
    place: MediaPlace | None = None,
    columns: TableSchema | None = None,
) -> Dataset:
    """Read a table, find its columns' kinds, its target and its task.

    Args:
        data: A path, folder, glob or frame. Of a large table only a random part may be kept.
        options: For the target, the columns to drop, and the time budget, on which the size of the part depends.
        earlier: How a run that is resumed read its data: the same rows are drawn again.
        place: Where images are kept once they are decoded; if not given, a folder that lasts as long as this process.
        columns: Those of that run: they stay what they were, even if this version would read them otherwise.

    Raises:
        DataError: With what is wrong and what to do.
    """
    import numpy as np

    from autodl.data import infer_schema, learn_table, misfits, read_rows
    from autodl.data.images.names import FORMAT, LABEL
    from autodl.data.images.road import drawn, left_out, own_test, without_images
    from autodl.data.images.tables import check_folder_target, check_folder_task, check_images_read
    from autodl.data.series.names import NPZ, TS, stated_target
    from autodl.data.series.parts import hint_at_test
    from autodl.data.series.road import learnt_series, long_table
    from autodl.media.place import process_place
    from autodl.profiling import choose_target, choose_task, encode_target
    from autodl.profiling.task import check_enough_rows, has_numbers

    place = place or process_place()
    needed = {options.target, options.group_column, options.time_column, options.weight_column}
    needed |= {options.series_id, options.order_column}
    skip = tuple(name for name in options.drop if name not in needed)
    allowance = _allowance(options, earlier)
    names = () if columns is None else columns.file_names
    rows_read = read_rows(data, skip=skip, target=options.target, allowance=allowance, names=names)
    table = drawn(rows_read, allowance, place, earlier)
    table, long = long_table(table, options, columns)
    raw, read = table.frame, table.info
    seen = raw.copy(deep=False) if len(raw) <= TOLD_ROWS else None  # the columns of ``raw`` are given up one by one
    name = Path(data).name if isinstance(data, str) else "the data frame"
    of_folders = read.format == FORMAT
    if of_folders:
        check_folder_target(raw, name, options.target)
    if table.test is not None:
        of_series = read.format in (TS, NPZ)
        becomes = own_test(table.test, "images" if of_folders else "series" if of_series else "rows", options)
        read = read.model_copy(update={"notes": (*read.notes, becomes)})
    elif options.test is None and isinstance(data, str) and (hint := hint_at_test(data)) is not None:
        read = read.model_copy(update={"notes": (*read.notes, hint)})
    known = LABEL if of_folders else options.target or stated_target(raw.columns, read.format)
    known = known if known in raw.columns else None  # it may still be there in other capitals
    commas = read.delimiter == ","
    learn = partial(learn_table, order=options.time_column, place=place, commas_part=commas, known=columns)
    if known is None:
        schema = infer_schema(raw, place=place, commas_part=commas, known=columns)
        asked, why, guessed = choose_target(schema, options.target, name, {*needed, *options.drop})
        schema, frame = learn(raw, target=asked)
    else:
        schema, frame = learn(raw, target=known)
        asked, why, guessed = choose_target(schema, known, name)
        if of_folders:
            check_images_read(schema, len(frame), name)
            why = "Each image is in a folder that names its class."
        elif options.target is None:
            why, guessed = "The file gives it for each series.", False
    check_enough_rows(len(frame), name)
    info = schema[asked]
    if seen is not None:
        told = tuple(f"{m}." for m in misfits(seen, frame, schema))
        read = read.model_copy(update={"notes": (*read.notes, *told)})
    schema, frame = learnt_series(schema, frame, long, {asked, *needed, *options.drop}, place, options.series_steps)
    if of_folders:
        check_folder_task(options.task, has_numbers(info), info.top[0][0] if info.top else "", name)
    task, task_why, task_guessed = choose_task(info, options.task)
    present = frame[asked].notna().to_numpy()
    n_missing = int((~present).sum())
    blind = without_images(frame, schema, {asked, *options.drop, *needed})
    if n := int((present & blind).sum()):
        read = read.model_copy(update={"notes": (*read.notes, left_out(n, len(frame), name))})
        present &= ~blind
    weight, keep = row_weights(frame, present, table.rows, schema, options.weight_column, name, seen)
    n_zero = int((present & ~keep).sum())
    present = keep
    rows = table.rows[present]
    if not present.all():
        frame = frame.loc[present].reset_index(drop=True)
    y, classes = encode_target(frame[asked], info, task)
    counts = tuple(int(c) for c in np.bincount(y, minlength=len(classes))) if classes else ()
    if weight is not None:
        weighed = weight_notes(weight, n_zero, str(options.weight_column), asked, tuple(classes), counts, y)
        read = read.model_copy(update={"notes": (*read.notes, *weighed)})
    target = TargetInfo(
        name=asked,
        why=why,
        guessed=guessed,
        task=task,
        task_why=task_why,
        task_guessed=task_guessed,
        classes=tuple(classes),
        class_counts=counts,
        numeric=info.numeric if task is Task.REGRESSION else None,
        n_missing=n_missing,
    )
    return Dataset(frame, y, rows, schema, target, read, name, weight, table.test)


def _allowance(options: FitOptions, earlier: ReadInfo | None) -> Allowance:
    """What reading may use; for a resumed run what it used at its start, whatever the options say now."""
    from autodl.data.allowance import Allowance
    from autodl.machine import this_machine, total_memory

    if earlier is None:
        return Allowance(
            memory_bytes=total_memory(),
            seconds=options.time_budget_s,
            cores=this_machine().cores,
            seed=options.seed,
            group_column=options.series_id or options.group_column,
            whole=options.series_id is not None,
        )
    before = earlier.sample
    return Allowance(
        max_rows=None if before is None else before.max_rows,
        seed=options.seed if before is None else before.seed,
        group_column=options.series_id or options.group_column,
        # Runs of earlier versions drew from the steps where there were few series.
        whole=options.series_id is not None and (before is None or before.group is not None),
    )


def load_test(
    path: str,
    train: Dataset,
    seed: int,
    weight_column: str | None = None,
    place: MediaPlace | None = None,
    spare: Collection[str] = (),
) -> Dataset:
    """Read a test file by the training data's rules. Rows with an unknown or missing target are left out.

    Of a file that does not fit the memory, or of very many images, a random part is kept; time is no limit, since
    nothing is learnt from it.

    Args:
        path: The file. train: The training data. seed: Of the part. weight_column: How much each row counts.
        place: As for ``load``. spare: Columns that nothing is learnt from; missing where the file lacks them.

    Raises:
        DataError: If columns are missing or no row remains.
    """
    import numpy as np
    import pandas as pd

    from autodl.data import apply_schema, labels, misfits, read_rows
    from autodl.data.allowance import Allowance
    from autodl.data.images.road import drawn_test, left_out, without_images
    from autodl.data.series.road import table_as_trained
    from autodl.machine import total_memory
    from autodl.profiling import encode_target

    rules = [c.parse.series for c in train.schema.columns if c.parse.series is not None]
    series_id = next((rule.id_column for rule in rules if rule.id_column is not None), None)
    allowance = Allowance(memory_bytes=total_memory(), seed=seed, group_column=series_id, whole=series_id is not None)
    name = Path(path).name
    read_test = partial(
        read_rows, as_text=train.schema.word_columns, marked=train.schema.marked_columns, allowance=allowance,
        names=train.schema.file_names,
    )  # fmt: skip
    table = read_test(path)
    if table.test is not None:  # a folder with both: one of them is for the test
        table = read_test(table.test)
    table = table_as_trained(
        drawn_test(table, len(train.y), seed, hurried=train.read.sample is not None), train.schema, name
    )
    raw, read = table.frame, table.info
    lacking = [n for n in train.schema.names if n in spare and n not in raw.columns]
    if lacking:
        raw = pd.concat([raw, pd.DataFrame(None, index=raw.index, columns=lacking, dtype=object)], axis=1)
    if weight_column is not None and weight_column not in [str(c) for c in raw.columns]:
        raise DataError(
            f"{name} lacks the column '{weight_column}', which is the weight column",
            "Its rows count by their weights in the test: add the column.",
        )
    frame = apply_schema(
        raw, train.schema, where=name, place=place, commas_part=read.delimiter == ",", decimal=read.decimal
    )
    present = frame[train.target.name].notna().to_numpy()
    column = train.schema[train.target.name]
    known = train.target.classes or None
    y, _ = encode_target(frame.loc[present, train.target.name], column, train.target.task, known)
    keep = y >= 0 if train.target.task is Task.CLASSIFICATION else np.ones(len(y), dtype=bool)
    unknown = tuple(dict.fromkeys(labels(frame.loc[present, train.target.name][~keep], column)))
    n_unknown = int((~keep).sum())
    kept, y = present.nonzero()[0][keep], y[keep]
    if len(kept) == 0:
        raise DataError(*_nothing_to_test(name, train.target, unknown))
    known_rows = np.zeros(len(frame), dtype=bool)
    known_rows[kept] = True
    blind = without_images(frame, train.schema, {train.target.name})
    n_blind = int((known_rows & blind).sum())
    known_rows &= ~blind
    kept, y = kept[~blind[kept]], y[~blind[kept]]
    if len(kept) == 0:
        raise DataError(f"no image of {name} could be read", "Give test data with images that can be opened.")
    weight, counting = row_weights(frame, known_rows, table.rows, train.schema, weight_column, name, raw)
    kept, y = kept[counting[kept]], y[counting[kept]]
    told = misfits(raw, frame, train.schema) if len(raw) <= TOLD_ROWS else ()
    notes = [f"In {name}, {m}." for m in told if m.column != train.target.name]
    if n := int((~present).sum()):
        notes.append(
            f"{n:,} of {len(frame):,} rows of {name} are left out: they have no value of '{train.target.name}'."
        )
    if unknown:
        notes.append(
            f"{n_unknown:,} of {len(frame):,} rows of {name} are left out: the training data have no "
            f"such '{train.target.name}' ({_quoted(unknown)})."
        )
    if n_blind:
        notes.append(left_out(n_blind, len(frame), name))
    if n := int((known_rows & ~counting).sum()):
        notes.append(f"{n:,} of {len(frame):,} rows of {name} are left out, since the weight is 0.")
    read = read.model_copy(update={"notes": (*read.notes, *notes)})
    frame, rows = frame.iloc[kept].reset_index(drop=True), table.rows[kept]
    return Dataset(frame, y, rows, train.schema, train.target, read, name, weight)


def _nothing_to_test(name: str, target: TargetInfo, unknown: tuple[str, ...]) -> tuple[str, str]:
    if not unknown:
        return f"{name} has no row with a value of the target '{target.name}'", "Give a test file with the target."
    return (
        f"{name} has other values of the target '{target.name}' ({_quoted(unknown)}) than the training data "
        f"({_quoted(target.classes)})",
        "Write them alike in both files.",
    )


def _quoted(names: tuple[str, ...], most: int = 3) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(f"'{n}'" for n in names[:most]) + more
