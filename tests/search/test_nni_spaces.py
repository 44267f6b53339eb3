"""The reader of NNI's search spaces against NNI's own parsing and drawing."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.errors import ConfigError
from autodl.search.nni.library import require
from autodl.search.nni.translation import Translation
from autodl.search.space import parse_space

SPECS = [
    {"_type": "uniform", "_value": [0.1, 0.5]},
    {"_type": "loguniform", "_value": [1e-4, 0.1]},
    {"_type": "randint", "_value": [3, 9]},
    {"_type": "choice", "_value": ["relu", "tanh", 3, 0.5]},
    {"_type": "quniform", "_value": [16, 64, 16]},
    {"_type": "quniform", "_value": [1, 10, 2]},
    {"_type": "quniform", "_value": [0.1, 0.95, 0.25]},
    {"_type": "qloguniform", "_value": [8, 64, 1]},
    {"_type": "qloguniform", "_value": [10, 100, 8]},
    {"_type": "normal", "_value": [3, 0.5]},
    {"_type": "lognormal", "_value": [0, 0.5]},
    {"_type": "qnormal", "_value": [10, 2, 1.5]},
    {"_type": "qlognormal", "_value": [1, 0.5, 0.5]},
]


def drawn_by_nni(source, n):
    """Samples of NNI's random tuner."""
    pytest.importorskip("nni", reason="needs nni (extra 'nni')")
    require("nni-tpe")
    from nni.algorithms.hpo.random_tuner import suggest
    from nni.common.hpo_utils import deformat_parameters, format_search_space

    formatted = format_search_space(source)
    rng = np.random.default_rng(0)
    return [deformat_parameters(suggest(rng, formatted), formatted) for _ in range(n)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s['_type']}{s['_value']}")
def test_the_same_values_as_nni(spec):
    space = parse_space({"p": spec})
    rng = np.random.default_rng(1)
    theirs = [c["p"] for c in drawn_by_nni({"p": spec}, 3000)]
    ours = [space.sample(rng)["p"] for _ in range(3000)]
    if "normal" in spec["_type"]:  # a range of three standard deviations stands for the whole line
        assert np.mean([space.params["p"].allows(v) for v in theirs]) > 0.98
    else:
        assert all(space.params["p"].allows(v) for v in theirs)
    if spec["_type"] in ("uniform", "loguniform"):
        scale = np.log if "log" in spec["_type"] else np.asarray
        grid = [0.1, 0.5, 0.9]
        span = np.ptp(scale(theirs))
        assert np.quantile(scale(theirs), grid) == pytest.approx(np.quantile(scale(ours), grid), abs=0.05 * span)
    elif not spec["_type"].endswith("normal"):
        assert {np.round(v, 9) if not isinstance(v, str) else v for v in theirs} == {
            np.round(v, 9) if not isinstance(v, str) else v for v in ours
        }
    elif spec["_type"].startswith("q"):  # on the same grid
        assert all(abs(v / spec["_value"][2] - round(v / spec["_value"][2])) < 1e-9 for v in ours[:50]) or (
            space.params["p"].type == "choice"
        )


def test_nested_choices_as_nni_draws_them():
    source = {
        "layer": {
            "_type": "choice",
            "_value": [
                {"_name": "Empty"},
                {"_name": "Conv", "kernel": {"_type": "choice", "_value": [1, 3, 5]}},
                {"_name": "Pool", "size": {"_type": "randint", "_value": [2, 4]}},
            ],
        }
    }
    space = parse_space(source)

    def flat(layer):
        return {
            "layer": layer["_name"],
            **{f"layer.{layer['_name']}.{k}": v for k, v in layer.items() if k != "_name"},
        }

    theirs = {tuple(sorted(flat(c["layer"]).items())) for c in drawn_by_nni(source, 300)}
    rng = np.random.default_rng(1)
    assert theirs == {tuple(sorted(space.sample(rng).items())) for _ in range(300)}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"_type": "quniform", "_value": [1, 9, 0]}, "p: the last number of `_value`, the step, must be above 0"),
        ({"_type": "qloguniform", "_value": [0, 9, 1]}, "needs `low > 0`"),
        ({"_type": "quniform", "_value": [9, 1, 1]}, "`low <= high` must hold"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(spec, message):
    with pytest.raises(ConfigError, match=message):
        parse_space({"p": spec})


@pytest.mark.parametrize("list_up_to", [0, 64])
def test_samples_are_configurations_and_back(list_up_to):
    space = parse_space(
        {
            "x": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
            "k": {"type": "int", "low": 1, "high": 300, "log": True},
            "few": {"type": "int", "low": 2, "high": 20, "step": 3},
            "one": {"type": "float", "low": 2.0, "high": 2.0},
            "op": {"type": "choice", "values": ["a", 1, True, 1.5]},
            "width": {"type": "choice", "values": [64, 32, 16]},
            "deep": {"type": "int", "low": 0, "high": 5, "when": {"op": ["a", 1.5]}},
        }
    )
    translation = Translation(space, list_up_to)
    rng = np.random.default_rng(0)
    for _ in range(200):
        config = space.sample(rng)
        sample = translation.sample(config)
        assert sample.keys() == translation.json.keys()
        back = translation.config(sample)
        assert back.keys() == config.keys()
        for name, value in config.items():
            assert type(back[name]) is type(value), name
            assert back[name] == (pytest.approx(value) if isinstance(value, float) else value), name
        deep = f"p{space.order().index('deep')}"
        assert (deep in translation.existing(config)) == ("deep" in config)
