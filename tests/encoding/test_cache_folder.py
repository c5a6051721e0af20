"""What lies in a cache: how much, used when, what goes first, and what never does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from encoding.test_cache import CacheableModel, files, store_of
from harness import Role
from harness.encoding import cache_folder as stores
from harness.encoding.cache import EmbeddingCache
from harness.encoding.cache_folder import clear, default_folder, default_limit, evict, shown_size

HOUR = 3600


@pytest.fixture
def notes() -> list[str]:
    return []


def write(folder, *texts, model=None, limit=None, notes=None):
    """Write a segment of some texts; returns its path."""
    before = files(folder)
    cache = EmbeddingCache(folder, (notes if notes is not None else []).append, limit=limit)
    cache.store(model or CacheableModel(), Role.TEXT).write(texts, [np.ones((len(texts), 26), np.float32)])
    (path,) = set(files(folder)) - set(before)
    return path


def age(path, hours):
    os.utime(path, (time.time() - hours * HOUR,) * 2)


def test_a_store_is_described_without_reading_its_segments(tmp_path):
    paths = [write(tmp_path, "a", "b"), write(tmp_path, "c")]
    (tmp_path / "embeddings" / "notes.txt").write_text("mine")
    (found,) = stores.stores(tmp_path)
    assert (found.fingerprint, found.role, found.texts) == ("a" * 16, "text", 3)
    assert found.bytes == sum(path.stat().st_size for path in paths)
    assert found.used == pytest.approx(time.time(), abs=60)


def test_a_missing_folder_has_no_stores(tmp_path):
    assert stores.stores(tmp_path / "none") == []
    assert evict(tmp_path / "none", 0, keep=()) == []


def test_the_least_recently_used_segment_is_evicted_first(tmp_path):
    old, older, young = (write(tmp_path, text) for text in "abc")
    age(old, 2)
    age(older, 3)
    size = young.stat().st_size
    assert [one.path for one in evict(tmp_path, 2 * size, keep=())] == [older]
    assert [one.path for one in evict(tmp_path, size, keep=())] == [old]
    assert evict(tmp_path, size, keep=()) == []
    assert files(tmp_path) == [young]


def test_a_segment_that_a_run_reads_is_used(tmp_path, notes):
    read, unread = write(tmp_path, "a"), write(tmp_path, "b")
    age(read, 5)
    age(unread, 1)
    assert list(store_of(tmp_path, notes).find(["a"]))
    evict(tmp_path, read.stat().st_size, keep=())
    assert files(tmp_path) == [read]


def test_a_run_evicts_segments_of_other_runs_and_reports_it_once(tmp_path):
    notes = []
    old = [write(tmp_path, text, model=CacheableModel(fingerprint="b" * 64)) for text in "abc"]
    for path in old:
        age(path, 1)
    cache = EmbeddingCache(tmp_path, notes.append, limit=1)
    store = cache.store(CacheableModel(), Role.TEXT)
    for text in "xyz":
        store.write([text], [np.ones((1, 26), np.float32)])
    assert not any(path.exists() for path in old)
    assert len(files(tmp_path)) == 3  # segments of this run are never evicted
    (note,) = notes
    assert note.startswith(
        f"embedding cache: {tmp_path} is over its limit of 1 B:"
        " the least recently used embeddings are removed"
    )


def test_a_mapped_segment_can_be_read_after_it_is_evicted(tmp_path, notes):
    write(tmp_path, "a", "b")
    ((embeddings, _, rows),) = store_of(tmp_path, notes).find(["a", "b"])
    evict(tmp_path, 0, keep=())
    assert files(tmp_path) == []
    assert embeddings[rows].tolist() == np.ones((2, 26)).tolist()


def test_a_run_whose_segments_vanish_encodes_their_texts(tmp_path, notes):
    path = write(tmp_path, "a")
    store = store_of(tmp_path, notes)
    paths = store._paths()
    path.unlink()
    assert list(store._open(paths)) == []
    assert notes == []


def test_nothing_is_evicted_while_another_process_does(tmp_path):
    write(tmp_path, "a")
    with stores.locked(tmp_path / "embeddings" / ".lock", seconds=0) as held:
        assert held
        assert evict(tmp_path, 0, keep=()) == []
    assert len(evict(tmp_path, 0, keep=())) == 1


def test_a_time_in_the_future_counts_as_now(tmp_path):
    ahead = write(tmp_path, "a")
    age(ahead, -1000)
    (found,) = stores.stores(tmp_path)
    assert found.used <= time.time()


def test_the_newest_segment_stays_the_newest_after_the_clock_was_set_back(tmp_path, notes, monkeypatch):
    for value, now in enumerate((2_000, 1_000, 1_000)):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now)
        store_of(tmp_path, notes).write(["a"], [np.full((1, 26), value, np.float32)])
    ((embeddings, _, rows),) = store_of(tmp_path, notes).find(["a"])
    assert embeddings[rows, 0].tolist() == [2]


def test_the_highest_possible_name_does_not_prevent_writing(tmp_path):
    path = write(tmp_path, "a")
    path.rename(path.with_name(f"{'f' * 16}-00000000.safetensors"))
    assert len(write(tmp_path, "b").name) == len(path.name)


def test_links_and_files_that_are_not_ours_are_not_removed(tmp_path):
    path = write(tmp_path, "a")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = path.rename(elsewhere / path.name)
    path.symlink_to(target)
    (path.parent / "notes.txt").write_text("mine")
    linked = path.parent.with_name(f"{'c' * 16}-text-{'0' * 12}")
    linked.symlink_to(elsewhere)
    found = stores.stores(tmp_path)
    assert [store.foreign for store in found] == [(path, path.parent / "notes.txt")]
    assert (evict(tmp_path, 0, keep=()), clear(found)) == ([], 0)
    assert target.exists()
    assert path.is_symlink()
    assert (path.parent / "notes.txt").exists()


def test_a_store_that_is_cleared_leaves_nothing(tmp_path):
    size = write(tmp_path, "a").stat().st_size
    assert clear(stores.stores(tmp_path)) == size
    assert list((tmp_path / "embeddings").iterdir()) == []


def test_a_store_that_is_cleared_while_a_run_writes_there_is_whole_or_gone(tmp_path, notes):
    """Else its segment would lie in a folder without `store.json`, which no one can verify."""
    store = EmbeddingCache(tmp_path, notes.append).store(CacheableModel(), Role.TEXT)

    def parts():
        clear(stores.stores(tmp_path))
        yield np.ones((1, 26), np.float32)

    store.write(["a"], parts())
    assert notes == [f"embedding cache: another process cleared {store.folder} while this run wrote to it"]
    assert list((tmp_path / "embeddings").iterdir()) == []
    store.write(["a"], [np.ones((1, 26), np.float32)])
    assert (len(files(tmp_path)), list(stores.find_corruption(tmp_path))) == (1, [])


def test_what_a_killed_process_was_clearing_is_removed_by_the_next_run(tmp_path):
    path = write(tmp_path, "a")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    name = stores.temporary_name(path.parent.name).replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    path.parent.rename(path.parent.with_name(name))
    assert stores.stores(tmp_path) == []
    left = write(tmp_path, "b")
    assert list((tmp_path / "embeddings").iterdir()) == [left.parent]


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (20 << 30, "20.0 GiB"), (2**42, "4.0 TiB")],
)
def test_sizes_are_shown_as_people_read_them(size, shown):
    assert shown_size(size) == shown


def test_the_default_is_20_gib_or_a_tenth_of_a_smaller_disk(tmp_path, monkeypatch):
    for total, limit in ((1 << 40, 20 << 30), (100 << 30, 10 << 30)):
        monkeypatch.setattr(stores.shutil, "disk_usage", lambda _, total=total: SimpleNamespace(total=total))
        assert default_limit(tmp_path / "not" / "there") == limit


def test_a_folder_that_may_not_be_entered_has_the_limit_of_a_large_disk(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert default_limit(tmp_path) == 20 << 30


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HARNESS_CACHE": "/here", "configured": "/said", "XDG_CACHE_HOME": "/there"}, "/here"),
        ({"configured": "/said", "XDG_CACHE_HOME": "/there"}, "/said"),
        ({"XDG_CACHE_HOME": "/there"}, "/there/harness"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/home/me"}, "/home/me/.cache/harness"),
        ({"HOME": "/home/me"}, "/home/me/.cache/harness"),
    ],
)
def test_the_default_folder_is_where_caches_belong(variables, expected, monkeypatch):
    configured = variables.pop("configured", None)
    for name in ("HARNESS_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_folder(configured) == Path(expected)


def test_reading_a_cache_folder_imports_nothing_heavy():
    script = "import sys, harness.encoding.cache_folder, harness.cli.cache\n"
    script += "print({'torch', 'numpy', 'filelock'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
