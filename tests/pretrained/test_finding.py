"""Which encoder is found for which wish, and that models refuse another one than theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.errors import ConfigError, MissingDependencyError, RunError
from autodl.preprocess import Preparer
from autodl.preprocess.vectors import vector_memory
from autodl.pretrained.base import Encoder, encoders
from autodl.pretrained.digest import digest_of, model_files
from autodl.pretrained.finding import by_key, check_wish, find, key_of, loaded
from autodl.records import ColumnInfo, ColumnKind, Modality, Recipe, TableSchema, Task
from autodl.serialize import dump, load


def test_the_shipped_encoders_say_what_they_are() -> None:
    assert {e.modality for e in encoders.values()} == {Modality.IMAGE, Modality.TEXT}
    for key, encoder in encoders.items():
        assert encoder.key == key
        assert encoder.name and encoder.paper and encoder.requires
        assert encoder.extra in ("vision", "text")
        assert encoder.width > 0 and encoder.seconds > 0
        assert list(encoder.sizes) == sorted(encoder.sizes, reverse=True)


def test_one_that_is_installed_is_found(tiny: type[Encoder]) -> None:
    found = find("auto", Modality.TEXT)
    assert isinstance(found.encoder, tiny)
    assert find("none", Modality.TEXT).encoder is None
    assert find("auto", Modality.IMAGE).encoder is None


def test_one_that_is_not_installed_is_told_with_its_extra(
    tiny: type[Encoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny, "requires", ("no_such_package",))
    monkeypatch.setattr(tiny, "extra", "text")
    found = find("auto", Modality.TEXT)
    assert found.encoder is None
    assert found.why == (
        "Tiny would have been taken, but its package no_such_package is not installed (to add it: "
        'pip install "autodl[text]").'
    )
    with pytest.raises(MissingDependencyError, match=r'no_such_package.*pip install "autodl'):
        check_wish("tiny-texts")


def test_wishes_name_keys_folders_and_the_hub(tiny: type[Encoder], tmp_path: Path) -> None:
    assert key_of("Tiny-Texts") == "tiny_texts"
    assert key_of(str(tmp_path)) == f"folder:{tmp_path}"
    assert key_of("./here") == f"folder:{Path('here').absolute()}"
    assert key_of("google/vit-base") == "hub:google/vit-base"
    check_wish("auto")
    check_wish("google/vit-base")  # looked up when the data are known
    with pytest.raises(ConfigError, match=r"no pretrained network 'minilm'.*OWNER/NAME.*tiny_texts"):
        check_wish("minilm")


def test_the_digest_is_of_what_decides_the_answers(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    (tmp_path / "README.md").write_text("notes")
    before = digest_of(model_files(tmp_path))
    assert [f.name for f in model_files(tmp_path)] == ["config.json", "model.safetensors"]
    (tmp_path / "README.md").write_text("other notes")
    assert digest_of(model_files(tmp_path)) == before
    (tmp_path / "model.safetensors").write_bytes(b"abcd")
    assert digest_of(model_files(tmp_path)) != before


def test_another_network_than_that_of_the_training_is_refused(tiny: type[Encoder]) -> None:
    digest = digest_of(by_key("tiny_texts").files())
    loaded("tiny_texts", digest, 16)
    tiny.place.write_bytes(b"other weights")
    with pytest.raises(RunError, match=r"Tiny is not the one that the model was trained with.*train again"):
        loaded("tiny_texts", digest, 16)


def test_a_model_holds_the_name_of_its_encoder_and_prepares_the_same(tiny: type[Encoder]) -> None:
    column = ColumnInfo(name="t", kind=ColumnKind.TEXT, n=4, n_missing=1, n_unique=3)
    recipe = Recipe(text="none", text_encoder="tiny_texts", text_tokens=16, scale="none")
    frame = pd.DataFrame({"t": ["abba", "bach", None, "aa"]})
    preparer = Preparer(recipe, TableSchema(columns=(column,)), Task.CLASSIFICATION)
    found = preparer.fit_transform(frame, np.array([0, 1, 0, 1]))
    assert found.numeric_names == (*(f"t:feature {k}" for k in range(1, 9)), "t:missing")
    mean = np.array([5, 3, 1, 0, 0, 0, 0, 1]) / 3
    np.testing.assert_allclose(found.dense()[0, :8], np.array([2, 2, 0, 0, 0, 0, 0, 0]) - mean, atol=1e-3)
    assert found.dense()[:, 8].tolist() == [0, 0, 1, 0]
    stored = dump(preparer)
    assert b"weights" not in stored
    np.testing.assert_array_equal(load(stored).transform(frame).dense(), found.dense())
    tiny.place.write_bytes(b"other weights")
    new = pd.DataFrame({"t": ["never seen"]})
    with pytest.raises(RunError, match="not the one that the model was trained with"):
        load(stored).transform(new)


def test_trees_and_terms_may_stand_beside_embeddings(tiny: type[Encoder]) -> None:
    column = ColumnInfo(name="t", kind=ColumnKind.TEXT, n=4, n_missing=0, n_unique=4)
    recipe = Recipe(text="tfidf", text_encoder="tiny_texts", text_tokens=8, scale="standard")
    frame = pd.DataFrame({"t": ["a bad egg", "a big hedge", "bed and cage", "a face"]})
    preparer = Preparer(recipe, TableSchema(columns=(column,)), Task.CLASSIFICATION)
    found = preparer.fit_transform(frame, np.arange(4) % 2)
    assert found.is_sparse
    features = [k for k, name in enumerate(found.numeric_names) if name.startswith("t:feature")]
    assert len(features) == 8
    assert np.sqrt((found.dense()[:, features] ** 2).sum(axis=1).mean()) == pytest.approx(3.0, rel=1e-3)


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_memory, "_own", type(vector_memory._own)())
    monkeypatch.setattr(vector_memory, "_told", {})
