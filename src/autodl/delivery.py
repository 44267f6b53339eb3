"""The model that a run leaves behind: fold models at once, models retrained on all rows when time allows."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import Deadline
from autodl.model import DeliveredMember, FittedModel, ModelManifest, deliver
from autodl.models.base import families
from autodl.records import Ensemble, Member, TableSchema, Task, TrialResult
from autodl.search.prepared import preparation_key
from autodl.search.trial import TrialData, fit_model, trial_recipe
from autodl.serialize.pickled import vouch
from autodl.store import RunFolder, load_record
from autodl.versions import versions

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MAX_SEEDS = 3
"""Refits of one configuration with different seeds; averaging them lowers the variance of the delivered model."""
AVERAGING_MS = 0.05
"""Milliseconds per row that the seeds of one configuration may take together; beyond, one model is enough."""


@dataclass(frozen=True)
class Delivery:
    """What every delivered model of a run shares."""

    folder: RunFolder
    task: Task
    target: str
    classes: tuple[str, ...]
    features: TableSchema

    def write(
        self, members: Sequence[DeliveredMember], contents: Sequence[Sequence[bytes]], text: str, threshold: float
    ) -> None:
        """Write ``model/``."""
        deliver(self.folder, self.described(members, text, threshold), contents)

    def described(
        self, members: Sequence[DeliveredMember] = (), text: str = "", threshold: float = 0.5
    ) -> ModelManifest:
        """The manifest of these members, without their files."""
        return ModelManifest(
            task=self.task,
            target=self.target,
            classes=self.classes,
            features=self.features,
            members=tuple(members),
            threshold=threshold,
            delivered=text,
            versions=versions(),
        )

    def manifest(self) -> ModelManifest | None:
        """What ``model/`` holds now."""
        path = self.folder.model_folder() / "manifest.json"
        return load_record(path, ModelManifest) if path.is_file() else None

    def has_all_rows(self, ensemble: Ensemble) -> bool:
        """Whether ``model/`` already holds this ensemble's members, trained on all rows where that was possible."""
        now = self.manifest()
        if now is None or all(m.trained_on == "folds" for m in now.members):
            return False
        # A later search may have found better settings of the same family: the trial tells them apart.
        kept = sorted((m.trial_id, round(m.weight, 6)) for m in now.members)
        return kept == sorted((m.trial_id, round(m.weight, 6)) for m in ensemble.members)

    def fingerprint(self) -> str:
        """SHA-256 of the manifest of ``model/``; empty if there is none."""
        path = self.folder.model_folder() / "manifest.json"
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

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
        each = "the mean of the models of its validation folds"
        if most is not None and most > 1:
            each = f"the mean of {most} of the models of its validation folds"
        elif most == 1 and any(len(results[m.trial_id].models) > 1 for m in kept):
            each = "the model of one validation fold, for the mean of several would exceed the limits"
        text = f"{_listing(members)}; each is {each}."
        deliver(into or self.folder, self.described(members, text, ensemble.threshold), contents)
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
        too_large: Collection[str] = (),
        most: int = MAX_SEEDS,
    ) -> str | None:
        """Train the members again on all rows and deliver them.

        Members whose refit does not fit into the time or the memory keep their fold models.

        Args:
            ensemble: The chosen members.
            results: Finished trials by id.
            names: Readable names by trial id.
            data: The search's data, for task, recipes and threads.
            rows: All rows that may be used, with their targets.
            deadline: When the last refit must end.
            seconds: Estimated seconds of one refit, by trial id.
            too_large: Ids of trials whose refit does not fit into the memory.
            most: Models of each member at most.

        Returns:
            What was delivered, in words; None if nothing could be retrained.
        """
        frame, y = rows
        fitted: dict[str, list[bytes]] = {m.trial_id: [] for m in ensemble.members}
        prepared: dict[str, tuple[Any, Any]] = {}
        for seed in range(min(MAX_SEEDS, most)):
            for member in sorted(ensemble.members, key=lambda m: -m.weight):
                done = fitted[member.trial_id]
                if member.trial_id in too_large or results[member.trial_id].spec.parent is not None:
                    continue  # the weights that it went on from are those of the folds
                if seed > 0 and not _worth_averaging(results[member.trial_id], seed + 1):
                    continue
                if len(done) != seed or deadline.left() < 1.3 * seconds[member.trial_id]:
                    continue
                result = results[member.trial_id]
                model = _refit_one(result, data, frame, y, seed, deadline, prepared)
                if model is not None:
                    done.append(model.to_bytes())
                    vouch(done[-1])
        if not any(fitted.values()):
            return None
        members, contents = [], []
        for m in ensemble.members:
            models, origin = fitted[m.trial_id], "all rows"
            if not models:
                if not self.folder.has_models(results[m.trial_id]):
                    continue
                models, origin = [self.folder.read_bytes(r) for r in results[m.trial_id].models[:most]], "folds"
            members.append(_member(m, names, origin, m.weight))
            contents.append(models)
        total = sum(m.weight for m in members)
        members = [m.model_copy(update={"weight": m.weight / total}) for m in members]
        retrained = [m for m in members if m.trained_on == "all rows"]
        rest = [m for m in members if m.trained_on != "all rows"]
        text = f"{_listing(retrained)}, trained again on all {len(y):,} rows"
        text += f"; {_listing(rest)} as the mean of the validation folds' models." if rest else "."
        self.write(members, contents, text, ensemble.threshold)
        return text


def _worth_averaging(result: TrialResult, n_models: int) -> bool:
    """Whether several seeds of this model differ, and predict quickly enough together."""
    ms = result.cost.predict_ms_per_row if result.cost is not None else 0.0
    return families[result.spec.family].random and n_models * ms <= AVERAGING_MS


def _refit_one(
    result: TrialResult,
    data: TrialData,
    frame: pd.DataFrame,
    y: NDArray[Any],
    seed: int,
    deadline: Deadline,
    prepared: dict[str, tuple[Any, Any]],
) -> FittedModel | None:
    """The model trained on all rows, or None if it did not come out whole: its fold models are delivered then."""
    from autodl.preprocess import Preparer

    recipe = trial_recipe(result.spec, data)
    key = preparation_key(recipe)
    try:
        if key not in prepared:
            prepared.clear()  # one prepared table at a time is enough to hold in memory
            preparer = Preparer(recipe, data.schema, data.task)
            prepared[key] = (preparer, preparer.fit_transform(frame, y, deadline))
        if deadline.passed():
            return None
        model = fit_model(
            result.spec, recipe, prepared[key], y, None, data,
            seed=result.spec.seed + 1000 * seed, extra=result.refit, deadline=deadline,
        )  # fmt: skip
        sound = np.isfinite(model.predict(frame.iloc[:100])).all()
    except Exception:  # the family may raise anything, and the run has a model already
        logging.getLogger("autodl").exception("training %s on all rows failed", result.spec.id)
        return None
    # Cut off by the deadline it may be a stub of the model that was tested.
    return model if sound and not deadline.passed() else None


def _member(member: Member, names: Mapping[str, str], trained_on: str, weight: float) -> DeliveredMember:
    return DeliveredMember(
        trial_id=member.trial_id,
        family=member.family,
        name=names[member.trial_id],
        weight=weight,
        files=(),
        trained_on=trained_on,
    )


def _listing(members: Sequence[DeliveredMember]) -> str:
    parts = [f"{m.name} ({m.weight:.0%})" for m in sorted(members, key=lambda m: -m.weight)]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
