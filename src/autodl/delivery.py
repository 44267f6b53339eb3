"""The model that a run leaves behind: fold models at once, models retrained on all rows when time allows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autodl.clock import Deadline
from autodl.decision import HALF
from autodl.model import DeliveredMember, FittedModel, ModelManifest, deliver, is_older, load_model
from autodl.records import ArtifactRef, Calibration, ColumnKind, Ensemble, Member, TableSchema, Task, TrialResult
from autodl.records.ensemble import Pooling
from autodl.refitting import Refits, quick
from autodl.search.trial import TrialData
from autodl.store import RunFolder, load_record
from autodl.versions import versions

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


LISTED_MEMBERS = 5
"""Members that are named with their weights; the others, which weigh less, are counted."""


@dataclass(frozen=True)
class Delivery:
    """What every delivered model of a run shares."""

    folder: RunFolder
    task: Task
    target: str
    classes: tuple[str, ...]
    features: TableSchema
    quantiles: tuple[float, ...] = ()

    def write(
        self,
        members: Sequence[DeliveredMember],
        contents: Sequence[Sequence[bytes]],
        text: str,
        threshold: float,
        pooling: Pooling = "mean",
        calibration: Calibration | None = None,
        factors: tuple[float, ...] = (),
        complete: bool = True,
    ) -> None:
        """Write ``model/``."""
        manifest = self.described(members, text, threshold, pooling, calibration, factors)
        deliver(self.folder, manifest.model_copy(update={"complete": complete}), contents)

    def described(
        self,
        members: Sequence[DeliveredMember] = (),
        text: str = "",
        threshold: float = 0.5,
        pooling: Pooling = "mean",
        calibration: Calibration | None = None,
        factors: tuple[float, ...] = (),
    ) -> ModelManifest:
        """The manifest of these members, without their files."""
        return ModelManifest(
            task=self.task,
            target=self.target,
            classes=self.classes,
            quantiles=self.quantiles,
            features=self.features,
            members=tuple(members),
            threshold=threshold,
            pooling=pooling,
            calibration=calibration,
            factors=factors,
            delivered=text,
            versions=versions(),
        )

    def manifest(self) -> ModelManifest | None:
        """What ``model/`` holds now."""
        path = self.folder.model_folder() / "manifest.json"
        return load_record(path, ModelManifest) if path.is_file() else None

    def has_all_rows(self, ensemble: Ensemble) -> bool:
        """Whether ``model/`` holds this ensemble's members, at least one of them trained on all rows."""
        now = self.manifest()
        if now is None or all(m.trained_on == "folds" for m in now.members):
            return False
        if (now.pooling, now.calibration) != (ensemble.pooling, ensemble.calibration):
            return False
        if _cuts(now.threshold, now.factors) != _cuts(ensemble.threshold, ensemble.factors):
            return False
        if self._any_older(now):
            return False
        # A later search may have found better settings of the same family: the trial tells them apart.
        kept = sorted((m.trial_id, round(m.weight, 6)) for m in now.members)
        return kept == sorted((m.trial_id, round(m.weight, 6)) for m in ensemble.members)

    def is_complete(self, ensemble: Ensemble) -> bool:
        """Whether ``model/`` holds this ensemble's members, trained on all rows where that is possible."""
        now = self.manifest()
        return now is not None and now.complete and self.has_all_rows(ensemble)

    def is_concluded(self) -> bool:
        """Whether ``model/`` holds what a run put together at its end, not just a model of its search."""
        now = self.manifest()
        if now is None or self._any_older(now):
            return False
        whole = any(m.trained_on == "all rows" for m in now.members)
        answers = now.calibration is not None or now.threshold != HALF or bool(now.factors)
        return whole or len(now.members) > 1 or answers

    def _any_older(self, now: ModelManifest) -> bool:
        model = RunFolder(self.folder.model_folder(), trusted=self.folder.trusted)
        return any(self.is_older(model, m.files) for m in now.members)

    def is_older(self, place: RunFolder, files: Sequence[ArtifactRef]) -> bool:
        """Whether an older version wrote these models of one member in a way that this one cannot use: texts only."""
        return bool(files and self.features.of_kind(ColumnKind.TEXT)) and is_older(place, files[0])

    def fingerprint(self) -> str:
        """SHA-256 of the manifest of ``model/``; empty if there is none."""
        return self.folder.model_fingerprint()

    def text(self) -> str:
        """What ``model/`` holds, in words."""
        now = self.manifest()
        return "" if now is None else now.delivered

    def bag(
        self,
        ensemble: Ensemble,
        results: Mapping[str, TrialResult],
        names: Mapping[str, str],
        *,
        most: int | None = None,
        into: RunFolder | None = None,
    ) -> str:
        """Deliver the fold models of the ensemble's members, which exist already.

        Args:
            ensemble: The members.
            results: Finished trials by id. names: Readable names by trial id.
            most: Fold models of each member at most; all if None.
            into: The folder whose ``model/`` is written; the run's if None.
        """
        kept = [m for m in ensemble.members if self.folder.has_models(results[m.trial_id])]
        total = sum(m.weight for m in kept)
        members = [_member(m, names, "folds", m.weight / total) for m in kept]
        contents = [[self.folder.read_bytes(r) for r in results[m.trial_id].models[:most]] for m in kept]
        text = f"{_listing(members)}; each is {_of_folds([results[m.trial_id] for m in kept], most)}."
        manifest = self.described(
            members, text, ensemble.threshold, ensemble.pooling, ensemble.calibration, ensemble.factors
        )
        deliver(into or self.folder, manifest, contents)
        return text

    def first_of_each(self, into: RunFolder | None = None) -> str:
        """Deliver the first model of each member in ``model/`` alone, where that of several would exceed the limits.

        Args:
            into: The folder whose ``model/`` is written; the run's if None.
        """
        now = self.manifest()
        assert now is not None, "a model is in place"
        model = RunFolder(self.folder.model_folder(), trusted=self.folder.trusted)
        contents = [[model.read_bytes(m.files[0])] for m in now.members]
        rest = [m for m in now.members if m.trained_on != "all rows"]
        parts = _of_all_rows(now.members, "all rows")
        parts += [f"{_listing(rest)} as the model of one validation fold"] if rest else []
        text = f"{'; '.join(parts)}. The mean of several models of each would exceed the limits."
        deliver(into or self.folder, now.model_copy(update={"delivered": text}), contents)
        return text

    def refit(
        self,
        ensemble: Ensemble,
        results: Mapping[str, TrialResult],
        names: Mapping[str, str],
        data: TrialData,
        rows: tuple[pd.DataFrame, NDArray[Any]],
        deadline: Deadline,
        seconds: Mapping[str, float],
        further: Mapping[str, float],
        too_large: Collection[str] = (),
        most: int | None = None,
        beside: int = 0,
        stopped: Callable[[], bool] = lambda: False,
    ) -> str | None:
        """Train the members again on all rows and deliver them.

        Members whose refit does not fit into the time or the memory keep their fold models; those that ``model/`` has
        of all rows already, from a run that was stopped, keep these.

        Args:
            ensemble: The chosen members.
            results: Finished trials by id.
            names: Readable names by trial id.
            data: The search's data, for task, recipes and threads; its weights and blocks are those of ``rows``.
            rows: All rows that may be used, with their targets.
            deadline: When the last refit must end.
            seconds: Estimated seconds of one refit, by trial id.
            further: Of letting the fold's model go on learning instead, where it can.
            too_large: Ids of trials that are not trained again, as that does not fit into the memory or adds nothing.
            most: Models of each member at most; if None all of its fold models, or as many seeds as are worth it.
            beside: Fold models of each member to deliver with them, where all together answer quickly.
            stopped: Whether no further model is to be trained.

        Returns:
            What was delivered, in words; None if nothing could be retrained.
        """
        frame, y = rows
        refits = Refits(data, frame, y, deadline, seconds, further, self._fold_model, stopped)
        whole = all(self.folder.has_models(results[m.trial_id]) for m in ensemble.members)
        bagged = {m.trial_id: 1 + beside for m in ensemble.members}
        if not whole or not quick(bagged, results, timed=refits.timed):
            beside = 0
        before, further_before = self._trained(ensemble)
        open_ = [m for m in ensemble.members if m.trial_id not in before]
        others = {i: len(models) for i, models in before.items()}
        fitted = refits.train(open_, results, too_large, most, beside, others)
        if not any(fitted.values()):
            return None
        members, contents = [], []
        for m in ensemble.members:
            origin = "all rows"
            if m.trial_id in before:
                models = before[m.trial_id]  # with the fold models beside them
            elif fitted[m.trial_id]:
                beside_it = [self.folder.read_bytes(r) for r in results[m.trial_id].models[:beside]]
                models = fitted[m.trial_id] + beside_it
            else:
                if not self.folder.has_models(results[m.trial_id]):
                    continue
                models, origin = [self.folder.read_bytes(r) for r in results[m.trial_id].models[:most]], "folds"
            went_on = m.trial_id in (*refits.gone_on, *further_before)
            members.append(_member(m, names, origin, m.weight).model_copy(update={"further": went_on}))
            contents.append(models)
        total = sum(m.weight for m in members)
        members = [m.model_copy(update={"weight": m.weight / total}) for m in members]
        rest = [m for m in members if m.trained_on != "all rows"]
        text = "; ".join(_of_all_rows(members, f"all {len(y):,} rows"))
        text += f" and averaged with {beside} models of the validation folds" if beside else ""
        as_ = _of_folds([results[m.trial_id] for m in rest], most)
        text += f"; {_listing(rest)}, {'each ' if len(rest) > 1 else ''}as {as_}." if rest else "."
        late = [m.trial_id for m in open_ if not fitted[m.trial_id] and m.trial_id not in too_large]
        late = [i for i in late if results[i].spec.parent is None or i in further]
        self.write(
            members, contents, text, ensemble.threshold, ensemble.pooling, ensemble.calibration, ensemble.factors,
            complete=not late or not (refits.timed or stopped()),
        )  # fmt: skip
        return text

    def _trained(self, ensemble: Ensemble) -> tuple[dict[str, list[bytes]], list[str]]:
        """What ``model/`` holds of members that were trained on all rows, by trial id, if it is of this ensemble.

        Also the ids of those that went on from a fold's model.
        """
        now = self.manifest() if self.has_all_rows(ensemble) else None
        model = RunFolder(self.folder.model_folder(), trusted=self.folder.trusted)
        whole = [m for m in now.members if m.trained_on == "all rows"] if now is not None else []
        return (
            {m.trial_id: [model.read_bytes(f) for f in m.files] for m in whole},
            [m.trial_id for m in whole if m.further],
        )

    def _fold_model(self, result: TrialResult) -> FittedModel | None:
        """The model of a trial's first fold."""
        if not self.folder.has_models(result):
            return None
        return load_model(self.folder, result.models[0])


def _cuts(threshold: float, factors: Sequence[float]) -> list[float]:
    return [round(v, 6) for v in (threshold, *factors)]


def _member(member: Member, names: Mapping[str, str], trained_on: str, weight: float) -> DeliveredMember:
    return DeliveredMember(
        trial_id=member.trial_id,
        family=member.family,
        name=names[member.trial_id],
        weight=weight,
        files=(),
        trained_on=trained_on,
    )


def _of_all_rows(members: Sequence[DeliveredMember], rows: str) -> list[str]:
    """Those that were trained on all rows, and how, in words."""
    whole = [m for m in members if m.trained_on == "all rows"]
    anew, further = ([m for m in whole if m.further is went_on] for went_on in (False, True))
    told = ((anew, "again"), (further, "further"))
    return [f"{_listing(those)}, trained {how} on {rows}" for those, how in told if those]


def _of_folds(results: Sequence[TrialResult], most: int | None) -> str:
    """What stands for each of these trials, in words, where at most so many of its fold models do."""
    if all(len(r.models) == 1 for r in results):
        return "the model of its last validation fold"
    if most == 1:
        return "the model of one validation fold, for the mean of several would exceed the limits"
    several = "" if most is None else f"{most} of "
    return f"the mean of {several}the models of its validation folds"


def _listing(members: Sequence[DeliveredMember]) -> str:
    parts = [f"{m.name} ({m.weight:.0%})" for m in sorted(members, key=lambda m: -m.weight)]
    if len(parts) > LISTED_MEMBERS + 1:
        parts = [*parts[:LISTED_MEMBERS], f"{len(parts) - LISTED_MEMBERS} more"]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
