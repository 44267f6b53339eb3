"""Problems of many kinds whose best loss is known by construction, for ``benchmarks/search.py --part synthetic``.

Minima of smooth functions are moved away from the middle and the corners of their ranges, where some methods begin.
Formulas: Surjanovic and Bingham, Virtual Library of Simulation Experiments; traps: Deb and Goldberg, FOGA 1993.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from autodl.search import SearchSpace, parse_space

Config = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """A loss over a space.

    Attributes:
        space: Where to search.
        truth: The loss without noise.
        best: The lowest loss there is.
        noise: Standard deviation of what each call adds.
    """

    space: SearchSpace
    truth: Callable[[Config], float]
    best: float
    noise: float = 0.0

    def loss(self, seed: int) -> Callable[[Config, float | None], float]:
        """What a search sees."""
        rng = np.random.default_rng([seed, 99])
        return lambda c, _: self.truth(c) + (self.noise * float(rng.normal()) if self.noise else 0.0)


def numbers(d: int, low: float, high: float) -> SearchSpace:
    return parse_space({f"x{i}": {"type": "float", "low": low, "high": high} for i in range(d)})


def vector(c: Config, d: int) -> np.ndarray:
    return np.array([c[f"x{i}"] for i in range(d)], dtype=float)


def moved(d: int, low: float, high: float) -> np.ndarray:
    """Where the minimum is put; the same in every run."""
    return np.random.default_rng(d).uniform(low + 0.2 * (high - low), high - 0.2 * (high - low), d)


def branin(x: np.ndarray) -> float:
    bowl = (x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6) ** 2
    return float(bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10)


def hartmann6(x: np.ndarray) -> float:
    a = np.array(
        [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    )
    p = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    return float(-np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(a * (x - p) ** 2).sum(axis=1)))


def ackley(z: np.ndarray) -> float:
    return float(
        -20 * math.exp(-0.2 * math.sqrt((z**2).mean())) - math.exp(np.cos(2 * math.pi * z).mean()) + 20 + math.e
    )


def rosenbrock(x: np.ndarray) -> float:
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def smooth(name: str) -> Problem:
    if name == "branin":
        space = parse_space(
            {"x0": {"type": "float", "low": -5, "high": 10}, "x1": {"type": "float", "low": 0, "high": 15}}
        )
        return Problem(space, lambda c: branin(vector(c, 2)), 0.397887)
    if name == "rosenbrock10":
        return Problem(numbers(10, -2, 3), lambda c: math.log1p(rosenbrock(vector(c, 10))), 0.0)
    if name in ("hartmann6", "noisy hartmann6"):
        noise = 0.2 if name.startswith("noisy") else 0.0
        return Problem(numbers(6, 0, 1), lambda c: hartmann6(vector(c, 6)), -3.32237, noise)
    d = int(name.removeprefix("ackley"))
    at = moved(d, -20, 20)
    return Problem(numbers(d, -20, 20), lambda c: ackley(vector(c, d) - at), 0.0)


def sparse(d: int = 25) -> Problem:
    """Of many numbers three matter."""
    at = moved(3, 0, 1)
    return Problem(numbers(d, 0, 1), lambda c: float(((vector(c, 3) - at) ** 2).sum()), 0.0)


def integers(d: int = 8) -> Problem:
    """Whole numbers only, some on a log scale, with interactions of neighbours."""
    body = {f"x{i}": {"type": "int", "low": 1, "high": 200, "log": i % 2 == 0} for i in range(d)}
    at = np.round(moved(d, 1, 200))

    def truth(c: Config) -> float:
        z = np.log(vector(c, d) / at)
        return float((z**2).sum() + 0.5 * (z[1:] + z[:-1]).sum() ** 2)

    return Problem(parse_space(body), truth, 0.0)


def plateau(d: int = 5) -> Problem:
    """A bowl in steps: most of the space looks the same, and neighbours tie."""
    at = moved(d, 0, 1)
    return Problem(numbers(d, 0, 1), lambda c: math.floor(min(8.0, 40 * ((vector(c, d) - at) ** 2).mean())), 0.0)


def mixed() -> Problem:
    """Numbers whose best place depends on choices."""
    ops, acts = ["a", "b", "c", "d"], ["u", "v", "w"]
    body: dict[str, Any] = {f"x{i}": {"type": "float", "low": 0, "high": 1} for i in range(4)}
    body["rate"] = {"type": "float", "low": 1e-5, "high": 1.0, "log": True}
    body["units"] = {"type": "int", "low": 8, "high": 1024, "log": True}
    body |= {f"op{i}": {"type": "choice", "values": ops} for i in range(3)}
    body["act"] = {"type": "choice", "values": acts}

    def truth(c: Config) -> float:
        x, op = vector(c, 4), [ops.index(c[f"op{i}"]) for i in range(3)]
        total = ((x - 0.2 - 0.15 * np.array([*op, 1])) ** 2).sum()
        total += 0.1 * (math.log10(c["rate"]) + 3 - 0.5 * acts.index(c["act"])) ** 2
        total += 0.1 * math.log2(c["units"] / 100) ** 2 / 4
        return float(total + 0.3 * (op[0] != op[1]) + 0.2 * abs(op[2] - 2) + 0.3 * (c["act"] == "u"))

    return Problem(parse_space(body), truth, truth_of_mixed(truth))


def truth_of_mixed(truth: Callable[[Config], float]) -> float:
    """All numbers at their places; over the choices the best is the first of these."""
    at = {"x0": 0.2, "x1": 0.2, "x2": 0.5, "x3": 0.35, "rate": 10**-2.5, "units": 100}
    return truth({**at, "op0": "a", "op1": "a", "op2": "c", "act": "v"})


def conditional() -> Problem:
    """Three algorithms, each with parameters of its own; the one that is best when tuned is the worst untuned."""
    body: dict[str, Any] = {
        "kind": {"type": "choice", "values": ["forest", "boost", "net"]},
        "trees": {"type": "int", "low": 10, "high": 1000, "log": True, "when": {"kind": ["forest", "boost"]}},
        "features": {"type": "float", "low": 0, "high": 1, "when": {"kind": ["forest"]}},
        "rate": {"type": "float", "low": 1e-3, "high": 1, "log": True, "when": {"kind": ["boost"]}},
        "leaves": {"type": "int", "low": 2, "high": 256, "log": True, "when": {"kind": ["boost"]}},
        "step": {"type": "float", "low": 1e-5, "high": 1e-1, "log": True, "when": {"kind": ["net"]}},
        "layers": {"type": "int", "low": 1, "high": 6, "when": {"kind": ["net"]}},
        "norm": {"type": "choice", "values": ["none", "batch", "layer"], "when": {"kind": ["net"]}},
        "drop": {"type": "float", "low": 0, "high": 0.8, "when": {"layers": [3, 4, 5, 6]}},
    }

    def truth(c: Config) -> float:
        if c["kind"] == "forest":
            return 0.30 + 0.02 * (3 - math.log10(c["trees"])) + 0.1 * (c["features"] - 0.4) ** 2
        if c["kind"] == "boost":
            speed = math.log10(c["rate"]) + math.log10(c["trees"]) - 1
            return 0.22 + 0.1 * speed**2 + 0.02 * (math.log2(c["leaves"]) - 5) ** 2
        loss = 0.10 + 0.12 * (math.log10(c["step"]) + 3.3) ** 2 + 0.03 * (c["layers"] - 4) ** 2
        loss += {"none": 0.15, "batch": 0.0, "layer": 0.05}[c["norm"]]
        return float(loss + (0.5 * (c["drop"] - 0.3) ** 2 if "drop" in c else 0.05))

    return Problem(parse_space(body), truth, 0.10)


def trap(blocks: int = 4, size: int = 3) -> Problem:
    """Choices that mislead: in each block every single change from the second best is a change for the worse."""
    body = {f"c{i}": {"type": "choice", "values": ["p", "q"]} for i in range(blocks * size)}

    def truth(c: Config) -> float:
        total = 0.0
        for b in range(blocks):
            ones = sum(c[f"c{b * size + k}"] == "q" for k in range(size))
            total += 0.0 if ones == size else 0.4 + 0.6 * ones / (size - 1)
        return total

    return Problem(parse_space(body), truth, 0.0)


def switches(d: int = 30) -> Problem:
    """On or off, as in the choice of columns: main effects and pairs."""
    rng = np.random.default_rng(7)
    single = rng.normal(size=d)
    pair = np.triu(rng.normal(size=(d, d)) * (rng.random((d, d)) < 0.1), 1)
    body = {f"c{i}": {"type": "choice", "values": [False, True]} for i in range(d)}

    def value(z: np.ndarray) -> float:
        return float(single @ z + z @ pair @ z)

    best = math.inf
    for start in range(60):  # bit flips from many starts find the lowest value each time it is counted
        z = np.random.default_rng(start).integers(0, 2, d).astype(float)
        while True:
            flips = [value(np.abs(z - np.eye(d)[i])) for i in range(d)]
            if min(flips) >= value(z):
                break
            z = np.abs(z - np.eye(d)[int(np.argmin(flips))])
        best = min(best, value(z))
    return Problem(parse_space(body), lambda c: value(np.array([float(c[f"c{i}"]) for i in range(d)])), best)


def machine() -> Problem:
    """A real learner: support vectors on 200 handwritten digits, 3 folds, the kernel's parameters conditional."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    from sklearn.svm import SVC

    X, y = load_digits(return_X_y=True)
    X, y = X[:200], y[:200]
    body: dict[str, Any] = {
        "C": {"type": "float", "low": 1e-3, "high": 1e3, "log": True},
        "kernel": {"type": "choice", "values": ["linear", "poly", "rbf", "sigmoid"]},
        "gamma": {
            "type": "float",
            "low": 1e-5,
            "high": 10,
            "log": True,
            "when": {"kernel": ["poly", "rbf", "sigmoid"]},
        },
        "degree": {"type": "int", "low": 2, "high": 5, "when": {"kernel": ["poly"]}},
        "coef0": {"type": "float", "low": -1, "high": 1, "when": {"kernel": ["poly", "sigmoid"]}},
        "scale": {"type": "choice", "values": ["standard", "unit", "none"]},
    }

    def truth(c: Config) -> float:
        scale = {"standard": [StandardScaler()], "unit": [MinMaxScaler()], "none": []}[c["scale"]]
        given = {k: v for k, v in c.items() if k != "scale"}
        return 1.0 - float(cross_val_score(make_pipeline(*scale, SVC(**given)), X, y, cv=3).mean())

    return Problem(parse_space(body), truth, 0.0)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    **{n: lambda n=n: smooth(n) for n in ("branin", "hartmann6", "noisy hartmann6", "ackley5", "ackley20")},
    "rosenbrock10": lambda: smooth("rosenbrock10"),
    "sparse25": sparse,
    "integers8": integers,
    "plateau5": plateau,
    "mixed": mixed,
    "conditional": conditional,
    "trap": trap,
    "switches30": switches,
    "svm": machine,
}


@cache
def problem(name: str) -> Problem:
    return PROBLEMS[name]()


@cache
def middle(name: str) -> float:
    """The median loss of random configurations, which counts as 1."""
    p, rng = problem(name), np.random.default_rng(0)
    return float(np.median([p.truth(p.space.sample(rng)) for _ in range(101 if name == "svm" else 1000)]))
