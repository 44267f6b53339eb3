"""Bootstrap resamples as matrices of row counts, so that a whole bootstrap is one matrix product."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=2)
def resample_counts(n: int, n_resamples: int, seed: int) -> NDArray[np.float32]:
    """(n_resamples, n) how often each row is drawn in each bootstrap sample; rows sum to n. Read-only.

    The same arguments give the same resamples, which pairs everything that is computed from them.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.integers(n, size=(n_resamples, n))
    drawn += np.arange(n_resamples)[:, None] * n
    counts = np.bincount(drawn.ravel(), minlength=n_resamples * n).astype(np.float32).reshape(n_resamples, n)
    counts.setflags(write=False)
    return counts


def studentized_means(
    columns: NDArray[Any], counts: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means of resampled rows and their covariances.

    Args:
        columns: (n, m) row values.
        counts: (B, n) from ``resample_counts``.

    Returns:
        (B, m) means and (B, m, m) covariances of single rows within each resample.
    """
    n, m = columns.shape
    # Centred and scaled, so that float32 products lose nothing that matters.
    centre, scale = columns.mean(axis=0), columns.std(axis=0) + 1e-300
    z = ((columns - centre) / scale).astype(np.float32)
    pairs = (z[:, :, None] * z[:, None, :]).reshape(n, m * m)
    sums = np.asarray(counts @ np.concatenate([z, pairs], axis=1), dtype=np.float64) / n
    mean = sums[:, :m]
    cov = sums[:, m:].reshape(-1, m, m) - mean[:, :, None] * mean[:, None, :]
    return mean * scale + centre, cov * scale[:, None] * scale[None, :]
