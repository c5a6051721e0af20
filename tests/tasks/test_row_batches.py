"""Rows that come in batches are the rows that come at once, with the same places, findings and errors."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc

import pytest

from harness import HarnessError, read_rows
from harness.authoring import read_row_batches
from harness.system import limits, text_file
from harness.tasks.readers import arrow_rows, delimited_batches

WANTED = ("id", "text")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(text_file, "_BYTES_AT_ONCE", 7)
    monkeypatch.setattr(delimited_batches, "_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(arrow_rows, "_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(limits, "_ROWS_AT_ONCE", 3)


def at_once(path, columns=WANTED, **reading):
    """Return rows, places and findings, or the error."""
    try:
        rows = read_rows(path, columns, **reading)
    except HarnessError as error:
        return str(error)
    return dict(rows), list(rows.places), rows.findings


def in_batches(path, columns=WANTED, **reading):
    """Return the same of the batches; a column that a batch lacks has no values there."""
    batches = []
    try:
        batches.extend(read_row_batches(path, columns, **reading))
    except HarnessError as error:
        return str(error)
    assert not any(batch.findings for batch in batches[:-1])
    names = dict.fromkeys(name for batch in batches for name in batch)
    rows = {
        name: [cell for batch in batches for cell in batch.get(name, [None] * len(batch.places))]
        for name in names
    }
    places = [place for batch in batches for place in batch.places]
    return rows, places, batches[-1].findings


def same(path, **reading):
    whole = at_once(path, **reading)
    assert in_batches(path, **reading) == whole
    return whole


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


ROWS = "".join(
    json.dumps({"id": f"d{row}", "text": f"näme {row}"}, ensure_ascii=False) + "\n" for row in range(9)
)
TABLE = "id\ttext\n" + "".join(f"d{row}\ttext {row}\n" for row in range(9))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.jsonl", ROWS, id="lines"),
        pytest.param("a.jsonl", "\ufeff\r\n\r\n" + ROWS.replace("\n", "\r\n\r\n"), id="blank lines and CRLF"),
        pytest.param("a.jsonl", ROWS.rstrip("\n"), id="no last line end"),
        pytest.param("a.json", ROWS, id="lines named json"),
        pytest.param("a.jsonl", json.dumps([json.loads(row) for row in ROWS.splitlines()]), id="a list"),
        pytest.param("a.jsonl.gz", gzip.compress(ROWS.encode()), id="gzip"),
        pytest.param("a.tsv", TABLE, id="tsv"),
        pytest.param("a.tsv.gz", gzip.compress(TABLE.encode()), id="tsv.gz"),
        pytest.param("a.tsv", TABLE.replace("text 3", 'said "no" twice'), id="marks of texts"),
        pytest.param("a.tsv", TABLE.replace("text 3", '"said no'), id="an open mark"),
        pytest.param("a.tsv", TABLE.replace("text 3", '"He said" no'), id="a quoted start"),
        pytest.param("a.tsv", TABLE.replace("text 3", '"said ""no"""'), id="a program's quoting"),
        pytest.param("a.tsv", TABLE.replace("text 3", '"a\tb"').replace("text 5", '"x\ny"'), id="quoted"),
        pytest.param("a.tsv", TABLE.replace("text 3", '"x').replace("text 5", 'y"'), id="doubtful quotes"),
        pytest.param("a.tsv", TABLE.replace("text 3", '"x').replace("text 6", 'y"\tz'), id="neither way"),
        pytest.param("a.tsv", TABLE.replace("text 2", '"a\t"').replace("text 5", 'a\tb'), id="too wide"),
        pytest.param("a.csv", TABLE.replace("\t", ",").replace("text 4", '"a, b\nc"'), id="csv"),
        pytest.param("a.csv", TABLE.replace("\t", ",").replace("text 4", '"a, b'), id="an open mark in csv"),
        pytest.param("a.csv", TABLE, id="tabs in csv"),
        pytest.param("a.txt", TABLE, id="txt"),
        pytest.param("a.txt", TABLE.replace("\t", ";"), id="txt without tabs"),
        pytest.param("a.tsv", TABLE.replace("text 3", "a\rb"), id="a carriage return"),
    ],
)  # fmt: skip
def test_batches_have_the_rows_of_the_file(tmp_path, name, content):
    same(write(tmp_path / name, content))


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        pytest.param("a.jsonl", ROWS + "{]\n", "not JSON in line 10, column 2", id="syntax"),
        pytest.param("a.jsonl", ROWS + "3\n", "line 10 is not an object", id="no object"),
        pytest.param("a.jsonl", ROWS.encode() + b"\xdf\n", "byte 0xdf in line 10", id="not UTF-8"),
        pytest.param("a.jsonl", ROWS.replace('"id"', '"key"'), "has no column 'id'", id="no column"),
        pytest.param("a.jsonl", "\n\n", "has no rows", id="no rows"),
        pytest.param("a.jsonl", "", "has no rows", id="empty"),
        pytest.param("a.tsv", "", "has no rows", id="an empty table"),
        pytest.param("a.tsv", "id\ttext\n", "has no rows", id="a header alone"),
        pytest.param("a.tsv", TABLE + "d9\n", "line 11 has 1 cells, not 2", id="a short row"),
        pytest.param("a.tsv", "id\tid\n1\t2\n", "two columns are named 'id'", id="a name twice"),
        pytest.param("a.jsonl.gz", gzip.compress(ROWS.encode())[:-9], "not a readable gz file", id="cut"),
        pytest.param("a.jsonl.gz", b"", "it is empty", id="empty gz"),
        pytest.param("a.jsonl", "version https://git-lfs.github.com/spec/v1\n", "Git LFS", id="pointer"),
        pytest.param("a.parquet", b"PAR1", "not a readable parquet file", id="parquet"),
    ],
)
def test_errors_of_batches_are_those_of_the_file(tmp_path, name, content, complaint):
    error = same(write(tmp_path / name, content))
    assert isinstance(error, str)
    assert complaint in error


def test_a_column_that_begins_late_is_there_and_a_fault_waits_for_what_cannot_be_parsed(tmp_path):
    late = ROWS + '{"id": "d9", "text": "x", "title": "t"}\n'
    rows, *_ = same(write(tmp_path / "a.jsonl", late), optional=("title",))
    assert rows["title"][-2:] == [None, "t"]
    template = {"text": "{title}: {text}"}
    error = same(write(tmp_path / "b.jsonl", late), columns=("id",), templates=template)
    assert "row 1: template" in error
    assert "not JSON in line 11" in same(
        write(tmp_path / "c.jsonl", late + "{"), columns=("id",), templates=template
    )


def test_several_files_are_read_one_after_the_other(tmp_path):
    paths = [write(tmp_path / name, ROWS) for name in ("part-1.jsonl", "part-3.jsonl")]
    rows, places, findings = same(paths)
    assert len(rows["id"]) == len(places) == 18
    assert [finding.code for finding in findings] == ["several-files"]
    assert [finding.code for finding in same(tmp_path)[2]] == ["several-files", "missing-parts"]
    paths.append(write(tmp_path / "other.jsonl", '{"id": 1, "text": "x", "title": "t"}\n'))
    assert "column 'title' is in" in same(paths, optional=("title",))


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_rows_of_arrow_come_in_batches(tmp_path, kind):
    import pyarrow as pa
    from pyarrow import ipc, parquet

    table = pa.table({"id": [*range(10)], "text": [f"t{row}" for row in range(10)], "n": [None] * 10})
    path = tmp_path / ("a.parquet" if kind == "parquet" else "a.arrow")
    if kind == "parquet":
        parquet.write_table(table, path, row_group_size=4)
    else:
        with (ipc.new_file if kind == "arrow" else ipc.new_stream)(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=7)
    rows, places, _ = same(path)
    assert rows["id"] == [*range(10)]
    assert places[-1] == (path, 10)


def test_rows_without_a_value_are_dropped_and_counted(tmp_path):
    path = write(tmp_path / "a.jsonl", ROWS + '{"id": null, "text": "x"}\n')
    rows, _, findings = same(path, missing="drop")
    assert len(rows["id"]) == 9
    assert [finding.code for finding in findings] == ["rows-dropped"]
    assert "each row" in same(write(tmp_path / "b.jsonl", '{"id": null, "text": "x"}\n'), missing="drop")


def test_random_tables_are_read_alike(tmp_path):
    """Cells of letters, quotation marks, tabs and line ends, in any order."""
    kinds = set()
    for seed in range(400):
        draw = random.Random(seed)
        cells = ["a", "b c", '"a"', '"', '"a\tb"', '"a\nb"', 'a"', "", "1", '""', "x\ty", "\r", "é", '"a, b"']
        some = draw.sample(cells, 3)
        rows = [f"{draw.choice(some)}\t{draw.choice(some)}" for _ in range(draw.randrange(1, 7))]
        path = write(
            tmp_path / f"{seed}.{draw.choice(['tsv', 'csv', 'txt'])}", "id\ttext\n" + "\n".join(rows)
        )
        found = same(path, quoting=draw.choice(["auto", "auto", "auto", "none", "csv"]))
        kinds.add("error" if isinstance(found, str) else tuple(finding.code for finding in found[2]))
    assert {"error", (), ("doubtful-quotes",), ("tabs-delimit",)} <= kinds


def test_batches_take_little_memory_however_many_rows_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "_BYTES_AT_ONCE", 2**14)
    path = tmp_path / "a.jsonl"
    with path.open("w") as file:
        file.writelines(json.dumps({"id": str(row), "text": "word " * 60}) + "\n" for row in range(10_000))
    tracemalloc.start()
    try:
        count = sum(len(batch.places) for batch in read_row_batches(path, WANTED))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert peak < path.stat().st_size / 6
