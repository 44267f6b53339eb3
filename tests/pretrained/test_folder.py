"""Networks from a folder, as transformers writes them, against the library itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from autodl.errors import ConfigError
from autodl.pretrained._texts import both_ends
from autodl.pretrained.digest import digest_of
from autodl.pretrained.finding import by_key, find, key_of, loaded
from autodl.pretrained.folder import FolderEncoder, hub_encoder
from autodl.records import Modality

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "dog", "sat", "ran", "far", "away"]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A network for texts with weights drawn at random."""
    transformers = pytest.importorskip("transformers", reason="the extra text is not installed")
    import torch

    torch.manual_seed(0)
    size = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=80, **size)
    transformers.BertModel(config).save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    return tmp_path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A network for images with weights drawn at random."""
    transformers = pytest.importorskip("transformers", reason="the extra text is not installed")
    import torch

    torch.manual_seed(0)
    size = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=16, **size)).save_pretrained(tmp_path)
    said = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.2], "size": {"height": 32, "width": 32}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    return tmp_path


def test_texts_are_the_mean_over_their_tokens(texts: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    encoder = by_key(key_of(str(texts)))
    assert (encoder.modality, encoder.width, encoder.sizes) == (Modality.TEXT, 12, (64,))
    rows = ["a cat sat", "a dog ran far away"]
    found = loaded(encoder.key, digest_of(encoder.files()), 64)(rows)
    network, tokenizer = AutoModel.from_pretrained(texts).eval(), AutoTokenizer.from_pretrained(texts)
    for row, vector in zip(rows, found, strict=True):  # one by one: nothing is filled up
        with torch.no_grad():
            mean = network(**tokenizer(row, return_tensors="pt")).last_hidden_state[0].mean(0).numpy()
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


def test_of_long_texts_both_ends_are_read(texts: Path) -> None:
    encode = by_key(key_of(str(texts))).load(8)
    long = "a cat sat " * 50
    (ids,) = encode.tokens_of([long + "far away"])  # type: ignore[attr-defined]
    named = [WORDS[k] for k in ids]
    assert named == ["[CLS]", "a", "cat", "sat", "sat", "far", "away", "[SEP]"]
    assert both_ends([1, 2, 3], 2) == [1, 3]
    assert both_ends([1, 2, 3], 1) == [1]


def test_images_are_scaled_as_the_folder_says(images: Path) -> None:
    import torch
    from transformers import AutoModel

    encoder = by_key(key_of(str(images)))
    assert (encoder.modality, encoder.width, encoder.sizes) == (Modality.IMAGE, 12, (32,))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    scaled = (pixels / 255.0 - [0.5, 0.4, 0.3]) / 0.2
    with torch.no_grad():
        given = torch.from_numpy(scaled).permute(0, 3, 1, 2).float()
        expected = AutoModel.from_pretrained(images).eval()(pixel_values=given).pooler_output.numpy()
    np.testing.assert_allclose(encoder.load(32)(pixels), expected, atol=1e-5)
    assert encoder.load(32)(np.zeros((1, 80, 80, 3), np.uint8)).shape == (1, 12)


def test_a_layer_that_the_files_lack_is_not_drawn_at_random(tmp_path: Path, images: Path) -> None:
    """A network that was trained to classify has no pooling layer of its own."""
    import torch
    from transformers import AutoModel, ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    size = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    place = tmp_path / "classifier"
    ViTForImageClassification(ViTConfig(image_size=32, patch_size=16, **size)).save_pretrained(place)
    (place / "preprocessor_config.json").write_text((images / "preprocessor_config.json").read_text())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        found.append(by_key(key_of(str(place))).load(32)(pixels))
    np.testing.assert_array_equal(*found)
    given = torch.from_numpy((pixels / 255.0 - [0.5, 0.4, 0.3]) / 0.2).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        last = AutoModel.from_pretrained(place).eval()(pixel_values=given).last_hidden_state
    np.testing.assert_allclose(found[0], last.mean(1).numpy(), atol=1e-5)


def test_a_wish_for_images_leaves_texts_to_what_is_installed(images: Path) -> None:
    assert find(str(images), Modality.IMAGE).encoder is not None
    other = find(str(images), Modality.TEXT)
    assert other.encoder is None or other.encoder.key != key_of(str(images))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "holds no config.json"),
        ({"config.json": "no json"}, "holds no config.json"),
        ({"config.json": "{}"}, "does not say how wide"),
        ({"config.json": '{"hidden_size": 8}'}, "no tokenizer and no preprocessor_config.json"),
        ({"config.json": '{"hidden_size": 8}', "vocab.txt": "a"}, "cannot be loaded"),
    ],
)
def test_folders_that_hold_no_network_are_refused_in_words(tmp_path: Path, files: dict[str, str], words: str) -> None:
    pytest.importorskip("transformers", reason="the extra text is not installed")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=words):
        loaded(key_of(str(tmp_path)), digest_of(FolderEncoder(tmp_path).files()), 64)


def test_a_folder_that_is_gone_is_named() -> None:
    with pytest.raises(ConfigError, match="there is no folder /no/such/place"):
        FolderEncoder(Path("/no/such/place"))


def test_what_is_on_no_disk_is_fetched_for_a_wish_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers", reason="the extra text is not installed")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match=r"'own/net' is not on this machine.*hf download own/net"):
        hub_encoder("own/net", fetch=False)
    with pytest.raises(ConfigError, match=r"no folder here and cannot be fetched.*network connection"):
        hub_encoder("own/net", fetch=True)
    with pytest.raises(ConfigError, match="no name on the Hugging Face hub"):
        hub_encoder("a/b/c", fetch=False)
