"""When a search may end before its time: simulated searches whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.records import Cost, TrialResult, TrialSpec, TrialStatus
from autodl.search.patience import LEAST_S, LEAST_TRIALS, Gain, Patience, later_half, told
from autodl.search.repeats import Repeats, again, merged

ERROR = 0.01


def trial(number, loss, at, *, family="toy", origin="auto", of=None, split=0):
    spec = TrialSpec(id=f"t{number:04d}", family=family, config={"x": number}, origin=origin)
    if of is not None:
        spec = again(of, split, spec.id)
    return TrialResult(
        spec=spec, status=TrialStatus.OK, loss=loss, score=-loss, fold_losses=(loss,), cost=Cost(fit_s=1.0),
        started_s=at - 1.0, finished_s=at,
    )  # fmt: skip


def compare(earlier, now):
    """The fall of the best loss, with a known standard error."""
    return Gain(min(r.loss for r in earlier) - min(r.loss for r in now), ERROR)


def ended_at(losses, *, total=400.0, kinds=1, seconds=1.0, families=("toy",)):
    """The trial at which a search with these losses, one every so many seconds, is ended; None if it is not."""
    patience, finished = Patience(compare, total, kinds), []
    for i, loss in enumerate(losses, 1):
        finished.append(trial(i, float(loss), i * seconds, family=families[i % len(families)]))
        if patience.look(finished, i * seconds) is not None:
            return i
    return None


def test_a_flat_search_is_ended_but_not_at_once():
    rng = np.random.default_rng(0)
    at = ended_at(1.0 + np.abs(rng.normal(0, ERROR / 5, 400)))
    assert at is not None
    assert at >= 2 * LEAST_TRIALS


def test_a_search_that_falls_steadily_is_never_ended():
    assert ended_at(1.0 - 0.002 * np.arange(400)) is None
    # By a constant factor in each doubling of the time, as long searches do.
    assert ended_at(np.arange(1, 401) ** -0.1) is None


def test_late_steps_beyond_noise_keep_it_going_until_they_are_long_past():
    losses = np.r_[np.full(60, 1.0), np.full(340, 0.95)]
    at = ended_at(losses)
    assert at is None or at >= 120  # the step must lie in the first half


def test_the_longer_the_budget_the_less_a_small_gain_is_held_for_nothing():
    losses = 1.0 - 0.7 * ERROR * (np.arange(200) >= 70)  # below the noise, at trial 70
    assert ended_at(losses, total=200.0) is not None
    early = ended_at(losses[:120], total=200.0)
    late = ended_at(losses[:120], total=20_000.0)
    assert early is not None and (late is None or late > early)


def test_short_searches_and_those_of_one_kind_go_on():
    flat = np.ones(200)
    assert ended_at(flat, seconds=0.5 * LEAST_S / LEAST_TRIALS / 4) is None  # all within a few seconds
    assert ended_at(flat, kinds=3) is None  # only one of three was tuned of late
    assert ended_at(flat, kinds=3, families=("toy", "other")) is not None


def test_what_cannot_be_measured_ends_nothing():
    patience = Patience(lambda earlier, now: None, 400.0)
    assert patience.look([trial(i, 1.0, float(i)) for i in range(1, 200)], 200.0) is None


def test_the_later_half_begins_at_half_of_trials_or_half_of_time_whichever_is_earlier():
    slow_start = [trial(i, 1.0, 100.0 + i) for i in range(1, 101)]  # nothing in the first half of the time
    slow_start[0] = slow_start[0].model_copy(update={"started_s": 0.0})
    half = later_half(slow_start, 200.0)
    assert half is not None
    assert half.seconds == pytest.approx(100.0)
    assert half.tuned == 100
    even = [trial(i, 1.0, float(i)) for i in range(1, 101)]
    half = later_half(even, 100.0)
    assert half is not None
    assert half.tuned == pytest.approx(50, abs=2)
    assert len(half.earlier) + half.tuned == 100
    assert later_half([trial(1, 1.0, 1.0, origin="portfolio")], 2.0) is None


def test_repeats_count_as_one_configuration():
    finished = [trial(i, 1.0, float(i)) for i in range(1, 61)]
    finished += [trial(100 + i, 1.0, 60.0 + i, of=finished[0].spec, split=i) for i in range(1, 5)]
    half = later_half(finished, 64.0)
    assert half is not None
    assert len(half.now) == 60


@pytest.mark.parametrize(
    ("fall", "verdict"), [(0.0, "no"), (0.5 * ERROR, "no"), (1.5 * ERROR, "unclear"), (5 * ERROR, "yes")]
)
def test_a_run_that_used_its_time_says_what_the_end_brought(fall, verdict):
    finished = [trial(i, 1.0 - fall * (i > 150), float(i)) for i in range(1, 201)]
    more = told(finished, 200.0, compare)
    assert more is not None
    assert (more.verdict, more.ended) == (verdict, False)
    assert more.gain == pytest.approx(fall)
    assert told(finished[:8], 8.0, compare) is None


def noisy_search(rng, n_trials, *, most, noise=1.0, spread=0.3, head_start=0.8):
    """The true loss of what a search delivers: a good default, and many worse configurations nearly alike.

    Without repeats the best of many lucky ones beats the default sooner or later: more trials make it worse. The
    measured loss of a configuration on a split is its true loss plus noise; independent of the code under test
    but for the choice of what is repeated and of the best by the means.
    """
    truth: dict[str, float] = {}
    finished: list[TrialResult] = []
    race = Repeats(most, timed=False)
    for number in range(1, n_trials + 1):
        due = race.next(merged(finished), finished, [])
        if due:
            first, split = due[0]
            loss = truth[first.spec.id] + noise * rng.normal()
            finished.append(trial(number, loss, float(number), of=first.spec, split=split))
        else:
            new = trial(number, 0.0, float(number))
            truth[new.spec.id] = spread * rng.normal() - head_start * (number == 1)
            loss = truth[new.spec.id] + noise * rng.normal()
            finished.append(new.model_copy(update={"loss": loss}))
    best = min(merged(finished), key=lambda r: r.loss)
    return truth[best.spec.id], best.loss


def test_more_trials_do_not_make_it_worse_and_repeats_make_it_better_and_less_rosy():
    def mean(n, most):
        found = [noisy_search(np.random.default_rng([n, most, seed]), n, most=most) for seed in range(50)]
        true, seen = np.mean(found, axis=0)
        return true, true - seen

    guarded = [mean(n, 5)[0] for n in (10, 25, 60)]
    alone = [mean(n, 1)[0] for n in (10, 60)]
    assert alone[1] > alone[0] + 0.05  # what is guarded against
    assert guarded[2] <= guarded[0]
    (true, rosy), (true_alone, rosy_alone) = mean(60, 5), mean(60, 1)
    assert true < true_alone
    assert rosy < 0.6 * rosy_alone
