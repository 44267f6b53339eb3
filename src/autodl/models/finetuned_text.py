"""A pretrained network for texts whose last layers are trained further on the texts at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from autodl.clock import NEVER, Deadline
from autodl.machine import multiplies_bfloat16
from autodl.media.tokens import FIRST
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.cost import LIBRARY_BYTES, STEP_OVERHEAD, speedup
from autodl.models.nn.recipes import TEXT_RECIPE
from autodl.models.nn.text_config import LONGEST, SORTED_PADDING, USUAL_TOKENS, TextChanges
from autodl.models.nn.text_estimator import TextReader
from autodl.models.nn.text_inputs import TextPlan
from autodl.models.nn.text_trunk_cost import (
    hidden_width,
    layers_cost,
    looked_up,
    most_tokens,
    n_layers,
    training_seconds,
)  # fmt: skip
from autodl.records import Modality
from autodl.train.config import OptimizerName, ScheduleName

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.features import Features
    from autodl.models.nn.tuned_text import TunedTextNet
    from autodl.pretrained.text_trunk import TextTrunk

__all__ = ["FinetunedText", "FinetunedTextConfig", "FinetunedTextEstimator"]

UNTRAINED: dict[str, Any] = {
    "model_type": "bert", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 130,
}  # fmt: skip
"""What is trained where no pretrained network is named: too small for anything but a look at the machinery."""
LAYER_STEP_S = 3e-3
"""Seconds that a layer adds to each step whatever the batch."""
MEASURED_WIDTH = 384
"""Hidden width of the network that ``body_rate`` was measured on: MiniLM, 2e-4."""


class FinetunedTextConfig(TextChanges):
    """Which network, how much of it is trained, and how."""

    encoder: str = ""
    """Key of the pretrained network; the planner writes it. Empty: a very small one without any training."""
    tuned: int = Field(12, ge=1, le=48)
    """Layers at the end that are trained; all, if there are fewer. Vectors of tokens stay as they are."""
    body_rate: float = Field(0.2, gt=0, le=1)
    """Rate of the last layer over that of the head, which is new; less for wide networks, see ``body_share``."""
    layer_decay: float = Field(0.9, gt=0, le=1)
    """Rate of a layer over that of the next one."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Of what the network says of a text."""
    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.001, gt=0, le=1)
    weight_decay: float = Field(0.01, ge=0, le=10)
    schedule: ScheduleName = "cosine"
    warmup: float = Field(0.1, ge=0, le=0.5)
    grad_clip: float = Field(1.0, ge=0)
    label_smoothing: float = Field(0.05, ge=0, lt=1)

    def n_epochs(self, rows: int) -> int:
        """2 from 6,000 texts on, more of fewer with the root of their number, at most 8: most is learnt already."""
        usual = min(8.0, max(2.0, 2 * (6_000 / max(rows, 1)) ** 0.5))
        return self.epochs or max(1, round(self.epoch_factor * usual))

    def n_batch(self, rows: int) -> int:
        """16 of fewer than 1,000 texts, 32 up to 50,000, then 64."""
        return self.batch_size or (16 if rows < 1_000 else 32 if rows < 50_000 else 64)

    def trunk(self) -> TextTrunk | None:
        """What the network is made of; None where none is named.

        Raises:
            ConfigError, MissingDependencyError: If there is no such network.
            ValueError: If it can only be used as it is.
        """
        from autodl.pretrained.finding import text_trunk

        return text_trunk(self.encoder) if self.encoder else None

    def layers(self) -> dict[str, Any]:
        """The architecture; raises what ``trunk`` does."""
        trunk = self.trunk()
        return UNTRAINED if trunk is None else trunk.layers()


def body_share(width: int) -> float:
    """Share of ``body_rate`` that a network of this hidden width is trained with.

    768 wide, the default is then 5e-5, the largest rate that Devlin et al. 2019 ("BERT", appendix A.3) name; large
    ones make a network forget what it knows (Sun et al. 2019, on catastrophic forgetting).

    >>> body_share(384), body_share(768)
    (1.0, 0.25)
    """
    return min(1.0, (MEASURED_WIDTH / width) ** 2)


class FinetunedTextEstimator(TextReader):
    """A network that was trained further. It holds all its weights: predictions need no file of the first one."""

    config: FinetunedTextConfig
    predict_batch: ClassVar[int] = 64
    sample_rows: ClassVar[int] = 16

    def __init__(self, config: FinetunedTextConfig, meta: Meta) -> None:
        super().__init__(config, meta)
        self.layers: dict[str, Any] = {}
        self.first, self.hidden = False, 0

    def learn(self, X: Features) -> None:
        """See ``Network``."""
        if isinstance(self.start, FinetunedTextEstimator):
            self.layers, self.first, self.hidden = self.start.layers, self.start.first, self.start.hidden
            self.marks = self.start.marks
        elif (trunk := self.config.trunk()) is not None:
            self.layers, self.first, self.hidden = trunk.layers(), trunk.pools_first(), trunk.hidden()
            self.marks = tuple(FIRST + k for k in trunk.marks())
        else:
            self.layers = dict(UNTRAINED)
        self.plan = TextPlan.learn(X, min(self.config.tokens, most_tokens(self.layers)))
        self.layers.setdefault("vocab_size", self.plan.vocabulary)

    def body_cost(self, tokens: int) -> NetworkCost:
        """See ``TextReader``."""
        return layers_cost(self.layers, tokens)

    def training_config(self) -> FinetunedTextConfig:
        """In 16 bits where that is quicker."""
        half = self.config.precision == "auto" and multiplies_bfloat16()
        return self.config.model_copy(update={"precision": "mixed"}) if half else self.config

    def stored_module(self, n_outputs: int) -> TunedTextNet:
        """See ``Network``."""
        from autodl.models.nn.tuned_text import TunedTextBody, TunedTextNet

        plan, c = self._known(), self.config
        width, columns = hidden_width(self.layers), len(plan.columns)
        rate = c.body_rate * body_share(width)
        body = TunedTextBody(self.layers, self.first, self.hidden, c.tuned, rate, c.layer_decay)
        return TunedTextNet(body, width, columns, c.dropout, plan.beside, n_outputs)

    def new_module(self, inputs: tuple[Any, ...], n_outputs: int) -> TunedTextNet:
        """See ``Network``: with the trained weights; what stays as it is, as models store it."""
        import torch

        module = self.stored_module(n_outputs)
        if self.start is None and (trunk := self.config.trunk()) is not None:
            weights = {name: torch.from_numpy(w) for name, w in trunk.weights().items()}
            module.body.network.load_state_dict(weights)
        with torch.no_grad():
            for value in module.parameters():
                if not value.requires_grad:
                    value.copy_(value.half().float())
        return module

    def fit(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None = None,
        y_val: NDArray[Any] | None = None,
        *,
        sample_weight: NDArray[Any] | None = None,
        deadline: Deadline = NEVER,
    ) -> None:
        """See ``Network``; what was not trained is kept in 16 bits, as it has been rounded."""
        super().fit(X, y, X_val, y_val, sample_weight=sample_weight, deadline=deadline)
        fixed = {name for name, value in self.loaded().named_parameters() if not value.requires_grad}
        self._state = {n: v.astype(np.float16) if n in fixed else v for n, v in self._state.items()}


class FinetunedText(Family):
    """Family of pretrained networks for texts that are trained further."""

    key = "finetuned_text"
    other_names = ("bert", "finetuned_bert", "distilbert", "roberta", "sentence_transformer", "setfit")
    name = "Neural network (pretrained on texts, trained further)"
    summary = "A network that others trained on millions of texts, whose last layers go on learning from these."
    paper = (
        'Devlin et al. 2019, "BERT"; Howard and Ruder 2018, "ULMFiT"; Sun et al. 2019, "How to Fine-Tune BERT for '
        'Text Classification?"'
    )
    modalities = frozenset({Modality.TEXT})
    tunes = Modality.TEXT
    recipe = TEXT_RECIPE
    config = FinetunedTextConfig
    requires = ("transformers", "tokenizers")
    extra = "text"
    complexity = 9
    order = 60
    leads = True
    min_rows = 200
    first_share = 0.4
    deep = True
    further = True
    quantiles = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, FinetunedTextConfig)
        rows, columns, layers = max(1, shape.rows), max(1, shape.text), config.layers()
        most, usual = min(config.tokens, most_tokens(layers)), SORTED_PADDING * (shape.text_tokens or USUAL_TOKENS)
        tokens, longest = max(1, min(most, round(usual))), max(1, min(most, round(LONGEST * usual)))

        row_s = columns * training_seconds(layers, tokens, config.tuned) / speedup(shape.threads)
        batch = min(rows, config.n_batch(rows))
        step_s = STEP_OVERHEAD + columns * LAYER_STEP_S * n_layers(layers)
        seconds = config.n_epochs(rows) * rows * (row_s + step_s / batch) / max(shape.speed, 1e-3)
        whole, trained = layers_cost(layers, longest), layers_cost(layers, longest, config.tuned)
        floats = 4.0 * looked_up(layers) + 6.0 * whole.parameters + columns * trained.activations * batch
        return CostEstimate(seconds=seconds, bytes=4 * floats + LIBRARY_BYTES)

    @classmethod
    def least_bytes(cls, config: FamilyConfig) -> float:
        """See ``Family.least_bytes``: trained weights in 32 bits, the others in 16."""
        assert isinstance(config, FinetunedTextConfig)
        layers = config.layers()
        whole, trained = layers_cost(layers, 1).parameters, layers_cost(layers, 1, config.tuned).parameters
        return 2.0 * (looked_up(layers) + whole - trained) + 4.0 * trained

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, FinetunedTextConfig)
        return FinetunedTextEstimator(config, meta)
