"""autodl learns from a folder of images: handwritten digits of scikit-learn, written as PNG files, a folder a class.

Run it with ``python examples/images.py [SECONDS] [FOLDER]``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import autodl


def write_digits(folder: Path) -> None:
    """``folder/DIGIT/NUMBER.png``, 8 x 8 pixels each."""
    digits = load_digits()
    for i, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        file = folder / str(digit) / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype(np.uint8)).save(file)


def main(seconds: float, folder: str | None = None) -> autodl.Run:
    with tempfile.TemporaryDirectory() as place:
        write_digits(Path(place))
        run = autodl.fit(place, time_budget=seconds, out=folder)
        print(run.leaderboard().to_string(index=False))
        print(run.predict(Path(place) / "3").head())
    print(f"The report: {run.report_path}")
    return run


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, sys.argv[2] if len(sys.argv) > 2 else None)
