"""Frames of other libraries as pandas frames, none of which is needed to be installed."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import pandas as pd
import pyarrow as pa

from autodl.errors import DataError


class ArrowStream(Protocol):
    """A table that speaks the Arrow C stream interface: polars, pyarrow, DuckDB, cuDF and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule with the stream."""


class Interchange(Protocol):
    """A table that speaks the older dataframe interchange protocol."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        """The interchange object."""


AnyFrame: TypeAlias = pd.DataFrame | ArrowStream | Interchange


def is_frame(source: object) -> bool:
    """Whether ``as_pandas`` takes it for a table with named columns."""
    return isinstance(source, pd.DataFrame) or any(
        hasattr(source, name) for name in ("to_pandas", "__arrow_c_stream__", "__dataframe__", "collect_schema")
    )


def as_pandas(source: Any, where: str = "the data") -> pd.DataFrame:
    """A pandas frame of the same rows; a frame of pandas is returned as it is.

    Args:
        source: A frame of pandas, or of a library with ``to_pandas``, the Arrow C stream or the dataframe interchange
            protocol. A lazy frame of polars is collected.
        where: Name of the data in errors.

    Raises:
        DataError: If it is no table.
    """
    if isinstance(source, pd.DataFrame):
        return source
    given = type(source).__name__
    if hasattr(source, "collect_schema") and hasattr(source, "collect"):
        source = source.collect()  # a query that has not run yet
    found: Any = None
    try:
        if hasattr(source, "to_pandas"):
            found = source.to_pandas()
        elif hasattr(source, "__arrow_c_stream__"):
            found = pa.table(source).to_pandas()
        elif hasattr(source, "__dataframe__"):
            found = pd.api.interchange.from_dataframe(source)
    except (pa.ArrowException, NotImplementedError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{where} ({given}) cannot be read as a table: {reason}", "Turn it into a pandas DataFrame first."
        ) from error
    if isinstance(found, pd.DataFrame):
        return found
    raise DataError(
        f"a path or a DataFrame is needed, but got {given}",
        "Turn it into a table with named columns first, e.g. with pandas.DataFrame(...).",
    )
