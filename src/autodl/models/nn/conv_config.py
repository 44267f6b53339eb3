"""Configuration of convolutional networks over sequences (1-D) and images (2-D); free of torch.

A network is a stem, stages of blocks, and a head. A stage halves the resolution in its first block (``stride``) and
has its own depth, width and kind of block. What holds for stage i (and block j) is written flat as ``NAME_i``
(``NAME_i_j``), so that search spaces can name it, or as a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from pydantic import Field, field_validator, model_validator

from autodl.models.base import FamilyConfig
from autodl.models.nn.names import ActivationName
from autodl.train.config import OptimizerName, ScheduleName, TrainConfig

StemName = Literal["conv", "imagenet", "patch"]
BlockName = Literal["plain", "residual", "bottleneck", "separable", "mbconv", "inception"]
ConvNormName = Literal["batch", "layer", "none"]
ConvPooling = Literal["avg", "max", "gem", "attention"]

MOST_STAGES = 8
_NUMBERED = re.compile(r"(depth|width|stride|kernel|expansion|block)_(\d+)(?:_(\d+))?")


class BlockSpec(NamedTuple):
    """One block: what it is, its channels in and out, its kernel and stride, and the share of paths dropped."""

    kind: BlockName
    d_in: int
    d_out: int
    kernel: int
    stride: int
    expansion: int
    drop_path: float


def inner_channels(spec: BlockSpec) -> int:
    """Channels inside a bottleneck or an inverted one, or of one branch."""
    return spec.d_in * spec.expansion if spec.kind == "mbconv" else max(1, spec.d_out // 4)


def squeezed(spec: BlockSpec, squeeze: float) -> int:
    """Channels of the squeeze-and-excitation part of a block; 0: it has none."""
    return max(1, int(spec.d_in * squeeze)) if squeeze and spec.kind == "mbconv" else 0


def inception_kernels(kernel: int) -> tuple[int, int]:
    """Kernels of the two branches that look around: k and 2 k - 1."""
    return kernel, 2 * kernel - 1


class ConvNetConfig(TrainConfig, FamilyConfig):
    """Architecture and training of a convolutional network; the defaults are a small ResNet for small images."""

    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.002, gt=0, le=1)
    weight_decay: float = Field(0.05, ge=0, le=10)
    schedule: ScheduleName = "one_cycle"

    stem: StemName = "conv"
    """``conv``: one convolution; ``imagenet``: a large one with stride 2, then max pooling, as in ResNets;
    ``patch``: one step of ``stem_kernel`` pixels for each patch, as in ConvNeXt."""
    stem_width: int = Field(32, ge=4, le=512)
    stem_kernel: int = Field(3, ge=1, le=63)
    stem_stride: int = Field(1, ge=1, le=4)
    """Of the stem ``conv``."""
    stages: int = Field(3, ge=1, le=MOST_STAGES)
    depth: tuple[int, ...] = (1,)
    """Blocks of each stage; a list that is too short goes on with its last value, here and below."""
    width: tuple[int, ...] = (32, 64, 128, 256)
    """Channels of each stage."""
    stride: tuple[int, ...] = (1, 2)
    """Of the first block of each stage."""
    kernel: tuple[int, ...] = (3,)
    """Odd, of each stage."""
    expansion: tuple[int, ...] = (4,)
    """Of the channels inside ``mbconv``."""
    block: tuple[BlockName, ...] = ("residual",)
    """Kind of block of each stage."""
    mixed: bool = False
    """Whether ``blocks`` says the kind of each block; spaces choose between the two by it."""
    blocks: dict[str, BlockName] = {}
    """Kinds of single blocks, by ``STAGE_BLOCK``, where they differ from the stage's."""
    squeeze: float = Field(0.25, ge=0, le=1)
    """Channels of the squeeze-and-excitation part of ``mbconv`` over those that enter the block; 0: without."""
    norm: ConvNormName = "batch"
    activation: ActivationName = "relu"
    drop_path: float = Field(0.0, ge=0, lt=1)
    """Stochastic depth: probability that the last block is skipped; it rises linearly from the first."""
    head_width: int = Field(0, ge=0, le=4096)
    """Channels of a last pointwise convolution (MobileNet); 0: none."""
    pooling: ConvPooling = "avg"
    dropout: float = Field(0.0, ge=0, lt=1)

    @classmethod
    def setting(cls, name: str) -> Any | None:
        """See ``FamilyConfig``: ``width_2`` and ``block_1_2`` as well."""
        match = _NUMBERED.fullmatch(name)
        if match is None:
            return super().setting(name)
        if match[3] is not None:
            return BlockName if match[1] == "block" else None
        return get_args(cls.model_fields[match[1]].annotation)[0]

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, values: Any) -> Any:
        return gathered(values) if isinstance(values, Mapping) else values

    @field_validator("depth", "width", "stride", "kernel", "expansion", "block")
    @classmethod
    def _has_one(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if not 1 <= len(value) <= MOST_STAGES:
            raise ValueError(f"needs 1 to {MOST_STAGES} entries, one a stage, but got {len(value)}")
        return value

    @model_validator(mode="after")
    def _in_range(self) -> ConvNetConfig:
        limits = {"depth": (1, 48), "width": (4, 4096), "stride": (1, 4), "kernel": (1, 63), "expansion": (1, 8)}
        for name, (low, high) in limits.items():
            values: tuple[int, ...] = getattr(self, name)
            if bad := [v for v in values if not low <= v <= high]:
                raise ValueError(f"`{name}` must lie in [{low}, {high}], but got {bad[0]}")
        if even := [k for k in (*self.kernel, self.stem_kernel) if k % 2 == 0 and self.stem != "patch"]:
            raise ValueError(f"kernels must be odd, but got {even[0]}")
        if even := [k for k in self.kernel if k % 2 == 0]:
            raise ValueError(f"kernels must be odd, but got {even[0]}")
        return self

    def specs(self) -> list[list[BlockSpec]]:
        """The blocks of each stage."""
        total = sum(_at(self.depth, i) for i in range(self.stages))
        out: list[list[BlockSpec]] = []
        d, seen = self.stem_width, 0
        for i in range(self.stages):
            stage = []
            for j in range(_at(self.depth, i)):
                kind = self.blocks.get(f"{i + 1}_{j + 1}", _at(self.block, i))
                stride = _at(self.stride, i) if j == 0 else 1
                drop = self.drop_path * seen / max(1, total - 1)
                width = _at(self.width, i)
                stage.append(BlockSpec(kind, d, width, _at(self.kernel, i), stride, _at(self.expansion, i), drop))
                d, seen = width, seen + 1
            out.append(stage)
        return out


def gathered(values: Mapping[str, Any]) -> dict[str, Any]:
    """``width_1: 16, width_2: 32`` as ``width: (16, 32)``, and ``block_2_1`` as an entry of ``blocks``.

    A stage that is not named takes the value of the one before, or of the next where it is the first.

    Raises:
        ValueError: For a stage beyond the limit, or values in both forms.
    """
    out: dict[str, Any] = {}
    numbered: dict[str, dict[int, Any]] = {}
    single: dict[str, Any] = {}
    for name, value in values.items():
        match = _NUMBERED.fullmatch(name)
        if match is None or (match[3] is not None and match[1] != "block"):
            out[name] = value
        elif match[3] is not None:
            single[f"{int(match[2])}_{int(match[3])}"] = value
        else:
            numbered.setdefault(match[1], {})[int(match[2])] = value
    for name, of in numbered.items():
        if not 1 <= min(of) <= max(of) <= MOST_STAGES:
            raise ValueError(f"stages are numbered from 1 to {MOST_STAGES}, but got {name}_{max(of)}")
        if name in out:
            raise ValueError(f"`{name}` and `{name}_{min(of)}` cannot both be given")
        last, row = of[min(of)], []
        for i in range(1, max(of) + 1):
            last = of.get(i, last)
            row.append(last)
        out[name] = tuple(row)
    if single:
        out["blocks"] = {**out.get("blocks", {}), **single}
    return out


def _at(values: tuple[Any, ...], i: int) -> Any:
    return values[min(i, len(values) - 1)]
