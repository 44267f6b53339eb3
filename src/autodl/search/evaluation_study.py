"""The evaluations of ``optimize`` as an Optuna study, for optuna-dashboard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autodl.search.ledger import Evaluation
from autodl.search.space import SearchSpace
from autodl.search.study import Op, State, journal_line, trial_line
from autodl.store.study_file import WRITER, StudyFile

NAME = "optimize"


def is_ours(path: Path) -> bool:
    """Whether a file is what an earlier search wrote here, or empty, and not one that somebody would miss."""
    try:
        with path.open("rb") as file:
            first = file.readline(10_000)
        line = json.loads(first) if first else {"worker_id": WRITER, "study_name": NAME}
    except (OSError, ValueError):
        return False
    return isinstance(line, dict) and (line.get("worker_id"), line.get("study_name")) == (WRITER, NAME)


class EvaluationStudy:
    """Keeps a file level with a search: a trial a configuration, its fidelities as intermediate values.

    Args:
        path: The file.
        space: Where is searched.
        top: The full fidelity; None if there is none.
        known: Evaluations of an earlier, interrupted search.
    """

    def __init__(self, path: Path, space: SearchSpace, top: float | None, known: Sequence[Evaluation] = ()) -> None:
        self._space, self._top = space, top
        self._places: dict[int, int] = {}
        """Trial -> its place in the file."""
        self._unfinished: dict[int, Evaluation] = {}
        self._steps: dict[int, int] = {}
        self._failed: list[Evaluation] = []
        """What failed before it was known how many losses there are."""
        self._begun = False
        self._file = StudyFile(path, [line for e in known for line in self._lines(e)])

    def add(self, done: Evaluation) -> None:
        """Append a finished evaluation."""
        self._file.append(self._lines(done))

    def close(self) -> None:
        """Configurations that never got all of the fidelity count as pruned from now on."""
        lines = [] if self._begun else list(self._start(1))
        lines += [
            journal_line(
                Op.STATE_VALUES,
                {
                    "trial_id": self._places[trial],
                    "state": State.PRUNED,
                    "values": list(last.losses),
                    "datetime_complete": _now(),
                },
            )
            for trial, last in self._unfinished.items()
        ]
        self._unfinished = {}
        self._file.append(lines)

    def _lines(self, e: Evaluation) -> Iterator[str]:
        if not self._begun and not e.losses:
            self._failed.append(e)
            return
        if not self._begun:
            yield from self._start(len(e.losses))
        yield from self._evaluation(e)

    def _start(self, losses: int) -> Iterator[str]:
        self._begun = True
        yield journal_line(Op.CREATE_STUDY, {"study_name": NAME, "directions": [1] * losses})
        for e in self._failed:
            yield from self._evaluation(e)

    def _evaluation(self, e: Evaluation) -> Iterator[str]:
        if e.trial not in self._places:
            self._places[e.trial] = len(self._places)
            facts = {"trial": e.trial, "parent": e.parent, "error": e.error or None}
            yield trial_line(
                0,
                self._space.params,
                e.config,
                {"datetime_start": _now(e.seconds), "user_attrs": {k: v for k, v in facts.items() if v is not None}},
                state=State.RUNNING,
            )
        place = self._places[e.trial]
        step = self._steps[e.trial] = self._steps.get(e.trial, 0) + 1
        if e.loss is not None and e.fidelity is not None and len(e.losses) == 1:
            whole = float(e.fidelity).is_integer()
            yield journal_line(
                Op.INTERMEDIATE_VALUE,
                {"trial_id": place, "step": int(e.fidelity) if whole else step, "intermediate_value": e.loss},
            )
        if e.loss is not None and e.fidelity not in (None, self._top):
            self._unfinished[e.trial] = e
            return
        self._unfinished.pop(e.trial, None)
        state, values = (State.COMPLETE, list(e.losses)) if e.losses else (State.FAIL, None)
        yield journal_line(
            Op.STATE_VALUES, {"trial_id": place, "state": state, "values": values, "datetime_complete": _now()}
        )


def _now(before: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=before)).isoformat(timespec="microseconds")
