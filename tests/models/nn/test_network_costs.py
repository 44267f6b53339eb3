"""What a training of each network over images, texts or series is said to take: numbers that were right before."""

from __future__ import annotations

import pytest

from autodl.models.base import Shape, families
from autodl.records import Modality

BUSY = Shape(
    rows=60_000, numeric=3, categorical=2, levels=9, text=2, text_tokens=30, classes=3, images=2, image_side=48,
    series=2, series_steps=700, series_channels=2, threads=4, speed=0.7,
)  # fmt: skip
BARE = Shape(rows=400, numeric=0)
"""Nothing is known but the rows."""
COSTS = {
    "cnn": ((136.6346093877551, 18.81212872), (408703612.0, 328866772.0)),
    "finetuned_cnn": ((374.28691142857144, 11.980464234666666), (635582560.0, 341981280.0)),
    "finetuned_text": ((39.75541714285715, 1.6701004799999999), (438928128.0, 317924096.0)),
    "inception_time": ((1048.3174138775512, 67.61212776), (434305912.0, 330154516.0)),
    "rnn": ((110.27495956821429, 7.9983497685), (404327149.2307692, 327751995.38461536)),
    "series_rnn": ((553.1404346514286, 32.02756128), (330507520.0, 305214720.0)),
    "series_transformer": ((593.3882887314286, 39.7978256), (378904832.0, 315417600.0)),
    "text_cnn": ((85.54189930285716, 5.9378321184), (418912640.0, 330138240.0)),
    "text_transformer": ((120.57078034285713, 8.9002298112), (533717760.0, 351308800.0)),
    "vit": ((680.5247436734695, 85.375632416), (976089696.0, 436795200.0)),
}
"""Seconds of the busy table and of the bare one, then bytes of both."""
FULL = {"precision": "full"}
"""So that it is the same on processors that have instructions for 16 bits."""


def estimated(key: str, shape: Shape) -> tuple[float, float]:
    family = families[key]
    found = family().estimate_cost(shape, family.config.model_validate(FULL))
    return found.seconds, found.bytes


def test_all_networks_over_media_are_tested_here() -> None:
    assert COSTS.keys() == {k for k, f in families.items() if f.deep and f.modalities != {Modality.TABLE}}


@pytest.mark.parametrize("key", COSTS)
def test_the_estimate_of(key, monkeypatch) -> None:
    for module in ("finetuned_cnn", "nn.text_trunk_cost"):
        monkeypatch.setattr(f"autodl.models.{module}.multiplies_bfloat16", lambda: False)
    for shape, seconds, size in zip((BUSY, BARE), *COSTS[key], strict=True):
        assert estimated(key, shape) == pytest.approx((seconds, size), rel=1e-9)
