"""Files are hashed once while nothing touches them, and again after any change."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from harness.system import file_digest as module
from harness.system.file_digest import file_digest


@pytest.fixture
def reads(monkeypatch):
    """Hashes that were computed so far, of files that count as old from the beginning."""
    computed, compute = [], hashlib.file_digest
    monkeypatch.setattr(module, "_SETTLED", 0)
    monkeypatch.setattr(hashlib, "file_digest", lambda *asked: computed.append(asked) or compute(*asked))
    return computed


def test_an_old_file_is_read_once(tmp_path, reads):
    file = tmp_path / "weights"
    file.write_bytes(b"1")
    assert file_digest(file) == file_digest(file) == hashlib.sha256(b"1").hexdigest()
    assert len(reads) == 1


def test_a_change_is_seen_though_size_and_time_are_set_back(tmp_path, reads):
    file = tmp_path / "weights"
    file.write_bytes(b"1")
    before = file.stat()
    file_digest(file)
    time.sleep(0.02)  # a tick of the file system's clock
    file.write_bytes(b"2")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file_digest(file) == hashlib.sha256(b"2").hexdigest()
    assert len(reads) == 2


def test_a_file_that_was_just_written_is_read_every_time(tmp_path, reads, monkeypatch):
    monkeypatch.setattr(module, "_SETTLED", 60_000_000_000)
    file = tmp_path / "weights"
    file.write_bytes(b"1")
    file_digest(file)
    file_digest(file)
    assert len(reads) == 2
