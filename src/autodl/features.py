"""What a model is trained on: the output of a preprocessing recipe.

Notation: n rows, p numeric columns, q categorical columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.media.batch import MediaBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Features:
    """A batch of rows as arrays.

    Attributes:
        numeric: (n, p) float32, dense or ``scipy.sparse.csr_matrix``; NaN only if the recipe does not impute.
        categorical: (n, q) int32 codes; 0 is "never seen in training", known values start at 1; where training rows
            had gaps, "missing" is one of them.
        cardinalities: q sizes; a code c of column j satisfies ``0 <= c < cardinalities[j]``.
        numeric_names: p names. categorical_names: q names.
        media: Images, series and texts in tokens as they are, by column; only where the recipe passes them on.
    """

    numeric: Any
    categorical: NDArray[np.int32]
    cardinalities: tuple[int, ...] = ()
    numeric_names: tuple[str, ...] = field(default=(), repr=False)
    categorical_names: tuple[str, ...] = field(default=(), repr=False)
    media: Mapping[str, MediaBatch] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return int(self.numeric.shape[0])

    @property
    def n_numeric(self) -> int:
        """p, the number of numeric columns."""
        return int(self.numeric.shape[1])

    @property
    def n_categorical(self) -> int:
        """q, the number of categorical columns."""
        return int(self.categorical.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Whether ``numeric`` is a scipy sparse matrix."""
        return not isinstance(self.numeric, np.ndarray)

    def dense(self) -> NDArray[np.float32]:
        """(n, p) ``numeric`` as a dense array."""
        return np.asarray(self.numeric.toarray() if self.is_sparse else self.numeric, dtype=np.float32)

    def take(self, rows: NDArray[np.int_]) -> Features:
        """The rows with these positions, in this order."""
        return Features(
            self.numeric[rows],
            self.categorical[rows],
            self.cardinalities,
            self.numeric_names,
            self.categorical_names,
            {name: batch.take(rows) for name, batch in self.media.items()},
        )

    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        num = self.numeric.nbytes if isinstance(self.numeric, np.ndarray) else self.numeric.data.nbytes * 2
        return int(num) + int(self.categorical.nbytes)
