"""The embedding cache: exact, never mixed up, and robust against a broken disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import LetterModel
from hypothesis import given
from hypothesis import strategies as st

from harness import Role, Settings
from harness.encoding import cache as caching
from harness.encoding import cache_key
from harness.encoding import segment as segments
from harness.encoding.cache import EmbeddingCache
from harness.encoding.cache_key import cacheable
from harness.encoding.cached_model import CachedModel
from harness.encoding.segment import CorruptSegmentError, Index, Segment, keys_of, write_segment
from harness.models import computation

pytestmark = pytest.mark.kernels

TEXTS = [
    "",
    "a",
    "abba",
    "déjà vu",
    "漢字",
    "\ud800 alone",
    *(f"text {n} {'xyz' * (n % 5)}" for n in range(20)),
]


class CacheableModel(LetterModel):
    """A model whose embeddings are promised to depend on the text alone."""

    def __init__(self, fingerprint: str = "a" * 64, **facts) -> None:
        super().__init__(fingerprint=fingerprint)
        self.facts = replace(self.facts, **{"backend": "packed", "reproducible": True, **facts})


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def encode(tmp_path, notes):
    """Run a model with the cache in `tmp_path`; returns embeddings and the texts that were encoded."""

    def encoding(texts, role=Role.TEXT, *, model=None, fresh=False):
        model = model or CacheableModel()
        model.encoded.clear()
        run = CachedModel(model, EmbeddingCache(tmp_path, notes.append, fresh=fresh))
        embeddings = run.encode(texts, role)
        run.save()
        return embeddings, [text for text, _ in model.encoded]

    return encoding


def files(folder, pattern="*.safetensors"):
    return sorted(folder.glob(f"embeddings/*/{pattern}"))


def store_of(folder, notes, model=None):
    return EmbeddingCache(folder, notes.append).store(model or CacheableModel(), Role.TEXT)


# --- what is found again --------------------------------------------------------------------------------


def test_the_second_run_encodes_nothing_and_gets_the_same_bytes(encode, notes):
    cold, encoded = encode(TEXTS)
    assert encoded == TEXTS
    warm, encoded = encode(TEXTS)
    assert encoded == []
    assert warm.tobytes() == cold.tobytes() == LetterModel().encode(TEXTS).tobytes()
    assert notes == []


def test_a_partly_warm_cache_is_filled_up(encode, tmp_path):
    encode(TEXTS[::3])
    embeddings, encoded = encode(TEXTS)
    assert encoded == [text for text in TEXTS if text not in TEXTS[::3]]
    assert embeddings.tobytes() == LetterModel().encode(TEXTS).tobytes()
    assert encode(TEXTS[::-1])[1] == []
    assert len(files(tmp_path)) == 2


@given(
    st.lists(st.lists(st.lists(st.sampled_from(TEXTS), max_size=12), max_size=3), max_size=4), st.randoms()
)
def test_any_calls_over_any_runs_give_what_one_call_gives(tmp_path_factory, runs, random):
    whole = dict(zip(TEXTS, LetterModel().encode(TEXTS), strict=True))
    seen: set[str] = set()
    folder = tmp_path_factory.mktemp("cache")
    for calls in runs:
        model, notes = CacheableModel(), []
        run = CachedModel(model, EmbeddingCache(folder, notes.append))
        for texts in calls:
            if random.random() < 0.5:
                run.prefetch([(text, Role.QUERY) for text in texts[::-1]], lambda _: None)
            found = run.encode(texts, Role.DOCUMENT)
            assert found.tobytes() == b"".join(whole[text].tobytes() for text in texts)
        run.save()
        encoded = [text for text, _ in model.encoded]
        assert sorted(encoded) == sorted({text for texts in calls for text in texts} - seen)
        seen.update(encoded)
        assert notes == []


def test_an_interrupted_prefetch_saves_finished_embeddings(encode, tmp_path, notes):
    texts = [f"{'word ' * 100}{'x' * (n % 7)}{n}" for n in range(300)]
    model, whole = CacheableModel(), LetterModel.encode

    def failing(texts, role):
        if len(model.encoded) > 100:
            raise KeyboardInterrupt
        return whole(model, texts, role)

    model.encode = failing
    run = CachedModel(model, EmbeddingCache(tmp_path, notes.append))
    with pytest.raises(KeyboardInterrupt):
        run.prefetch([(text, Role.TEXT) for text in texts], lambda _: None)
    done = {text for text, _ in model.encoded}
    assert 100 < len(done) < 300
    embeddings, encoded = encode(texts)
    assert encoded == [text for text in texts if text not in done]
    assert embeddings.tobytes() == LetterModel().encode(texts).tobytes()


def test_long_prefetches_are_saved_in_between(tmp_path, notes, monkeypatch):
    monkeypatch.setattr("harness.encoding.text_embeddings._TEXTS_UNSAVED", 50)
    monkeypatch.setattr("harness.encoding.shards._CHUNK", 60_000)
    texts = [f"{'word ' * 100}{'x' * (n % 7)}{n}" for n in range(400)]
    run = CachedModel(CacheableModel(), EmbeddingCache(tmp_path, notes.append))
    run.prefetch([(text, Role.TEXT) for text in texts], lambda _: None)
    assert len(files(tmp_path)) == 4
    found = [texts[at] for _, positions, _ in store_of(tmp_path, notes).find(texts) for at in positions]
    assert sorted(found) == sorted(texts)


def test_fresh_reads_nothing_and_replaces_stored_embeddings(encode, tmp_path, notes):
    wrong = np.ones((2, 26), dtype=np.float32)
    store_of(tmp_path, notes).write(["a", "b"], [wrong])
    assert encode(["a"])[0].tolist() == wrong[:1].tolist()
    fresh, encoded = encode(["b", "a", "c"], fresh=True)
    assert encoded == ["b", "a", "c"]
    assert len(files(tmp_path)) == 1
    again, encoded = encode(["b", "a", "c"])
    assert encoded == []
    assert again.tobytes() == fresh.tobytes() == LetterModel().encode(["b", "a", "c"]).tobytes()


def test_the_newer_of_two_embeddings_of_a_text_is_used_also_after_merging(tmp_path, notes, monkeypatch):
    monkeypatch.setattr(caching, "_MOST_SEGMENTS", 3)
    for value in range(4):
        store_of(tmp_path, notes).write(["a", f"b{value}"], [np.full((2, 26), value, dtype=np.float32)])
    assert len(files(tmp_path)) == 1
    ((embeddings, positions, rows),) = store_of(tmp_path, notes).find(["a", "b0", "b1", "b2", "b3"])
    assert embeddings[rows[np.argsort(positions)], 0].tolist() == [3, 0, 1, 2, 3]
    assert len(embeddings) == 5


# --- what is never shared -------------------------------------------------------------------------------


def test_two_models_never_share_a_cached_embedding(encode):
    encode(TEXTS)
    assert encode(TEXTS, model=CacheableModel(fingerprint="a" * 63 + "b"))[1] == TEXTS


def test_two_roles_that_differ_never_share_a_cached_embedding(encode):
    model = CacheableModel()
    model.same_as = lambda role: role
    encode(TEXTS, Role.QUERY, model=model)
    assert encode(TEXTS, Role.DOCUMENT, model=model)[1] == TEXTS
    assert encode(TEXTS, Role.QUERY, model=model)[1] == []


def test_two_roles_that_are_alike_share_their_embeddings(encode):
    encode(TEXTS, Role.QUERY)
    assert encode(TEXTS, Role.DOCUMENT)[1] == []


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"facts": {"backend": "batched"}}, id="backend"),
        pytest.param({"facts": {"dimensions": 25}}, id="dimensions"),
        pytest.param({"facts": {"backend": "batched", "device": "cuda"}}, id="device"),
        pytest.param({"settings": {"dtype": "bfloat16"}}, id="dtype"),
        pytest.param({"settings": {"trust_remote_code": True}}, id="code of the model"),
        pytest.param({"_versions": lambda: {"torch": "9.9"}}, id="library"),
        pytest.param({"_processor": lambda: "another"}, id="processor"),
        pytest.param({"_encoding_hash": lambda: "another"}, id="our own code"),
        pytest.param({"_kernels": lambda _: {"capability": "another"}}, id="kernels"),
    ],
)
def test_embeddings_under_other_conditions_are_never_shared(changed, tmp_path, notes, monkeypatch):
    monkeypatch.setattr(computation, "_kernels", lambda _: {})
    before = store_of(tmp_path, notes)
    model = CacheableModel(**changed.pop("facts", {}))
    model.spec = replace(model.spec, settings=Settings(**changed.pop("settings", {})))
    for name, value in changed.items():
        monkeypatch.setattr(computation, name, value)
    after = store_of(tmp_path, notes, model)
    assert after.key != before.key
    assert after.folder != before.folder


def test_a_variable_that_chooses_kernels_is_part_of_the_key(monkeypatch):
    before = cache_key.cache_key(CacheableModel(), Role.TEXT)
    monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", "BF16")
    assert cache_key.cache_key(CacheableModel(), Role.TEXT) != before


def test_a_store_describes_what_it_depends_on(encode, tmp_path):
    encode(["a"])
    (path,) = files(tmp_path, "store.json")
    told = json.loads(path.read_text())
    assert told == cache_key.cache_key(CacheableModel(), Role.TEXT)
    assert told["libraries"]["torch"]
    assert path.parent.name.startswith("a" * 16 + "-text-")


def test_only_batch_invariant_models_are_cached():
    assert cacheable(CacheableModel())
    assert not cacheable(CacheableModel(reproducible=False))
    assert not cacheable(LetterModel())


def test_a_model_that_is_not_batch_invariant_writes_nothing(encode, tmp_path):
    assert encode(TEXTS, model=LetterModel())[1] == TEXTS
    assert encode(TEXTS, model=LetterModel())[1] == TEXTS
    assert list(tmp_path.iterdir()) == []


# --- damage ---------------------------------------------------------------------------------------------


def flip(at):
    def flipping(path):
        content = bytearray(path.read_bytes())
        content[at] ^= 1
        path.write_bytes(content)

    return flipping


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def other_store(path):
    write_segment(path, "b" * 64, keys_of(TEXTS), [np.ones((len(TEXTS), 26), np.float32)], 26)


def other_width(path):
    (key,) = [json.loads(path.read_bytes()[8:512])["__metadata__"]["store"]]
    write_segment(path, key, keys_of(TEXTS), [np.ones((len(TEXTS), 25), np.float32)], 25)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(flip(0), "its header changed", id="a byte of the length"),
        pytest.param(flip(20), "its header cannot be read", id="a byte of the header"),
        pytest.param(flip(700), "the checksum of its embeddings", id="a byte of an embedding"),
        pytest.param(flip(-3), "the checksum of its texts", id="a byte of a text's hash"),
        pytest.param(cut, "it is truncated", id="a byte less"),
        pytest.param(lambda path: path.write_bytes(b""), "it is too short", id="emptied"),
        pytest.param(lambda path: path.write_bytes(b"{}" * 999), "its header cannot be read", id="garbage"),
        pytest.param(lambda path: path.write_bytes(bytes(999)), "its header cannot be read", id="zeros"),
        pytest.param(other_store, "it belongs to another store", id="of another model"),
        pytest.param(other_width, "its header changed", id="of other dimensions"),
    ],
)
def test_a_damaged_segment_is_reported_once_and_its_texts_are_encoded_again(
    damage, reason, encode, tmp_path, notes
):
    whole, _ = encode(TEXTS)
    whole = whole.copy()
    (path,) = files(tmp_path)
    damage(path)
    embeddings, encoded = encode(TEXTS)
    assert encoded == TEXTS
    assert embeddings.tobytes() == whole.tobytes()
    (note,) = notes
    assert note.startswith(f"embedding cache: {path} is damaged ({reason}")
    assert encode(TEXTS)[1] == []
    assert len(notes) == 1


@given(st.data())
def test_every_flipped_bit_is_detected(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("segment") / "one"
    embeddings = LetterModel().encode(TEXTS)
    write_segment(path, "a" * 64, keys_of(TEXTS), [embeddings], 26)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, 8 * len(content) - 1))
    content[at // 8] ^= 1 << at % 8
    path.write_bytes(content)
    with pytest.raises(CorruptSegmentError):
        Segment(path, "a" * 64, 26).verify()


def test_a_garbage_store_json_is_reported_once_and_written_again(encode, tmp_path, notes):
    encode(["a"])
    (path,) = files(tmp_path, "store.json")
    whole = path.read_bytes()
    path.write_bytes(b"\xff garbage")
    assert encode(["a", "b"])[1] == ["b"]
    assert notes == [f"embedding cache: {path} was damaged; it is written again"]
    assert path.read_bytes() == whole
    encode(["c"])
    assert len(notes) == 1


def test_files_that_are_not_ours_are_not_touched(encode, tmp_path, notes):
    encode(["a"])
    folder = files(tmp_path)[0].parent
    for name in ("notes.txt", "model.safetensors"):
        (folder / name).write_text("mine")
    assert encode(["a", "b"])[1] == ["b"]
    assert (folder / "notes.txt").read_text() == (folder / "model.safetensors").read_text() == "mine"
    assert notes == []


# --- disks that refuse ----------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_noted_and_the_run_continues(notes, tmp_path):
    (tmp_path / "file").write_text("")
    run = CachedModel(CacheableModel(), EmbeddingCache(tmp_path / "file" / "cache", notes.append))
    for text in "abc":
        assert run.encode([text]).tolist() == LetterModel().encode([text]).tolist()
        run.save()
    (note,) = notes
    assert note == (
        f"embedding cache: {tmp_path}/file/cache cannot be written (Not a directory);"
        " the run continues without it"
    )


def test_a_full_disk_is_noted_and_damages_nothing(encode, tmp_path, notes, monkeypatch):
    def full(_handle):
        raise OSError(28, "No space left on device")

    encode(["a"])
    with monkeypatch.context() as patched:
        patched.setattr(segments.os, "fsync", full)
        embeddings, encoded = encode(["a", "b"])
    assert encoded == ["b"]
    assert embeddings.tolist() == LetterModel().encode(["a", "b"]).tolist()
    (note,) = notes
    assert note == (
        f"embedding cache: {tmp_path} cannot be written (No space left on device);"
        " the run continues without it"
    )
    assert files(tmp_path, ".*.tmp") == []
    assert encode(["a"])[1] == []


def test_files_have_the_default_permissions_of_the_user(encode, tmp_path):
    before = os.umask(0o027)
    try:
        encode(["a"])
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in files(tmp_path, "*.*")} == {0o640}


def test_texts_are_not_written_to_disk(encode, tmp_path):
    encode(["a secret sentence"])
    for path in files(tmp_path, "*"):
        assert b"secret" not in path.read_bytes()


# --- several processes, and processes that die ----------------------------------------------------------

WRITER = """
import sys
import numpy as np
from encoding.test_cache import CacheableModel, Path, caching
from harness import Role
caching._MOST_SEGMENTS = 5
folder, start = sys.argv[1], int(sys.argv[2])
for at in range(start, start + 24, 2):
    store = caching.EmbeddingCache(Path(folder), print).store(CacheableModel(), Role.TEXT)
    numbers = range(at, at + 6)
    rows = np.array([[number] * 26 for number in numbers], dtype=np.float32)
    store.write([str(number) for number in numbers], [rows])
"""


def started(script, *words):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_processes_that_write_one_store_at_once_lose_nothing(tmp_path, notes):
    writers = [started(WRITER, tmp_path, start) for start in (0, 10, 20, 30)]
    for writer in writers:
        assert writer.communicate(timeout=60)[0] == ""
        assert writer.returncode == 0
    texts = [str(number) for number in range(58)]
    found = {}
    for embeddings, positions, rows in store_of(tmp_path, notes).find(texts):
        found |= dict(zip(positions.tolist(), embeddings[rows, 0].tolist(), strict=True))
    assert found == {number: number for number in range(58)}
    assert notes == []
    assert len(files(tmp_path)) < 48
    assert files(tmp_path, ".*.tmp") == []


DYING = """
import os, sys, time
from encoding.test_cache import CacheableModel, EmbeddingCache, CachedModel, Path
run = CachedModel(CacheableModel(), EmbeddingCache(Path(sys.argv[1]), print))
run.encode(["a", "b"])
run.save()
def hang(_handle):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = hang
run.encode(["c"])
run.save()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("ended_by", "left"), [(signal.SIGKILL, 1), (signal.SIGINT, 0)])
def test_a_process_that_dies_while_it_writes_leaves_a_readable_store(ended_by, left, encode, tmp_path, notes):
    with started(DYING, tmp_path) as dying:
        assert dying.stdout.readline() == "writing\n"
        dying.send_signal(ended_by)
    assert len(files(tmp_path, ".*.tmp")) == left
    embeddings, encoded = encode(["a", "b", "c"])
    assert encoded == ["c"]
    assert embeddings.tobytes() == LetterModel().encode(["a", "b", "c"]).tobytes()
    assert notes == []


def test_an_old_half_written_file_is_removed(encode, tmp_path):
    encode(["a"])
    folder = files(tmp_path)[0].parent
    old, young = (folder / f".{name}.0badf00d-1-00000000.tmp" for name in ("old", "young"))
    for path in (old, young):
        path.write_text("half")
    os.utime(old, (0, 0))
    encode(["b"])
    assert files(tmp_path, ".*.tmp") == [young]


@pytest.mark.slow
def test_segments_do_not_grow_without_bound(tmp_path, notes):
    for number in range(150):
        store_of(tmp_path, notes).write([str(number)], [np.full((1, 26), number, dtype=np.float32)])
    assert len(files(tmp_path)) <= 65
    texts = [str(number) for number in range(150)]
    found = [embeddings[rows, 0] for embeddings, _, rows in store_of(tmp_path, notes).find(texts)]
    assert sorted(np.concatenate(found).tolist()) == list(range(150))


def test_large_segments_are_not_merged(tmp_path, notes, monkeypatch):
    monkeypatch.setattr(caching, "_MOST_SEGMENTS", 2)
    monkeypatch.setattr(caching, "_LARGE", 2000)
    store_of(tmp_path, notes).write(TEXTS, [LetterModel().encode(TEXTS)])
    (large,) = files(tmp_path)
    for text in "abcd":
        store_of(tmp_path, notes).write([text], [LetterModel().encode([text])])
    assert large in files(tmp_path)
    assert len(files(tmp_path)) == 3


# --- files, hashes, folders -----------------------------------------------------------------------------


def test_a_segment_is_a_safetensors_file(tmp_path):
    from safetensors.numpy import load_file

    embeddings = LetterModel().encode(TEXTS)
    write_segment(tmp_path / "one", "a" * 64, keys_of(TEXTS), [embeddings[:5], embeddings[5:]], 26)
    found = load_file(tmp_path / "one")
    assert found["embeddings"].tobytes() == embeddings.tobytes()
    assert found["texts"].shape == (len(TEXTS), 16)


def test_a_segment_is_mapped_read_only(tmp_path):
    write_segment(tmp_path / "one", "a" * 64, keys_of(["a"]), [np.ones((1, 26), np.float32)], 26)
    with pytest.raises(ValueError, match="WRITEABLE"):
        Segment(tmp_path / "one", "a" * 64, 26).embeddings.flags.writeable = True


def test_keys_are_blake2b_of_the_texts_and_differ(tmp_path):
    from hashlib import blake2b

    keys = keys_of(TEXTS)
    assert keys[2].tobytes() == blake2b(b"abba", digest_size=16).digest()
    assert len({key.tobytes() for key in keys}) == len(TEXTS)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), unique_by=lambda key: key[0]), st.data())
def test_an_index_finds_the_rows_of_known_keys(known, data):
    asked = data.draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
    rows = Index(np.array(known, dtype="<u8").reshape(-1, 2)).rows_of(
        np.array(asked, dtype="<u8").reshape(-1, 2)
    )
    assert rows.tolist() == [known.index(key) if key in known else -1 for key in asked]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_the_first_of_equal_keys_is_kept(keys):
    kept = caching._first_rows(np.array(keys, dtype="<u8").reshape(-1, 2))
    assert kept.tolist() == [row for row, key in enumerate(keys) if key not in keys[:row]]


def test_the_cache_imports_nothing_heavy():
    script = "import sys, harness.encoding.cache, harness.encoding.cached_model\n"
    script += "print({'torch', 'pyarrow', 'filelock', 'pandas'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
