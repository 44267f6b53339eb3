"""What all networks share: training, early stopping, predictions, targets, pickling as plain arrays."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.models._arrays import with_known_classes
from autodl.models.base import ABSOLUTE_METRICS, Estimator, Meta
from autodl.models.nn.cost import useful_threads
from autodl.quantiles import in_order, point
from autodl.records import Task
from autodl.train.config import TrainConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from autodl.features import Features
    from autodl.train.data import Fetch, TensorData
    from autodl.train.losses import Objective


class Plan(Protocol):
    """How rows become tensors: what was learnt from the training rows."""

    def tensors(self, X: Features) -> tuple[Tensor, ...]:
        """Tensors of n rows each, on the CPU: what the module takes, or what ``Network.fetcher`` turns into it."""


P = TypeVar("P", bound=Plan)

PASS_FLOATS = 1 << 26
"""Numbers that the widest layer may make at once where no gradient is taken: 256 MiB."""


class Network(Estimator, Generic[P]):
    """An estimator around a torch module; subclasses say what it reads and how it is made.

    Regression targets are standardized inside and predictions stay within the range of the training targets
    widened by a tenth (RealMLP clamps to the range itself).

    Args:
        config: Training and architecture. meta: Task, classes, seed, threads.
    """

    predict_batch: ClassVar[int] = 8192
    """Rows that go through the module at once where no gradient is taken; fewer where they are wide."""
    sample_rows: ClassVar[int] = 4096
    """Training rows that a fresh module is fitted to."""

    def __init__(self, config: TrainConfig, meta: Meta) -> None:
        super().__init__()
        self.config, self.meta = config, meta
        self.raw_target = config.objective != "auto"
        self.stopped_by = ""
        self._center, self._spread = 0.0, 1.0
        self._limits = (-np.inf, np.inf)
        self._state: dict[str, NDArray[Any]] = {}
        self._module: nn.Module | None = None
        self.plan: P | None = None

    @abstractmethod
    def learn(self, X: Features) -> None:
        """Look at the training rows before anything else; leaves a ``plan``."""

    def inputs(self, X: Features) -> tuple[Tensor, ...]:
        """See ``Plan.tensors``."""
        return self._known().tensors(X)

    @abstractmethod
    def new_module(self, inputs: tuple[Tensor, ...], n_outputs: int) -> nn.Module:
        """An untrained module.

        Args:
            inputs: As the module takes them, of a sample of training rows. n_outputs: c.
        """

    @abstractmethod
    def stored_module(self, n_outputs: int) -> nn.Module:
        """A module of the same form as the trained one, whose weights are then written into it."""

    def multiplications(self, module: nn.Module) -> float:
        """About how many a forward pass of one row takes; by default, one a weight."""
        return float(sum(p.numel() for p in module.parameters()))

    def floats_per_row(self) -> float:
        """About how many numbers the widest layer makes of one row; 0: so few that they never matter."""
        return 0.0

    @property
    def pass_rows(self) -> int:
        """Rows that go through the module at once where no gradient is taken."""
        return max(1, min(self.predict_batch, int(PASS_FLOATS / max(1.0, self.floats_per_row()))))

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], seed: int) -> None:
        """Initialize a fresh module by a sample of training rows; nothing by default."""

    def begin(self, module: nn.Module, train: TensorData, deadline: Deadline) -> bool:
        """What comes before the training proper of a fresh module, in place; nothing by default.

        Returns:
            Whether the module answers usefully from now on, should there be no time for the training.
        """
        return False

    def fetcher(self, X: Features) -> Fetch | None:
        """What turns the ``inputs`` of some of these rows into what the module takes, if they are not that."""
        return None

    def row_sizes(self, X: Features) -> NDArray[np.int64] | None:
        """(n,) how much there is in each row, where a batch takes as long as its largest row; otherwise None."""
        return None

    def augmenter(self) -> Callable[[TensorData], TensorData] | None:
        """What changes training batches."""
        return None

    def training_config(self) -> TrainConfig:
        """The configuration as this machine trains it best."""
        return self.config

    def outputs(self, module: nn.Module, inputs: tuple[Tensor, ...], objective: Objective) -> Tensor:
        """(b, K) probabilities or (b,) scaled values of rows, by the trained module."""
        return objective.predict(module(*inputs).float())

    def objective(self) -> Objective:
        """Cross entropy, pinball loss, squared error, or absolute error when the metric is an absolute one."""
        from autodl.train.losses import CrossEntropy, Pinball, PoissonLog, Regression

        if self.meta.task is Task.CLASSIFICATION:
            return CrossEntropy(max(2, self.meta.n_classes), self.config.label_smoothing)
        if self.meta.quantiles:
            return Pinball(self.meta.quantiles)
        if self.config.objective == "poisson":
            return PoissonLog()
        return Regression("absolute" if self.meta.metric in ABSOLUTE_METRICS else "squared")

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
        """Train; see ``Estimator.fit``."""
        import torch

        from autodl.train.data import TensorData
        from autodl.train.device import isolated_seed, pick_device, torch_threads
        from autodl.train.loop import fit_module
        from autodl.train.weights import to_arrays

        if X_val is not None and y_val is not None and self.meta.task is Task.CLASSIFICATION:
            known = np.isin(y_val, np.unique(y))
            self.weight_val = None if self.weight_val is None else self.weight_val[known]
            X_val, y_val = with_known_classes(X_val, y_val, np.unique(y))
        device = pick_device()
        self.learn(X)
        self._learn_target(y)
        if isinstance(self.start, Network) and self.start.config == self.config:
            self._read_as(self.start)
        with torch_threads(self.meta.threads) as use_threads, isolated_seed(self.meta.seed, device):
            inputs = self.inputs(X)
            generator = torch.Generator().manual_seed(self.meta.seed)
            # Rows that are fetched may be as large as what is made of them.
            most = self.sample_rows if self.fetcher(X) is None else min(self.sample_rows, self.pass_rows)
            rows = torch.randperm(len(X), generator=generator)[:most]
            sample = self._fetched(X, tuple(t[rows] for t in inputs))
            objective = self.objective()
            module = self.new_module(sample, objective.n_outputs)
            config = self.training_config()
            if self.start is None:
                self.prepare(module, tuple(t[: self.pass_rows] for t in sample), self.meta.seed)
            else:
                self._take_over(module, self.start)
                config = config.sliced(len(X), self.start_part)
            batch = min(len(X), config.n_batch(len(X)))
            use_threads(useful_threads(self.meta.threads, batch * self.multiplications(module)))
            given = (sample_weight, self.weight_val)
            weight, weight_val = (None if w is None else torch.as_tensor(w, dtype=torch.float32) for w in given)
            sizes = self.row_sizes(X)
            size = None if sizes is None else torch.from_numpy(sizes)
            train = TensorData(inputs, self._target(y), weight, fetch=self.fetcher(X), size=size).to(device)
            valid = None
            if X_val is not None and y_val is not None and len(X_val):
                if sizes is not None:
                    order = self._by_size(X_val)
                    X_val, y_val = X_val.take(order), y_val[order]
                    weight_val = None if weight_val is None else weight_val[torch.from_numpy(order)]
                own = self.inputs(X_val)
                valid = TensorData(own, self._target(y_val), weight_val, fetch=self.fetcher(X_val)).to(device)
            module.to(device)
            ready = self.begin(module, train, deadline) if self.start is None else False
            history = fit_module(
                module,
                train,
                objective,
                config,
                valid=valid,
                seed=self.meta.seed,
                deadline=deadline,
                augment=self.augmenter(),
                watch=self.watch,
                eval_batch=self.pass_rows,
                ready=ready,
            )
        self.curve = history.curve
        self.stopped_by = history.stopped_by
        self.refit = history.again() if valid is not None else {}
        self._module, self._state = module, to_arrays(module)

    def _known(self) -> P:
        if self.plan is None:
            raise RuntimeError("`fit` must come before `predict`")
        return self.plan

    def _fetched(self, X: Features, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        fetch = self.fetcher(X)
        return inputs if fetch is None else fetch(inputs)

    def _read_as(self, start: Network[P]) -> None:
        """Take over how the rows are read and the target is scaled: with other rows the weights would not fit."""
        self.plan = start.plan
        self._center, self._spread = start._center, start._spread

    def _take_over(self, module: nn.Module, start: Estimator) -> None:
        """Begin with the weights of a trained estimator.

        Raises:
            ValueError: If its network has another shape.
        """
        from autodl.train.weights import from_arrays, to_arrays

        theirs = start._state if isinstance(start, Network) else {}
        ours = {name: value.shape for name, value in to_arrays(module).items()}
        if (found := {name: value.shape for name, value in theirs.items()}) != ours:
            odd = next(iter({*ours.items()} ^ {*found.items()}))[0]
            raise ValueError(f"the network to go on from has another shape ({odd}); list what shapes it under `nas`")
        from_arrays(module, theirs)

    def predict(self, X: Features) -> NDArray[Any]:
        """See ``Estimator.predict``."""
        if self.meta.task is Task.CLASSIFICATION:
            codes: NDArray[Any] = self.predict_proba(X).argmax(axis=1).astype(np.int64)
            return codes
        if self.meta.quantiles:
            return point(in_order(self.predict_quantiles(X)), self.meta.quantiles)
        return self._values(X)

    def predict_quantiles(self, X: Features) -> NDArray[Any]:
        """See ``Estimator.predict_quantiles``."""
        return self._values(X) if self.meta.quantiles else super().predict_quantiles(X)

    def _values(self, X: Features) -> NDArray[Any]:
        """(n,) values or (n, Q) quantiles in the units of the target."""
        raw = self._forward(X).astype(np.float64)  # a centre far from 0 would round them
        return np.asarray(np.clip(raw * self._spread + self._center, *self._limits))

    def predict_proba(self, X: Features) -> NDArray[Any]:
        """See ``Estimator.predict_proba``."""
        if self.meta.task is not Task.CLASSIFICATION:
            return super().predict_proba(X)
        return self._forward(X)

    def _forward(self, X: Features) -> NDArray[Any]:
        import torch

        from autodl.train.device import pick_device, torch_threads

        module = self.loaded()
        objective, device = self.objective(), pick_device()
        module.to(device).eval()
        parts, order, size = [], self._by_size(X), self.pass_rows
        with torch_threads(self.meta.threads), torch.inference_mode():
            for start in range(0, len(X), size):
                rows = X.take(order[start : start + size])
                inputs = self._fetched(rows, self.inputs(rows))
                output = self.outputs(module, tuple(t.to(device) for t in inputs), objective)
                parts.append(output.cpu().numpy())
        if not parts:
            wide = self.meta.task is Task.CLASSIFICATION or self.meta.quantiles
            shape = (0, objective.n_outputs) if wide else (0,)
            return np.zeros(shape)
        found: NDArray[Any] = np.concatenate(parts)[np.argsort(order)]
        return found

    def _by_size(self, X: Features) -> NDArray[np.int64]:
        """(n,) the rows, those of like size next to each other where that saves time."""
        sizes = self.row_sizes(X)
        return np.arange(len(X)) if sizes is None else np.argsort(sizes, kind="stable")

    def loaded(self) -> nn.Module:
        """The trained module, rebuilt from the arrays after unpickling.

        Raises:
            RuntimeError: If it has not been trained.
        """
        if not self._state:
            raise RuntimeError("`fit` must come before `predict`")
        if self._module is None:
            import torch

            from autodl.train.device import isolated_seed
            from autodl.train.weights import from_arrays

            with isolated_seed(0, torch.device("cpu")):
                module = self.stored_module(self.objective().n_outputs)
            from_arrays(module, self._state)
            self._module = module
        return self._module

    def _learn_target(self, y: NDArray[Any]) -> None:
        if self.meta.task is Task.CLASSIFICATION:
            return
        values = np.asarray(y, dtype=np.float64)
        if self.config.objective == "poisson" and not self.meta.quantiles:
            self._center, self._spread = 0.0, float(values.mean()) or 1.0
            self._limits = (0.0, 1.1 * float(values.max()))
            return
        self._center, spread = float(values.mean()), float(values.std())
        self._spread = spread if spread > 0 else 1.0
        low, high = float(values.min()), float(values.max())
        margin = 0.1 * (high - low)
        self._limits = (low - margin, high + margin)

    def _target(self, y: NDArray[Any]) -> Tensor:
        import torch

        if self.meta.task is Task.CLASSIFICATION:
            return torch.as_tensor(np.asarray(y), dtype=torch.int64)
        return torch.as_tensor((np.asarray(y, np.float64) - self._center) / self._spread, dtype=torch.float32)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        # Plain arrays outlive changes of torch; the module is made anew when needed.
        state["_module"] = None
        return state
