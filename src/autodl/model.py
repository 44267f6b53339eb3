"""A trained model with its preparation, and the folder ``model`` that prediction reads.

Notation: n rows, K classes.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autodl.decision import decide
from autodl.errors import RunError
from autodl.records import ArtifactRef, Record, StageRecord, TableSchema, Task
from autodl.store import RunFolder, load_record, write_atomic

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

    def predict(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Raw predictions for canonical rows.

        Args:
            frame: (n,) rows as ``apply_schema`` returns them.

        Returns:
            (n, K) probabilities, or (n,) values for regression.
        """
        return raw_predict(self, self.preparer.transform(frame))

    def to_bytes(self) -> bytes:
        """Pickled form."""
        return pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL)


def raw_predict(model: FittedModel, features: Any) -> NDArray[Any]:
    """Predictions for rows that the model's own preparer has already transformed."""
    if model.task is Task.CLASSIFICATION:
        return model.estimator.predict_proba(features)
    values = model.estimator.predict(features)
    return values if model.target is None else model.target.inverse(values)


class DeliveredMember(Record):
    """One model of the delivered ensemble: the mean of its files' predictions counts with ``weight``."""

    family: str
    name: str
    weight: float
    files: tuple[ArtifactRef, ...]
    trained_on: str
    """``all rows`` or ``folds``."""


class ModelManifest(StageRecord):
    """All that is needed to read new rows and predict them."""

    task: Task
    target: str
    classes: tuple[str, ...] = ()
    features: TableSchema
    members: tuple[DeliveredMember, ...]
    threshold: float = 0.5
    """For two classes: the answer is the second one from this probability on."""
    delivered: str = ""
    versions: dict[str, str] = {}


def deliver(
    folder: RunFolder,
    manifest: ModelManifest,
    contents: Sequence[Sequence[bytes]],
) -> ModelManifest:
    """Write the folder ``model`` and swap it in whole.

    Args:
        folder: The run.
        manifest: Members without files.
        contents: Pickled models of each member, in the members' order.

    Returns:
        The manifest as written, with file references.
    """
    staged = RunFolder(folder.path / ".model.new")
    shutil.rmtree(staged.path, ignore_errors=True)
    members = []
    for i, (member, models) in enumerate(zip(manifest.members, contents, strict=True)):
        refs = tuple(staged.write_bytes(f"member{i}-{j}.pkl", data) for j, data in enumerate(models))
        members.append(member.model_copy(update={"files": refs}))
    written = manifest.model_copy(update={"members": tuple(members)})
    write_atomic(staged.path / "manifest.json", written.model_dump_json(indent=1).encode())
    folder.swap_model(staged.path)
    return written


class DeliveredModel:
    """The model of a run, loaded. Unpickles: open only run folders that you trust."""

    def __init__(self, run: RunFolder) -> None:
        path = run.path / "model" / "manifest.json"
        if not path.is_file():
            run.read_run()
            raise RunError(f"{run.path} has no model yet", "Finish the run with `autodl fit ... --resume`.")
        self.manifest = load_record(path, ModelManifest)
        source = RunFolder(run.path / "model")
        self._members: list[tuple[float, list[FittedModel]]] = [
            (m.weight, [_unpickle(source, ref) for ref in m.files]) for m in self.manifest.members
        ]

    def predict_raw(self, frame: pd.DataFrame) -> NDArray[Any]:
        """(n, K) probabilities or (n,) values for canonical rows."""
        return weighted_prediction(self._members, frame)

    def answers(self, prediction: NDArray[Any]) -> NDArray[Any]:
        """(n,) class codes for the (n, K) probabilities of ``predict_raw``, by the manifest's threshold."""
        return decide(prediction, self.manifest.threshold)


def weighted_prediction(members: Sequence[tuple[float, Sequence[FittedModel]]], frame: pd.DataFrame) -> NDArray[Any]:
    """Weighted mean over members of the plain mean over each member's models."""
    import numpy as np

    total: NDArray[Any] | None = None
    for weight, models in members:
        part = np.mean([m.predict(frame) for m in models], axis=0) * weight
        total = part if total is None else total + part
    if total is None:
        raise RunError("the model has no members", "Run `autodl fit` again.")
    return total


def _unpickle(source: RunFolder, ref: ArtifactRef) -> FittedModel:
    data = source.read_bytes(ref)
    try:
        model = pickle.loads(data)
    except Exception as error:
        raise RunError(
            f"{source.path / ref.path} cannot be loaded ({type(error).__name__}: {error})",
            "It needs the packages and versions named in manifest.json; `autodl doctor` shows what is installed.",
        ) from error
    if not isinstance(model, FittedModel):
        raise RunError(f"{source.path / ref.path} does not hold a model of autodl")
    return model
