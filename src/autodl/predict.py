"""Predictions of a finished run for a file or a frame."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.column_check import check_lacking, ignored_columns
from autodl.errors import DataError, did_you_mean
from autodl.model import DeliveredModel
from autodl.quantiles import column
from autodl.records import ColumnKind, TableSchema, Task
from autodl.store import RunFolder

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.data import Batches
    from autodl.data.unusable import Misfit

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")


def label_values(classes: Sequence[str], codes: NDArray[Any]) -> NDArray[Any]:
    """Class codes as they stood in the training data: whole numbers as int, True and False as bool, else text.

    >>> import numpy as np
    >>> label_values(("0", "10"), np.array([1, 0])).tolist(), label_values(("False", "True"), np.array([1])).tolist()
    ([10, 0], [True])
    """
    import numpy as np

    names: NDArray[Any]
    if classes and all(_WHOLE.fullmatch(c) for c in classes):
        names = np.asarray([int(c) for c in classes])
    elif set(classes) == {"True", "False"}:
        names = np.asarray([c == "True" for c in classes])
    else:
        names = np.asarray(classes, dtype=object)
    return names.take(codes)


def predict_frame(
    model: DeliveredModel,
    raw: pd.DataFrame,
    *,
    proba: bool = False,
    keep: Sequence[str] = (),
    allow_missing: bool = False,
    where: str = "data",
    tell: Callable[[str], None] = warnings.warn,
) -> pd.DataFrame:
    """Predict raw rows.

    Args:
        model: A loaded model.
        raw: Rows as read from a file.
        proba: Add a column ``proba_CLASS`` for each class (classification only).
        keep: Input columns carried over in front.
        allow_missing: Take columns that are not there as missing in every row instead of refusing.
        where: Name of the data in errors.
        tell: Is given a sentence for each column with values that the model cannot use.

    Returns:
        One row an input row, in the same order: kept columns, ``prediction``, and probabilities or quantiles.

    Raises:
        DataError: If columns that the model needs are missing, or an option does not fit.
    """
    from autodl.data import merge_misfits

    out, found = _predict_rows(model, raw, proba, keep, allow_missing, where)
    for misfit in merge_misfits(found):
        tell(str(misfit))
    return out


def _predict_rows(
    model: DeliveredModel,
    raw: pd.DataFrame,
    proba: bool,
    keep: Sequence[str],
    allow_missing: bool,
    where: str,
    commas_part: bool = False,
    decimal: str | None = None,
) -> tuple[pd.DataFrame, list[Misfit]]:
    """The predictions, and the values that the model could not use; ``commas_part``, ``decimal``: of the file."""
    import pandas as pd

    from autodl.data import apply_schema, count_misfits
    from autodl.data.series.road import raw_as_trained
    from autodl.data.unusable import Misfit, count_far
    from autodl.media.place import passing_place

    manifest = model.manifest
    raw = raw_as_trained(raw, manifest.features, where, allow_missing=allow_missing)
    for name in keep:
        if name not in raw.columns:
            raise DataError(f"--keep: there is no column '{name}' in {where}", did_you_mean(name, raw.columns))
    if proba and manifest.task is not Task.CLASSIFICATION:
        raise DataError("--proba needs classes, but this run predicts a number", "Leave out --proba.")
    levels = [column(level) for level in manifest.quantiles]
    new = {"prediction", *levels, *(f"proba_{name}" for name in (manifest.classes if proba else ()))}
    if clash := [name for name in keep if name in new]:
        raise DataError(
            f"--keep {clash[0]}: the predictions have a column of this name too",
            "Rename it in the file, or do not keep it.",
        )
    lacking = [name for name in manifest.features.names if name not in raw.columns]
    if lacking:
        check_lacking(lacking, manifest.features, raw, allow_missing, where)
        raw = pd.concat([raw, pd.DataFrame(None, index=raw.index, columns=lacking, dtype=object)], axis=1)
    absent = f"are missing, as {where} has no such column; the predictions are less certain"
    found = [Misfit(name, absent, len(raw), len(raw)) for name in lacking]
    with passing_place() as place:
        frame = apply_schema(
            raw, manifest.features, where=where, place=place, commas_part=commas_part, decimal=decimal
        )
        found += _guessed(count_misfits(raw, frame, manifest.features, skip=lacking), manifest.features)
        found += count_far(frame, manifest.features, skip=lacking)
        prediction = model.predict_raw(frame)
    # Not column by column: pandas slows down and warns where there are hundreds of classes.
    columns: dict[str, Any] = {name: raw[name].to_numpy() for name in keep}
    if manifest.task is Task.CLASSIFICATION:
        columns["prediction"] = label_values(manifest.classes, model.answers(prediction))
        if proba:
            columns |= {f"proba_{name}": prediction[:, j] for j, name in enumerate(manifest.classes)}
    else:
        columns["prediction"] = model.values(prediction)
        columns |= {name: prediction[:, j] for j, name in enumerate(levels)}
    return pd.DataFrame(columns), found


def _guessed(found: list[Misfit], features: TableSchema) -> list[Misfit]:
    """The same; where the model looks at the image alone, they say that nothing is known of these rows."""
    alone = [c.kind for c in features.columns] == [ColumnKind.IMAGE]
    return [replace(m, what=f"{m.what}, so these predictions are guesses") if alone and m.files else m for m in found]


def predict_file(
    run: str | Path,
    data: str,
    *,
    proba: bool = False,
    keep: Sequence[str] = (),
    allow_missing: bool = False,
    trust: bool = False,
    model: DeliveredModel | None = None,
    max_rows: int | None = None,
    tell: Callable[[str], None] = warnings.warn,
) -> pd.DataFrame:
    """Predict a file with the model of a run folder; see ``predict_frame``.

    Args:
        trust: Read models that can only be stored as pickle; only for run folders that you made yourself.
        model: The model of the run, if it is loaded already.
        max_rows: The most rows that the place of the predictions can hold; None for no limit.
        run: The run folder. data: Path, folder or glob. proba, keep, allow_missing, tell: see ``predict_frame``.

    Raises:
        DataError: If a row cannot be read: each row of the file has its prediction, none is skipped. If there are
            more than ``max_rows``.
    """
    import pandas as pd

    from autodl.data import Batches, merge_misfits
    from autodl.data.images.columns import as_named
    from autodl.data.images.names import FILE
    from autodl.data.plain_columns import as_written
    from autodl.data.series.road import long_rule, raw_as_trained

    folder = RunFolder(run, trusted=trust)
    model = model or DeliveredModel(folder)
    where, words = Path(data).name, model.manifest.features.word_columns
    # Columns to keep are text at first: whether they are numbers only all their cells tell, not those of one batch.
    marked = model.manifest.features.marked_columns
    # The same goes for the IDs of series.
    long = long_rule(model.manifest.features)
    ids = set() if long is None else {str(long[1].id_column)}
    names = model.manifest.features.file_names
    batches = Batches(data, as_text={*words, *keep, *ids}, marked=marked, words=words, names=names, keep=keep)
    parts: list[pd.DataFrame] = []
    found: list[Misfit] = []
    n = 0
    for raw in _pieces(batches, model.manifest.features):
        raw = raw_as_trained(raw, model.manifest.features, where, allow_missing=allow_missing)
        if _is_of_folder(batches):
            raw, keep = _folder_rows(raw, model.manifest.features, where), (*dict.fromkeys((FILE, *keep)),)
        n += len(raw)
        if max_rows is not None and n > max_rows:
            raise DataError(
                f"{where} has more than {max_rows:,} rows, which is all that the file for the predictions can hold",
                "Write .csv or .parquet instead.",
            )
        commas_part = batches.delimiter == ","
        out, misfits = _predict_rows(model, raw, proba, keep, allow_missing, where, commas_part, batches.decimal)
        parts.append(out)
        found += misfits
    whole = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    read = batches.info
    assert read is not None
    copies = batches.copies
    if len(copies) == len(whole):  # else the rows of a long table have become series
        for name, copy in copies.items():
            if copy.dtype.kind != "O":
                whole[name] = copy
    for name in set(keep) & batches.folders.keys():
        whole[name] = as_named(whole[name], batches.folders[name])
    if read.format == "csv" and read.decimal is not None:
        for name in set(keep) - set(words) - ids:
            whole[name] = as_written(whole[name], read.decimal)
    for note in read.notes:
        tell(note.rstrip("."))
    if not _is_of_folder(batches) and (ignored := ignored_columns(folder, model.manifest, raw)):
        tell(f"{where} has columns that the training data did not have; they are not used: {ignored}")
    for misfit in merge_misfits(found):
        tell(str(misfit))
    return whole


def _pieces(batches: Batches, features: TableSchema) -> Iterator[pd.DataFrame]:
    """The rows; where they hold images few at a time, since these are decoded to the disk."""
    import pandas as pd

    from autodl.data.images.tables import BATCH
    from autodl.data.plain_columns import typed
    from autodl.data.series.road import long_rule

    if (long := long_rule(features)) is not None:  # the steps of a series may lie in several parts
        raw, ids = pd.concat(list(batches), ignore_index=True), str(long[1].id_column)
        if batches.info is not None and batches.info.decimal is not None and ids in raw.columns:
            raw[ids] = typed(raw[ids].astype(object), batches.info.decimal)
        yield raw
        return
    for raw in batches:
        if len(raw) <= BATCH or not features.of_kind(ColumnKind.IMAGE):
            yield raw
        else:
            yield from (raw.iloc[i : i + BATCH].reset_index(drop=True) for i in range(0, len(raw), BATCH))


def _is_of_folder(batches: Batches) -> bool:
    from autodl.data.images.names import FORMAT

    return batches.info is not None and batches.info.format == FORMAT


def _folder_rows(raw: pd.DataFrame, features: TableSchema, where: str) -> pd.DataFrame:
    """The images of a folder under the name that the model knows its images by.

    Raises:
        DataError: If the model knows no images, or several.
    """
    from autodl.data.images.names import IMAGE

    names = features.of_kind(ColumnKind.IMAGE)
    if len(names) != 1:
        knows = f"{len(names)} images in each row" if names else "no images"
        raise DataError(
            f"{where} is a folder of images, but the model was trained on {knows}",
            "Give a table like the one it knows.",
        )
    return raw.rename(columns={IMAGE: names[0]})
