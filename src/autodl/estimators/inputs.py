"""From what scikit-learn users pass to rows with named columns. Notation: n rows, p columns."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from autodl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator

DENSE_SHARE = 0.25
"""Of the memory: a sparse matrix that would take more as a dense one is refused."""


def read_rows(estimator: BaseEstimator, X: Any, *, reset: bool, words: Collection[str] = ()) -> pd.DataFrame:
    """The rows of X, checked as scikit-learn asks, with plain dtypes and unique names.

    Args:
        estimator: Its ``n_features_in_`` and ``feature_names_in_`` are set or checked.
        X: (n, p) frame of any library, array, nested list or sparse matrix.
        reset: Whether this is ``fit``: at least two rows are needed then, else one.
        words: Columns that held words in ``fit``, so that none of them names images.

    Returns:
        (n, p) frame; columns of an array are called x0, x1, ...

    Raises:
        DataError: If X is no table of plain values, is too large, or (also as other ``ValueError``) its shape or its
            column names are not those of ``fit``.
    """
    import pandas as pd
    from sklearn.utils.validation import validate_data

    from autodl.data import read_table
    from autodl.data.frames import as_pandas, is_frame

    least = 2 if reset else 1
    if is_frame(X):
        frame = as_pandas(X, "X")
        # The names of the frame as given: scikit-learn looks only at those that all are text.
        validate_data(estimator, X=frame, reset=reset, skip_check_array=True)
        if len(frame) < least:
            found = f"{len(frame)} sample(s) (shape={frame.shape})"
            raise DataError(f"Found array with {found} while a minimum of {least} is required")
    else:
        array = validate_data(
            estimator, X=X, reset=reset, dtype=None, accept_sparse="csr", ensure_all_finite=False,
            ensure_min_samples=least,
        )  # fmt: skip
        frame = pd.DataFrame(_dense(array), columns=[f"x{i}" for i in range(array.shape[1])])
    return read_table(frame, as_text=words)[0]


def _dense(array: Any) -> Any:
    """The array itself, or a sparse one written out."""
    import scipy.sparse

    from autodl.machine import this_machine

    sparse: bool = scipy.sparse.issparse(array)
    if not sparse:
        return array
    size = float(array.shape[0]) * array.shape[1] * 8
    limit = DENSE_SHARE * this_machine().memory_bytes
    if size > limit:
        raise DataError(
            f"X is sparse and would need {size / 2**30:.1f} GiB as a full table, but this machine can give it "
            f"{limit / 2**30:.1f} GiB",
            "Put sklearn.decomposition.TruncatedSVD in front.",
        )
    return array.toarray()
