"""A pretrained network for images whose last part is trained further on the images at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from autodl.clock import Deadline
from autodl.machine import multiplies_bfloat16
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_config import ConvNetConfig
from autodl.models.nn.conv_cost import NetworkCost, convnet_cost, training_seconds
from autodl.models.nn.cost import LIBRARY_BYTES, STEP_OVERHEAD, speedup
from autodl.models.nn.image_estimator import ImageNetwork
from autodl.models.nn.image_training import ImageTraining
from autodl.models.nn.recipes import IMAGE_RECIPE
from autodl.pretrained.trunk import Trunk
from autodl.records import Modality
from autodl.train.config import OptimizerName, ScheduleName

if TYPE_CHECKING:
    from torch import Tensor, nn

    from autodl.features import Features
    from autodl.models.nn.image_net import ImageNet
    from autodl.train.data import TensorData

__all__ = ["FinetunedCnn", "FinetunedCnnConfig", "FinetunedCnnEstimator"]

ENDS = 2
"""Stages whose means stand beside the last layer's: they are less bound to the classes that it was trained on."""
LOOK_GAIN = 0.42
"""Share of the time of a forward pass in 16 bits, where the processor is made for that."""
BLOCK_STEP_S = 4e-3
"""Seconds that a stage adds to each step whatever the batch."""
UNTRAINED = Trunk({
    "stem_width": 8, "stem_stride": 2, "stages": 2, "width": (8, 16), "stride": (1, 2), "expansion": (2,),
    "block": ("mbconv",), "head_width": 32, "squeeze": 0.0,
})  # fmt: skip
"""What is trained where no pretrained network is named: too small for anything but a look at the machinery."""


class FinetunedCnnConfig(ImageTraining):
    """Which network, how much of it is trained, and how."""

    encoder: str = ""
    """Key of the pretrained network; the planner writes it. Empty: a very small one without any training."""
    epoch_factor: float = Field(0.3, gt=0, le=10)
    """Two passes over a few thousand images: most is learnt already; larger images tell more than a third one."""
    side: int = Field(128, ge=8, le=512)
    """Pixels a side to which images are brought, smaller ones too."""
    tuned: int = Field(4, ge=0, le=8)
    """Stages at the end that are trained, with all that follows; 0: only what is new."""
    layer_decay: float = Field(0.7, gt=0, le=1)
    """Rate of a stage over that of the next one."""
    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.002, gt=0, le=1)
    weight_decay: float = Field(0.01, ge=0, le=10)
    schedule: ScheduleName = "cosine"
    warmup: float = Field(0.1, ge=0, le=0.5)
    label_smoothing: float = Field(0.05, ge=0, lt=1)

    @property
    def trains_in_half(self) -> bool:
        """Not: depthwise layers are slower so. Measured with two stages trained, milliseconds an image: 8 to 10."""
        return False

    def n_epochs(self, rows: int) -> int:
        """6 at 5,000 images, more of fewer with the root of their number, from 2 to 20: most is learnt already."""
        usual = min(20.0, max(2.0, 6 * (5_000 / max(rows, 1)) ** 0.5))
        return self.epochs or max(1, round(self.epoch_factor * usual))

    def trunk(self) -> Trunk:
        """What the network is made of.

        Raises:
            ConfigError: If there is no such network. MissingDependencyError: If its package is not installed.
            ValueError: If it can only be used as it is.
        """
        from autodl.pretrained.finding import by_key

        if not self.encoder:
            return UNTRAINED
        trunk = by_key(self.encoder).trunk()
        if trunk is None:
            raise ValueError(f"`encoder` must be a network that can be trained further, but got {self.encoder!r}")
        return trunk

    def layers(self) -> ConvNetConfig:
        """The architecture; raises what ``trunk`` does."""
        return ConvNetConfig.model_validate(dict(self.trunk().layers))


def passes(config: FinetunedCnnConfig, layers: ConvNetConfig) -> tuple[NetworkCost, NetworkCost]:
    """Cost of one image at ``side``: of the whole network, and of the part that is only looked through."""
    size = (config.side, config.side)
    whole = convnet_cost(layers, 3, 0, size)
    stages = layers.stages - config.tuned if config.tuned else layers.stages
    if stages < 1:
        return whole, NetworkCost()
    # Without the last convolution, unless nothing is trained.
    seen = layers.model_copy(update={"stages": stages, "head_width": 0 if config.tuned else layers.head_width})
    return whole, convnet_cost(seen, 3, 0, size)


class FinetunedCnnEstimator(ImageNetwork):
    """A network that was trained further. It holds all its weights: predictions need no package of the first one."""

    config: FinetunedCnnConfig
    predict_batch: ClassVar[int] = 128
    sample_rows: ClassVar[int] = 16
    ends: int = 0
    """Of models that know nothing of it."""

    def __init__(self, config: FinetunedCnnConfig, meta: Meta) -> None:
        super().__init__(config, meta)
        self.layers: dict[str, Any] = {}
        self.half = False

    def learn(self, X: Features) -> None:
        """See ``Network``."""
        super().learn(X)
        if isinstance(self.start, FinetunedCnnEstimator):
            self.layers, self.ends, self.half = self.start.layers, self.start.ends, self.start.half
            return
        self.layers, self.ends = self.config.layers().model_dump(mode="json"), ENDS
        # Other machines must calculate as this one did: the answers differ by some percent.
        self.half = self.config.precision == "auto" and multiplies_bfloat16()

    def make_body(self, side: int) -> tuple[nn.Module, int]:
        """See ``ImageNetwork``."""
        from autodl.models.nn.mobile_body import MobileBody

        c, layers = self.config, ConvNetConfig(**self.layers)
        body = MobileBody(layers, c.side, min(c.tuned, layers.stages), c.layer_decay, self.half, self.ends)
        return body, body.width

    def body_cost(self, side: int) -> NetworkCost:
        """See ``ImageNetwork``."""
        return passes(self.config, ConvNetConfig(**self.layers))[0]

    def new_module(self, inputs: tuple[Tensor, ...], n_outputs: int) -> ImageNet:
        """See ``Network``: the trained weights, and the colours that they know."""
        import torch

        from autodl.pretrained.finding import by_key

        module, trunk = self.stored_module(n_outputs), self.config.trunk()
        module.center.fill_(trunk.center)
        module.spread.fill_(trunk.spread)
        if self.config.encoder:
            weights = by_key(self.config.encoder).trunk_weights()
            module.body.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
        return module

    def begin(self, module: nn.Module, train: TensorData, deadline: Deadline) -> bool:
        """See ``Network``: the new head first."""
        from autodl.models.nn.head_start import FEWEST_ROWS, train_head
        from autodl.models.nn.image_net import ImageNet

        assert isinstance(module, ImageNet)
        if not self.config.encoder:
            return False
        return train_head(module, train, self.objective(), seed=self.meta.seed, deadline=deadline) >= FEWEST_ROWS


class FinetunedCnn(Family):
    """Family of pretrained networks that are trained further."""

    key = "finetuned_cnn"
    other_names = ("finetuned", "finetune", "finetuning", "transfer", "transfer_learning", "pretrained")
    name = "Neural network (pretrained, trained further)"
    summary = "A network that others trained on millions of images, whose last part goes on learning from these."
    paper = (
        'Kornblith et al. 2019, "Do Better ImageNet Models Transfer Better?"; Howard and Ruder 2018, "ULMFiT"; Kumar '
        'et al. 2022, "Fine-Tuning can Distort Pretrained Features"'
    )
    modalities = frozenset({Modality.IMAGE})
    tunes = Modality.IMAGE
    recipe = IMAGE_RECIPE
    config = FinetunedCnnConfig
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
        assert isinstance(config, FinetunedCnnConfig)
        rows, columns = max(1, shape.rows), max(1, shape.images)
        whole, seen = passes(config, config.layers())

        whole_s, seen_s = columns * training_seconds(whole), columns * training_seconds(seen)
        # A forward pass is a third of a training step.
        look = (LOOK_GAIN if multiplies_bfloat16() else 1.0) / 3
        row_s = config.n_epochs(rows) * (whole_s - seen_s * (1 - look)) + whole_s * look
        row_s /= speedup(shape.threads)
        step_s = STEP_OVERHEAD + columns * BLOCK_STEP_S * config.layers().stages
        steps = config.n_epochs(rows) * rows / min(rows, config.n_batch(rows))
        floats = 5.0 * whole.parameters + columns * (whole.activations + seen.activations) * config.n_batch(rows)
        seconds_all = (rows * row_s + steps * step_s) / max(shape.speed, 1e-3)
        return CostEstimate(seconds=seconds_all, bytes=4 * floats + LIBRARY_BYTES)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, FinetunedCnnConfig)
        return FinetunedCnnEstimator(config, meta)
