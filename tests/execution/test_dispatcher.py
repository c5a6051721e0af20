"""Who gets which unit, what a lost one costs, which workers are refused."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.workers import FakeWorkers, Sum
from harness import HarnessError
from harness.execution.dispatcher import TRIES, Dispatcher
from harness.execution.unit_runner import versions
from harness.plugins.executor import UnitDone
from harness.system.plugin_code import PluginError
from harness.system.work_unit import Failure, Outcome


def opened(workers, notes=None):
    return Dispatcher(workers, versions(), (notes if notes is not None else []).append)


def done(unit, result):
    return Outcome(number=unit.number, result=result)


def finish(dispatcher, tickets):
    seen = 0
    while not all(ticket.done for ticket in tickets):
        seen = dispatcher.wait(seen)


@given(
    numbers=st.lists(st.integers(0, 9), min_size=1, max_size=20),
    workers=st.integers(1, 4),
    lost=st.sets(st.integers(0, 25), max_size=2),
)
@settings(max_examples=30, deadline=None)
def test_every_unit_is_done_once_whoever_ends(numbers, workers, lost):
    begun = iter(range(1000))
    fake = FakeWorkers(
        workers,
        lambda _, unit: None if next(begun) in lost else Outcome(number=unit.number, result=unit.numbers[0]),
    )
    dispatcher = opened(fake)
    try:
        tickets = [dispatcher.submit(Sum((number,))) for number in numbers]
        finish(dispatcher, tickets)
        assert [ticket.take() for ticket in tickets] == numbers
        happened = len([at for at in lost if at < len(fake.did)])
        assert dispatcher.counts.done == len(numbers)
        assert dispatcher.counts.repeated == dispatcher.counts.ended == happened
    finally:
        dispatcher.close()


def test_a_unit_whose_workers_end_three_times_is_an_error_and_the_others_are_done():
    notes: list[str] = []
    fake = FakeWorkers(2, lambda _, unit: None if unit.numbers == (13,) else done(unit, 1))
    dispatcher = opened(fake, notes)
    try:
        bad, *good = (dispatcher.submit(Sum((number,))) for number in (13, 1, 2, 3))
        finish(dispatcher, [bad, *good])
        assert [ticket.take() for ticket in good] == [1, 1, 1]
        assert [unit for _, unit in fake.did].count(Sum((13,))) == TRIES == 3
        with pytest.raises(HarnessError, match="adding: its worker ended 3 times") as raised:
            bad.take()
        assert raised.value.hint == "out of memory?"
        assert len(notes) == 3
        assert all("ended while adding (killed by SIGKILL)" in note for note in notes)
    finally:
        dispatcher.close()


def test_a_unit_without_memory_is_done_again_and_another_failure_is_not():
    tried: list[int] = []

    def do(_name, unit):
        tried.append(unit.numbers[0])
        full = unit.numbers == (1,) and tried.count(1) < 2
        return (
            Outcome(number=unit.number, failure=Failure(message="no memory", out_of_memory=full))
            if full
            else Outcome(number=unit.number, failure=Failure(message="a wrong model", hint="take another"))
        )

    dispatcher = opened(FakeWorkers(1, do))
    try:
        tickets = [dispatcher.submit(Sum((number,))) for number in (1, 2)]
        finish(dispatcher, tickets)
        assert sorted(tried) == [1, 1, 2]
        for ticket in tickets:
            with pytest.raises(HarnessError, match="a wrong model") as raised:
                ticket.take()
            assert raised.value.hint == "take another"
    finally:
        dispatcher.close()


def test_what_is_no_user_error_keeps_its_traceback():
    failure = Failure(message="ZeroDivisionError: division by zero", trace="Traceback …\n  File plugin.py")
    dispatcher = opened(FakeWorkers(1, lambda _, unit: Outcome(number=unit.number, failure=failure)))
    try:
        ticket = dispatcher.submit(Sum(()))
        finish(dispatcher, [ticket])
        with pytest.raises(PluginError, match="division by zero") as raised:
            ticket.take()
        assert raised.value.trace == failure.trace
    finally:
        dispatcher.close()


def test_units_of_one_model_go_where_it_is_loaded():
    fake = FakeWorkers(2)
    dispatcher = opened(fake)
    try:
        tickets = [dispatcher.submit(Sum((1,), group)) for group in "ab" * 10]
        finish(dispatcher, tickets)
    finally:
        dispatcher.close()
    by_worker = {name: [unit.group for worker, unit in fake.did if worker == name] for name in ("w1", "w2")}
    changes = sum(a != b for groups in by_worker.values() for a, b in itertools.pairwise(groups))
    assert changes <= 2, by_worker


def test_a_worker_of_another_version_is_refused_and_both_are_named():
    other = {"versions": {**versions(), "torch": "1.0"}}
    dispatcher = opened(FakeWorkers(1, facts=lambda _: other))
    try:
        with pytest.raises(HarnessError, match="has other versions than this process") as raised:
            finish(dispatcher, [dispatcher.submit(Sum(()))])
        assert f"torch 1.0 there, {versions()['torch']} here" in str(raised.value)
        with pytest.raises(HarnessError, match="other versions"):
            dispatcher.submit(Sum(()))
    finally:
        dispatcher.close()


def test_workers_that_never_start_are_an_error_with_what_they_wrote():
    dispatcher = opened(FakeWorkers(1, dead_at_start=3))
    try:
        with pytest.raises(HarnessError, match="3 workers in a row did not start: exit 1") as raised:
            finish(dispatcher, [dispatcher.submit(Sum(()))])
        assert "no module named harness" in str(raised.value)
    finally:
        dispatcher.close()


def test_units_that_were_not_begun_can_be_dropped():
    fake = FakeWorkers(1)
    dispatcher = opened(fake)
    try:
        tickets = [dispatcher.submit(Sum((number,))) for number in range(50)]
        dispatcher.cancel(tickets[25:])
        finish(dispatcher, tickets[:25])
        assert len(fake.did) <= 50
        assert dispatcher.left == 0
        assert all(ticket.done for ticket in tickets[:25])
    finally:
        dispatcher.close()


def test_an_error_of_the_executor_is_raised_where_the_run_waits():
    class Broken(FakeWorkers):
        def wait(self, seconds):
            raise OSError("the cluster is gone")

    dispatcher = opened(Broken(1))
    try:
        with pytest.raises(HarnessError, match="executor of a plugin failed: OSError: the cluster is gone"):
            finish(dispatcher, [dispatcher.submit(Sum(()))])
    finally:
        dispatcher.close()


def test_an_outcome_that_is_told_twice_is_not_taken_for_the_next_unit():
    class Twice(FakeWorkers):
        told: tuple[UnitDone, ...] = ()

        def wait(self, seconds):
            events = super().wait(seconds)
            again, self.told = self.told, tuple(one for one in events if isinstance(one, UnitDone))
            return [*again, *events]

    dispatcher = opened(Twice(1))
    try:
        tickets = [dispatcher.submit(Sum((number,))) for number in range(20)]
        finish(dispatcher, tickets)
        assert [ticket.take() for ticket in tickets] == list(range(20))
        assert dispatcher.counts.done == 20
    finally:
        dispatcher.close()


def test_an_executors_own_error_keeps_its_words():
    class Full(FakeWorkers):
        def wait(self, seconds):
            raise HarnessError("no place on this cluster", exists="2 of 2 taken", hint="wait")

    dispatcher = opened(Full(1))
    try:
        with pytest.raises(HarnessError) as raised:
            finish(dispatcher, [dispatcher.submit(Sum(()))])
        assert str(raised.value) == "no place on this cluster\n  2 of 2 taken\n  hint: wait"
    finally:
        dispatcher.close()
