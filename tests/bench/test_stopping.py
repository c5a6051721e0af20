from __future__ import annotations

import pytest

from harness.bench.intervals import FEWEST
from harness.bench.records import SpeedEstimate
from harness.bench.stopping import LOOKS, MOST_ROUNDS, Target, comparison, has_settled, is_enough, verdict

LATER = Target(margin=0.02, deadline=100.0)
CALM = [1.0, 1.001, 0.999, 1.002] * 6
NOISY = [1.0, 1.5, 0.7, 2.0] * 6


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param([1.0] * 5, False, id="five rounds say nothing"),
        pytest.param([1.0] * 6, True, id="six alike"),
        pytest.param([9.0, 3.0, 1.5, 1.0, 1.0, 1.0], False, id="still getting faster"),
        pytest.param([9.0, 3.0, 1.0, 1.01, 1.0, 1.0, 1.02], True, id="one slow start is behind"),
        pytest.param([1.0, 1.0, 1.0, 1.1, 1.1, 1.1], False, id="getting slower is no rest either"),
    ],
)
def test_warm_up_ends_when_times_settle(seconds, expected):
    assert has_settled(seconds) is expected


def test_rounds_end_when_every_estimate_is_precise():
    assert is_enough({"a": CALM, "b": CALM}, LATER, now=0.0)
    assert not is_enough({"a": CALM, "b": NOISY}, LATER, now=0.0)


def test_a_few_rounds_are_not_enough_even_if_they_agree():
    assert not is_enough({"a": [1.0] * 11}, LATER, now=0.0)
    assert is_enough({"a": [1.0] * 12}, LATER, now=0.0)


def test_precision_is_checked_ever_more_rarely():
    judged = [count for count in range(1, 100) if is_enough({"a": [1.0] * count}, LATER, now=0.0)]
    assert judged == [12, 15, 19, 24, 30, 38, 48, 60, 75, 94]
    assert max(LOOKS) == MOST_ROUNDS


def test_after_the_deadline_only_the_rounds_that_an_interval_needs_are_completed():
    assert not is_enough({"a": NOISY[: FEWEST - 1]}, LATER, now=100.0)
    assert is_enough({"a": NOISY[:FEWEST]}, LATER, now=100.0)


def test_rounds_end_at_their_maximum_number():
    assert is_enough({"a": (NOISY * 20)[:MOST_ROUNDS]}, Target(0.0001, 1e9), now=0.0)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param(1.01, 1.05, "faster", id="precise and above"),
        pytest.param(0.95, 0.99, "slower", id="precise and below"),
        pytest.param(0.98, 1.02, "no difference seen", id="precise and around"),
        pytest.param(0.80, 1.20, "too noisy to say", id="wide and around"),
        pytest.param(1.01, 1.60, "too noisy to say", id="wide, and hardly above"),
        pytest.param(1.60, 2.40, "faster", id="wide, and far above"),
        pytest.param(0.40, 0.60, "slower", id="wide, and far below"),
    ],
)
def test_a_comparison_follows_from_its_interval(low, high, expected):
    assert comparison(SpeedEstimate((low * high) ** 0.5, low, high)) == expected


def test_a_wide_interval_is_too_noisy_to_state():
    assert verdict(SpeedEstimate(100, 97, 103)) == "measured"
    assert verdict(SpeedEstimate(100, 90, 110)) == "too noisy to say"
