"""Whatever operation of the disk fails, what was finished stays, and the next run copes with the rest.

Every number k of operations is tried: the process dies, the power goes, or the disk is full at the k-th one.
"""

from __future__ import annotations

import contextlib
import json
import shutil

import numpy as np
import pytest
from faults import FULL, Died, FaultyDisk

from autodl import model
from autodl.errors import DiskError, RunError
from autodl.model import DeliveredMember, ModelManifest
from autodl.records import ArtifactRef, Cost, Ensemble, TableSchema, Task, TrialResult, TrialSpec, TrialStatus
from autodl.store import RunFolder, load_record
from autodl.store.atomic import write_atomic
from autodl.store.repair import highest_set_aside, repair

MODES = {"dies": (None, False), "power": (None, True), "full": (FULL, False)}


def trial(number, loss=0.5):
    return TrialResult(
        spec=TrialSpec(id=f"t{number:04d}", family="linear"), status=TrialStatus.OK, loss=loss, cost=Cost(fit_s=1.0)
    )


def ensemble(number):
    member = {"trial_id": f"t{number:04d}", "family": "linear", "weight": 1.0}
    return Ensemble.model_validate({"members": [member], "method": "single", "loss": 0.5, "single_loss": 0.5})


def deliver(folder, content):
    """Deliver bytes that are no model, but a file like those of models."""
    member = DeliveredMember(family="some", name="Some", weight=1.0, files=(), trained_on="folds")
    features = TableSchema(columns=())
    manifest = ModelManifest(task=Task.CLASSIFICATION, target="y", features=features, members=(member,))
    model.deliver(folder, manifest, [[content + b"."]])


def delivered(folder):
    """The content of the model that prediction would read; checks its hashes."""

    def load(place):
        manifest = json.loads((place / "manifest.json").read_bytes())
        files = [ArtifactRef(**f) for f in manifest["members"][0]["files"]]
        return b"".join(RunFolder(place).read_bytes(f) for f in files)[:-1]

    return folder.with_model(load)


def story(folder, done):
    """A short fit as the disk sees it; ``done`` collects what was acknowledged."""
    for number in (1, 2):
        folder.write_trial(trial(number), np.full(6, number), np.full(3, number), [b"model" * number])
        done.append(f"t{number:04d}")
        deliver(folder, f"trial {number}".encode())
        done.append(f"model {number}")
    folder.write("ensemble", ensemble(2))
    done.append("ensemble")
    folder.drop_models("t0001")
    deliver(folder, b"refit")
    done.append("model 3")


def count_operations(root, patch):
    disk = FaultyDisk(patch, root, None, None)
    story(RunFolder(root), [])
    return disk.count


MODELS = {"model 1": b"trial 1", "model 2": b"trial 2", "model 3": b"refit"}


@pytest.mark.parametrize("mode", MODES)
def test_every_moment_of_a_fit_leaves_what_was_finished(tmp_path, mode):
    with pytest.MonkeyPatch.context() as patch:
        total = count_operations(tmp_path / "count", patch)
    assert total > 50
    for k in range(total):
        root = tmp_path / f"{mode}{k}"
        done = []
        with pytest.MonkeyPatch.context() as patch:
            error, power = MODES[mode]
            disk = FaultyDisk(patch, root, k, error)
            with pytest.raises((Died, DiskError)):
                story(RunFolder(root), done)
            disk.cut_power() if power else disk.heal()
            check_what_is_left(root, done)
        shutil.rmtree(root, ignore_errors=True)


def check_what_is_left(root, done):
    """Everything acknowledged is there and whole, before and after the repair, and the folder can be worked in."""
    if not root.exists():
        assert not done
        return
    folder = RunFolder(root)
    order = [None, *MODELS]
    newest = next((m for m in reversed(order) if m in done), None)
    ahead = order[min(len(order) - 1, order.index(newest) + 1)]
    allowed = [MODELS.get(newest), MODELS[ahead]]
    if newest is not None:  # prediction works before any repair, with this model or the one that was being put there
        assert delivered(folder) in allowed
    assert repair(folder) == []  # an interruption damages nothing
    if newest is not None:
        assert delivered(folder) in allowed
    kept = folder.trials()
    assert {d for d in done if d.startswith("t")} <= {t.spec.id for t in kept}
    for result in kept:
        np.testing.assert_array_equal(folder.read_array(result.oof), int(result.spec.id[1:]))
        assert len(folder.read_array(result.test)) == 3
        assert not folder.has_models(result) or folder.sound_models(result)
    assert ("ensemble" not in done) or folder.read("ensemble", Ensemble) == ensemble(2)
    assert not list(root.rglob("*.tmp"))
    folder.write_trial(trial(3), np.zeros(2), None, [b"m"])  # the folder is as good as new
    deliver(folder, b"again")
    assert delivered(folder) == b"again"
    assert repair(folder) == []


def test_the_faulty_disk_does_lose_what_is_not_synced(tmp_path):
    """The power cut above would notice a missing fsync: written without one, a file comes back empty or not."""
    lost = []
    for durable in (True, False):
        root = tmp_path / str(durable)
        root.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            disk = FaultyDisk(patch, root, None, None)
            write_atomic(root / "a", b"content", durable=durable)
            disk.cut_power()
        lost.append(not (root / "a").exists())
    assert lost == [False, True]


def test_repair_survives_its_own_death(tmp_path):
    """A second crash while the first is being mended, at every operation of the repair."""
    k = 0
    while True:
        root = tmp_path / str(k)
        done = []
        story(RunFolder(root), done)
        (root / "trials" / "t0001" / "result.json").write_bytes(b"")
        (root / "trials" / "t0002" / "oof.npy").write_bytes(b"short")
        (root / "model").rename(root / ".model.old")
        with pytest.MonkeyPatch.context() as patch:
            disk = FaultyDisk(patch, root, k, None)
            try:
                repair(RunFolder(root))
            except Died:
                disk.cut_power()
            else:
                break
        folder = RunFolder(root)
        repair(folder)
        assert [t.status for t in folder.trials()] == [TrialStatus.STOPPED]
        assert highest_set_aside(folder) == 1
        assert delivered(folder) == b"refit"
        k += 1
    assert k > 5


@pytest.mark.parametrize("damage", [b"", b"\0" * 200, b'{"spec": {"id": "t00', b"[1, 2]", b'{"schema_version": 1}'])
def test_a_damaged_trial_is_set_aside(tmp_path, damage):
    folder = RunFolder(tmp_path)
    story(folder, [])
    (tmp_path / "trials" / "t0002" / "result.json").write_bytes(damage)
    notes = repair(folder)
    assert len(notes) == 1
    assert "t0002" in notes[0] and "set aside" in notes[0]
    assert [t.spec.id for t in folder.trials()] == ["t0001"]
    assert (tmp_path / "set-aside" / "t0002" / "result.json").read_bytes() == damage
    assert highest_set_aside(folder) == 2
    assert folder.read("ensemble", Ensemble) is None  # it was drawn from a trial that is gone
    assert repair(folder) == []


@pytest.mark.parametrize("name", ["oof.npy", "test.npy"])
@pytest.mark.parametrize("damage", ["empty", "short", "other", "missing"])
def test_damaged_predictions_cost_the_trial_but_not_its_score(tmp_path, name, damage):
    folder = RunFolder(tmp_path)
    story(folder, [])
    path = tmp_path / "trials" / "t0002" / name
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "short": whole[:-4], "other": bytes(len(whole))}[damage])
    notes = repair(folder)
    assert len(notes) == 1 and name in notes[0]
    result = {t.spec.id: t for t in folder.trials()}["t0002"]
    assert (result.status, result.loss, result.oof) == (TrialStatus.STOPPED, 0.5, None)
    assert name in result.error
    assert repair(folder) == []


def test_a_damaged_model_folder_is_removed(tmp_path):
    folder = RunFolder(tmp_path)
    for spoil in (lambda m: (m / "manifest.json").write_text("{"), lambda m: (m / "member0-0.pkl").unlink()):
        story(folder, [])
        spoil(tmp_path / "model")
        assert len(repair(folder)) == 1
        assert not (tmp_path / "model").exists()


def test_records_of_a_newer_version_are_not_set_aside(tmp_path):
    folder = RunFolder(tmp_path)
    story(folder, [])
    path = tmp_path / "trials" / "t0001" / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))
    with pytest.raises(RunError, match="version 99"):
        repair(folder)
    with pytest.raises(RunError, match="version 99"):
        load_record(path, TrialResult)
    assert path.exists()


def test_a_folder_that_was_deleted_does_not_come_back_half_empty(tmp_path):
    folder = RunFolder(tmp_path / "run")
    story(folder, [])
    shutil.rmtree(tmp_path / "run")
    for write in (
        lambda: folder.write("ensemble", ensemble(1)),
        lambda: folder.write_trial(trial(3), None, None, []),
    ):
        with pytest.raises(DiskError, match="folder is gone"):
            write()
    assert not (tmp_path / "run").exists()


def test_a_trial_that_does_not_fit_leaves_nothing(tmp_path):
    folder = RunFolder(tmp_path)
    story(folder, [])
    with pytest.MonkeyPatch.context() as patch:
        FaultyDisk(patch, tmp_path, 9, FULL)
        with pytest.raises(DiskError, match="the disk is full"):
            folder.write_trial(trial(3), np.zeros(5), np.zeros(3), [b"m"] * 5)
    assert not (tmp_path / "trials" / "t0003").exists()


def test_a_model_that_does_not_fit_leaves_the_one_before_and_nothing_else(tmp_path):
    folder = RunFolder(tmp_path)
    deliver(folder, b"first")
    with pytest.MonkeyPatch.context() as patch:
        total = FaultyDisk(patch, tmp_path, None, None)
        deliver(folder, b"second")
    for k in range(total.count):
        with pytest.MonkeyPatch.context() as patch:
            FaultyDisk(patch, tmp_path, k, FULL)
            with contextlib.suppress(DiskError):  # the last steps only clear up
                deliver(folder, b"third")
        assert not (tmp_path / ".model.new").exists()
        assert delivered(folder) in (b"second", b"third")
