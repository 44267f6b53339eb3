"""A trained model with its preparation, and the folder ``model`` that prediction reads.

Notation: n rows, K classes.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.decision import decide
from autodl.ensemble.pooling import pooled
from autodl.errors import DiskError, OlderModelError, RunError
from autodl.quantiles import in_order, point
from autodl.records import ArtifactRef, Calibration, Record, StageRecord, TableSchema, Task
from autodl.records.ensemble import Pooling
from autodl.serialize import RefusedTypeError, UnsupportedValueError, dump, file_suffix, is_safe_format, load
from autodl.serialize.pickled import dump_pickle, load_pickle, may_unpickle
from autodl.store import RunFolder, load_record, write_atomic
from autodl.store.folder import NEW_MODEL

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.models.base import Estimator
    from autodl.preprocess import Preparer, TargetTransform


@dataclass(frozen=True)
class FittedModel:
    """Preparation and model that were fitted together on the same rows."""

    preparer: Preparer
    estimator: Estimator
    target: TargetTransform | None
    task: Task
    quantiles: tuple[float, ...] = ()
    absent: tuple[int, ...] = ()
    """Classes without a training row."""
    absent_share: float = 0.0
    """Probability of each of them: none is impossible only because it has not been seen yet."""
    least: float | None = None
    """Numbers below it become it: 0 where no target was negative, for no such target is nearer to what lies below."""

    def predict(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Raw predictions for canonical rows.

        Args:
            frame: (n,) rows as ``apply_schema`` returns them.

        Returns:
            (n, K) probabilities, (n, Q) ascending quantiles, or (n,) values for regression.
        """
        return raw_predict(self, self.preparer.transform(frame))

    def to_bytes(self) -> bytes:
        """Form for a file: one that runs nothing when it is read, or a pickle if the model can have no other."""
        try:
            return dump(self)
        except UnsupportedValueError as error:
            if not self.estimator.needs_pickle:
                kind = type(self.estimator).__name__
                logging.getLogger("autodl").warning("%s is stored as a pickle, for it holds %s", kind, error)
            return dump_pickle(self)


def raw_predict(model: FittedModel, features: Any) -> NDArray[Any]:
    """Predictions for rows that the model's own preparer has already transformed."""
    if model.task is Task.CLASSIFICATION:
        return with_absent(model.estimator.predict_proba(features), model.absent, model.absent_share)
    if model.quantiles:
        values = in_order(model.estimator.predict_quantiles(features))
    else:
        values = model.estimator.predict(features)
    # Every transform of the target rises with it, so that quantiles pass it unharmed.
    values = values if model.target is None else model.target.inverse(values)
    return values if model.least is None else values.clip(model.least)


def with_absent(proba: NDArray[Any], absent: Sequence[int], share: float) -> NDArray[Any]:
    """(n, K) probabilities in which each absent class has at least this share; the others keep their proportions.

    Args:
        proba: (n, K). absent: codes of classes without a training row. share: probability of each.
    """
    import numpy as np

    if not absent:
        return proba
    out = np.array(proba, dtype=np.float64)
    codes = list(absent)
    out[:, codes] = 0.0
    rest = out.sum(axis=1, keepdims=True)
    out = np.divide(out * (1.0 - share * len(codes)), rest, out=out, where=rest > 0)
    out[:, codes] = share
    return np.asarray(out / out.sum(axis=1, keepdims=True))


class DeliveredMember(Record):
    """One model of the delivered ensemble: the mean of its files' predictions counts with ``weight``."""

    trial_id: str = ""
    """Empty in folders of the first versions."""
    family: str
    name: str
    weight: float
    files: tuple[ArtifactRef, ...]
    trained_on: str
    """``all rows`` or ``folds``."""
    further: bool = False
    """Whether a fold's model went on learning from all rows, rather than a new one was trained on them."""


class ModelManifest(StageRecord):
    """All that is needed to read new rows and predict them."""

    task: Task
    target: str
    classes: tuple[str, ...] = ()
    features: TableSchema
    members: tuple[DeliveredMember, ...]
    factors: tuple[float, ...] = ()
    """For more than two classes: how probabilities become answers (``decision.decide``); empty: the largest wins."""
    threshold: float = 0.5
    """For two classes: the answer is the second one from this probability on."""
    quantiles: tuple[float, ...] = ()
    """Levels that are predicted, ascending; empty where one number is."""
    pooling: Pooling = "mean"
    """How the members' predictions become one; see ``Ensemble``."""
    calibration: Calibration | None = None
    """What is applied to the combined predictions."""
    delivered: str = ""
    complete: bool = True
    """Whether every member was trained on all rows that can be; False where the time or the user ended it before."""
    versions: dict[str, str] = {}


def deliver(
    folder: RunFolder,
    manifest: ModelManifest,
    contents: Sequence[Sequence[bytes]],
) -> ModelManifest:
    """Write the folder ``model`` and swap it in whole; the swap waits for the disk, once for all files.

    Args:
        folder: The run.
        manifest: Members without files.
        contents: Models of each member as ``FittedModel.to_bytes`` gives them, in the members' order.

    Returns:
        The manifest as written, with file references.

    Raises:
        DiskError: If the system refuses; the model that was there stays.
    """
    staged = RunFolder(folder.path / NEW_MODEL)
    shutil.rmtree(staged.path, ignore_errors=True)
    members = []
    try:
        for i, (member, models) in enumerate(zip(manifest.members, contents, strict=True)):
            files = ((f"member{i}-{j}{file_suffix(m)}", m) for j, m in enumerate(models))
            refs = tuple(staged.write_bytes(name, m, durable=False) for name, m in files)
            members.append(member.model_copy(update={"files": refs}))
        written = manifest.model_copy(update={"members": tuple(members)})
        write_atomic(staged.path / "manifest.json", written.to_json(indent=1).encode(), durable=False)
        folder.swap_model(staged.path)
    except DiskError:
        shutil.rmtree(staged.path, ignore_errors=True)  # a full disk is not to stay full of it
        raise
    return written


class DeliveredModel:
    """The model of a run, loaded. Runs nothing that stands in its files, unless they are pickles that are trusted.

    Args:
        run: The run folder; ``run.trusted`` says whether pickles in it may be opened.

    Raises:
        RunError: If there is no model, it is damaged, or it needs a pickle that nobody vouches for.
    """

    def __init__(self, run: RunFolder) -> None:
        if not (run.model_folder() / "manifest.json").is_file():
            run.read_run()
            raise RunError(f"{run.path} has no model yet", "Finish the run with `autodl fit ... --resume`.")

        def read(place: Path) -> tuple[ModelManifest, list[tuple[float, list[FittedModel]]]]:
            manifest = load_record(place / "manifest.json", ModelManifest)
            source = RunFolder(place, trusted=run.trusted)
            return manifest, shared([(m.weight, [load_model(source, r) for r in m.files]) for m in manifest.members])

        self.manifest, self._members = run.with_model(read)

    def predict_raw(self, frame: pd.DataFrame) -> NDArray[Any]:
        """(n, K) probabilities, (n, Q) quantiles or (n,) values for canonical rows."""
        return weighted_prediction(self._members, frame, self.manifest.pooling, self.manifest.calibration)

    def values(self, prediction: NDArray[Any]) -> NDArray[Any]:
        """(n,) numbers of a regression for what ``predict_raw`` gives: of quantiles the middle one."""
        return point(prediction, self.manifest.quantiles) if self.manifest.quantiles else prediction

    def answers(self, prediction: NDArray[Any]) -> NDArray[Any]:
        """(n,) class codes for the (n, K) probabilities of ``predict_raw``, by the manifest's threshold."""
        return decide(prediction, self.manifest.threshold, self.manifest.factors)


def weighted_prediction(
    members: Sequence[tuple[float, Sequence[FittedModel]]],
    frame: pd.DataFrame,
    pooling: Pooling = "mean",
    calibration: Calibration | None = None,
) -> NDArray[Any]:
    """The members' predictions combined; that of a member is the plain mean over its models.

    Args:
        members: Weight and models of each. frame: (n,) canonical rows.
        pooling: How they become one. calibration: Applied at the end.
    """
    import numpy as np

    if not members:
        raise RunError("the model has no members", "Run `autodl fit` again.")
    found = iter(each_prediction([model for _, models in members for model in models], frame))
    parts = ((weight, np.mean([next(found) for _ in models], axis=0)) for weight, models in members)
    return pooled(parts, pooling, calibration)


def each_prediction(models: Sequence[FittedModel], frame: pd.DataFrame) -> list[NDArray[Any]]:
    """Raw predictions of each model; rows are prepared once for all models with the same preparer.

    Args:
        models: In any order. frame: (n,) canonical rows.
    """
    from autodl.preprocess.sharing import terms_shared

    groups: dict[int, list[int]] = {}
    for i, model in enumerate(models):
        groups.setdefault(id(model.preparer), []).append(i)
    preparers = [models[places[0]].preparer for places in groups.values()]
    found: dict[int, NDArray[Any]] = {}
    with terms_shared(preparers):
        # One prepared table at a time is enough to hold in memory.
        for preparer, places in zip(preparers, groups.values(), strict=True):
            features = preparer.transform(frame)
            found.update((i, raw_predict(models[i], features)) for i in places)
    return [found[i] for i in range(len(models))]


def shared(members: Sequence[tuple[float, Sequence[FittedModel]]]) -> list[tuple[float, list[FittedModel]]]:
    """The same members, with one preparer for all models whose preparers are equal.

    Args:
        members: Weight and models of each.
    """
    from autodl.preprocess.sharing import SharedPreparers

    kept = SharedPreparers()
    return [(weight, [replace(m, preparer=kept.first(m.preparer)) for m in models]) for weight, models in members]


def is_older(folder: RunFolder, ref: ArtifactRef) -> bool:
    """Whether an older version wrote a model that this one cannot use; other troubles are told where it is used."""
    try:
        load_model(folder, ref)
    except OlderModelError:
        return True
    except RunError as error:
        logging.getLogger("autodl").debug("%s was not looked at: %s", ref.path, error)
    return False


def load_model(folder: RunFolder, ref: ArtifactRef) -> FittedModel:
    """Read a file that ``FittedModel.to_bytes`` filled.

    Raises:
        RunError: If it is changed, names a type that autodl does not use, cannot be read, or is a pickle that neither
            this process made nor the user vouches for.
    """
    data, place = folder.read_bytes(ref), folder.path / ref.path
    safe = is_safe_format(data)
    if not safe and not may_unpickle(data, folder.trusted):
        raise RunError(
            f"{place} is a pickle, which can run any program when it is opened",
            "Pass --trust (in Python: trust=True) if you made this folder yourself.",
        )
    try:
        model = load(data) if safe else load_pickle(data)
    except OlderModelError as error:
        raise OlderModelError(
            f"{place} was written by an older autodl: {error.what}", "Fit again: this version cannot use it."
        ) from error
    except RefusedTypeError as error:
        raise RunError(
            f"{place} is refused: {error.what}",
            "Install the package of the model family that made it; if there is none, do not use this folder.",
        ) from error
    except Exception as error:  # a damaged or foreign file may fail in any way
        raise RunError(
            f"{place} cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]})",
            "It needs the packages and versions named in manifest.json; `autodl doctor` shows what is installed.",
        ) from error
    if not isinstance(model, FittedModel):
        raise RunError(f"{place} does not hold a model of autodl")
    return model
