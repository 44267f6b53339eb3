"""How a table is prepared for a model."""

from __future__ import annotations

from typing import Literal

from autodl.records.base import Record

BENT_COLUMNS = 300
"""Columns that the segments of all numbers together may become."""


class Recipe(Record):
    """Choices of one preprocessing pipeline; fitted inside each fold only.

    A search space may vary any field under the prefix ``prep.`` (``prep.scale``).
    """

    columns: Literal["all", "none"] = "all"
    """``none``: no column is prepared, for a guess that looks at none."""
    impute: Literal["none", "mean", "median", "most_frequent", "knn", "iterative"] = "median"
    """How missing numbers are filled; ``none`` leaves NaN, where training rows have it, for models that handle it."""
    indicator: bool = True
    """Add a 0/1 column for each numeric column with missing values (only when imputing)."""
    outliers: Literal["none", "clip"] = "none"
    """``clip``: winsorize at 3 interquartile ranges outside the quartiles."""
    crosses: int = 0
    """Ratios, differences, sums and products of two numeric columns added at most, chosen on the training rows."""
    gaps: bool = False
    """Add the number of missing values of a row."""
    segments: int = 0
    """Segments of a bent line that each number becomes besides itself (only when imputing)."""
    scale: Literal["none", "standard", "robust", "quantile", "power"] = "none"
    """``robust``: RealMLP's robust scaling and smooth clipping (Holzmueller et al. 2024); ``power``: Yeo-Johnson."""
    categories: Literal["codes", "onehot", "target", "ordinal"] = "codes"
    """``codes`` fill ``Features.categorical``; the others become numeric columns. ``ordinal``: frequency-ranked."""
    max_codes: int = 0
    """Columns with more values are target-encoded (cross-fitted) under ``codes``; 0: no limit."""
    max_onehot: int = 30
    """Columns with more values are target-encoded (cross-fitted) under ``onehot``."""
    rare: float = 0.0
    """Categories with a smaller share of the rows are grouped into one."""
    frequency: bool = False
    """Add how often the value of a column with many levels occurs."""
    code_parts: bool = False
    """Take codes such as ``C85`` apart into letters and a number, besides the code itself."""
    text: Literal["none", "tfidf", "svd", "tokens"] = "svd"
    """``tfidf``: sparse weights of all terms; ``svd``: a few dense columns made of them; ``tokens``: no columns, but
    the words in their order, for models that read them."""
    text_features: int = 20_000
    """Words and pairs of words kept, and as many pieces of words."""
    text_pieces: bool = True
    """Terms are also two to four neighbouring characters within words."""
    text_once: bool = False
    """Keep words and pairs of words that stand in one training text only, and up to five times as many."""
    text_ratios: bool = False
    """Weigh terms also by how much more frequent they are in one class than in the others, under ``tfidf``."""
    text_statistics: bool = True
    """Add length, words, shares of capitals, digits and signs, ..."""
    text_components: int = 32
    """Leading components of the terms, under ``svd``."""
    text_terms: int = 0
    """Most informative terms that become columns, under ``svd``."""
    text_score: bool = True
    """Add the cross-fitted answer of a linear model on all terms, under ``svd``."""
    embedding: bool = True
    """Add what a pretrained encoder makes of texts, where the plan names one."""
    text_encoder: str = ""
    """Key of that encoder; empty: none."""
    text_tokens: int = 256
    """Tokens of a text that it reads, from both ends of longer ones."""
    tokenizer: str = ""
    """Key of the pretrained encoder that cuts texts under ``tokens``; empty: what the texts themselves teach."""
    text_letters: bool = False
    """Each character is a token, where no encoder cuts the texts: planned where words hardly recur, as in names."""
    images: Literal["none", "summary", "hog", "pretrained"] = "hog"
    """``summary``: colours on a grid; ``hog``: those and histograms of oriented gradients; ``pretrained``: what a
    pretrained encoder makes of them."""
    image_encoder: str = ""
    """Key of that encoder."""
    image_side: int = 224
    """Pixels a side to which images are brought for it."""
    encoder_half: bool = False
    """Pretrained encoders calculate in 16 bits: planned where the machine is quicker so."""
    vector_components: int = 0
    """Principal components kept of each column of images or embeddings; 0: all numbers as they are."""
    series: Literal["none", "summary", "rocket", "both"] = "summary"
    """``summary``: level, spread, trend and rhythm of series; ``rocket``: responses to fixed convolutions."""
    series_features: int = 10_000
    """Columns that the convolutions make of each column of series, at most."""
    media: Literal["none", "pass"] = "none"
    """``pass``: models get images and series themselves, besides what else is made of the columns."""
    dates: bool = True
    """Year, month, day, weekday, hour, day of year and days since the first date."""
    target: Literal["none", "standard", "log", "power", "quantile"] = "none"
    """Transform of a regression target; predictions are mapped back. ``power``: Yeo-Johnson; ``quantile``: normal."""
    balance: Literal["none", "class_weight", "smote", "oversample", "undersample"] = "none"
    """Treatment of imbalanced classes, on training rows only."""
