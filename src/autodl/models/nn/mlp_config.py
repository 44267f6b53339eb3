"""Configuration of multilayer perceptrons for tables; free of torch."""

from __future__ import annotations

from pydantic import Field

from autodl.models.base import FamilyConfig
from autodl.models.nn.cost import embedded_floats
from autodl.models.nn.names import (
    ActivationName,
    EnsembleName,
    GateName,
    NormName,
    NumericEmbeddingName,
    WidthShape,
)
from autodl.train.config import OptimizerName, ScheduleName, TrainConfig, annealed_epochs

MAX_ONEHOT = 8
CATEGORY_SIZE = 8
MAX_EMBEDDED = 4096
"""Inputs of the first layer beyond which numeric columns are no longer embedded: wide tables get a plain MLP."""


class MlpConfig(TrainConfig, FamilyConfig):
    """Architecture and training of an MLP; the defaults are RealMLP at a fraction of its width and epochs.

    Other than there, numbers are embedded piecewise linearly (better on columns that are mostly one value), the
    activation is SiLU, a fifth of Mish's time on a CPU, and the rate falls once along a cosine: log losses are best
    after a few epochs, and a short training with an annealed end is better there than the start of a long one.
    """

    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.003, gt=0, le=1)
    beta2: float = Field(0.95, ge=0.5, lt=1)
    weight_decay: float = Field(0.2, ge=0, le=10)
    schedule: ScheduleName = "cosine"
    anneal_regularization: bool = True
    patience_share: float = Field(0.3, ge=0, le=1)

    depth: int = Field(3, ge=1, le=12)
    """Number of blocks."""
    width: int = Field(128, ge=8, le=2048)
    """Of the blocks, or of the widest one."""
    width_shape: WidthShape = "constant"
    """From block to block: the same, narrowing to a quarter (``funnel``), widest in the middle (``diamond``; half at
    both ends), or ``free``: as ``width_2`` to ``width_6`` say."""
    width_2: int = Field(0, ge=0, le=2048)
    """Of the second block, where widths are free; 0: ``width``."""
    width_3: int = Field(0, ge=0, le=2048)
    width_4: int = Field(0, ge=0, le=2048)
    width_5: int = Field(0, ge=0, le=2048)
    width_6: int = Field(0, ge=0, le=2048)
    activation: ActivationName = "silu"
    parametric_activation: bool = True
    gate: GateName = "none"
    norm: NormName = "none"
    residual: bool = False
    dropout: float = Field(0.15, ge=0, lt=1)
    front_scale: bool = True
    """A learned factor for each input (RealMLP)."""
    tangent: bool = True
    """Neural tangent parametrization and data-dependent initialization (RealMLP); not with ``tabm`` nor ``sgd``."""
    embedding: NumericEmbeddingName = "piecewise"
    embedding_size: int = Field(8, ge=2, le=64)
    frequencies: int = Field(16, ge=2, le=128)
    """Of the periodic embeddings."""
    sigma: float = Field(0.1, gt=0, le=10)
    """Scale of the first frequencies."""
    bins: int = Field(48, ge=2, le=256)
    """Of the piecewise-linear embedding."""
    ensemble: EnsembleName = "none"
    members: int = Field(8, ge=2, le=64)
    """Members of the ensemble inside the network (TabM)."""
    category_size: int = Field(CATEGORY_SIZE, ge=2, le=64)
    """Of the embeddings of categorical columns with more than a few values."""

    def n_epochs(self, rows: int) -> int:
        """50 at 1,000 rows, falling with their fourth root to 10, so that larger tables get more steps."""
        return self.epochs or max(1, round(self.epoch_factor * annealed_epochs(rows)))

    def embeds(self, columns: int) -> bool:
        """Whether so many numeric columns are embedded."""
        return self.embedding != "none" and columns * self.embedding_size <= MAX_EMBEDDED

    def floats_per_row(self, numeric: int, others: int) -> int:
        """Numbers that the widest layer makes of a row.

        Args:
            numeric: Numeric columns that vary. others: all other columns.
        """
        embedding = self.embedding if self.embeds(numeric) else "none"
        embedded = embedded_floats(numeric, embedding, self.embedding_size, self.frequencies, self.bins)
        size = 1 if embedding == "none" else self.embedding_size
        inputs = numeric * size + others * max(MAX_ONEHOT, self.category_size)
        hidden = max(self.widths) * (1 if self.gate == "none" else 2)
        members = 1 if self.ensemble == "none" else self.members
        return max(embedded, members * max(inputs, hidden))

    @property
    def widths(self) -> tuple[int, ...]:
        """Of each block, multiples of 8 where the shape gives them."""
        free = (self.width, self.width_2, self.width_3, self.width_4, self.width_5, self.width_6)
        if self.width_shape == "free":
            return tuple(free[i] or self.width if i < len(free) else self.width for i in range(self.depth))
        steps = [i / max(1, self.depth - 1) for i in range(self.depth)]
        match self.width_shape:
            case "funnel":
                shares = [0.25**t for t in steps]
            case "diamond" if self.depth > 1:
                shares = [0.5 ** abs(2 * t - 1) for t in steps]
            case _:
                return (self.width,) * self.depth
        return tuple(self.width if s == 1 else max(8, 8 * round(self.width * s / 8)) for s in shares)
