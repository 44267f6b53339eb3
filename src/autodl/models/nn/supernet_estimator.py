"""Trains a network with shared weights on a table and predicts with any of the networks in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.models.base import Meta
from autodl.models.nn.estimator import TabularNetwork
from autodl.records import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from autodl.features import Features
    from autodl.models.nn.inputs import InputPlan
    from autodl.models.nn.mlp_config import MlpConfig
    from autodl.models.nn.supernet_paths import Choices

PATHS_PER_STEP = 1
"""Networks of one training step."""
LR_SHARE, GRAD_CLIP, BETA2 = 0.2, 1.0, 0.99
"""Learning rate as a share of a single network's, norm of the gradient: paths of six blocks make loud gradients."""
CALIBRATION_ROWS = 2048
"""Training rows from which the statistics of batch norm are taken."""
SCORED_ROWS = 4096
"""Rows that a network is scored on, at most."""


class MlpSupernet(TabularNetwork):
    """All networks over some choices, trained together.

    Args:
        config: What they have in common. meta: As for a single network.
        choices: Values of the fields of ``MlpPath``; all of them.
        paths_per_step: Networks of one training step.
    """

    config: MlpConfig

    def __init__(self, config: MlpConfig, meta: Meta, choices: Choices, paths_per_step: int = PATHS_PER_STEP) -> None:
        # Members of an ensemble inside the network are not shared.
        gentle = {"lr": LR_SHARE * config.lr, "grad_clip": GRAD_CLIP, "beta2": max(config.beta2, BETA2)}
        # The last weights are used, so that the rate falls once and for all.
        whole = {"schedule": "flat_cosine", "anneal_regularization": False, "patience": 0, "patience_share": 0.0}
        super().__init__(config.model_copy(update={**gentle, **whole, "ensemble": "none"}), meta)
        self.choices, self.paths_per_step = {k: tuple(v) for k, v in choices.items()}, paths_per_step

    def make_module(self, plan: InputPlan, sample: Tensor, n_outputs: int) -> nn.Module:
        """See ``TabularNetwork``."""
        import torch

        from autodl.models.nn.mlp import input_parts
        from autodl.models.nn.supernet import SuperMLP

        c = self.config
        embedding, encoder = input_parts(c, plan, sample)
        return SuperMLP(
            plan.n_flat,
            sample.shape[1],
            embedding,
            encoder,
            c.front_scale,
            n_outputs,
            choices=self.choices,
            parametric=c.parametric_activation,
            dropout=c.dropout,
            paths_per_step=self.paths_per_step,
            generator=torch.Generator().manual_seed(self.meta.seed),
        )

    def floats_per_row(self) -> float:
        """See ``Network``."""
        plan = self._known()
        return float(self.config.floats_per_row(len(plan.smooth), plan.n_flat + len(plan.cardinalities)))

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], seed: int) -> None:
        """See ``TabularNetwork``."""
        import torch

        from autodl.models.nn.supernet import SuperMLP

        assert isinstance(module, SuperMLP)
        module.fit_to(inputs, self.choices, torch.Generator().manual_seed(seed))

    def multiplications(self, module: nn.Module) -> float:
        """Those of the middle of all networks: half of the depth, half of the width."""
        return super().multiplications(module) / 8

    def train(
        self, X: Features, y: NDArray[Any], deadline: Deadline = NEVER, weight: NDArray[Any] | None = None
    ) -> None:
        """Train all networks; without early stopping, as there is no single validation error."""
        self.fit(X, y, sample_weight=weight, deadline=deadline)
        chosen = np.random.default_rng(self.meta.seed).permutation(len(X))[:CALIBRATION_ROWS]
        self._calibration = X.take(np.sort(chosen))

    def finished(self, output: Tensor) -> NDArray[Any]:
        """(n, K) probabilities or (n,) values from raw outputs (n, c)."""
        raw: NDArray[Any] = self.objective().predict(output.float()).cpu().numpy()
        if self.meta.task is Task.CLASSIFICATION:
            return raw
        return np.clip(raw * self._spread + self._center, *self._limits)

    def scorer(self, X: Features) -> Scorer:
        """Predicts for these rows (the first ``SCORED_ROWS``) along any path."""
        return Scorer(self, X.take(np.arange(min(len(X), SCORED_ROWS))))


class Scorer:
    """Predictions of single networks with shared weights; rows are embedded once for all.

    Args:
        net: The trained estimator. X: (n,) rows.
    """

    def __init__(self, net: MlpSupernet, X: Features) -> None:
        import torch

        self._net = net
        module = net.loaded()
        module.eval()
        from autodl.models.nn.supernet import SuperMLP

        assert isinstance(module, SuperMLP)
        self._module = module
        device, size = next(module.parameters()).device, net.pass_rows

        def embedded(rows: Features) -> Tensor:
            inputs = net.inputs(rows)
            starts = range(0, max(1, len(rows)), size)
            return torch.cat([module.embed(*(t[i : i + size].to(device) for t in inputs)) for i in starts])

        with torch.inference_mode():
            self._rows, self._calibration = embedded(X), embedded(net._calibration)

    def predict(self, values: Mapping[str, Any]) -> NDArray[Any]:
        """(n, K) probabilities or (n,) values of the network with these values of the choices.

        Raises:
            ValueError: If a value is not among those that share weights.
        """
        import torch

        from autodl.models.nn.supernet_paths import MlpPath
        from autodl.train.device import torch_threads

        for name, known in self._net.choices.items():
            if values[name] not in known:
                raise ValueError(f"`{name}` must be one of {list(known)}, but got {values[name]!r}")
        path = MlpPath(**{name: values[name] for name in self._net.choices})
        along = self._module.along(path, self._calibration)
        with torch_threads(self._net.meta.threads), torch.inference_mode(), along:
            output = self._module.outputs(self._rows, path)
        return self._net.finished(output)
