"""How a table is prepared for a model."""

from __future__ import annotations

from typing import Literal

from autodl.records.base import Record


class Recipe(Record):
    """Choices of one preprocessing pipeline; fitted inside each fold only.

    A search space may vary any field under the prefix ``prep.`` (``prep.scale``).
    """

    columns: Literal["all", "none"] = "all"
    """``none``: no column is prepared, for a guess that looks at none."""
    impute: Literal["none", "mean", "median", "most_frequent", "knn", "iterative"] = "median"
    """How missing numbers are filled; ``none`` leaves NaN for models that handle it."""
    indicator: bool = True
    """Add a 0/1 column for each numeric column with missing values (only when imputing)."""
    outliers: Literal["none", "clip"] = "none"
    """``clip``: winsorize at 3 interquartile ranges outside the quartiles."""
    scale: Literal["none", "standard", "robust", "quantile"] = "none"
    """``robust``: RealMLP's robust scaling and smooth clipping (Holzmueller et al. 2024)."""
    categories: Literal["codes", "onehot", "target", "ordinal"] = "codes"
    """``codes`` fill ``Features.categorical``; the others become numeric columns. ``ordinal``: frequency-ranked."""
    max_onehot: int = 30
    """Columns with more values are target-encoded (cross-fitted) under ``onehot``."""
    rare: float = 0.0
    """Categories with a smaller share of the rows are grouped into one."""
    text: Literal["none", "tfidf", "svd"] = "svd"
    """``tfidf``: sparse words and word pairs; ``svd``: its leading components, dense."""
    text_features: int = 20_000
    text_components: int = 32
    dates: bool = True
    """Year, month, day, weekday, hour, day of year and days since the first date."""
    target: Literal["none", "standard", "log"] = "none"
    """Transform of a regression target; predictions are mapped back."""
    balance: Literal["none", "class_weight", "smote", "oversample", "undersample"] = "none"
    """Treatment of imbalanced classes, on training rows only."""
