"""Population based training in ``optimize``: a small network on a real table, epochs as fidelity, equal totals.

    python benchmarks/pbt_epochs.py DATA_FOLDER/cells.csv --target Class --seeds 3

Every strategy may go on from kept weights and pays only for new epochs. The rates of a configuration are constant:
what a schedule is worth, a strategy must find out by changing them on the way.
"""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

from autodl.search import optimize

SPACE = {
    "lr": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
    "momentum": {"type": "float", "low": 0.0, "high": 0.98},
    "weight_decay": {"type": "float", "low": 1e-6, "high": 0.1, "log": True},
    "dropout": {"type": "float", "low": 0.0, "high": 0.7},
    "smoothing": {"type": "float", "low": 0.0, "high": 0.2},
}


class Training:
    """Trains to a number of epochs, from the weights and the optimizer's state of any call before."""

    def __init__(self, path: Path, target: str, seed: int) -> None:
        frame = pd.read_csv(path)
        y = pd.factorize(frame[target], sort=True)[0]
        X = pd.get_dummies(frame.drop(columns=target)).to_numpy(np.float32)
        rest, test, y_rest, y_test = train_test_split(X, y, test_size=0.25, random_state=seed, stratify=y)
        train, valid, y_train, y_valid = train_test_split(
            rest, y_rest, test_size=0.33, random_state=seed, stratify=y_rest
        )
        scaler = StandardScaler().fit(train)
        self.train, self.valid, self.test = (
            (torch.tensor(scaler.transform(a), dtype=torch.float32), torch.tensor(b))
            for a, b in ((train, y_train), (valid, y_valid), (test, y_test))
        )
        self.seed, self.classes = seed, int(y.max()) + 1
        self.states: dict[int, tuple] = {}
        self.test_loss: dict[int, float] = {}

    def __call__(self, config, epochs, call):
        torch.manual_seed(1000 * self.seed + call.number)
        drop = nn.Dropout(config["dropout"])
        model = nn.Sequential(nn.Linear(self.train[0].shape[1], 64), nn.ReLU(), drop, nn.Linear(64, self.classes))
        optimizer = torch.optim.SGD(
            model.parameters(),
            lr=config["lr"],
            momentum=config["momentum"],
            weight_decay=config["weight_decay"],
        )
        done = 0
        if call.source is not None:
            weights, velocity, done = self.states[call.source]
            model.load_state_dict(weights)
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": copy.deepcopy(velocity), "param_groups": groups})
        loss_of = nn.CrossEntropyLoss(label_smoothing=config["smoothing"])
        X, y = self.train
        model.train()
        for _ in range(epochs - done):
            for rows in torch.randperm(len(y)).split(64):
                optimizer.zero_grad()
                loss_of(model(X[rows]), y[rows]).backward()
                optimizer.step()
        self.states[call.number] = copy.deepcopy(model.state_dict()), optimizer.state_dict()["state"], epochs
        model.eval()
        with torch.no_grad():
            plain = nn.CrossEntropyLoss()
            self.test_loss[call.number] = float(plain(model(self.test[0]), self.test[1]))
            return float(plain(model(self.valid[0]), self.valid[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--strategies", nargs="+", default=["random", "tpe", "auto", "pbt"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--full", type=int, default=20, help="full trainings that the total allows for")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("| search | seed | validation loss | test loss | calls | CPU s |\n|---|---|---|---|---|---|")
    found: dict[str, list[tuple[float, float]]] = {s: [] for s in args.strategies}
    for seed in range(args.seeds):
        for strategy in args.strategies:
            training, began = Training(args.path, args.target, seed), time.process_time()
            result = optimize(
                training, SPACE, strategy=strategy, fidelity=(1, args.epochs),
                max_fidelity_total=args.full * args.epochs, lineage=True, seed=seed,
            )  # fmt: skip
            used = time.process_time() - began
            top = max(e.fidelity for e in result.history if e.loss is not None)
            best = min((e for e in result.history if e.loss is not None and e.fidelity == top), key=lambda e: e.loss)
            pair = best.loss, training.test_loss[best.number]
            found[strategy].append(pair)
            shown = f"{pair[0]:.4f} | {pair[1]:.4f} | {len(result.history)} | {used:.1f}"
            print(f"| {strategy} | {seed} | {shown} |", flush=True)
    for strategy, pairs in found.items():
        mean = np.mean(pairs, axis=0)
        print(f"| {strategy} | mean | {mean[0]:.4f} | {mean[1]:.4f} | | |")


if __name__ == "__main__":
    main()
