"""Multilayer perceptron for tables, with the tricks that let it compete with boosted trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.cost import embedded_inputs, training_cost
from autodl.models.nn.estimator import TabularNetwork
from autodl.models.nn.names import (
    ActivationName,
    EnsembleName,
    GateName,
    NormName,
    NumericEmbeddingName,
    WidthShape,
)
from autodl.records import JsonScalar, Recipe
from autodl.train.config import OptimizerName, ScheduleName, TrainConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

    from autodl.models._sharing import SharedNetwork
    from autodl.models.nn.embeddings import CategoryEncoder
    from autodl.models.nn.inputs import InputPlan

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
        usual = min(100.0, max(10.0, 50 * (1_000 / max(rows, 1)) ** 0.25))
        return self.epochs or max(1, round(self.epoch_factor * usual))

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


def input_parts(config: MlpConfig, plan: InputPlan, sample: Tensor) -> tuple[nn.Module | None, CategoryEncoder]:
    """What turns columns into the inputs of the first layer: an embedding of numbers, if any, and one of categories.

    Args:
        config: Kind and size of the embedding. plan: Columns. sample: (s, p) training values, for bins.
    """
    from autodl.models.nn.embeddings import CategoryEncoder, make_numeric_embedding

    embedding = make_numeric_embedding(
        config.embedding if sample.shape[1] * config.embedding_size <= MAX_EMBEDDED else "none",
        sample,
        size=config.embedding_size,
        frequencies=config.frequencies,
        sigma=config.sigma,
        bins=config.bins,
    )
    return embedding, CategoryEncoder(plan.cardinalities, MAX_ONEHOT, config.category_size)


class MlpEstimator(TabularNetwork):
    """A trained MLP."""

    config: MlpConfig

    def make_module(self, plan: InputPlan, sample: Tensor, n_outputs: int) -> nn.Module:
        """See ``TabularNetwork``."""
        from autodl.models.nn.mlp import MlpShape, TabularMLP

        c = self.config
        embedding, encoder = input_parts(c, plan, sample)
        blocks = MlpShape(
            depth=c.depth,
            width=c.width,
            widths=c.widths,
            activation=c.activation,
            gate=c.gate,
            norm=c.norm,
            parametric=c.parametric_activation,
            residual=c.residual,
            dropout=c.dropout,
            ensemble=c.ensemble,
            members=c.members if c.ensemble != "none" else 1,
            # Its rates for single layers are those of Adam: SGD diverges with them.
            tangent=c.tangent and c.ensemble != "tabm" and c.optimizer != "sgd",
        )
        return TabularMLP(plan.n_flat, sample.shape[1], embedding, encoder, blocks, c.front_scale, n_outputs)

    def multiplications(self, module: nn.Module) -> float:
        """Every member of an ensemble inside the network uses the shared weights."""
        return super().multiplications(module) * (self.config.members if self.config.ensemble != "none" else 1)

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], seed: int) -> None:
        """RealMLP's data-dependent initialization of the tangent layers."""
        import torch

        from autodl.models.nn.layers import init_from_data

        init_from_data(module, inputs, torch.Generator().manual_seed(seed))


class Mlp(Family):
    """Family of tabular MLPs."""

    key = "mlp"
    other_names = ("nn", "neural_network", "neural_net", "dnn", "deep", "torch")
    name = "Neural network (MLP)"
    summary = "Layers of artificial neurons that learn their own combinations of the columns."
    paper = (
        'Holzmueller et al. 2024, "Better by Default" (RealMLP); Gorishniy et al. 2024, "TabM"; '
        'Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning"'
    )
    recipe = Recipe(
        impute="median", indicator=True, scale="robust", categories="codes", text="svd", vector_components=128
    )
    config = MlpConfig
    complexity = 7
    order = 3
    deep = True
    quantiles = True
    shares = ("depth", "width", "activation", "gate", "norm", "residual")
    shared_as: ClassVar[Mapping[str, JsonScalar]] = {"width_shape": "constant"}

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, MlpConfig)
        size = config.embedding_size if config.embedding != "none" else 1
        if shape.numeric * size > MAX_EMBEDDED:
            size = 1
        inputs = embedded_inputs(shape, size, config.category_size)
        widths, k = config.widths, config.members if config.ensemble != "none" else 1
        inner = (2.0 if config.residual else 1.0) * (2.0 if config.gate != "none" else 1.0)
        between = sum(a * b for a, b in pairwise(widths))
        weights = inputs * widths[0] + inner * (between + (widths[0] ** 2 if config.residual else 0))
        frequencies = config.frequencies * (2 if config.embedding == "plr" else 1)
        terms = config.bins if config.embedding == "piecewise" else frequencies
        # A cosine costs about 20 multiplications.
        embedding = 0.0 if size == 1 else shape.numeric * terms * (2.0 * size + 20)
        return training_cost(
            shape,
            config,
            flops_per_row=2 * weights * k + embedding + 30 * k * sum(widths) * inner,
            parameters=weights + config.category_size * shape.levels + shape.numeric * terms * size,
            floats_per_row=k * (inputs + 6 * sum(widths) * inner),
        )

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, MlpConfig)
        return MlpEstimator(config, meta)

    def share_weights(
        self, config: FamilyConfig, meta: Meta, choices: Mapping[str, Sequence[JsonScalar]]
    ) -> SharedNetwork:
        """See ``Family.share_weights``."""
        from autodl.models.nn.supernet_estimator import MlpSupernet

        assert isinstance(config, MlpConfig)
        return MlpSupernet(config, meta, choices)
