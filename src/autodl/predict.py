"""Predictions of a finished run for a file or a frame."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.errors import DataError, did_you_mean
from autodl.model import DeliveredModel
from autodl.records import ColumnKind, TableSchema, Task
from autodl.store import RunFolder

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


_WHOLE = re.compile(r"0|-?[1-9][0-9]*")


def label_values(classes: Sequence[str], codes: NDArray[Any]) -> NDArray[Any]:
    """Class codes as they stood in the training data: whole numbers as int, everything else as text."""
    import numpy as np

    if classes and all(_WHOLE.fullmatch(c) for c in classes):
        names: NDArray[Any] = np.asarray([int(c) for c in classes])
    else:
        names = np.asarray(classes, dtype=object)
    return names.take(codes)


def predict_frame(
    model: DeliveredModel,
    raw: pd.DataFrame,
    *,
    proba: bool = False,
    keep: Sequence[str] = (),
    where: str = "data",
    tell: Callable[[str], None] = warnings.warn,
) -> pd.DataFrame:
    """Predict raw rows.

    Args:
        model: A loaded model.
        raw: Rows as read from a file.
        proba: Add a column ``proba_CLASS`` for each class (classification only).
        keep: Input columns carried over in front.
        where: Name of the data in errors.
        tell: Is given a sentence for each column with values that the model cannot use.

    Returns:
        One row an input row, in the same order: kept columns, ``prediction`` and probabilities.
    """
    import pandas as pd

    from autodl.data import apply_schema, misfits

    manifest = model.manifest
    for name in keep:
        if name not in raw.columns:
            raise DataError(f"--keep: there is no column '{name}' in {where}", did_you_mean(name, raw.columns))
    if proba and manifest.task is not Task.CLASSIFICATION:
        raise DataError("--proba needs classes, but this run predicts a number", "Leave out --proba.")
    frame = apply_schema(raw, manifest.features, where=where)
    for sentence in misfits(raw, frame, manifest.features):
        tell(sentence)
    prediction = model.predict_raw(frame)
    out = pd.DataFrame({name: raw[name].to_numpy() for name in keep})
    if manifest.task is Task.CLASSIFICATION:
        out["prediction"] = label_values(manifest.classes, model.answers(prediction))
        if proba:
            for j, name in enumerate(manifest.classes):
                out[f"proba_{name}"] = prediction[:, j]
    else:
        out["prediction"] = prediction
    return out


def predict_file(
    run: str | Path,
    data: str,
    *,
    proba: bool = False,
    keep: Sequence[str] = (),
    tell: Callable[[str], None] = warnings.warn,
) -> pd.DataFrame:
    """Predict a file with the model of a run folder; see ``predict_frame``."""
    from autodl.data import read_table

    model = DeliveredModel(RunFolder(run))
    raw, _ = read_table(data, as_text=text_columns(model.manifest.features))
    return predict_frame(model, raw, proba=proba, keep=keep, where=Path(data).name, tell=tell)


def text_columns(schema: TableSchema) -> tuple[str, ...]:
    """Columns that were words in training and must not be taken for numbers in a file where they look like some."""
    return schema.of_kind(ColumnKind.CATEGORICAL, ColumnKind.TEXT, ColumnKind.ID)
