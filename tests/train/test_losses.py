"""Objectives against torch and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, mean_absolute_error, root_mean_squared_error

from autodl.train.data import TensorData
from autodl.train.losses import CrossEntropy, Regression, batch_loss, penalty_l1


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_torchs(rng, smoothing):
    output, target = torch.randn(20, 4, generator=rng), torch.randint(4, (20,), generator=rng)
    expected = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)(output, target)
    assert float(CrossEntropy(4, smoothing).loss(output, target)) == pytest.approx(float(expected), rel=1e-6)


def test_a_row_counts_alike_in_whatever_batch(rng):
    output, target = torch.randn(6, 3, generator=rng), torch.tensor([0, 1, 2, 0, 1, 2])
    weight = torch.tensor([9.0, 0.5, 3.0, 0.0, 1.0, 0.5])
    rows = TensorData((output,), target, weight).with_mean_weight_1()
    assert rows.weight.tolist() == pytest.approx((6 * weight / weight.sum()).tolist())
    whole = float((torch.nn.functional.cross_entropy(output, target, reduction="none") * weight).sum() / weight.sum())
    batches = [rows.take(torch.tensor(part)) for part in ([3, 0], [1, 5], [4, 2])]
    losses = [float(batch_loss(CrossEntropy(3), b.inputs[0], b)) for b in batches]
    assert np.mean(losses) == pytest.approx(whole, rel=1e-6)


def test_weights_of_0_stay_so():
    rows = TensorData((torch.zeros(2, 1),), torch.zeros(2), torch.zeros(2)).with_mean_weight_1()
    assert rows.weight.tolist() == [0.0, 0.0]


def test_members_are_trained_apart_and_predict_together(rng):
    output, target = torch.randn(10, 5, 3, generator=rng), torch.randint(3, (10,), generator=rng)
    objective = CrossEntropy(3)
    apart = [float(torch.nn.functional.cross_entropy(output[:, k], target)) for k in range(5)]
    assert float(objective.loss(output, target)) == pytest.approx(np.mean(apart), rel=1e-6)
    together = output.double().softmax(-1).mean(1)
    assert torch.allclose(objective.predict(output), together)
    measured = objective.finish(float(objective.row_errors(output, target).mean()))
    assert measured == pytest.approx(log_loss(target, together.numpy(), labels=[0, 1, 2]), rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "reference"), [("squared", root_mean_squared_error), ("absolute", mean_absolute_error)]
)
@pytest.mark.parametrize("shape", [(12, 1), (12, 4, 1)])
def test_regression_measures_are_scikit_learns(rng, kind, reference, shape):
    output, target = torch.randn(*shape, generator=rng), torch.randn(12, generator=rng)
    objective = Regression(kind)
    prediction = output.reshape(12, -1).mean(1)
    assert torch.allclose(objective.predict(output).float(), prediction, atol=1e-6)
    measured = objective.finish(float(objective.row_errors(output, target).mean()))
    assert measured == pytest.approx(reference(target, prediction), rel=1e-5)


def test_huber_is_torchs(rng):
    output, target = 3 * torch.randn(12, 1, generator=rng), torch.randn(12, generator=rng)
    expected = torch.nn.HuberLoss()(output[:, 0], target)
    assert float(Regression("huber").loss(output, target)) == pytest.approx(float(expected), rel=1e-6)


def test_unknown_regression_loss_is_refused():
    with pytest.raises(ValueError, match="cubed"):
        Regression("cubed")


def test_nan_output_gives_nan_error():
    errors = CrossEntropy(2).row_errors(torch.tensor([[float("nan"), 1.0]]), torch.tensor([0]))
    assert bool(errors.isnan().all())


def test_l1_penalty_sums_absolute_values():
    assert float(penalty_l1([torch.tensor([[1.0, -2.0]]), torch.tensor([[-3.0]])])) == 6.0
