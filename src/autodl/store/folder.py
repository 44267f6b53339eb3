"""Reads and writes the files of one run folder."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autodl.errors import DiskError, RunError
from autodl.records import (
    ArtifactRef,
    Ensemble,
    Evaluation,
    Examples,
    Explanation,
    Front,
    Record,
    RunRecord,
    TrialResult,
)
from autodl.serialize import file_suffix
from autodl.store.atomic import make_folder, remove_folder, swap_folder, sync_folder, write_atomic
from autodl.store.disk import disk_trouble
from autodl.store.lock import is_locked
from autodl.store.reading import DamagedError, load_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

R = TypeVar("R", bound=Record)
T = TypeVar("T")
LARGE = 10_000_000
"""Bytes; fold models beyond are not forced to the disk: their checksum shows whether they are whole."""
MODEL, OLD_MODEL, NEW_MODEL = "model", ".model.old", ".model.new"
CONCLUSIONS: dict[str, type[Record]] = {
    "front": Front, "examples": Examples, "explanation": Explanation, "evaluation": Evaluation, "ensemble": Ensemble
}  # fmt: skip
"""Records that follow from the trials and are made again when they are missing; none stays without the later ones."""
RESUME = "`autodl fit ... --resume` sets the trial aside and goes on."


class RunFolder:
    """Reads and writes one run folder; writes are atomic and durable, reads are checked.

    Args:
        path: The folder.
        trusted: The user vouches for what is in it, so that models stored as pickles may be opened.
    """

    def __init__(self, path: str | Path, *, trusted: bool = False) -> None:
        self.path = Path(path)
        self.trusted = trusted
        self._seen = False

    def expect(self) -> None:
        """Take the folder for made: writing never makes it again once it is gone."""
        self._seen = True

    # --- records ------------------------------------------------------------------------------------------------

    def write(self, name: str, record: Record) -> None:
        """Write ``records/NAME.json``."""
        self._write(f"records/{name}.json", record.to_json(indent=1).encode())

    def read(self, name: str, kind: type[R]) -> R | None:
        """Read ``records/NAME.json``; None if it does not exist."""
        path = self.path / "records" / f"{name}.json"
        return load_record(path, kind) if path.is_file() else None

    def remove(self, name: str) -> None:
        """Delete ``records/NAME.json`` if it is there, and wait until the disk has forgotten it."""
        path = self.path / "records" / f"{name}.json"
        if path.exists():
            with disk_trouble(path):
                path.unlink()
                sync_folder(path.parent)

    def forget_conclusions(self) -> None:
        """Delete what was concluded from the trials, so that a crash between two files leaves nothing that misleads.

        Raises:
            DiskError: If the system refuses.
        """
        for name in CONCLUSIONS:
            self.remove(name)

    def write_run(self, record: RunRecord) -> None:
        """Write ``run.json``."""
        self._write("run.json", record.to_json(indent=1).encode())

    def read_run(self) -> RunRecord:
        """Read ``run.json``; a run whose process has ended without a word counts as interrupted.

        Raises:
            RunError: If this is no run folder, or a damaged or newer one.
        """
        path = self.path / "run.json"
        if not path.is_file():
            remedy = "Give the folder that `autodl fit` printed; `autodl runs` lists them."
            if not self.path.exists():
                raise RunError(f"there is no run folder {self.path}", remedy)
            raise RunError(f"{self.path} is not a run folder (it has no run.json)", remedy)
        record = load_record(path, RunRecord, "`autodl fit ... --resume` writes it again.")
        if record.status == "running" and is_locked(self.path) is False:
            return record.model_copy(update={"status": "interrupted"})
        return record

    def is_run(self) -> bool:
        """Whether the folder holds a run, finished or not."""
        return (self.path / "run.json").is_file() or any((self.path / "trials").glob("*"))

    # --- artifacts ----------------------------------------------------------------------------------------------

    def write_bytes(
        self,
        relative: str,
        data: bytes,
        shape: tuple[int, ...] = (),
        *,
        durable: bool | None = None,
        listed: bool = True,
    ) -> ArtifactRef:
        """Write a file and return its reference with a hash; large files wait for the disk only if ``durable``."""
        self._write(relative, data, durable=len(data) < LARGE if durable is None else durable, listed=listed)
        return ArtifactRef(path=relative, sha256=hashlib.sha256(data).hexdigest(), shape=shape)

    def read_bytes(self, ref: ArtifactRef) -> bytes:
        """Read a file and check its hash.

        Raises:
            DamagedError: If its content has changed.
            RunError: If it cannot be read.
        """
        path = self.path / ref.path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise RunError(f"cannot read {path}: {error.strerror}", "Run `autodl fit` again.") from error
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise DamagedError(f"{path} is damaged (its checksum does not match)", "Run `autodl fit` again.")
        return data

    def write_array(self, relative: str, array: NDArray[Any], *, listed: bool = True) -> ArtifactRef:
        """Write an array as ``.npy``."""
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        return self.write_bytes(relative, buffer.getvalue(), array.shape, durable=True, listed=listed)

    def read_array(self, ref: ArtifactRef) -> NDArray[Any]:
        """Read an array that ``write_array`` wrote, or the mean of several."""
        import numpy as np

        loaded: NDArray[Any] = np.load(io.BytesIO(self.read_bytes(ref)), allow_pickle=False)
        if not ref.others:
            return loaded
        total = loaded.astype(np.float64)
        for other in ref.others:
            total += self.read_array(other)
        mean: NDArray[Any] = (total / (1 + len(ref.others))).astype(loaded.dtype)
        return mean

    # --- trials -------------------------------------------------------------------------------------------------

    def write_trial(
        self,
        result: TrialResult,
        oof: NDArray[Any] | None,
        test: NDArray[Any] | None,
        models: list[bytes],
    ) -> TrialResult:
        """Store a finished trial: its arrays and models first, ``result.json`` last, so that it counts only whole.

        Raises:
            DiskError: If the system refuses; nothing of the trial is left then.
        """
        base = f"trials/{result.spec.id}"
        place = self.path / base
        try:
            stored = result.model_copy(
                update={
                    "oof": None if oof is None else self.write_array(f"{base}/oof.npy", oof, listed=False),
                    "test": None if test is None else self.write_array(f"{base}/test.npy", test, listed=False),
                    "models": tuple(
                        self.write_bytes(f"{base}/fold{i}{file_suffix(m)}", m, listed=False)
                        for i, m in enumerate(models)
                    ),
                }
            )
            make_folder(place, self._root())
            with disk_trouble(place):
                sync_folder(place)
            self.write_result(stored)
        except DiskError:
            if self.path.is_dir():  # frees the space for what must still be written
                with disk_trouble(place):
                    remove_folder(place)
            raise
        return stored

    def write_result(self, result: TrialResult) -> None:
        """Write a trial's ``result.json``."""
        self._write(f"trials/{result.spec.id}/result.json", result.to_json(indent=1).encode())

    def trials(self) -> list[TrialResult]:
        """All finished trials in the order in which they ended.

        Raises:
            DamagedError: If one of them is damaged; ``repair`` sets it aside.
        """
        found = [load_record(p, TrialResult, RESUME) for p in sorted((self.path / "trials").glob("*/result.json"))]
        return sorted(found, key=lambda r: (r.finished_s, r.spec.id))

    def drop_models(self, trial_id: str) -> None:
        """Delete the fold models of a trial that no longer leads; its scores and predictions stay."""
        for path in (self.path / "trials" / trial_id).glob("fold*"):
            with disk_trouble(path):
                path.unlink(missing_ok=True)

    def has_models(self, result: TrialResult) -> bool:
        """Whether the fold models of a trial are on disk; ``sound_models`` looks closer."""
        return bool(result.models) and all((self.path / m.path).is_file() for m in result.models)

    def fold_models(self, result: TrialResult) -> tuple[bytes, ...]:
        """The fold models of a trial; empty if one of them is gone or damaged."""
        try:
            return tuple(self.read_bytes(ref) for ref in result.models)
        except RunError:
            return ()

    def sound_models(self, result: TrialResult) -> bool:
        """Whether the fold models of a trial are on disk as they were written."""
        try:
            for ref in result.models:
                self.read_bytes(ref)
        except RunError:
            return False
        return bool(result.models)

    # --- the model folder ---------------------------------------------------------------------------------------

    def swap_model(self, staged: Path) -> None:
        """Put a fully written folder in the place of ``model``.

        Raises:
            DiskError: If the system refuses; the model that was there stays.
        """
        swap_folder(staged, self.path / MODEL, self.path / OLD_MODEL)

    def model_folder(self) -> Path:
        """Where the delivered model is now: ``model``, or the one before if a process died while changing them."""
        for name in (MODEL, OLD_MODEL):
            if (self.path / name / "manifest.json").is_file():
                return self.path / name
        return self.path / MODEL

    def model_fingerprint(self) -> str:
        """SHA-256 of the delivered model's manifest, which names its files by theirs; empty if there is none."""
        path = self.model_folder() / "manifest.json"
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    def with_model(self, load: Callable[[Path], T]) -> T:
        """Load the delivered model, once more if a running fit puts a better one in its place meanwhile.

        Args:
            load: Given the model's folder, reads it; raises ``RunError`` if something is missing or damaged.

        Raises:
            RunError: What ``load`` raised while nothing changed.
        """
        while True:
            place = self.model_folder()
            before = _stamp(place)
            try:
                return load(place)
            except RunError:
                if (self.model_folder(), _stamp(place)) == (place, before):
                    raise

    # --- private ------------------------------------------------------------------------------------------------

    def _root(self) -> Path:
        """The run folder, made on the first write only: one that vanishes later must not come back half empty."""
        if not self._seen:
            with disk_trouble(self.path):
                if not self.path.is_dir():
                    self.path.mkdir(exist_ok=True)
                    sync_folder(self.path.parent)
            self._seen = True
        return self.path

    def _write(self, relative: str, data: bytes, *, durable: bool = True, listed: bool = True) -> None:
        path = self.path / relative
        make_folder(path.parent, self._root())
        write_atomic(path, data, durable=durable, listed=listed)


def _stamp(place: Path) -> tuple[int, int] | None:
    """Tells one model from its successor."""
    try:
        facts = (place / "manifest.json").stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns
