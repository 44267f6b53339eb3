"""Cost of networks: threads where they pay, and less of the planned length where patience ends it."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.features import Features
from autodl.models.base import Meta, Shape, families
from autodl.models.nn.cost import training_cost, used_share, useful_threads
from autodl.records import Task
from autodl.search.space import family_space
from autodl.train.config import TrainConfig, auto_epochs


def test_small_batches_stay_on_one_thread():
    assert useful_threads(8, 1e6) == 1
    assert useful_threads(8, 1e9) == 8
    assert useful_threads(1, 1e9) == 1


@pytest.mark.parametrize("key", ["mlp", "transformer"])
def test_more_threads_never_cost_more_and_help_large_problems(key):
    family = families[key]()
    for rows, numeric in ((500, 4), (5_000, 10), (100_000, 50)):
        one, two = (
            family.estimate_cost(Shape(rows=rows, numeric=numeric, classes=2, threads=t), family.config()).seconds
            for t in (1, 2)
        )
        assert two <= one
    assert two < 0.8 * one


def test_a_small_network_trains_on_one_thread_and_leaves_torch_as_it_was():
    import torch

    from autodl.models.mlp import Mlp
    from autodl.models.nn.mlp_config import MlpConfig

    seen = []

    class Watched(type(Mlp().build(MlpConfig(), Meta(Task.CLASSIFICATION, 2)))):
        def multiplications(self, module):
            module.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
            return super().multiplications(module)

    x = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    before = torch.get_num_threads()
    model = Watched(MlpConfig(epochs=1, width=16), Meta(Task.CLASSIFICATION, 2, threads=2))
    model.fit(Features(x, np.zeros((60, 0), np.int32)), np.arange(60) % 2)
    assert seen and set(seen) == {1}
    assert torch.get_num_threads() == before


def test_share_of_the_epochs_grows_with_the_rows():
    shares = [used_share(n) for n in (1, 100, 1_000, 10_000, 10**6)]
    assert shares == sorted(shares)
    assert shares[0] == 0.5 and shares[-1] == 0.8


@pytest.mark.parametrize("patience", [{"patience_share": 0.3}, {"patience": 30}])
def test_patience_that_waits_for_the_rate_to_fall_costs_more(patience):
    def seconds(**changes) -> float:
        config = TrainConfig(epochs=100, **changes)
        cost = training_cost(
            Shape(rows=500, numeric=4), config, flops_per_row=1e4, parameters=1e4, floats_per_row=100
        )
        return cost.seconds

    whole = seconds()
    shares = [seconds(schedule=s, **patience) / whole for s in ("cosine", "flat_cosine", "coslog4")]
    assert shares == pytest.approx([used_share(500), 0.8, 1.0])


def test_epochs_follow_the_rows_times_the_factor_unless_given():
    assert TrainConfig().n_epochs(10_000) == auto_epochs(10_000) == 64
    assert TrainConfig(epoch_factor=0.25).n_epochs(10_000) == 16
    assert TrainConfig(epochs=7, epoch_factor=0.25).n_epochs(10_000) == 7
    assert TrainConfig(epoch_factor=0.01).n_epochs(10**6) == 1


@pytest.mark.parametrize("key", ["catboost", "lightgbm", "mlp", "transformer"])
@pytest.mark.parametrize(
    "shape",
    [
        Shape(rows=26_000, numeric=6, categorical=8, levels=100, classes=2),
        Shape(rows=16_000, numeric=16, classes=26),
        Shape(rows=16_000, numeric=8),
    ],
)
def test_the_last_of_a_portfolio_is_quick(key, shape):
    family = families[key]()
    seconds = [
        family.estimate_cost(
            shape, family.config(**{k: v for k, v in c.items() if not k.startswith("prep.")})
        ).seconds
        for c in family_space(key).starts()
    ]
    assert seconds[-1] == min(seconds)
    assert seconds[-1] < 0.35 * seconds[0]
