"""How networks read series, and how training series are changed; free of torch, so that families import quickly."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from autodl.models.base import FamilyConfig
from autodl.models.nn.conv_config import BlockName, ConvNetConfig
from autodl.train.config import TrainConfig

SHORT_STEPS, LONG_STEPS = 256, 512
"""Steps up to which the stem keeps the resolution, and up to which it halves it."""
MOST_WINDOWS = 64
"""Windows of the longest series where their size is not said."""


class SeriesAugmentConfig(BaseModel):
    """Changes of training series, drawn anew for each series each time; nothing is changed in prediction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jitter: float = Field(0.0, ge=0, le=1)
    """Standard deviation of the noise added to each step, as a share of that of the series."""
    scaling: float = Field(0.0, ge=0, le=1)
    """Standard deviation of the factor by which a series departs from its mean, around 1 (Um et al. 2017)."""
    crop: float = Field(0.0, ge=0, le=0.9)
    """Largest share that is cut off both ends together; the rest is stretched (Le Guennec et al. 2016)."""
    warp: float = Field(0.0, ge=0, le=0.95)
    """How much faster or slower time may run in parts of a series; its ends stay (Um et al. 2017)."""

    @property
    def moves(self) -> bool:
        """Whether steps change their places."""
        return bool(self.crop or self.warp)


class SeriesReading(SeriesAugmentConfig, TrainConfig, FamilyConfig):
    """What enters a network over series, and how training series are changed; families' configs derive from it."""

    steps: int = Field(0, ge=0, le=4096)
    """Steps that the network sees, at most; of longer series neighbours are averaged. 0: 512."""
    level: Literal["all", "each"] = "all"
    """Series are standardized by the mean and spread of ``all`` training series, or of ``each`` series; its own mean
    and spread then stand beside what the network finds."""

    def n_epochs(self, rows: int) -> int:
        """60 at 1,000 series, more of fewer with the root of their number, from 8 to 200; deadlines shorten that."""
        usual = min(200.0, max(8.0, 60 * (1_000 / max(rows, 1)) ** 0.5))
        return self.epochs or max(1, round(self.epoch_factor * usual))

    def n_batch(self, rows: int) -> int:
        """16 of fewer than 300 rows, 32 of fewer than 2,000, else 64."""
        return self.batch_size or (16 if rows < 300 else 32 if rows < 2_000 else 64)


class WindowReading(SeriesReading):
    """Series that are read window by window (Nie et al. 2023, "A Time Series is Worth 64 Words": patches)."""

    window: int = Field(0, ge=0, le=512)
    """Steps from the start of one window to the next; 0: so many that the longest series has 64 windows at most."""
    overlap: bool = True
    """Whether a window also holds the steps of the next one."""

    def stride(self, steps: int) -> int:
        """Steps from window to window of series of at most this many steps."""
        return self.window or max(1, -(-steps // MOST_WINDOWS))

    def window_size(self, steps: int) -> int:
        """Steps of a window."""
        return self.stride(steps) * (2 if self.overlap else 1)

    def n_windows(self, steps: int) -> int:
        """Windows of a series of so many steps."""
        return -(-steps // self.stride(steps))


class SeriesNetConfig(ConvNetConfig, SeriesReading):
    """Architecture, augmentation and training; the defaults are an InceptionTime that halves the resolution twice,
    which costs a third of one that keeps it.
    """

    lr: float = Field(0.003, gt=0, le=1)
    stem_kernel: int = Field(7, ge=1, le=63)
    stem_stride: int = Field(0, ge=0, le=4)
    """Of the stem ``conv``; 0: by the number of steps."""
    width: tuple[int, ...] = (64, 128)
    kernel: tuple[int, ...] = (19, 11, 7)
    block: tuple[BlockName, ...] = ("inception",)

    def for_steps(self, steps: int) -> Self:
        """The same with the stem that suits series of this length."""
        if self.stem_stride:
            return self
        stride = 1 if steps <= SHORT_STEPS else 2 if steps <= LONG_STEPS else 4
        return self.model_copy(update={"stem_stride": stride})
