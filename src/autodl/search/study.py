"""A search as Optuna studies, for optuna-dashboard: one of all models, and one a family with its parameters.

A family's parameters mean nothing to the others, and Optuna's plots take the parameters that all trials of a study
share: one study of everything would show none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.records import JsonScalar, TrialResult, TrialStatus
from autodl.search.space import Config, Param, SearchSpace
from autodl.store.study_file import WRITER, StudyFile

if TYPE_CHECKING:
    from autodl.evaluate.base import Metric

FILE = "optuna.log"
ALL = "all"
"""Name of the study with every trial."""


class Op(IntEnum):
    """Operations of Optuna's journal, as ``optuna.storages.journal`` numbers them."""

    CREATE_STUDY = 0
    STUDY_USER_ATTR = 2
    STUDY_SYSTEM_ATTR = 3
    CREATE_TRIAL = 4
    STATE_VALUES = 6
    INTERMEDIATE_VALUE = 7


class State(IntEnum):
    """As ``optuna.trial.TrialState``."""

    RUNNING = 0
    COMPLETE = 1
    PRUNED = 2
    FAIL = 3


_MINIMIZE, _MAXIMIZE = 1, 2
FOLDS = "scores of the validation folds"
STEPS = "error on the validation rows while the first fold was trained; the folds' scores where nothing is watched"
MAX_POINTS = 100
"""Points of a learning curve at most."""


class StudyWriter:
    """Keeps the file of a run level with its trials.

    Args:
        path: The file.
        spaces: Search space of each family.
        metric: What is optimized.
        started: When the run began, as ISO 8601 with an offset.
        finished: Trials known so far.
    """

    def __init__(
        self,
        path: Path,
        spaces: Mapping[str, SearchSpace],
        metric: Metric,
        started: str,
        finished: Sequence[TrialResult] = (),
    ) -> None:
        self._spaces, self._metric = spaces, metric
        self._began = datetime.fromisoformat(started)
        self._studies: dict[str, int] = {}
        lines = [line for result in finished for line in self._lines(result)]
        self._file = StudyFile(path, [*self._new_study(ALL, 0), *lines])

    def add(self, result: TrialResult) -> None:
        """Append a finished trial."""
        self._file.append(self._lines(result))

    def _new_study(self, name: str, number: int) -> Iterator[str]:
        direction = _MAXIMIZE if self._metric.greater_is_better else _MINIMIZE
        yield journal_line(Op.CREATE_STUDY, {"study_name": name, "directions": [direction]})
        yield journal_line(
            Op.STUDY_SYSTEM_ATTR, {"study_id": number, "system_attr": {"study:metric_names": [self._metric.name]}}
        )
        yield journal_line(
            Op.STUDY_USER_ATTR, {"study_id": number, "user_attr": {"intermediate values": STEPS if number else FOLDS}}
        )

    def _lines(self, result: TrialResult) -> Iterator[str]:
        family, space = result.spec.family, self._spaces.get(result.spec.family)
        steps = [self._metric.to_score(loss) for loss in result.fold_losses]
        choice = Param(type="choice", values=tuple(self._spaces))
        known = {"family": choice} if choice.allows(family) else {}
        yield self._trial(0, result, known, {"family": family}, enumerate(steps))
        if space is None or not space.params:
            return
        curve = [(p.step, p.valid) for p in result.curve if p.valid is not None]
        if family not in self._studies:
            self._studies[family] = len(self._studies) + 1
            yield from self._new_study(family, self._studies[family])
        stride = -(-len(curve) // MAX_POINTS) or 1
        points = curve[stride - 1 :: stride] if curve else enumerate(steps)
        yield self._trial(self._studies[family], result, space.params, result.spec.config, points)

    def _trial(
        self,
        study: int,
        result: TrialResult,
        params: Mapping[str, Param],
        config: Config,
        steps: Iterable[tuple[int, float]],
    ) -> str:
        state, value = _state(result)
        outside = {k: v for k, v in config.items() if k not in params or not params[k].allows(v)}
        return trial_line(
            study,
            params,
            config,
            {
                "datetime_start": self._at(result.started_s),
                "datetime_complete": self._at(result.finished_s),
                "value": None if value is None else self._metric.to_score(value),
                "user_attrs": _attributes(result) | outside,
                "intermediate_values": {str(int(k)): v for k, v in steps if math.isfinite(v)},
            },
            state=state,
        )

    def _at(self, seconds: float) -> str:
        return (self._began + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def journal_line(op: Op, fields: Mapping[str, Any]) -> str:
    """One operation with its fields, as Optuna's journal writes it."""
    return json.dumps({"op_code": op, "worker_id": WRITER, **fields}, separators=(",", ":"))


def trial_line(
    study: int, params: Mapping[str, Param], config: Config, fields: Mapping[str, Any], *, state: State
) -> str:
    """The operation that adds a trial; values that the space does not allow are left out.

    Args:
        study: Number of the study.
        params: What may vary.
        config: The trial's values.
        fields: Further fields of Optuna's ``CREATE_TRIAL``.
        state: Its state.
    """
    inside = {k: v for k, v in config.items() if k in params and params[k].allows(v)}
    return journal_line(
        Op.CREATE_TRIAL,
        {
            "study_id": study,
            "state": state,
            "values": None,
            "distributions": {k: json.dumps(distribution(params[k])) for k in inside},
            "params": {k: internal(params[k], v) for k, v in inside.items()},
            "system_attrs": {},
            **fields,
        },
    )


def _state(result: TrialResult) -> tuple[State, float | None]:
    """Optuna's state, and the loss where there is one; a part of the rows or epochs never competes with all of it."""
    if result.status not in (TrialStatus.OK, TrialStatus.STOPPED):
        return State.FAIL, None
    loss = result.loss if result.loss is not None and math.isfinite(result.loss) else None
    return (State.COMPLETE if result.ok and loss is not None and result.spec.fidelity is None else State.PRUNED), loss


def _attributes(result: TrialResult) -> dict[str, JsonScalar]:
    """What the dashboard shows beside the parameters."""
    spec, cost = result.spec, result.cost
    facts: dict[str, JsonScalar] = {"trial": spec.id, "family": spec.family, "origin": spec.origin}
    if spec.fidelity is not None:
        facts["fidelity"] = spec.fidelity
    if cost is not None:
        facts["training seconds"] = round(cost.fit_s, 3)
        facts["size in bytes"] = cost.size_bytes
        facts["prediction ms per row"] = (result.whole_need.ms_per_1000 or 0.0) / 1000.0
    if result.status is not TrialStatus.OK:
        facts["status"] = result.status.value
    if result.error:
        facts["error"] = result.error
    return facts


def distribution(param: Param) -> dict[str, Any]:
    """The form in which Optuna writes the range of a parameter (``optuna.distributions.distribution_to_json``)."""
    if param.type == "choice":
        return {"name": "CategoricalDistribution", "attributes": {"choices": list(param.values)}}
    assert param.low is not None and param.high is not None
    if param.type == "int":
        step = 1 if param.log else int(param.step or 1)
        ends = {"low": int(param.low), "high": int(param.high)}
        return {"name": "IntDistribution", "attributes": {**ends, "log": param.log, "step": step}}
    ends_ = {"low": param.low, "high": param.high}
    step_ = None if param.log else param.step
    return {"name": "FloatDistribution", "attributes": {**ends_, "log": param.log, "step": step_}}


def internal(param: Param, value: JsonScalar) -> float:
    """A value as Optuna stores it: the number, or the place of a choice."""
    if param.type != "choice":
        assert isinstance(value, int | float)
        return float(value)
    same = [i for i, v in enumerate(param.values) if v == value and type(v) is type(value)]
    return float(same[0] if same else param.values.index(value))
