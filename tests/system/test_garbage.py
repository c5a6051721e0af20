"""Cyclic garbage: when Python looks for it in a process of ours."""

from __future__ import annotations

import gc

import pytest

from harness import __main__ as entry


@pytest.fixture
def thresholds():
    """Thresholds as they are, and objects as they are at the end of a test."""
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)
    gc.unfreeze()


def test_a_command_seldom_looks_for_garbage_and_not_at_its_end(monkeypatch, thresholds):
    monkeypatch.setattr("harness.cli.main", lambda: seen.append((gc.get_threshold()[0], gc.isenabled())))
    seen: list[tuple[int, bool]] = []
    frozen = gc.get_freeze_count()
    entry.main()
    assert seen[0][0] >= 10 * thresholds[0]
    assert seen[0][1], "garbage of a long run is still collected"
    assert gc.get_freeze_count() > frozen


@pytest.mark.parametrize("ended", [SystemExit(3), KeyboardInterrupt()])
def test_however_a_command_ends_its_objects_are_not_looked_at_again(ended, monkeypatch, thresholds):
    def run():
        raise ended

    monkeypatch.setattr("harness.cli.main", run)
    with pytest.raises(type(ended)):
        entry.main()
    assert gc.get_freeze_count()
