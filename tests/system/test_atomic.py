"""Atomic writes, stale temporary files, and locks of processes that ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from harness.system import atomic as durable
from harness.system.atomic import is_gone, locked, remove_stale, stale_files, this_process, write_atomic


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def child(script, *words):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE, text=True
    )


HANGS_WRITING = """
import os, sys, time
from pathlib import Path
from harness.system.atomic import write_atomic
def hang(_handle):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = hang
write_atomic(Path(sys.argv[1]), [b"half"])
"""


def test_a_file_and_its_folder_appear_with_the_users_own_permissions(tmp_path):
    path, plain = tmp_path / "new" / "one", tmp_path / "plain"
    write_atomic(path, [b"head", b"body", b"HEAD"], header_last=True)
    plain.write_bytes(b"")
    assert path.read_bytes() == b"HEADbody"
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_link_with_the_name_of_the_file_is_replaced_and_not_followed(tmp_path):
    other, path = tmp_path / "other", tmp_path / "one"
    other.write_bytes(b"theirs")
    path.symlink_to(other)
    write_atomic(path, [b"ours"])
    assert (other.read_bytes(), path.read_bytes(), path.is_symlink()) == (b"theirs", b"ours", False)


def test_the_longest_name_that_a_file_may_have_can_be_written(tmp_path):
    write_atomic(tmp_path / ("n" * 255), [b"content"])
    assert names(tmp_path) == ["n" * 255]


def test_the_half_written_file_of_a_killed_process_is_removed_and_that_of_a_running_one_is_not(tmp_path):
    path = tmp_path / "record.json"
    path.write_bytes(b"the last result")
    with child(HANGS_WRITING, path) as process:
        assert process.stdout.readline() == "writing\n"
        remove_stale(tmp_path)
        assert len(names(tmp_path)) == 2
        process.kill()
    assert path.read_bytes() == b"the last result"
    remove_stale(tmp_path)
    assert names(tmp_path) == ["record.json"]


def test_the_half_written_file_of_another_machine_is_removed_when_it_is_a_day_old(tmp_path):
    old, young = (tmp_path / f".{name}.0badf00d-1-00000000.tmp" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    remove_stale(tmp_path)
    assert names(tmp_path) == [young.name]


def test_files_that_are_not_ours_are_never_removed(tmp_path):
    others = [".one.tmp", "record.json", ".record.json", ".x.0badf00d-1-00000000.tmp.txt"]
    for name in others:
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (0, 0))
    remove_stale(tmp_path)
    remove_stale(tmp_path / "absent")
    assert names(tmp_path) == sorted(others)


def test_temporary_names_match_the_pattern_of_stale_files():
    found = durable._TEMPORARY.fullmatch(durable.temporary_name("a\nb.json"))
    assert (int(found["pid"]), found["machine"]) == (os.getpid(), durable._machine())
    assert re.fullmatch(r"[0-9a-f]{8}", durable._machine())


HOLDS = """
import sys, time
from pathlib import Path
from harness.system.atomic import locked
with locked(Path(sys.argv[1]), seconds=0) as alone:
    print(alone, flush=True)
    time.sleep(60)
"""


def test_a_lock_is_held_by_one_process_and_freed_when_it_dies(tmp_path):
    lock = tmp_path / ".lock"
    with child(HOLDS, lock) as process:
        assert process.stdout.readline() == "True\n"
        with locked(lock, seconds=0) as alone:
            assert not alone
        process.send_signal(signal.SIGKILL)
    with locked(lock, seconds=0) as alone:
        assert alone


def test_a_lock_can_be_taken_by_every_user_of_a_folder_and_follows_no_link(tmp_path):
    lock, other = tmp_path / ".lock", tmp_path / "other"
    with locked(lock, seconds=0):
        assert lock.stat().st_mode & 0o777 == 0o666
    lock.unlink()
    other.write_bytes(b"theirs")
    lock.symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"), locked(lock, seconds=0):
        pass
    assert other.read_bytes() == b"theirs"


def test_on_a_file_system_without_locks_no_lock_is_held(tmp_path, monkeypatch):
    def none(*_words, **_more):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", none)
    with locked(tmp_path / ".lock", seconds=0) as alone:
        assert not alone


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_lock_in_a_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="denied"), locked(tmp_path / ".lock", seconds=0):
        pass


def test_a_process_with_an_invalid_number_is_not_known_to_be_gone(tmp_path):
    here = this_process().partition("-")[0]
    assert [is_gone(f"{here}-{number}") for number in ("", "many", "9" * 40)] == [False, False, False]
    (tmp_path / f".a.{here}-{'9' * 40}-00000000.tmp").touch()
    assert stale_files(tmp_path) == []
