"""Speed: what is timed, and what is not."""

from __future__ import annotations

import itertools

import pytest

from harness.evaluation import throughput
from harness.models.backends.threads import ThreadLayout


def test_the_workload_is_fixed():
    texts = throughput.workload()
    assert len(texts) == len(set(texts)) == 64
    assert min(len(text.split()) for text in texts) == 4


def test_every_round_encodes_every_text_and_the_first_does_not_count(letters, monkeypatch):
    ticks = iter([0.0, 9.0, 10.0, 14.0, 20.0, 22.0, 30.0, 31.0])
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(ticks))
    speed = throughput.measure(letters, ["a", "bc"], rounds=3)
    assert len(letters.encoded) == 2 * 4
    assert speed.seconds == (4.0, 2.0, 1.0)
    assert (speed.texts_per_second_low, speed.texts_per_second, speed.texts_per_second_high) == (
        0.5,
        1.0,
        2.0,
    )
    assert speed.tokens == 3
    assert speed.tokens_per_second == 1.5


def test_a_workload_that_is_over_too_soon_is_repeated(letters, monkeypatch):
    ticks = iter([0.0, 0.125, 10.0, 11.0])
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(ticks))
    speed = throughput.measure(letters, ["a", "bc"], rounds=1)
    assert len(letters.encoded) == 2 * (1 + 3 + 3)
    assert (speed.texts, speed.tokens, speed.texts_per_second) == (6, 9, 6.0)
    monkeypatch.undo()
    assert speed.workload == throughput.measure(letters, ["a", "bc"], rounds=1).workload


@pytest.mark.parametrize(
    ("how", "warm_ups"), [("calibrated", 1), ("calibrated before", 1), ("not calibrated", 4)]
)
def test_a_model_whose_threads_are_calibrated_is_warm_after_one_pass(how, warm_ups, letters, monkeypatch):
    letters.threads = ThreadLayout(2, 1, how)
    ticks = iter([0.0, 0.125, 10.0, 11.0])
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(ticks))
    throughput.measure(letters, ["a", "bc"], rounds=1)
    assert len(letters.encoded) == 2 * (warm_ups + 3)


@pytest.mark.parametrize(
    ("seconds", "rounds"),
    [
        ([1.0, 1.0, 1.0, 1.05, 1.0], 5),
        ([0.3, 0.5] * 8, 13),  # 5.2 s: no quieter
        ([0.1, 0.2] * 8, 15),
        ([2.0, 1.0] * 3, 5),
        ([30.0], 1),
    ],
)
def test_more_rounds_are_timed_only_where_they_differ(seconds, rounds, letters, monkeypatch):
    clock = iter([0.0, 9.0])

    def ticking():
        for second in seconds:
            yield 0.0
            yield second

    times = itertools.chain(clock, ticking())
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(times))
    assert len(throughput.measure(letters, ["a", "bc"]).seconds) == rounds


def test_tokens_that_the_model_does_not_read_do_not_count(letters):
    speed = throughput.measure(letters, ["a" * 100, "b"], rounds=1)
    assert speed.tokens == speed.texts / 2 * 65


def test_the_real_models_speed_is_of_the_right_order(minilm):
    speed = throughput.measure(minilm, throughput.workload()[:16], rounds=2)
    assert speed.texts_per_second_low <= speed.texts_per_second <= speed.texts_per_second_high
    assert 1 < speed.texts_per_second < 100_000
    assert speed.tokens_per_second == pytest.approx(speed.tokens / (sum(speed.seconds) / 2), rel=0.5)
