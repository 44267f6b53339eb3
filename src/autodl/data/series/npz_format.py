"""Series in an archive of numpy arrays: ``.npz``."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autodl.data.compression import check_growth
from autodl.data.series.cells import series_cells
from autodl.data.series.names import LABEL, SERIES, TARGET
from autodl.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

MANY_CHANNELS = 2
"""From so many times the steps on the channels may be the steps."""
_VALUES = ("x", "series", "data", "values")
_TARGETS = ("y", "label", "labels", "target", "targets", "class", "classes")
_FORM = "Save X with the form (series, steps) or (series, channels, steps), and y with a class or number for each."


def read_npz(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A raw frame, and what a user should know of it.

    It has a column of series, one of the target if there is one, and one for each further array.

    ``X`` is (n, t) or (n, c, t); steps at the end at which all channels are NaN are no part of a series. ``y`` and
    any other array of length n becomes a column.

    Raises:
        DataError: What is wrong with the file and what to do.
    """
    with zipfile.ZipFile(path) as archive:
        check_growth(sum(m.file_size for m in archive.infolist()), path.stat().st_size, str(path))
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with np.load(path, allow_pickle=False) as held:
            for name in held.files:
                arrays[name] = held[name]
    except (ValueError, KeyError) as error:
        what = (
            "pickled objects"
            if "pickle" in str(error) or "Object arrays" in str(error)
            else "arrays that are damaged"
        )
        raise DataError(
            f"{path} holds {what}, which are not read",
            f"{_FORM} For series of unequal lengths, fill up the ends with missing values (nan).",
        ) from error
    key = _values_key(arrays, str(path))
    values = arrays.pop(key)
    n = len(values)
    columns: dict[str, Any] = {SERIES: series_cells([_trimmed(one) for one in values])}
    target = next((k for name in _TARGETS for k in arrays if k.lower() == name), None)
    for name, array in arrays.items():
        if array.ndim == 2 and array.shape == (n, 1):
            array = array[:, 0]
        if array.shape != (n,):
            if name == target:
                raise DataError(f"{path}: '{name}' has the form {array.shape}, but there are {n} series", _FORM)
            continue
        is_class = array.dtype.kind not in "f" or bool((array[~np.isnan(array)] % 1 == 0).all())
        column = (LABEL if is_class else TARGET) if name == target and name.lower() == "y" else name
        columns[column] = array.astype(str).astype(object) if array.dtype.kind in "SU" else array
        if array.dtype.kind == "S":
            columns[column] = np.array([word.decode("utf-8", "replace") for word in array], dtype=object)
    return pd.DataFrame(columns), _doubts(values, path.name)


def target_as(wanted: Collection[str], frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the target under the name that another archive gives it.

    Whole numbers are taken for classes, but another part of the same data may have fractions.

    Args:
        wanted: Columns of the other archive. frame: Of an archive.
    """
    for name, other in ((LABEL, TARGET), (TARGET, LABEL)):
        known = other in wanted and name not in wanted and name in frame.columns and other not in frame.columns
        if known and frame[name].dtype.kind in "iuf":
            return frame.rename(columns={name: other})
    return frame


def _doubts(values: NDArray[Any], name: str) -> tuple[str, ...]:
    """Whether steps and channels may have changed places: few steps of many channels are rare."""
    if values.ndim < 3 or values.shape[1] <= MANY_CHANNELS * values.shape[2]:
        return ()
    channels, steps = values.shape[1:]
    return (
        f"{name} was read as series of {steps:,} steps with {channels:,} channels each, in the form (series, "
        f"channels, steps). If they are {channels:,} steps of {steps:,} channels, save X.transpose(0, 2, 1) instead.",
    )


def _values_key(arrays: dict[str, NDArray[Any]], where: str) -> str:
    """The name of the array of series.

    Raises:
        DataError: If none or several could be it, or it has no form of series.
    """
    able = [k for k, a in arrays.items() if a.ndim in (2, 3) and a.dtype.kind in "iufb" and min(a.shape) > 0]
    named = [k for name in _VALUES for k in able if k.lower() == name]
    if not named and len(able) == 1:
        named = able
    if not named:
        shown = ", ".join(f"{k} {a.shape}" for k, a in list(arrays.items())[:6]) or "no array"
        raise DataError(f"{where} does not tell which of its arrays are series ({shown})", _FORM)
    return named[0]


def _trimmed(one: NDArray[Any]) -> NDArray[np.float64]:
    """(t, c) from (t,) or (c, t), without the steps at the end at which nothing is given."""
    steps = np.asarray(one, np.float64)
    steps = steps[:, None] if steps.ndim == 1 else steps.T
    given = np.flatnonzero(~np.isnan(steps).all(axis=1))
    return steps[: given[-1] + 1 if len(given) else 0]
