"""The evaluations of a search: what was begun, what came of it, and on disk if wished."""

from __future__ import annotations

import json
import math
import os
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal

from autodl.errors import ConfigError
from autodl.search.calling import Answer
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace

FORMAT = 1


@dataclass(frozen=True)
class Evaluation:
    """One call of the objective.

    Attributes:
        number: Counts the starts, from 0; one that was cut off with an earlier search, and that there was no time to
            make again, is left out.
        trial: Which configuration, counted likewise in the order of their first evaluation.
        config: The configuration.
        fidelity: With how much of the resource; None if the search has none.
        status: ``ok``, ``failed`` or ``running``.
        loss: The first loss; None if there is none.
        losses: All of them.
        seconds: Wall clock of the call.
        error: Why it failed.
        parent: The trial from whose state this configuration goes on, in its first evaluation.
        source: Number of the evaluation from whose state this one goes on, where the objective can do that.
    """

    number: int
    trial: int
    config: Config
    fidelity: float | None = None
    status: Literal["ok", "failed", "running"] = "running"
    loss: float | None = None
    losses: tuple[float, ...] = ()
    seconds: float = 0.0
    error: str = ""
    parent: int | None = None
    source: int | None = None


@dataclass
class Ledger:
    """All evaluations of one search.

    Attributes:
        top: The full fidelity; None if the search has none.
        resumable: Whether a configuration that goes on pays only for what is new.
        lineage: Whether the objective can go on from the state of any evaluation before.
        evaluations: In the order of their starts.
        told: Is told each finished evaluation.
    """

    top: float | None = None
    resumable: bool = False
    evaluations: list[Evaluation] = field(default_factory=list)
    journal: Journal | None = None
    lineage: bool = False
    told: Callable[[Evaluation], None] | None = None

    def begin(
        self, config: Config, fidelity: float | None, trial: int | None, parent: int | None = None
    ) -> Evaluation:
        """Note that a call starts; ``trial`` and ``parent`` are places among the observations."""
        number = 1 + max((e.number for e in self.evaluations), default=-1)
        trials = self.trials
        trial, parent = (None if place is None else trials[place] for place in (trial, parent))
        which = 1 + max(trials, default=-1) if trial is None else trial
        source = self._source(parent if trial is None else trial, fidelity) if self.lineage else None
        entry = Evaluation(number, which, config, fidelity, parent=parent, source=source)
        self.evaluations.append(entry)
        if self.journal is not None:
            self.journal.begun(entry)
        return entry

    def _source(self, trial: int | None, fidelity: float | None) -> int | None:
        """The last evaluation of a trial that worked, below this fidelity."""
        done = [
            e.number
            for e in self.evaluations
            if e.trial == trial and e.status == "ok" and (fidelity is None or (e.fidelity or 0.0) < fidelity)
        ]
        return done[-1] if done else None

    def end(self, number: int, answer: Answer, *, cut: bool = False) -> Evaluation:
        """Note what came of a call, durably if there is a journal.

        Args:
            number: Of the evaluation.
            answer: What came of it.
            cut: Whether the end of the search ended it. That says nothing of the configuration, so that the journal
                leaves out what came of it, and whoever goes on with the search calls anew.
        """
        count = next((len(e.losses) for e in self.evaluations if e.losses), len(answer.losses))
        if answer.losses and len(answer.losses) != count:
            wrong = f"the objective returned {len(answer.losses)} losses, but {count} before"
            answer = Answer(seconds=answer.seconds, error=wrong)
        ok = bool(answer.losses)
        place = self._place(number)
        done = replace(
            self.evaluations[place],
            status="ok" if ok else "failed",
            loss=answer.losses[0] if ok else None,
            losses=answer.losses,
            seconds=round(answer.seconds, 6),
            error=answer.error,
        )
        self.evaluations[place] = done
        if self.journal is not None and not cut:
            self.journal.write(done)
        if self.told is not None:
            self.told(done)
        return done

    def _place(self, number: int) -> int:
        return bisect_left(self.evaluations, number, key=lambda e: e.number)

    @property
    def trials(self) -> list[int]:
        """Numbers of the configurations, in the order of the observations."""
        return sorted({e.trial for e in self.evaluations})

    def spent(self) -> float:
        """Sum of the fidelities of all calls, running ones included (1 each without a fidelity)."""
        reached: dict[int, float] = {}
        total = 0.0
        for e in self.evaluations:
            cost = 1.0 if e.fidelity is None else e.fidelity
            before = reached.get(e.trial, 0.0)
            if e.trial not in reached and e.source is not None:  # a child
                before = self.evaluations[self._place(e.source)].fidelity or 0.0
            total += max(0.0, cost - before) if self.resumable else cost
            reached[e.trial] = max(reached.get(e.trial, 0.0), cost)
        return total

    def observations(self) -> list[Observation]:
        """One a configuration, as strategies and schedulers see them."""
        by_trial: dict[int, list[Evaluation]] = {}
        for e in self.evaluations:
            by_trial.setdefault(e.trial, []).append(e)
        places = {t: i for i, t in enumerate(sorted(by_trial))}
        return [self._observation(by_trial[t], places) for t in places]

    def _observation(self, calls: Sequence[Evaluation], places: Mapping[int, int]) -> Observation:
        last = calls[-1]
        done = [e for e in calls if e.loss is not None]
        curve = tuple((e.fidelity, e.loss) for e in done if e.fidelity is not None and e.loss is not None)
        order = tuple(e.number for e in done if e.fidelity is not None)
        parent = None if calls[0].parent is None else places[calls[0].parent]
        if last.status != "ok":
            return Observation(
                last.config, last.status, fidelity=last.fidelity, curve=curve, order=order, parent=parent
            )
        full = self.top is None or last.fidelity == self.top
        status: Literal["ok", "stopped"] = "ok" if full else "stopped"
        return Observation(
            last.config,
            status,
            last.loss,
            last.fidelity,
            tuple(v for _, v in curve),
            curve,
            order,
            last.losses,
            parent,
        )

    def best(self) -> Evaluation | None:
        """The lowest loss among the evaluations of the highest fidelity that has any."""
        done = [e for e in self.evaluations if e.loss is not None]
        if not done:
            return None
        top = max(e.fidelity or math.inf for e in done)
        return min((e for e in done if (e.fidelity or math.inf) == top), key=lambda e: (e.loss, e.number))


class Journal:
    """A file with two JSON lines an evaluation: its start, and what came of it, on disk before the next is chosen.

    Args:
        path: The file; made if it does not exist.
        space: The space, which must be that of the file.
        setting: What else must be the same: strategy, scheduler, seed, fidelity.

    Attributes:
        found: What the file held; what was begun and did not end has the status ``running``.

    Raises:
        ConfigError: The file belongs to another search or to one that runs, is damaged or cannot be written.
    """

    def __init__(self, path: Path, space: SearchSpace, setting: dict[str, Any]) -> None:
        self.path = path
        from autodl.store.lock import lock_file

        head = json.loads(json.dumps({"format": FORMAT, **setting, "space": space.model_dump(mode="json")}))
        self.found: list[Evaluation] = []
        try:
            self._file: IO[str] = path.open("a", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot write the history {path}: {error.strerror}") from error
        try:
            if not lock_file(self._file.fileno()):
                raise ConfigError(f"another search writes the history {path}", "Wait for it, or name another file.")
            known = path.read_bytes()
            whole = known[: known.rfind(b"\n") + 1]  # a line cut off by a crash was never counted
            if not whole and not json.dumps(head).encode().startswith(known):
                raise ValueError("the first line has no end, and is not that of this search")
            lines = whole.decode("utf-8").splitlines()
            if lines:
                self._check(json.loads(lines[0]), head)
                read = [_evaluation(json.loads(line)) for line in lines[1:]]
                self.found = list({e.number: e for e in read}.values())
            self._file.truncate(len(whole))
        except OSError as error:
            self._file.close()
            raise ConfigError(f"cannot write the history {path}: {error.strerror}") from error
        except ConfigError:  # a ValueError, too
            self._file.close()
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._file.close()
            raise ConfigError(f"{path} is not a history of a search, or is damaged", "Name another file.") from error
        if not lines:
            self._line(head)

    def _check(self, found: dict[str, Any], wanted: dict[str, Any]) -> None:
        differs = [k for k in wanted if found.get(k) != wanted[k]]
        if differs:
            raise ConfigError(
                f"{self.path} is the history of another search: {', '.join(differs)} differ",
                "Repeat the same arguments to go on with it, or name another file.",
            )

    def begun(self, entry: Evaluation) -> None:
        """Append what starts; were it lost with the machine, only this call would not be made again."""
        self._line(asdict(entry), durable=False)

    def write(self, done: Evaluation) -> None:
        """Append and force to disk."""
        self._line(asdict(done))

    def _line(self, thing: dict[str, Any], *, durable: bool = True) -> None:
        self._file.write(json.dumps(thing) + "\n")
        self._file.flush()
        if durable:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _evaluation(line: dict[str, Any]) -> Evaluation:
    return Evaluation(**{**line, "losses": tuple(line["losses"])})
