from __future__ import annotations

import builtins
import importlib
import sys
import time

from harness.bench.worker import ImportTimer


def test_the_time_of_nested_imports_is_counted_once(tmp_path, monkeypatch):
    (tmp_path / "outer_slow.py").write_text("import time\ntime.sleep(0.05)\nimport inner_slow\n")
    (tmp_path / "inner_slow.py").write_text("import time\ntime.sleep(0.05)\n")
    monkeypatch.syspath_prepend(tmp_path)
    began = time.monotonic()
    with ImportTimer() as importing:
        importlib.import_module("outer_slow")
        time.sleep(0.05)
    assert 0.1 <= importing.seconds <= time.monotonic() - began - 0.05
    assert {"outer_slow", "inner_slow"} <= set(sys.modules)


def test_imports_are_as_before_afterwards():
    before = builtins.__import__, importlib.import_module
    with ImportTimer():
        assert builtins.__import__ is not before[0]
    assert (builtins.__import__, importlib.import_module) == before
