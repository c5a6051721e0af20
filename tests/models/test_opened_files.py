"""Every file that loading a model opens lies in its folder, or its base, and is in the fingerprint."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

import pytest
from zoo import ZOO
from zoo_folders import FOLDERS, in_cache, take_the_tokenizer_from_elsewhere

from harness.models import loading
from harness.models.adapter import bases_of
from harness.models.fingerprint import defining_files

HARMLESS = {"README.md", ".gitattributes"}
"""Files that loading may open and that are not in the fingerprint: the model card, which is only kept."""


class OpenedFiles:
    """Files that this process opened below some folders, whoever opened them: Linux' inotify."""

    IN_OPEN, IN_ISDIR, IN_NONBLOCK = 0x20, 0x40000000, 0o4000

    def __init__(self, *roots: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._libc.inotify_init1(self.IN_NONBLOCK)
        self._folders = {}
        for root in roots:
            for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
                watch = self._libc.inotify_add_watch(self._queue, os.fsencode(folder), self.IN_OPEN)
                assert watch >= 0, os.strerror(ctypes.get_errno())
                self._folders[watch] = folder

    def read(self) -> set[Path]:
        """Return the files that were opened so far, links resolved."""
        opened = set()
        while True:
            try:
                events = os.read(self._queue, 2**16)
            except BlockingIOError:
                return opened
            while events:
                watch, mask, _, length = struct.unpack_from("iIII", events)
                name = os.fsdecode(events[16 : 16 + length].rstrip(b"\0"))
                if name and not mask & self.IN_ISDIR:
                    opened.add((self._folders[watch] / name).resolve())
                events = events[16 + length :]

    def close(self) -> None:
        os.close(self._queue)


def opened_by_loading(folder: Path, *roots: Path) -> set[Path]:
    """Return the files that sentence-transformers opens below some folders when it loads a model."""
    watched = OpenedFiles(*roots)
    try:
        loading._open(folder, "cpu", trust_remote_code=False)
        return watched.read()
    finally:
        watched.close()


def assert_all_fingerprinted(folder: Path, opened: set[Path]) -> None:
    known = {file.resolve() for each in (folder, *bases_of(folder)) for file in defining_files(each)}
    unknown = {file for file in opened - known if file.name not in HARMLESS}
    assert not unknown, "opened, and not in the fingerprint"
    # The watch must see the weights, too, which are read in Rust.
    weights = {file.resolve() for file in folder.rglob("*.safetensors")}
    assert opened & weights or not weights


needs_inotify = pytest.mark.skipif(sys.platform != "linux", reason="inotify is of Linux")


@needs_inotify
@pytest.mark.parametrize("name", [*ZOO, *FOLDERS])
def test_every_file_that_loading_opens_is_in_the_fingerprint(folder_of, name):
    folder = folder_of(name)
    assert_all_fingerprinted(folder, opened_by_loading(folder, folder.parent))


@needs_inotify
def test_links_of_the_hubs_cache_lead_to_blobs_that_are_in_the_fingerprint(folder_of, tmp_path):
    folder = in_cache(folder_of("version-3"), tmp_path / "hub")
    assert_all_fingerprinted(folder, opened_by_loading(folder, tmp_path))


@needs_inotify
def test_the_watch_sees_a_tokenizer_from_elsewhere(copy_of, tmp_path):
    folder = copy_of("bert")
    elsewhere = take_the_tokenizer_from_elsewhere(folder)
    assert elsewhere in opened_by_loading(folder, tmp_path)
