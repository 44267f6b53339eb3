"""What a model family is, and what the models it builds can do.

A family module must import quickly: torch, LightGBM and the like are imported inside ``build``, ``fit`` or
``predict``. Notation: n rows, K classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from autodl.clock import NEVER, Deadline
from autodl.records import CurvePoint, JsonScalar, Modality, Recipe, Task
from autodl.registry import Registry
from autodl.train.config import SLICE
from autodl.watch import Watch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.features import Features
    from autodl.models._sharing import SharedNetwork

ABSOLUTE_METRICS = frozenset({"mae", "mape", "median_ae", "pinball"})
"""Metrics of regression whose best constant is near the median: models that can minimize absolute errors."""


class FamilyConfig(BaseModel):
    """Base of the configurations: names, types and valid values (ranges live in the YAML search space)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def setting(cls, name: str) -> Any | None:
        """Type of the values of a setting, as search spaces name it, with its limits; None if there is none.

        Families whose settings go by other names than their fields overwrite this.
        """
        return typed(cls.model_fields.get(name))


def typed(field: FieldInfo | None) -> Any | None:
    """The type of a field with its limits."""
    return None if field is None else Annotated[field.annotation, "as it is", *field.metadata]


@dataclass(frozen=True)
class Shape:
    """The size of a problem, for cost estimates.

    Attributes:
        rows: Training rows of one fit.
        numeric: Numeric columns. categorical: categorical columns. text: free-text columns.
        text_tokens: Words and signs of a text in the mean; 0: not known.
        text_letters: Letters of a text, where networks that start anew read these; 0: they read words.
        levels: Distinct categories of all categorical columns together.
        classes: K, or 0 for regression.
        quantiles: Q levels that are predicted; 0 where one number is.
        images: Columns of images. image_side: pixels a side as they are stored; 0: not known.
        series: Columns of series. series_steps: of the longest; 0: not known. series_channels: of the widest.
        threads: Threads that one fit may use.
        speed: Speed of this machine relative to the reference (1.0 = 2 shared cores of 2024).
    """

    rows: int
    numeric: int
    categorical: int = 0
    levels: int = 0
    text: int = 0
    text_tokens: int = 0
    text_letters: int = 0
    classes: int = 0
    quantiles: int = 0
    images: int = 0
    image_side: int = 0
    series: int = 0
    series_steps: int = 0
    series_channels: int = 0
    threads: int = 1
    speed: float = 1.0

    @property
    def columns(self) -> int:
        """All columns."""
        return self.numeric + self.categorical + self.text


@dataclass(frozen=True)
class CostEstimate:
    """Predicted wall seconds of one fit and peak bytes it adds."""

    seconds: float
    bytes: float


@dataclass(frozen=True)
class Meta:
    """What a model must know besides its data.

    Attributes:
        task: Classification or regression.
        n_classes: K; targets are int64 codes 0..K-1. 0 for regression (float64 targets).
        seed: Seed of everything random in the model.
        threads: Threads it may use.
        metric: Key of the metric that the search optimizes.
        quantiles: Q levels, ascending, to be predicted by ``predict_quantiles``; empty where one number is.
    """

    task: Task
    n_classes: int = 0
    seed: int = 0
    threads: int = 1
    metric: str = ""
    quantiles: tuple[float, ...] = ()


class Estimator(ABC):
    """One model. Must be picklable after ``fit`` and predict the same afterwards.

    It is stored without pickle if its state (``__getstate__``) consists of plain values, numbers, text, numpy arrays,
    its configuration, and the library types in ``Family.stored_types``; see ``autodl.serialize``.

    Attributes:
        needs_pickle: The state holds pickles of another library, so that reading it runs what stands in the file.
        raw_target: It learns numbers as they are: a transform of the target would take away what its loss rests on.
        curve: Learning curve of the last ``fit``, if it has one.
        refit: Config values that replace early stopping when the model is trained again without validation rows,
            e.g. ``{"n_estimators": 132}``; empty when nothing was learnt from the validation rows.
        watch: Follows ``fit`` and may end it; set for the time of a ``fit`` with validation rows. Models that train
            in steps tell it their validation loss as they go; those that do not need not mind it.
        start: A trained estimator of the same family and architecture from whose state ``fit`` goes on for a part of
            the usual training; set for the time of a ``fit``, and only where ``Family.deep``.
        start_part: That part.
        weight_val: Weights of the validation rows, which decide when training ends; set for the time of a ``fit``;
            None where all count alike.
        answers: Rows that will be asked for once ``fit`` is over and before its deadline; set for the time of a
            ``fit``; None where nobody waits for answers.
        cut_short: The last ``fit`` ended with less than was configured, so as not to pass its deadline. Those that
            train up to the deadline itself need not tell: the clock does.
    """

    needs_pickle: ClassVar[bool] = False
    raw_target: bool = False
    watch: Watch | None = None
    start: Estimator | None = None
    start_part: float = SLICE
    weight_val: NDArray[Any] | None = None
    answers: int | None = None
    cut_short: bool = False

    def __init__(self) -> None:
        self.curve: list[CurvePoint] = []
        self.refit: dict[str, JsonScalar] = {}

    @abstractmethod
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
        """Train.

        Args:
            X: (n,) rows. y: (n,) targets.
            X_val: Rows for early stopping; without them the model trains for the configured length.
            y_val: Their targets.
            sample_weight: (n,) non-negative weights.
            deadline: Training ends by then with the best model so far; a ``TimeoutError`` if there is none.
        """

    @abstractmethod
    def predict(self, X: Features) -> NDArray[Any]:
        """(n,) float64 values for regression; (n,) int64 class codes for classification."""

    def predict_proba(self, X: Features) -> NDArray[Any]:
        """(n, K) float64 probabilities; rows sum to 1. Classification only."""
        raise TypeError(f"{type(self).__name__} predicts numbers, not probabilities")

    def predict_quantiles(self, X: Features) -> NDArray[Any]:
        """(n, Q) float64 values at the levels of ``Meta.quantiles``; families with ``quantiles`` only.

        They may cross; who asks for them sorts them. ``predict`` then gives (n,) single answers made of them.
        """
        raise TypeError(f"{type(self).__name__} predicts single numbers, not quantiles")


class Family(ABC):
    """A kind of model: knows its configuration, its cost and how to build an estimator.

    Class attributes:
        key: Short lower-case name used in files and on the command line.
        other_names: What else people type for it, or for a model of its kind that is not here; it is then suggested.
        name: Name for people.
        summary: One sentence for people who do not know the model.
        paper: Source.
        tasks, modalities: What it can do.
        recipe: Preprocessing it starts from (the planner adapts it to the data).
        config: Its ``FamilyConfig``.
        requires: Optional packages; ``extra`` is the extra of autodl that installs them.
        complexity: 0 (constant) to 10; among ties the simpler is recommended.
        order: Position in the planner's first wave; lower is earlier.
        max_rows: Above this many rows the planner leaves it out; None means no limit.
        first_share: Largest share of the budget that its first trial may take unless it is asked for.
        on_request: Why it takes part only where it is asked for, a sentence; empty if it does unasked.
        min_rows: Below this many rows the planner leaves it out where it is not asked for.
        leads: Whether it is usually the best on what its modalities name, where no pretrained network reads that, or
            where it trains one further: it is then tried early, and in full even where that takes long.
        leads_letters: The same for short texts whose words hardly recur, such as names.
        tunes: Of what a pretrained network is that it trains further, named by the field ``encoder`` of its
            configuration; None where it starts anew.
        deep: Whether it is a neural network.
        further: Whether its models may go on learning from more rows than they began with, where there is no time to
            train one anew on all of them; see ``Estimator.start``.
        random: Whether the seed changes the fitted model, so that averaging over seeds helps.
        stored_types: Library classes that its trained models hold, as ``MODULE:CLASS``; model files may name them.
        quantiles: Whether it can predict quantiles of a number; see ``Estimator.predict_quantiles``.
        haste: A configuration field whose larger values train in fewer steps at some loss of quality, and the largest
            value that is still good; None where there is no such field.
        shares: Configuration fields whose values can share the weights of one network; see ``share_weights``.
        shared_as: Values of other fields that all networks that share weights have.
    """

    key: ClassVar[str]
    other_names: ClassVar[tuple[str, ...]] = ()
    name: ClassVar[str]
    summary: ClassVar[str]
    paper: ClassVar[str]
    tasks: ClassVar[frozenset[Task]] = frozenset({Task.CLASSIFICATION, Task.REGRESSION})
    modalities: ClassVar[frozenset[Modality]] = frozenset({Modality.TABLE})
    recipe: ClassVar[Recipe] = Recipe()
    config: ClassVar[type[FamilyConfig]] = FamilyConfig
    requires: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None
    complexity: ClassVar[int] = 5
    order: ClassVar[int] = 50
    max_rows: ClassVar[int | None] = None
    min_rows: ClassVar[int] = 0
    first_share: ClassVar[float] = 1.0
    on_request: ClassVar[str] = ""
    leads: ClassVar[bool] = False
    leads_letters: ClassVar[bool] = False
    tunes: ClassVar[Modality | None] = None
    deep: ClassVar[bool] = False
    further: ClassVar[bool] = False
    random: ClassVar[bool] = True
    quantiles: ClassVar[bool] = False
    stored_types: ClassVar[tuple[str, ...]] = ()
    haste: ClassVar[tuple[str, float] | None] = None
    shares: ClassVar[tuple[str, ...]] = ()
    shared_as: ClassVar[Mapping[str, JsonScalar]] = {}

    @abstractmethod
    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """Wall seconds and bytes of one fit with this configuration."""

    @classmethod
    def least_bytes(cls, config: FamilyConfig) -> float:
        """That a model with this configuration takes on disk, as far as it is known before training."""
        return 0.0

    @abstractmethod
    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """An untrained model."""

    def share_weights(
        self, config: FamilyConfig, meta: Meta, choices: Mapping[str, Sequence[JsonScalar]]
    ) -> SharedNetwork:
        """An untrained network that contains those of all choices; only families with ``shares`` have one.

        Args:
            config: What they have in common. meta: As for ``build``.
            choices: Values of each of the ``shares``.
        """
        raise TypeError(f"{self.name} has no network with shared weights")

    @classmethod
    def missing(cls) -> tuple[str, ...]:
        """Names of required optional packages that are not installed."""
        from importlib.util import find_spec

        def found(name: str) -> bool:
            try:
                return find_spec(name) is not None
            except ModuleNotFoundError:  # of `a.b` without `a`
                return False

        return tuple(p for p in cls.requires if not found(p))


families: Registry[type[Family]] = Registry("autodl.models", Family, group="autodl.families", noun="model family")
"""All families by key. ``families["mlp"]().build(...)``."""


__all__ = [
    "ABSOLUTE_METRICS", "CostEstimate", "Estimator", "Family", "FamilyConfig", "Meta", "Shape", "families",
]  # fmt: skip
