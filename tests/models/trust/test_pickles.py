"""Pickles are detected by content, in archives and under any name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.models.trust.pickles import pickle_kind


class Payload:
    """Runs a function where it is unpickled."""

    def __reduce__(self):
        return (print, ("the payload ran",))


def zipped(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def tarred(content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("pickle")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def saved(save, *arrays):
    file = io.BytesIO()
    save(file, *arrays)
    return file.getvalue()


BARE = pickle.dumps(Payload())
OBJECTS = np.array([Payload()], dtype=object)
RECORDS = np.array([(1, Payload())], dtype=[("a", "i4"), ("b", "O")])


@pytest.fixture
def kind(tmp_path):
    """Return the kind of a file of given bytes, under a neutral name."""

    def of(content):
        path = tmp_path / "notes.txt"
        path.write_bytes(content)
        return pickle_kind(path)

    return of


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_every_protocol_is_detected(protocol, kind):
    assert "a pickle" in kind(pickle.dumps(Payload(), protocol))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(zipped({"archive/data.pkl": BARE}), "a zip with a pickle in it", id="torch"),
        pytest.param(b"junk" + zipped({"data.pkl": BARE}), "a zip with a pickle", id="a zip after junk"),
        pytest.param(zipped({"notes.txt": BARE}), "a zip with a pickle in it", id="renamed in a zip"),
        pytest.param(b"PK\x03\x04" + b"\0" * 99, None, id="the beginning of a zip"),
        pytest.param(tarred(BARE), "a tar", id="an old torch"),
        pytest.param(
            gzip.compress(tarred(BARE)), "a tar, as torch once wrote pickles, compressed", id="tar.gz"
        ),
        pytest.param(gzip.compress(BARE), "a pickle, compressed", id="joblib, gzip"),
        pytest.param(zlib.compress(BARE), "a pickle, compressed", id="joblib, zlib"),
        pytest.param(bz2.compress(BARE), "a pickle, compressed", id="joblib, bz2"),
        pytest.param(lzma.compress(BARE), "a pickle, compressed", id="joblib, xz"),
        pytest.param(lzma.compress(BARE, lzma.FORMAT_ALONE), "a pickle, compressed", id="joblib, lzma"),
        pytest.param(saved(np.save, OBJECTS), "a numpy array of pickled objects", id="npy"),
        pytest.param(saved(np.save, RECORDS), "a numpy array of pickled objects", id="npy of records"),
        pytest.param(saved(np.savez, OBJECTS), "a zip with a numpy array of pickled objects", id="npz"),
        pytest.param(saved(np.savez_compressed, OBJECTS), "a zip with a numpy array", id="npz, compressed"),
    ],
)
def test_a_pickle_is_detected_in_archives_and_compressed_files(content, expected, kind):
    detected = kind(content)
    assert detected is expected is None or expected in detected


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="JSON"),
        pytest.param(b"[PAD]\n[UNK]\n", id="a vocabulary"),
        pytest.param(b"cat\ndog\nelephant\n", id="words that begin like a pickle"),
        pytest.param(b".\n", id="the end of a pickle alone"),
        pytest.param(pickle.dumps([1, 2], 0), id="a pickle of plain numbers, as text"),
        pytest.param(saved(np.save, np.zeros(3)), id="an array of numbers"),
        pytest.param(saved(np.savez, np.zeros(3)), id="arrays of numbers"),
        pytest.param(zipped({"notes.txt": "text"}), id="a zip of text"),
        pytest.param(gzip.compress(b"text"), id="text, compressed"),
        pytest.param(b"xylophone", id="a word that begins like zlib"),
    ],
)
def test_other_files_are_not_taken_for_pickles(content, kind):
    assert kind(content) is None


@given(content=st.binary(max_size=600) | st.text().map(str.encode))
def test_any_bytes_are_checked_without_an_error(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    pickle_kind(path)


def test_no_payload_runs_while_it_is_checked(kind, capsys):
    kind(BARE)
    kind(zipped({"data.pkl": BARE}))
    assert capsys.readouterr().out == ""
