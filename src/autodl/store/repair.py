"""What a resumed run does about the traces of a crash: clean up, set aside what is damaged, tell it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from autodl.errors import RunError
from autodl.records import ArtifactRef, TrialResult, TrialStatus
from autodl.store.atomic import SUFFIX, make_folder, remove_folder, sync_folder
from autodl.store.disk import disk_trouble
from autodl.store.folder import CONCLUSIONS, MODEL, NEW_MODEL, OLD_MODEL, RESUME, RunFolder
from autodl.store.reading import DamagedError, load_record

SET_ASIDE = "set-aside"


def repair(folder: RunFolder) -> list[str]:
    """Bring the folder of an interrupted run back to what its writer meant; the caller holds its lock.

    Trials whose record is damaged move to ``set-aside/``; those whose predictions are damaged keep their score for
    the search but count as stopped; damaged fold models are deleted. Conclusions drawn from them are removed.

    Returns:
        A sentence for each thing that was lost.

    Raises:
        RunError: If a trial was written by a newer version.
        DiskError: If the system refuses.
    """
    with disk_trouble(folder.path):
        _finish_swap(folder.path)
        _remove_halves(folder.path)
        notes = [note for path in _trial_folders(folder.path) if (note := _check_trial(folder, path))]
    if notes:
        folder.forget_conclusions()
    if (note := _check_model(folder)) is not None:
        notes.append(note)
    for name, kind in CONCLUSIONS.items():
        try:
            folder.read(name, kind)
        except DamagedError as error:
            if name == "ensemble":
                folder.forget_conclusions()  # the others speak of it
            folder.remove(name)
            notes.append(f"{error.what}; it is made again.")
    return notes


def highest_set_aside(folder: RunFolder) -> int:
    """The highest trial number in ``set-aside/``, whose ids are not used again; 0 if there is none."""
    names = [p.name.removeprefix("t") for p in (folder.path / SET_ASIDE).glob("t*")]
    return max((int(n) for n in names if n.isdecimal()), default=0)


def _finish_swap(root: Path) -> None:
    """A process that died while it changed the models leaves the old one under another name."""
    if (root / OLD_MODEL / "manifest.json").is_file() and not (root / MODEL / "manifest.json").is_file():
        remove_folder(root / MODEL)
        (root / OLD_MODEL).rename(root / MODEL)
        sync_folder(root)
    remove_folder(root / OLD_MODEL)
    remove_folder(root / NEW_MODEL)


def _remove_halves(root: Path) -> None:
    """Files that were being written and trials that were being stored when the process died."""
    for pattern in (f".*{SUFFIX}", f"records/.*{SUFFIX}", f"trials/*/.*{SUFFIX}", ".report-*.html"):
        for path in root.glob(pattern):
            path.unlink(missing_ok=True)
    for path in _trial_folders(root):
        if not (path / "result.json").exists():
            remove_folder(path)


def _trial_folders(root: Path) -> list[Path]:
    return sorted(p for p in (root / "trials").glob("*") if p.is_dir())


def _check_trial(folder: RunFolder, path: Path) -> str | None:
    """What was lost of a stored trial, or None."""
    try:
        result = load_record(path / "result.json", TrialResult, RESUME)
        if result.spec.id != path.name:
            raise DamagedError(f"{path / 'result.json'} is damaged: it is that of trial {result.spec.id}", RESUME)
    except DamagedError as error:
        _set_aside(folder.path, path)
        return f"{error.what}; the trial is set aside and not used."
    if (bad := _first_damaged(folder, [r for r in (result.oof, result.test) if r is not None])) is not None:
        reason = f"its predictions ({Path(bad).name}) were damaged on disk"
        stopped = result.model_copy(
            update={"status": TrialStatus.STOPPED, "oof": None, "test": None, "models": (), "error": reason}
        )
        folder.write_result(stopped)
        folder.drop_models(result.spec.id)
        return f"{folder.path / bad} is damaged; trial {result.spec.id} is not used."
    kept = [m for m in result.models if (folder.path / m.path).is_file()]
    if len(kept) < len(result.models):
        folder.drop_models(result.spec.id)  # the process died while it did this
    # Their checksums are compared when they are needed: reading all models may take long.
    elif any((folder.path / m.path).stat().st_size == 0 for m in kept):
        folder.drop_models(result.spec.id)
        return f"a model of trial {result.spec.id} is damaged; its score is kept, its models are not used."
    return None


def _check_model(folder: RunFolder) -> str | None:
    """Remove a damaged ``model``, which is made again from the trials; what was lost, or None."""
    place = folder.path / MODEL
    if not place.exists():
        return None
    try:
        manifest = json.loads((place / "manifest.json").read_bytes())
        for member in manifest["members"]:
            for ref in member["files"]:
                RunFolder(place).read_bytes(ArtifactRef.model_validate(ref))
    except (OSError, ValueError, KeyError, TypeError, RunError):
        with disk_trouble(place):
            remove_folder(place)
        return f"{place} is damaged; it is made again."
    return None


def _first_damaged(folder: RunFolder, refs: Sequence[ArtifactRef]) -> str | None:
    for ref in refs:
        try:
            folder.read_array(ref)
        except (RunError, ValueError):
            return ref.path
    return None


def _set_aside(root: Path, path: Path) -> None:
    make_folder(root / SET_ASIDE, root)
    target = root / SET_ASIDE / path.name
    remove_folder(target)
    path.rename(target)
    sync_folder(target.parent)
    sync_folder(path.parent)
