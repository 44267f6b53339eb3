"""Small artificial problems for the batteries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.features import Features
from autodl.media.batch import MediaBatch
from autodl.media.stores import ImageStore, SeriesStore
from autodl.media.tokens import FIRST, TokenStore
from autodl.media.writing import digest, write_images, write_series
from autodl.models.base import Family, Meta
from autodl.records import ColumnInfo, ColumnKind, Modality, TableSchema, Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Problem:
    """Training and validation rows of an easy task."""

    X: Features
    y: NDArray[Any]
    X_val: Features
    y_val: NDArray[Any]
    meta: Meta


def easy_problem(
    n_classes: int,
    *,
    rows: int = 240,
    numeric: int = 4,
    categorical: int = 2,
    seed: int = 0,
    sparse: bool = False,
    family: type[Family] | None = None,
) -> Problem:
    """Numbers and categories that say the target nearly exactly; others get images or series.

    Args:
        n_classes: K, or 0 for regression.
        rows: Training rows; a third as many are for validation.
        numeric: Numeric columns, standard normal. categorical: columns of four categories.
        seed: Of the rows.
        sparse: Whether ``numeric`` is CSR.
        family: For which it is; any that is for tables if None.
    """
    rng = np.random.default_rng(seed)
    n = rows + max(1, rows // 3)
    x = rng.normal(size=(n, numeric)).astype(np.float32)
    codes = rng.integers(1, 5, size=(n, categorical)).astype(np.int32)
    signal = 2.0 * x[:, :2].sum(axis=1) + 1.5 * (codes[:, :1] == 2).sum(axis=1) + 0.1 * rng.normal(size=n)
    media = {}
    if family is not None and Modality.TABLE not in family.modalities:
        if Modality.SERIES in family.modalities:
            media = {"series": MediaBatch(_rising(signal, seed), np.arange(n))}
        elif Modality.TEXT in family.modalities:
            media = {"text": MediaBatch(_telling(signal, seed), np.arange(n))}
        else:
            media = {"image": MediaBatch(_half_bright(signal, seed), np.arange(n))}
        x = rng.normal(size=x.shape).astype(np.float32)
        codes = rng.integers(1, 5, size=codes.shape).astype(np.int32)
    values: Any = x
    if sparse:
        from scipy.sparse import csr_matrix

        values = csr_matrix(x)
    X = Features(
        values,
        codes,
        (5,) * categorical,
        tuple(f"x{j}" for j in range(numeric)),
        tuple(f"c{j}" for j in range(categorical)),
        media,
    )
    if n_classes:
        edges = np.quantile(signal, np.linspace(0, 1, n_classes + 1)[1:-1])
        y: NDArray[Any] = np.searchsorted(edges, signal).astype(np.int64)
        meta = Meta(Task.CLASSIFICATION, n_classes, seed=seed, metric="roc_auc" if n_classes == 2 else "log_loss")
    else:
        y = signal.astype(np.float64)
        meta = Meta(Task.REGRESSION, 0, seed=seed, metric="rmse")
    train, valid = np.arange(rows), np.arange(rows, n)
    return Problem(X.take(train), y[train], X.take(valid), y[valid], meta)


def _half_bright(signal: NDArray[Any], seed: int) -> ImageStore:
    """Noisy images of 8 x 8 pixels whose upper half is the brighter and lower half the darker, the higher the signal.

    Left and right are alike, as models may mirror images.
    """
    from autodl.media.place import process_place

    rng, n = np.random.default_rng(seed), len(signal)
    level = 40 * signal / max(1e-9, float(np.abs(signal).max()))
    sign = np.repeat([1.0, -1.0], 4)[None, :, None, None]
    pixels = 128 + 2 * level[:, None, None, None] * sign + rng.normal(0, 10, (n, 8, 8, 3))
    images = pixels.clip(0, 255).astype(np.uint8)
    key = f"half-bright-{digest(images):x}"
    if (made := process_place().find(key)) is None:
        with process_place().make(key) as folder:
            write_images(folder, ((image, (8, 8)) for image in images), n, 8)
        made = process_place().folder / key
    return ImageStore(made)


def _rising(signal: NDArray[Any], seed: int) -> SeriesStore:
    """Noisy series of 12 to 20 steps of two channels, the first of which lies the higher, the higher the signal."""
    from autodl.media.place import process_place

    rng = np.random.default_rng(seed)
    level = 2 * signal / max(1e-9, float(np.abs(signal).max()))
    series = [rng.normal((x, 0.0), 0.3, (int(rng.integers(12, 21)), 2)).astype(np.float32) for x in level]
    key = f"rising-{digest(np.concatenate(series)):x}"
    if (made := process_place().find(key)) is None:
        with process_place().make(key) as folder:
            write_series(folder, series, 2)
        made = process_place().folder / key
    return SeriesStore(made)


def _telling(signal: NDArray[Any], seed: int) -> TokenStore:
    """Texts of 5 to 12 tokens of a vocabulary of 12, whose numbers are the higher, the higher the signal."""
    rng, n = np.random.default_rng(seed), len(signal)
    lengths = rng.integers(5, 13, n)
    level = np.repeat(5 * signal / max(1e-9, float(np.abs(signal).max())), lengths)
    tokens = FIRST + (6 + level + rng.normal(0, 1, len(level))).clip(0, 11).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return TokenStore(tokens.astype(np.int32), starts, FIRST + 12)


def mixed_frame(n: int, seed: int = 0) -> tuple[pd.DataFrame, TableSchema]:
    """A canonical table with every kind of column, missing values, infinities and columns without information."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    number = rng.normal(size=n)
    number[rng.random(n) < 0.2] = np.nan
    wild = rng.standard_cauchy(n)
    wild[::7] = np.inf
    words = np.array(["red", "green", "blue", None], dtype=object)
    names = np.array([f"name {k}" for k in range(60)], dtype=object)
    dates = pd.Series(pd.Timestamp("2020-01-31") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"))
    dates = dates.mask(np.arange(n) % 5 == 0)
    texts = [" ".join(rng.choice(["fast", "slow", "good", "bad", "service"], 4)) for _ in range(n)]
    columns: dict[str, tuple[ColumnKind, Any]] = {
        "number": (ColumnKind.NUMERIC, number),
        "wild": (ColumnKind.NUMERIC, wild),
        "same": (ColumnKind.NUMERIC, np.ones(n)),
        "nothing": (ColumnKind.NUMERIC, np.full(n, np.nan)),
        "yes": (ColumnKind.BOOLEAN, rng.integers(0, 2, n).astype(float)),
        "colour": (ColumnKind.CATEGORICAL, words[rng.integers(0, 4, n)]),
        "who": (ColumnKind.CATEGORICAL, names[rng.integers(0, 60, n)]),
        "void": (ColumnKind.CATEGORICAL, np.full(n, None, dtype=object)),
        "when": (ColumnKind.DATETIME, dates),
        "said": (ColumnKind.TEXT, np.array([None, *texts[1:]], dtype=object)),
        "fixed": (ColumnKind.CONSTANT, np.full(n, "k", dtype=object)),
    }
    frame = pd.DataFrame({name: values for name, (_, values) in columns.items()})
    schema = TableSchema(
        columns=tuple(
            ColumnInfo(
                name=name,
                kind=kind,
                n=n,
                n_missing=int(frame[name].isna().sum()),
                n_unique=int(frame[name].nunique()),
            )
            for name, (kind, _) in columns.items()
        )
    )
    return frame, schema
