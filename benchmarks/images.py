"""Photos in folders: accuracy of a fit with a time budget, and of the search against a fixed network.

    python benchmarks/images.py --data cifar10 --seconds 300 --seeds 0 1 2 --out images.jsonl
    python benchmarks/images.py --out images.jsonl --print
    python benchmarks/images.py --data cifar10 --blocks                       # images a second of kinds of blocks

DATA is a folder with `train` and `test`, each with a folder a class. Compared are, each in the same time:

- `all`: what `autodl fit` does by itself, with whatever pretrained networks are installed.
- `scratch`: the same with `--pretrained none`.
- `searched`: convolutional networks alone, architecture and augmentation searched.
- `fixed`: one ResNet of the usual form for small images (He et al. 2016, section 4.2, three blocks a stage, at twice
  its width), whose training alone is searched.

Each fit is an `autodl fit` of its own on `train`, scored on `test`, which it never sees. A line of JSON a fit; what
is in the file already is not run again, so take a new file for a new version.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from bench_fit import append, commit, facts, fit, predict, rows_of

FAMILY = "cnn"
RESNET = {
    "stem_width": 32, "stages": 3, "depth_1": 3, "depth_2": 3, "depth_3": 3, "width_1": 32, "width_2": 64,
    "width_3": 128, "stride_1": 1, "stride_2": 2, "stride_3": 2,
}  # fmt: skip
TRAINED = {
    "lr": {"type": "float", "low": 0.0005, "high": 0.01, "log": True, "default": 0.002},
    "weight_decay": {"type": "float", "low": 0.001, "high": 0.5, "log": True, "default": 0.05},
    "epoch_factor": {"type": "choice", "values": [0.3, 1.0, 2.0], "default": 1.0},
}
"""What is searched of the fixed network."""
WAYS: dict[str, tuple[str, ...]] = {
    "all": (),
    "scratch": ("--pretrained", "none"),
    "searched": ("--pretrained", "none", "--families", FAMILY),
    "fixed": ("--pretrained", "none", "--families", FAMILY),
}


def space_file(folder: Path) -> Path:
    """The search space in which only the training of the fixed network varies."""
    params = {name: {"type": "choice", "values": [value], "default": value} for name, value in RESNET.items()}
    file = folder / "fixed.yaml"
    file.write_text(
        yaml.safe_dump({FAMILY: {"params": {**params, **TRAINED}, "portfolio": [{}, {"epoch_factor": 0.3}]}})
    )
    return file


def accuracy(answers: pd.DataFrame) -> tuple[float, int]:
    """Share of files whose class, the folder that they lie in, was predicted, and how many they are."""
    truth = [Path(str(file)).parts[-2] for file in answers["file"]]
    return float((answers["prediction"].astype(str) == pd.Series(truth)).mean()), len(answers)


def measure(data: Path, way: str, seconds: float, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Fit, predict, score."""
    place = args.work / f"{data.name}-{way}-{seconds:g}-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    log, answers = place / "log.txt", place / "predictions.csv"
    flags = [*WAYS[way], *(["--space", str(space_file(place))] if way == "fixed" else [])]
    load = os.getloadavg()[0]
    took = fit(args.autodl, data / "train", flags, seconds, seed, place / "run", log)
    asked = predict(args.autodl, place / "run", data / "test", answers, log, proba=False)
    row: dict[str, Any] = {
        "data": data.name, "way": way, "seconds": seconds, "seed": seed, "accuracy": None, "error": None,
        "wall_s": round(took.wall_s, 2), "cpu_s": round(took.cpu_s, 1), "peak_mib": round(took.peak_bytes / 2**20),
        "predict_s": round(asked.wall_s, 2), "load": round(load, 1), "commit": commit(), **facts(place / "run"),
    }  # fmt: skip
    if took.code or asked.code:
        said = " ".join(log.read_text("utf-8", "replace").split())[-200:]
        row["error"] = f"fit {took.code}, predict {asked.code}: {said}"
    else:
        row["accuracy"], row["images"] = accuracy(pd.read_csv(answers))
    if not args.keep:
        shutil.rmtree(place / "run", ignore_errors=True)
    return row


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Mean accuracy of each way with its spread over seeds, and the search against the fixed network."""
    found: dict[tuple[str, float, str], dict[int, float]] = defaultdict(dict)
    for row in rows:
        if row["accuracy"] is not None:
            found[row["data"], row["seconds"], row["way"]][row["seed"]] = row["accuracy"]
    lines = [f"{'data':12} {'seconds':>7} {'way':9} {'seeds':>5} {'accuracy':>8} {'spread':>7}"]
    for (data, seconds, way), by_seed in sorted(found.items()):
        values = list(by_seed.values())
        spread = statistics.stdev(values) if len(values) > 1 else math.nan
        lines.append(f"{data:12} {seconds:7g} {way:9} {len(values):5} {statistics.mean(values):8.4f} {spread:7.4f}")
    for data, seconds in sorted({key[:2] for key in found}):
        searched, fixed = found[data, seconds, "searched"], found[data, seconds, "fixed"]
        if both := sorted({*searched} & {*fixed}):
            gains = [searched[seed] - fixed[seed] for seed in both]
            told = ", ".join(f"{gain:+.4f}" for gain in gains)
            lines.append(f"{data}, {seconds:g} s: searched minus fixed {statistics.mean(gains):+.4f} (seeds: {told})")
    return lines


def blocks(data: Path, steps: int = 4) -> list[str]:
    """Images a CPU second that kinds of blocks train on one core, in 32 and in 16 bits."""
    import torch

    from autodl.models.cnn import CnnConfig
    from autodl.models.nn.conv_cost import convnet_cost
    from autodl.models.nn.convnet import ConvNet
    from autodl.models.nn.image_net import ImageNet
    from autodl.search.space import family_space

    torch.set_num_threads(1)
    first = next(path for path in sorted(data.glob("train/*/*")) if path.is_file())
    from PIL import Image

    side = Image.open(first).size[0]
    images, target = torch.randint(0, 256, (64, side, side, 3), dtype=torch.uint8), torch.arange(64) % 10
    lines = [f"{'blocks':12} {'million multiplications':>24} {'32 bits':>8} {'16 bits':>8}"]
    for start in family_space(FAMILY).starts():
        config = CnnConfig(**{k: v for k, v in start.items() if not k.startswith("prep.")}).for_side(side)
        rates = []
        for half in (False, True):
            body = ConvNet(config, 3, 0, dims=2)
            module = ImageNet(body, body.width, 1, None, 10)
            optimizer = torch.optim.AdamW(module.parameters(), fused=True)
            took = []
            for _ in range(steps):
                begun = time.process_time()
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
                    output = module(images, torch.ones(64, 1))
                torch.nn.functional.cross_entropy(output.float(), target).backward()
                optimizer.step()
                optimizer.zero_grad()
                took.append(time.process_time() - begun)
            rates.append(64 / min(took[1:]))
        millions = convnet_cost(config, 3, 10, (side, side)).multiplications / 1e6
        lines.append(f"{config.block[0]:12} {millions:24.1f} {rates[0]:8.0f} {rates[1]:8.0f}")
    return lines


def main() -> None:
    """Parse, run what is not there yet, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", default=[])
    parser.add_argument("--seconds", type=float, nargs="+", default=[300.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    parser.add_argument("--out", type=Path, default=Path("images.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("images-work"))
    parser.add_argument("--keep", action="store_true", help="keep the run folders")
    parser.add_argument("--print", action="store_true", help="only print what is in the file")
    parser.add_argument("--blocks", action="store_true", help="measure the speed of kinds of blocks instead")
    args = parser.parse_args()
    if args.blocks:
        for data in args.data:
            print("\n".join(blocks(data)))
        return
    if not args.print:
        done = {
            (r["data"], r["way"], r["seconds"], r["seed"]) for r in rows_of(args.out) if r["accuracy"] is not None
        }
        for seed in args.seeds:  # all ways of a seed one after another, so that each meets the same machine
            for data in args.data:
                for seconds in args.seconds:
                    for way in args.ways:
                        if (data.name, way, seconds, seed) not in done:
                            append(args.out, measure(data.resolve(), way, seconds, seed, args))
    print("\n".join(table(rows_of(args.out))))


if __name__ == "__main__":
    main()
