"""Lines that several processes append to one file."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.system import append
from harness.system.append import shared_file


def append_many(path, name, times, rows):
    for number in range(times):
        with shared_file(path, append=True) as file:
            seen = file.content().count(b"\n")
            lines = (f"{name} {number} {row} {seen} {'x' * 5_000}\n" for row in range(rows))
            file.append("".join(lines).encode())


def test_lines_of_processes_that_append_at_once_are_whole_and_each_saw_those_before(tmp_path):
    path = tmp_path / "shared"
    processes = [
        multiprocessing.get_context("spawn").Process(target=append_many, args=(path, name, 10, 4))
        for name in "abcd"
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    rows = [line.split() for line in path.read_text().splitlines()]
    assert len(rows) == 4 * 10 * 4
    assert all(len(row) == 5 and len(row[4]) == 5_000 for row in rows)
    assert [int(row[3]) for row in rows] == [4 * (place // 4) for place in range(160)]
    assert list(tmp_path.iterdir()) == [path]


def test_a_last_line_that_was_not_finished_is_left_as_a_line_of_its_own(tmp_path):
    path = tmp_path / "shared"
    path.write_bytes(b"whole\ntor")
    with shared_file(path, append=True) as file:
        file.append(b"next\n")
    assert path.read_bytes() == b"whole\ntor\nnext\n"


def test_a_disk_that_fills_up_within_the_lines_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "shared"
    path.write_bytes(b"whole\n")
    write = os.write

    def full(handle, content):
        if len(content) < 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, content[:4])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"), shared_file(path, append=True) as file:
        file.append(b"a line that is longer\n")
    assert path.read_bytes() == b"whole\n"


def test_a_process_that_holds_the_file_too_long_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "shared"
    monkeypatch.setattr(append, "WAIT", 0.1)
    with (
        shared_file(path, append=True),
        pytest.raises(TimeoutError, match="another process holds it"),
        shared_file(path),
    ):
        raise AssertionError("it is locked")


def test_a_lock_ends_with_its_process(tmp_path):
    path = tmp_path / "shared"
    script = (
        "import os, sys, time; from pathlib import Path; from harness.system.append import shared_file\n"
        f"with shared_file(Path({str(path)!r}), append=True): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.kill()
        with shared_file(path, append=True) as file:
            file.append(b"line\n")
    assert path.read_bytes() == b"line\n"


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_not_a_file_is_refused_and_never_waited_for(kind, tmp_path):
    path = Path("/dev/null") if kind == "device" else tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(OSError, match=r"not a file|Is a directory"), shared_file(path, append=True):
        raise AssertionError("it was opened")


def test_a_thread_may_append_too(tmp_path):
    path = tmp_path / "shared"
    thread = threading.Thread(target=append_many, args=(path, "a", 1, 1))
    thread.start()
    thread.join()
    assert path.read_text().startswith("a 0 0 0 ")
