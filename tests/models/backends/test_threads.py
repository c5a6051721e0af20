"""Thread layouts: which exist, which is chosen, and that results keep their order."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import HarnessError
from harness.models.backends import threads as threads_module
from harness.models.backends.threads import ThreadLayout, Workers, thread_layouts


@pytest.mark.parametrize(
    ("requested", "available", "expected"),
    [
        pytest.param("auto", 1, [(1, 1)], id="one core"),
        pytest.param("auto", 2, [(2, 1), (1, 2)], id="two cores"),
        pytest.param("auto", 8, [(8, 1), (4, 2), (2, 4), (1, 8)], id="eight cores"),
        pytest.param("3", 8, [(3, 1), (1, 3)], id="fewer than there are"),
        pytest.param("2x3", 1, [(2, 3)], id="exactly these"),
    ],
)
def test_requested_threads_give_layouts(requested, available, expected):
    assert [
        (layout.workers, layout.per_worker) for layout in thread_layouts(requested, available)
    ] == expected


@given(st.integers(1, 256))
def test_no_layout_uses_more_threads_than_there_are(available):
    assert all(
        layout.workers * layout.per_worker <= available for layout in thread_layouts("auto", available)
    )


@pytest.mark.parametrize("requested", ["0", "x2", "2x", "2x0", "-1", "many", "", "1.5", "99999"])
def test_invalid_threads_are_refused(requested):
    with pytest.raises(HarnessError, match="not auto, N or WxT"):
        Workers(requested)


@given(st.integers(0, 60), st.integers(1, 4))
def test_results_come_in_the_order_of_their_batches(batches, count):
    def run(batch: int) -> int:
        time.sleep(0.0002 * (batch % 3))
        return batch * batch

    assert list(Workers(f"{count}x1").map(run, range(batches))) == [
        (batch, batch * batch) for batch in range(batches)
    ]


def test_batches_are_drawn_only_as_they_are_needed():
    drawn = []

    def batches():
        for batch in range(1000):
            drawn.append(batch)
            yield batch

    results = Workers("2x1").map(lambda batch: batch, batches())
    next(results)
    assert len(drawn) < 20


def test_every_worker_computes_with_the_threads_it_was_given():
    import torch

    before = torch.get_num_threads()
    assert {seen for _, seen in Workers("2x3").map(lambda _: torch.get_num_threads(), range(20))} == {3}
    assert torch.get_num_threads() == before


def test_a_batch_alone_gets_all_threads():
    import torch

    results = list(Workers("2x2").map(lambda _: torch.get_num_threads(), range(3), alone=True))
    assert [threads for _, threads in results] == [4, 4, 4]


def test_a_batch_that_is_not_divisible_gets_one_thread_even_alone():
    import torch

    results = list(
        Workers("2x2", divisible=False).map(lambda _: torch.get_num_threads(), range(3), alone=True)
    )
    assert [threads for _, threads in results] == [1, 1, 1]


def test_what_a_batch_raises_reaches_the_caller_and_later_batches_are_dropped():
    ran = []

    def run(batch: int) -> None:
        ran.append(batch)
        if batch == 3:
            raise ValueError("batch 3")

    with pytest.raises(ValueError, match="batch 3"):
        list(Workers("1x1").map(run, range(1000)))
    assert max(ran) < 20


def test_a_calibration_takes_the_layout_that_finishes_first(monkeypatch):
    monkeypatch.setattr(threads_module, "cores", lambda: 4)
    alone = Workers("4")

    def slow_in_parallel() -> None:
        time.sleep(0.001 if "_1" not in threading.current_thread().name else 0.02)

    alone.calibrate(slow_in_parallel)
    assert alone.layout == ThreadLayout(1, 4)
    assert alone.how == "calibrated"
    parallel = Workers("4")
    parallel.calibrate(lambda: time.sleep(0.005))
    assert parallel.layout == ThreadLayout(4, 1)


def test_a_calibration_stops_after_its_time(monkeypatch):
    monkeypatch.setattr(threads_module, "cores", lambda: 2)
    monkeypatch.setattr(threads_module, "_SECONDS", 0.0)
    calls = []
    Workers("2").calibrate(lambda: calls.append(1))
    assert (
        len(calls) == 1 + 2 * 4
    )  # one to see how long it takes, then each of two layouts once, four batches


def test_batches_that_take_too_long_are_not_tried(monkeypatch):
    monkeypatch.setattr(threads_module, "cores", lambda: 4)
    monkeypatch.setattr(threads_module, "_MAX_FIRST_ROUND", 0.01)
    workers_of_four, calls = Workers("4"), []
    workers_of_four.calibrate(lambda: calls.append(time.sleep(0.02)))
    assert (workers_of_four.layout, workers_of_four.how, len(calls)) == (
        ThreadLayout(4, 1),
        "too slow to try",
        1,
    )
    assert not workers_of_four.needs_calibration


def test_exactly_requested_threads_are_not_calibrated(monkeypatch):
    monkeypatch.setattr(threads_module, "cores", lambda: 2)
    assert not Workers("2x1").needs_calibration
    assert not Workers("1").needs_calibration
    assert Workers("2").needs_calibration
