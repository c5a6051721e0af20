"""Real worker processes, with models that need no torch."""

from __future__ import annotations

import os
import signal

import pytest

from harness.bench.process import Worker
from harness.bench.protocol import MeasureMemory, PeakMemory
from harness.bench.session import BenchPlan, failed_variants, measure
from harness.bench.workloads import Workload
from harness.errors import HarnessError

from .conftest import ACTING, CheckedProgress, variant

WORK = Workload("work", tuple(f"text number {number}" for number in range(8)))


@pytest.fixture(autouse=True)
def few_plugins(monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts")


def bench(*acts, **plan):
    given = {"margin": 0.05, "budget": 4.0, "plugins": (str(ACTING),), **plan}
    variants = [variant(act, act) for act in acts]
    return measure(BenchPlan(variants=variants, workloads=[WORK], **given), CheckedProgress(), started="now")


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.slow
def test_a_model_that_takes_half_the_time_is_twice_as_fast_and_as_fast_as_itself(quick_rounds):
    found = bench("sleep-8", "sleep-4", against_itself=True)
    assert failed_variants(found) == []
    (ratio,), (floor,) = found.ratios, found.noise_floor
    assert 1 < ratio.ratio.low < ratio.ratio.high < 4
    assert ratio.ratio.value == pytest.approx(2, rel=0.25)
    assert ratio.comparison == "faster"
    assert floor.ratio.low < 1.05
    assert floor.ratio.high > 0.95
    one = found.variants[0]
    assert one.model == "sleep-8"
    assert one.start.first_encode >= 0.008
    assert one.start.imports > 0
    assert one.memory.peak >= one.memory.loaded > 5e6
    (work,) = one.workloads
    assert (work.texts, work.tokens, work.padded_tokens) == (8, 24, 48)
    assert work.latency.p50 >= 8
    assert work.share_of_ceiling is None
    # Sleeping costs no processor time.
    assert all(each.cpu < each.wall / 2 for each in work.rounds)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "said"),
    [
        pytest.param("raises", "ValueError: the model broke", id="raises"),
        pytest.param("exits", "ended \\(exit 3\\)\n  a library that prints.*\n  last words", id="exits"),
        pytest.param("garbage", "sent an invalid response", id="writes to descriptors that are not its own"),
        pytest.param("nothing-such-as-a-number", "could not convert", id="cannot be located"),
    ],
)
def test_a_model_that_misbehaves_is_an_error_and_the_others_finish(act, said, quick_rounds):
    import re

    found = bench(act, "sleep-2", budget=1.0)
    broken, fine = found.variants
    assert re.search(said, broken.error, re.DOTALL), broken.error
    assert fine.error is None
    assert len(fine.workloads[0].rounds) >= 6


@pytest.mark.slow
def test_what_libraries_print_does_not_disturb_responses():
    found = bench("sleep-1", budget=1.0)
    assert failed_variants(found) == []


def test_a_process_that_was_killed_is_named_with_its_signal():
    worker = Worker("victim")
    try:
        assert worker.ask(MeasureMemory(), PeakMemory).resident > 0
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(HarnessError, match=r"victim ended \(killed by SIGKILL\)") as error:
            worker.ask(MeasureMemory(), PeakMemory)
        assert "out of memory" in str(error.value)
    finally:
        worker.end()


def test_a_busy_process_is_gone_as_soon_as_it_is_ended():
    worker = Worker("sleeper", ("sleep", "60"))
    assert not gone(worker.pid)
    worker.end()
    assert gone(worker.pid)


def test_a_process_imports_nothing_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "msgspec.py").write_text('open("ran", "w").close()')
    worker = Worker("here")
    try:
        assert worker.ask(MeasureMemory(), PeakMemory).resident > 0
    finally:
        worker.end()
    assert not (tmp_path / "ran").exists()
