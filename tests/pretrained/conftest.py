"""Fixtures of the tests of pretrained networks; their classes stand in ``tiny_encoders.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_encoders import TinyTexts, forget

from autodl.pretrained.base import encoders


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[TinyTexts]]:
    """The only encoder that is installed, and its weights."""
    (tmp_path / "weights.bin").write_bytes(b"weights")
    monkeypatch.setattr(TinyTexts, "place", tmp_path / "weights.bin")
    len(encoders)
    monkeypatch.setitem(encoders.__dict__, "_entries", {"tiny_texts": TinyTexts})
    forget()
    yield TinyTexts
    forget()
