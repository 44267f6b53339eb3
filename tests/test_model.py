"""Delivered models: what is opened, and what is refused."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from autodl.errors import AutodlError, RunError
from autodl.model import DeliveredMember, DeliveredModel, FittedModel, ModelManifest, deliver
from autodl.models.base import Meta, families
from autodl.preprocess import Preparer, TargetTransform
from autodl.records import Modality, Recipe, Task
from autodl.serialize import dump, is_safe_format
from autodl.serialize.pickled import vouch
from autodl.store import RunFolder
from autodl.testing.problems import mixed_frame
from autodl.testing.trained import quick_config

FRAME, SCHEMA = mixed_frame(120)


def fitted(key: str, recipe: Recipe, task: Task = Task.CLASSIFICATION) -> FittedModel:
    """A model of the mixed table, which has numbers, categories, dates and text."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, len(FRAME)) if task is Task.CLASSIFICATION else rng.normal(size=len(FRAME))
    preparer = Preparer(recipe, SCHEMA, task)
    features = preparer.fit_transform(FRAME, y)
    config = quick_config(families[key])
    if families[key].deep:
        config = config.model_copy(update={"epochs": 2})
    estimator = families[key]().build(config, Meta(task, 3 if task is Task.CLASSIFICATION else 0, seed=1))
    target = TargetTransform(recipe.target, y) if task is Task.REGRESSION and recipe.target != "none" else None
    estimator.fit(features, y if target is None else target.forward(y))
    return FittedModel(preparer, estimator, target, task)


def odd_rows() -> Any:
    """Unseen categories, missing and infinite numbers, dates far away, empty and strange texts."""
    frame = FRAME.head(12).copy()
    frame["who"] = ["never seen", None, *frame["who"][2:]]
    frame["number"] = [np.nan, np.inf, -1e300, *frame["number"][3:]]
    frame["said"] = ["", None, "\U0001f600 <script>", *frame["said"][3:]]
    frame["when"] = [np.datetime64("NaT"), np.datetime64("2200-01-01"), *frame["when"][2:]]
    return frame


KEYS = [key for key, family in families.items() if not family.extra and Modality.TABLE in family.modalities]


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("key", KEYS)
def test_models_read_from_files_predict_odd_rows_to_the_last_bit(key: str, task: Task, tmp_path: Path) -> None:
    recipe = families[key].recipe
    if task is Task.REGRESSION:
        recipe = recipe.model_copy(update={"target": "log"})
    model = fitted(key, recipe, task)
    delivered = DeliveredModel(delivered_run(tmp_path, [model.to_bytes()], task))
    assert {Path(f.path).suffix for m in delivered.manifest.members for f in m.files} == {".safetensors"}
    for rows in (odd_rows(), odd_rows().head(1)):
        np.testing.assert_array_equal(delivered.predict_raw(rows), model.predict(rows))


def delivered_run(place: Path, models: list[bytes], task: Task = Task.CLASSIFICATION) -> RunFolder:
    """A run folder with only a delivered model."""
    run = RunFolder(place / "run")
    run.path.mkdir()
    member = DeliveredMember(trial_id="t0001", family="some", name="Some", weight=1.0, files=(), trained_on="folds")
    deliver(run, ModelManifest(task=task, target="y", features=SCHEMA, members=(member,)), [models])
    return run


@pytest.fixture(scope="module")
def model() -> FittedModel:
    return fitted("linear", families["linear"].recipe)


def test_a_model_without_a_safe_form_is_a_pickle_and_says_so(model: FittedModel, tmp_path: Path, caplog: Any) -> None:
    class Odd:
        """Not on any list."""

    strange = FittedModel(model.preparer, model.estimator, None, model.task)
    model.estimator.odd = print  # type: ignore[attr-defined]
    try:
        data = strange.to_bytes()
    finally:
        del model.estimator.odd  # type: ignore[attr-defined]
    assert not is_safe_format(data)
    assert "stored as a pickle" in caplog.text
    (member,) = DeliveredModel(_trusted(delivered_run(tmp_path, [data]))).manifest.members
    assert member.files[0].path.endswith(".pkl")


def _trusted(run: RunFolder) -> RunFolder:
    return RunFolder(run.path, trusted=True)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_pickles_are_opened_only_for_those_who_vouch(model: FittedModel, tmp_path: Path) -> None:
    data = pickle.dumps(model)
    run = delivered_run(tmp_path, [data])
    with pytest.raises(RunError, match=r"member0-0.pkl is a pickle.*--trust.*trust=True"):
        DeliveredModel(run)
    expected = model.predict(FRAME.head(5))
    np.testing.assert_array_equal(DeliveredModel(_trusted(run)).predict_raw(FRAME.head(5)), expected)
    vouch(data)  # as the search does with what its own workers send
    np.testing.assert_array_equal(DeliveredModel(run).predict_raw(FRAME.head(5)), expected)


def test_nothing_runs_from_an_untrusted_folder(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    run = delivered_run(tmp_path, [pickle.dumps(Bomb(mark))])
    assert pickle.dumps(Bomb(mark)) == (run.path / "model" / "member0-0.pkl").read_bytes()
    with pytest.raises(RunError, match="pickle"):
        DeliveredModel(run)
    assert not mark.exists()
    with pytest.raises(RunError, match="does not hold a model"):
        DeliveredModel(_trusted(run))
    assert mark.exists(), "the bomb does not work, so that the test shows nothing"


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_under_another_name_is_still_a_pickle(protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    run = delivered_run(tmp_path, [dump(1)])
    tamper(run, pickle.dumps(Bomb(mark), protocol=protocol))
    with pytest.raises(RunError):
        DeliveredModel(run)
    assert not mark.exists()


def tamper(run: RunFolder, data: bytes, **change: Any) -> None:
    """Replace the model file and make the manifest fit, as someone who knows the format can."""
    path = run.path / "model" / "manifest.json"
    manifest = json.loads(path.read_text())
    ref = manifest["members"][0]["files"][0]
    (run.path / "model" / ref["path"]).write_bytes(data)
    ref["sha256"] = hashlib.sha256(data).hexdigest()
    ref.update(change)
    path.write_text(json.dumps(manifest))


def crafted(form: Any) -> bytes:
    text = json.dumps({"version": 1, "value": form}).encode()
    return bytes(save({"structure": np.frombuffer(text, dtype=np.uint8)}))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"object": ["os:system", "touch ran"]}, "names the type 'os:system'"),
        ({"function": "os:system"}, "names the function 'os:system'"),
        ({"object": ["autodl.model:FittedModel", {"preparer": {"object": ["os:system", ""]}}]}, "os:system"),
        ({"object": ["autodl.model:FittedModel", {"preparer": 1}]}, "cannot be loaded"),
        ({"array": 5}, "cannot be loaded"),
        (None, "does not hold a model"),
    ],
)
def test_crafted_model_files_are_refused_in_one_line(
    form: Any, words: str, model: FittedModel, tmp_path: Path
) -> None:
    run = delivered_run(tmp_path, [model.to_bytes()])
    tamper(run, crafted(form))
    for folder in (run, _trusted(run)):  # trust opens pickles, it does not lengthen the list
        with pytest.raises(RunError, match=words) as caught:
            DeliveredModel(folder)
        assert "\n" not in str(caught.value)


def test_changed_bytes_are_noticed(model: FittedModel, tmp_path: Path) -> None:
    run = delivered_run(tmp_path, [model.to_bytes()])
    path = run.path / "model" / "member0-0.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(RunError, match="checksum"):
        DeliveredModel(run)


@pytest.mark.parametrize(
    "path", ["../secret", "/etc/hostname", "a/../../secret", "..", "", "C:\\secret", "..\\secret", "c:x", "a\x00b"]
)
def test_paths_that_lead_out_of_the_folder_are_refused(path: str, model: FittedModel, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    run = delivered_run(tmp_path, [model.to_bytes()])
    tamper(run, model.to_bytes(), path=path)
    with pytest.raises(RunError, match="leads out of its folder"):
        DeliveredModel(run)


def test_a_copied_folder_still_predicts(model: FittedModel, tmp_path: Path) -> None:
    run = delivered_run(tmp_path, [model.to_bytes(), model.to_bytes()])
    shutil.move(run.path, tmp_path / "elsewhere")
    moved = DeliveredModel(RunFolder(tmp_path / "elsewhere"))
    np.testing.assert_array_equal(moved.predict_raw(FRAME.head(3)), model.predict(FRAME.head(3)))


def test_a_trial_id_cannot_name_another_folder() -> None:
    from pydantic import ValidationError

    from autodl.records import TrialSpec

    assert TrialSpec(id="t0001", family="x").id == "t0001"
    for odd in ("../t", "a/b", "", "..", ".x", "a\\b", "t\n"):
        with pytest.raises(ValidationError):
            TrialSpec(id=odd, family="x")


def test_errors_name_the_remedy(model: FittedModel, tmp_path: Path) -> None:
    run = delivered_run(tmp_path, [model.to_bytes()])
    tamper(run, crafted({"object": ["someones_package:Thing", {}]}))
    with pytest.raises(AutodlError, match="Install the package"):
        DeliveredModel(run)


def test_what_is_delivered_combines_as_what_was_judged(model: FittedModel, tmp_path: Path) -> None:
    """A logarithmic pool with a calibration: the same numbers from the folder as from out-of-fold predictions."""
    from autodl.ensemble import combine
    from autodl.records import Calibration, Ensemble, Member

    other = fitted("forest", families["forest"].recipe)
    temperature = Calibration(kind="temperature", coefficients=(1.7,))
    members = (Member(trial_id="a", family="x", weight=0.7), Member(trial_id="b", family="x", weight=0.3))
    chosen = Ensemble(
        members=members, method="pooled", loss=0.1, single_loss=0.2, pooling="log", calibration=temperature
    )
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    kept = tuple(
        DeliveredMember(trial_id=m.trial_id, family="x", name="X", weight=m.weight, files=(), trained_on="folds")
        for m in members
    )
    manifest = ModelManifest(
        task=Task.CLASSIFICATION, target="y", features=SCHEMA, members=kept, pooling="log", calibration=temperature
    )
    deliver(run, manifest, [[model.to_bytes()], [other.to_bytes()]])
    expected = combine(chosen, {"a": model.predict(FRAME), "b": other.predict(FRAME)})
    np.testing.assert_allclose(DeliveredModel(run).predict_raw(FRAME), expected)
    plain = combine(chosen.model_copy(update={"pooling": "mean", "calibration": None}), {
        "a": model.predict(FRAME), "b": other.predict(FRAME),
    })  # fmt: skip
    assert np.abs(plain - expected).max() > 0.01


def test_each_file_of_a_model_waits_once_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)

    def waits(files: int) -> int:
        before, place = len(synced), tmp_path / str(files)
        place.mkdir()
        delivered_run(place, [b"no model"] * files)
        return len(synced) - before

    assert waits(11) - waits(1) == 10


def test_a_manifest_from_before_combinations_is_a_weighted_mean(model: FittedModel, tmp_path: Path) -> None:
    run = delivered_run(tmp_path, [model.to_bytes()])
    path = run.model_folder() / "manifest.json"
    old = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("pooling", "calibration", "factors")}
    path.write_text(json.dumps(old))
    np.testing.assert_array_equal(DeliveredModel(run).predict_raw(FRAME), model.predict(FRAME))


def test_models_with_equal_preparers_prepare_rows_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [fitted(key, Recipe()) for key in ("linear", "linear", "dummy")]
    run = delivered_run(tmp_path, [m.to_bytes() for m in models])
    expected = np.mean([m.predict(odd_rows()) for m in models], axis=0)
    calls = []
    prepare = Preparer.transform
    monkeypatch.setattr(Preparer, "transform", lambda self, frame: calls.append(1) or prepare(self, frame))
    found = DeliveredModel(run).predict_raw(odd_rows())
    assert len(calls) == 1
    np.testing.assert_array_equal(found, expected)
