"""A score does not depend on how rows are written: every format and style gives the same digest."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from harness import DataSource
from harness.authoring import TaskDefinition
from harness.tasks.task_file import read_task_file
from harness_clauses.user_clauses import CLAUSES_KIND
from harness_sts.tasks import STS_KIND
from harness_triplet.tasks import TRIPLET_KIND

KINDS = {kind.name: kind for kind in (STS_KIND, TRIPLET_KIND, CLAUSES_KIND)}
COLUMNS = {
    "sts": ("text1", "text2", "score"),
    "triplet": ("anchor", "positive", "negative"),
    "clauses": ("clause", "hypothesis", "label"),
}
# Texts hold quotation marks, commas and other scripts; tabs and line ends have tests of their own.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\t\r\n\x85")
    | st.sampled_from("\",'; "),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip() and not text.startswith("\ufeff"))
LAST = {
    "sts": st.floats(0, 5).map(lambda score: round(score, 3)),
    "triplet": TEXTS,
    "clauses": st.sampled_from(["entailment", "contradiction"]),
}


def zstandard(content):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def delimited(
    delimiter, *, quoting=csv.QUOTE_MINIMAL, header=True, end="\n", start="", tail="", final=True, blank=False
):
    """Return a writer of rows in a style."""

    def write(path, names, rows):
        lines = ([names] if header else []) + [[str(cell) for cell in row] for row in rows]
        written = []
        for line in lines:
            text = io.StringIO(newline="")
            if quoting == csv.QUOTE_NONE:
                text.write(delimiter.join(line))
            else:
                csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="").writerow(line)
            written.append(text.getvalue() + tail)
        content = (end * 2 if blank else end).join(written) + (end if final else "")
        path.write_bytes((start + content).encode())

    write.quoting = "none" if quoting == csv.QUOTE_NONE else "csv"
    return write


def lines_of_json(path, names, rows):
    records = [dict(zip(names, row, strict=True)) for row in rows]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def json_list(path, names, rows):
    records = [dict(zip(reversed(names), reversed(row), strict=True)) for row in rows]
    path.write_text(json.dumps(records, ensure_ascii=False, indent=2), encoding="utf-8")


def _table(names, rows):
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])


def parquet_file(path, names, rows):
    parquet.write_table(_table(names, rows), path, row_group_size=2)


def arrow_file(path, names, rows):
    with ipc.new_file(path, _table(names, rows).schema) as writer:
        writer.write_table(_table(names, rows), max_chunksize=2)


def arrow_stream(path, names, rows):
    with ipc.new_stream(path, _table(names, rows).schema) as writer:
        writer.write_table(_table(names, rows))


def compressed(write, compress):
    def writing(path, names, rows):
        write(path, names, rows)
        path.write_bytes(compress(path.read_bytes()))

    vars(writing).update(vars(write))
    return writing


WRITERS = {
    "csv": ("r.csv", delimited(",")),
    "csv, all quoted": ("r.csv", delimited(",", quoting=csv.QUOTE_ALL)),
    "csv, Windows": ("r.csv", delimited(",", end="\r\n", start="\ufeff")),
    "csv, old line ends": ("r.csv", delimited(",", end="\r")),
    "csv, no final line end": ("r.csv", delimited(",", final=False)),
    "csv, blank lines": ("r.csv", delimited(",", blank=True, start="\n\n")),
    "csv, trailing commas": ("r.csv", delimited(",", tail=",,")),
    "tsv, unquoted": ("r.tsv", delimited("\t", quoting=csv.QUOTE_NONE)),
    "tsv, quoted": ("r.tsv", delimited("\t")),
    "tsv, all quoted": ("r.tsv", delimited("\t", quoting=csv.QUOTE_ALL)),
    "tsv, Windows": ("r.tsv", delimited("\t", quoting=csv.QUOTE_NONE, end="\r\n", start="\ufeff")),
    "tsv, trailing tabs": ("r.tsv", delimited("\t", quoting=csv.QUOTE_NONE, tail="\t\t")),
    "tsv, blank lines": ("r.tsv", delimited("\t", quoting=csv.QUOTE_NONE, blank=True, start="\n")),
    "txt": ("r.txt", delimited("\t", quoting=csv.QUOTE_NONE, final=False)),
    "tabs in a csv": ("r.csv", delimited("\t", quoting=csv.QUOTE_NONE)),
    "jsonl": ("r.jsonl", lines_of_json),
    "json": ("r.json", json_list),
    "json lines": ("r.json", lines_of_json),
    "parquet": ("r.parquet", parquet_file),
    "arrow": ("r.arrow", arrow_file),
    "arrow stream": ("r.arrow", arrow_stream),
    "jsonl.gz": ("r.jsonl.gz", compressed(lines_of_json, gzip.compress)),
    "json.xz": ("r.json.xz", compressed(json_list, lzma.compress)),
    "csv.bz2": ("r.csv.bz2", compressed(delimited(","), bz2.compress)),
    "tsv.zst": ("r.tsv.zst", compressed(delimited("\t"), zstandard)),
}
HEADLESS = {
    "csv": ("r.csv", delimited(",", header=False)),
    "tsv": ("r.tsv", delimited("\t", header=False, quoting=csv.QUOTE_NONE)),
    "txt.gz": ("r.txt.gz", compressed(delimited("\t", header=False, end="\r\n"), gzip.compress)),
}


def load(kind, path, **options):
    task = KINDS[kind].build(TaskDefinition(name="own", kind=kind, path=path, options=options))
    return task.load(DataSource("sample", None))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_the_same_rows_have_one_digest_in_every_format_and_style(kind, data, tmp_path_factory):
    drawn = st.tuples(TEXTS, TEXTS, LAST[kind])
    rows = data.draw(st.lists(drawn, min_size=2, max_size=5))
    folder = tmp_path_factory.mktemp("same")
    digests = {}
    for name, (file, write) in WRITERS.items():
        write(folder / file, COLUMNS[kind], rows)
        # A few drawn marks may be read both ways: whoever wrote the file says which it is.
        said = {"quoting": write.quoting} if hasattr(write, "quoting") else {}
        digests[name] = load(kind, folder / file, **said).digest
    for name, (file, write) in HEADLESS.items():
        write(folder / file, COLUMNS[kind], rows)
        digests[f"{name}, no header"] = load(kind, folder / file, header=False, quoting=write.quoting).digest
    assert len(set(digests.values())) == 1, digests


ROWS = [
    ("a dog, barking", 'he said "no"', 4.5),
    ('5" discs', "two", 0.25),
    ('"He said" yes', "x", 3.0),
    ("Ünï", "漢字", 1.0),
]


@pytest.mark.parametrize("name", WRITERS)
def test_rows_with_quotation_marks_have_one_digest_without_a_word_about_quoting(name, tmp_path):
    file, write = WRITERS[name]
    lines_of_json(tmp_path / "plain.jsonl", COLUMNS["sts"], ROWS)
    write(tmp_path / file, COLUMNS["sts"], ROWS)
    assert load("sts", tmp_path / file).digest == load("sts", tmp_path / "plain.jsonl").digest


@pytest.mark.parametrize("name", HEADLESS)
def test_a_missing_header_changes_no_digest(name, tmp_path):
    file, write = HEADLESS[name]
    lines_of_json(tmp_path / "plain.jsonl", COLUMNS["sts"], ROWS)
    write(tmp_path / file, COLUMNS["sts"], ROWS)
    dataset = load("sts", tmp_path / file)
    assert dataset.digest == load("sts", tmp_path / "plain.jsonl").digest
    assert [finding.code for finding in dataset.findings] == ["no-header"]


def test_rows_cut_into_several_files_have_the_digest_of_one(tmp_path):
    lines_of_json(tmp_path / "plain.jsonl", COLUMNS["sts"], ROWS)
    for number, row in enumerate(ROWS):
        file, write = list(WRITERS.values())[number * 5]
        (tmp_path / str(number)).mkdir()
        write(tmp_path / str(number) / file, COLUMNS["sts"], [row])
    table = '[tasks.own]\nkind = "sts"\npath = "[0-9]/r.*"\n[tasks.one]\nkind = "sts"\npath = "plain.jsonl"\n'
    (tmp_path / "tasks.toml").write_text(table)
    several, one = read_task_file(tmp_path / "tasks.toml", KINDS).values()
    source = DataSource("sample", None)
    assert several.load(source).digest == one.load(source).digest
