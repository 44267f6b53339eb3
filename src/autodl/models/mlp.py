"""Multilayer perceptron for tables, with the tricks that let it compete with boosted trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.cost import embedded_inputs, training_cost
from autodl.models.nn.estimator import TabularNetwork
from autodl.models.nn.mlp_config import MlpConfig
from autodl.records import JsonScalar, Recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

    from autodl.models._sharing import SharedNetwork
    from autodl.models.nn.inputs import InputPlan


class MlpEstimator(TabularNetwork):
    """A trained MLP."""

    config: MlpConfig

    def make_module(self, plan: InputPlan, sample: Tensor, n_outputs: int) -> nn.Module:
        """See ``TabularNetwork``."""
        from autodl.models.nn.mlp import MlpShape, TabularMLP, input_parts

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

    def floats_per_row(self) -> float:
        """See ``Network``."""
        plan = self._known()
        return float(self.config.floats_per_row(len(plan.smooth), plan.n_flat + len(plan.cardinalities)))

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
        impute="median", indicator=True, scale="robust", categories="codes", text="svd", vector_components=128,
        target="standard",
    )  # fmt: skip
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
        size = config.embedding_size if config.embeds(shape.numeric) else 1
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
