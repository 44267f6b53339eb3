"""The run folder: JSON records, arrays with hashes, models. All writes are atomic.

Layout::

    run.json            the stable summary (RunRecord)
    report.html
    model/              manifest.json and what it names: all that prediction needs
    records/            profile.json, plan.json, ensemble.json, evaluation.json, explanation.json, rows.json
    trials/ID/          result.json, oof.npy, test.npy, fold0.pkl ...
    log.txt             warnings of libraries, tracebacks of failed trials
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from autodl.errors import RunError
from autodl.records import SCHEMA_VERSION, ArtifactRef, Record, RunRecord, TrialResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

R = TypeVar("R", bound=Record)
LARGE = 10_000_000
"""Bytes; model files beyond are not forced to the disk: they can be trained again."""


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Args:
        path: Where to; missing folders are made.
        data: The whole content.
        durable: Wait until the disk has it, so that it survives a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class RunFolder:
    """Reads and writes one run folder."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    # --- records ------------------------------------------------------------------------------------------------

    def write(self, name: str, record: Record) -> None:
        """Write ``records/NAME.json``."""
        write_atomic(self.path / "records" / f"{name}.json", record.model_dump_json(indent=1).encode())

    def read(self, name: str, kind: type[R]) -> R | None:
        """Read ``records/NAME.json``; None if it does not exist."""
        path = self.path / "records" / f"{name}.json"
        return load_record(path, kind) if path.is_file() else None

    def remove(self, name: str) -> None:
        """Delete ``records/NAME.json`` if it is there."""
        (self.path / "records" / f"{name}.json").unlink(missing_ok=True)

    def write_run(self, record: RunRecord) -> None:
        """Write ``run.json``."""
        write_atomic(self.path / "run.json", record.model_dump_json(indent=1).encode())

    def read_run(self) -> RunRecord:
        """Read ``run.json``.

        Raises:
            RunError: If this is no run folder, or a damaged or newer one.
        """
        path = self.path / "run.json"
        if not path.is_file():
            remedy = "Give the folder that `autodl fit` printed; `autodl runs` lists them."
            if not self.path.exists():
                raise RunError(f"there is no run folder {self.path}", remedy)
            raise RunError(f"{self.path} is not a run folder (it has no run.json)", remedy)
        return load_record(path, RunRecord)

    def is_run(self) -> bool:
        """Whether the folder holds a run, finished or not."""
        return (self.path / "run.json").is_file() or (self.path / "records").is_dir()

    # --- artifacts ----------------------------------------------------------------------------------------------

    def write_bytes(
        self, relative: str, data: bytes, shape: tuple[int, ...] = (), *, durable: bool | None = None
    ) -> ArtifactRef:
        """Write a file and return its reference with a hash; large files wait for the disk only if ``durable``."""
        write_atomic(self.path / relative, data, durable=len(data) < LARGE if durable is None else durable)
        return ArtifactRef(path=relative, sha256=hashlib.sha256(data).hexdigest(), shape=shape)

    def read_bytes(self, ref: ArtifactRef) -> bytes:
        """Read a file and check its hash.

        Raises:
            RunError: If it is missing or its content has changed.
        """
        path = self.path / ref.path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise RunError(f"cannot read {path}: {error.strerror}", "Run `autodl fit` again.") from error
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise RunError(f"{path} is damaged (its checksum does not match)", "Run `autodl fit` again.")
        return data

    def write_array(self, relative: str, array: NDArray[Any]) -> ArtifactRef:
        """Write an array as ``.npy``."""
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        return self.write_bytes(relative, buffer.getvalue(), array.shape, durable=True)

    def read_array(self, ref: ArtifactRef) -> NDArray[Any]:
        """Read an array that ``write_array`` wrote."""
        import numpy as np

        loaded: NDArray[Any] = np.load(io.BytesIO(self.read_bytes(ref)), allow_pickle=False)
        return loaded

    # --- trials -------------------------------------------------------------------------------------------------

    def write_trial(
        self,
        result: TrialResult,
        oof: NDArray[Any] | None,
        test: NDArray[Any] | None,
        models: list[bytes],
    ) -> TrialResult:
        """Store a finished trial: its arrays and models first, ``result.json`` last, so that it counts only whole."""
        base = f"trials/{result.spec.id}"
        stored = result.model_copy(
            update={
                "oof": None if oof is None else self.write_array(f"{base}/oof.npy", oof),
                "test": None if test is None else self.write_array(f"{base}/test.npy", test),
                "models": tuple(self.write_bytes(f"{base}/fold{i}.pkl", m) for i, m in enumerate(models)),
            }
        )
        write_atomic(self.path / base / "result.json", stored.model_dump_json(indent=1).encode())
        return stored

    def trials(self) -> list[TrialResult]:
        """All finished trials in the order in which they ended."""
        found = [load_record(p, TrialResult) for p in sorted((self.path / "trials").glob("*/result.json"))]
        return sorted(found, key=lambda r: (r.finished_s, r.spec.id))

    def drop_models(self, trial_id: str) -> None:
        """Delete the fold models of a trial that no longer leads; its scores and predictions stay."""
        for path in (self.path / "trials" / trial_id).glob("fold*.pkl"):
            path.unlink(missing_ok=True)

    def has_models(self, result: TrialResult) -> bool:
        """Whether the fold models of a trial are on disk."""
        return bool(result.models) and all((self.path / m.path).is_file() for m in result.models)

    # --- the model folder ---------------------------------------------------------------------------------------

    def swap_model(self, staged: Path) -> None:
        """Put a fully written folder in the place of ``model``."""
        final, old = self.path / "model", self.path / ".model.old"
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.rename(old)
        staged.rename(final)
        shutil.rmtree(old, ignore_errors=True)


def load_record(path: Path, kind: type[R]) -> R:
    """Read a record.

    Raises:
        RunError: If the file is damaged or was written by a newer version.
    """
    import json

    try:
        text = path.read_text("utf-8")
        raw = json.loads(text)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read as a record ({error})", "The run folder is damaged.") from error
    version = raw.get("schema_version", SCHEMA_VERSION) if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise RunError(
            f"{path} has schema version {version}, this autodl reads version {SCHEMA_VERSION}",
            "Install the version of autodl that wrote it.",
        )
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise RunError(f"{path} is damaged: {place}: {first['msg']}", "Run `autodl fit` again.") from error


def list_runs(parent: str | Path) -> list[tuple[Path, RunRecord]]:
    """Runs in the folders directly below ``parent``, newest first; damaged ones are left out."""
    found = []
    for path in Path(parent).glob("*/run.json"):
        try:
            found.append((path.parent, load_record(path, RunRecord)))
        except RunError:
            continue
    return sorted(found, key=lambda item: item[1].started, reverse=True)
