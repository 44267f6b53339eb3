"""FT-Transformer: attention between the columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.cost import embedded_floats, training_cost
from autodl.models.nn.estimator import TabularNetwork
from autodl.models.nn.names import FeedForwardName, NormPlace, NumericEmbeddingName, Pooling, TransformerNormName
from autodl.models.nn.transformer_config import TransformerTraining
from autodl.records import Recipe
from autodl.train.config import annealed_epochs

if TYPE_CHECKING:
    from torch import Tensor, nn

    from autodl.models.nn.inputs import InputPlan


class TransformerConfig(TransformerTraining):
    """Architecture and training of an FT-Transformer; smaller and quicker than the paper's default."""

    weight_decay: float = Field(0.00001, ge=0, le=10)
    warmup: float = Field(0.05, ge=0, le=0.5)
    patience_share: float = Field(0.3, ge=0, le=1)

    layers: int = Field(2, ge=1, le=8)
    heads: int = Field(4, ge=1, le=16)
    head_size: int = Field(16, ge=4, le=64)
    """Token size over heads."""
    hidden_factor: float = Field(4 / 3, gt=0, le=8)
    """Width of the feed-forward part over the token size."""
    feed_forward: FeedForwardName = "reglu"
    norm: TransformerNormName = "layer"
    norm_place: NormPlace = "pre"
    pooling: Pooling = "cls"
    attention_dropout: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    residual_dropout: float = Field(0.0, ge=0, lt=1)
    embedding: NumericEmbeddingName = "none"
    """Of numbers before they become tokens; ``none``: the paper's linear tokens."""
    embedding_size: int = Field(16, ge=2, le=64)
    frequencies: int = Field(16, ge=2, le=128)
    sigma: float = Field(0.1, gt=0, le=10)
    bins: int = Field(32, ge=2, le=256)

    @property
    def token_size(self) -> int:
        """d."""
        return self.heads * self.head_size

    def n_epochs(self, rows: int) -> int:
        """As for an MLP, so that most trainings see the end of the schedule."""
        return self.epochs or max(1, round(self.epoch_factor * annealed_epochs(rows)))


class TransformerEstimator(TabularNetwork):
    """A trained FT-Transformer."""

    config: TransformerConfig

    def make_module(self, plan: InputPlan, sample: Tensor, n_outputs: int) -> nn.Module:
        """See ``TabularNetwork``."""
        from autodl.models.nn.embeddings import make_numeric_embedding
        from autodl.models.nn.ft_transformer import FeatureTokenizer, FTTransformer, TransformerShape

        c = self.config
        p = sample.shape[1]
        embedding = make_numeric_embedding(
            c.embedding, sample, size=c.embedding_size, frequencies=c.frequencies, sigma=c.sigma, bins=c.bins
        )
        tokenizer = FeatureTokenizer(plan.n_flat, p, embedding, plan.cardinalities, c.token_size)
        shape = TransformerShape(
            layers=c.layers,
            heads=c.heads,
            token_size=c.token_size,
            hidden_factor=c.hidden_factor,
            feed_forward=c.feed_forward,
            norm=c.norm,
            norm_place=c.norm_place,
            pooling=c.pooling,
            attention_dropout=c.attention_dropout,
            dropout=c.dropout,
            residual_dropout=c.residual_dropout,
        )
        return FTTransformer(tokenizer, shape, n_outputs)

    def multiplications(self, module: nn.Module) -> float:
        """Each token of a row passes the same weights."""
        return super().multiplications(module) * self._tokens()

    def floats_per_row(self) -> float:
        """Numbers that are embedded, or queries, keys and values, or the inner layer, or who looks at whom."""
        c, tokens = self.config, self._tokens()
        inner = c.hidden_factor * (2 if c.feed_forward.endswith("glu") else 1)
        embedded = embedded_floats(len(self._known().smooth), c.embedding, c.embedding_size, c.frequencies, c.bins)
        return max(embedded, tokens * max(max(3.0, inner) * c.token_size, c.heads * tokens))

    def _tokens(self) -> int:
        plan = self._known()
        return 1 + plan.n_flat + len(plan.smooth) + len(plan.cardinalities)


class Transformer(Family):
    """Family of tabular transformers."""

    key = "transformer"
    other_names = ("ft_transformer", "tab_transformer", "attention")
    name = "Neural network (FT-Transformer)"
    summary = "A network that lets every column of a row look at every other before it answers."
    paper = 'Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data"'
    recipe = Recipe(
        impute="median", indicator=True, scale="quantile", categories="codes", text="svd", vector_components=32,
        target="standard",
    )  # fmt: skip
    config = TransformerConfig
    complexity = 8
    order = 70
    deep = True
    quantiles = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, TransformerConfig)
        tokens = shape.numeric + shape.categorical + 44 * shape.text + 1
        d = config.token_size
        gated = config.feed_forward.endswith("glu")
        block = (4.0 + config.hidden_factor * (3 if gated else 2)) * d * d
        attention = 2.0 * tokens * d
        return training_cost(
            shape,
            config,
            flops_per_row=2 * tokens * config.layers * (block + attention) + 60 * tokens * d * config.layers,
            parameters=config.layers * block + d * (shape.levels + shape.columns),
            floats_per_row=tokens * config.layers * (14 * d + config.heads * tokens),
            overhead=1.5e-3 + 1.2e-3 * config.layers,
        )

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, TransformerConfig)
        return TransformerEstimator(config, meta)
