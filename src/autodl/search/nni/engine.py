"""An execution engine for NNI's architecture search that hands its models out instead of training them.

NNI's strategies are loops that submit models to an engine and listen to what becomes of them. Here the loop runs in
the asking thread for as long as it takes to submit what was asked for, and ends as it would on a spent budget: no
thread is left behind, and the models are trained where all our trials are, in this process or on Ray.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nni.mutable import Categorical, MutableDict, Numerical
from nni.nas.execution import ExecutionEngine
from nni.nas.execution.event import TrainingEndEvent
from nni.nas.space import ExecutableModelSpace, ModelStatus

from autodl.search.nni.translation import Sample, Translation
from autodl.search.space import Config


class FlatSpace(ExecutableModelSpace):  # type: ignore[misc]
    """A space of labelled columns, and each model of it, which is its sample."""

    def __init__(self, columns: Any) -> None:
        super().__init__()
        self.columns, self.evaluator = columns, None
        self.sample: Sample = {}

    @classmethod
    def of(cls, space: Translation) -> FlatSpace:
        """From a translated space."""
        columns = {
            name: Categorical(list(range(len(space.places[name]))), label=name)
            if name in space.places
            else Numerical(0.0, 1.0, label=name)
            for name in space.columns
        }
        return cls(MutableDict(columns))

    def leaf_mutables(self, is_leaf: Callable[[Any], bool]) -> Iterator[Any]:
        """The columns."""
        yield from self.columns.leaf_mutables(is_leaf)

    def check_contains(self, sample: Sample) -> Any:
        """None if the sample is in the space, else NNI's error."""
        return self.columns.check_contains(sample)

    def freeze(self, sample: Sample) -> FlatSpace:
        """The model of a sample."""
        self.validate(sample)
        model = FlatSpace(self.columns)
        model.sample, model.status = dict(sample), ModelStatus.Frozen
        return model


class Handout(ExecutionEngine):  # type: ignore[misc]
    """Takes models until enough of them are new.

    Args:
        space: What samples mean.
        tried: Configurations that are not wanted again.
        n: How many are.
        patience: Models looked at for each.
    """

    def __init__(self, space: Translation, tried: Iterable[Config], n: int, patience: int = 20) -> None:
        super().__init__()
        self.space, self.tried = space, list(tried)
        self.n, self.left = n, n * patience
        self.configs: list[Config] = []

    def submit_models(self, *models: FlatSpace) -> None:
        """Keep those that are new; a repeat ends at once, without a metric."""
        for model in models:
            self.left -= 1
            config = self.space.config(model.sample)
            if config in self.tried or config in self.configs or len(self.configs) >= self.n:
                self.dispatch_model_event(TrainingEndEvent(model, ModelStatus.Invalid))
            else:
                model.status = ModelStatus.Training
                self.configs.append(config)

    def budget_available(self) -> bool:
        """Whether more models are wanted."""
        return self.left > 0 and len(self.configs) < self.n

    def idle_worker_available(self) -> bool:
        """The same: models do not run here."""
        return self.budget_available()

    def wait_models(self, *models: FlatSpace) -> None:
        """What was handed out ends after the loop; the next ask learns of it from the history."""
