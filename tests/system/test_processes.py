"""Helper processes: what they may import, and that none outlives its parent."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.system import processes

PARENT = """
import sys, time
from harness.system.processes import Process
child = Process([sys.executable, "-c", sys.argv[1]], sys.stderr.buffer)
child.stdout.readline()
print("started", flush=True)
time.sleep(60)
"""
CHILD = """
import ctypes, subprocess, time
from harness.system.processes import end_with_parent
{first}
end_with_parent()
print("started", flush=True)
{then}
"""
SLEEPING = "time.sleep(60)"
SLEEPING_IN_C = "ctypes.PyDLL(None).sleep(60)  # it keeps the interpreter's lock"


def stderr_after_kill(child):
    """Kill the parent of a process, wait for all that share its standard error, and return that."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, child], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as parent:
        assert parent.stdout.readline() == b"started\n"
        parent.kill()
        return parent.communicate(timeout=5)[1]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param("import fcntl; del fcntl.F_SETSIG", SLEEPING, id="on any system"),
        pytest.param("", 'subprocess.run(["sleep", "60"])', id="with what it started"),
        pytest.param(
            "",
            SLEEPING_IN_C,
            id="in C",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's kernel"),
        ),
    ],
)
def test_a_process_ends_when_its_parent_was_killed(first, then):
    assert stderr_after_kill(CHILD.format(first=first, then=then)) == b""


def test_a_process_with_another_parent_is_not_ended():
    script = CHILD.format(first="", then="")
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).stdout == b"started\n"


def imports_from(folder):
    """Start a module of ours in a folder with a foreign `msgspec.py`; return whether that was run."""
    Path(folder, "msgspec.py").write_text('open("ran", "w").close()')
    with tempfile.TemporaryFile() as stderr:
        process = processes.Process(processes.python_module("harness.bench.worker"), stderr)
        process.communicate(timeout=30)
        process.end()
    return Path(folder, "ran").exists()


def test_a_helper_process_imports_nothing_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not imports_from(tmp_path)


@pytest.mark.parametrize("entry", ["", "the folder"])
def test_a_helper_process_imports_from_the_current_folder_if_this_process_does(entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry and os.fspath(tmp_path), *sys.path])
    assert imports_from(tmp_path)
