"""Every format is read alike, and errors name the exact position."""

from __future__ import annotations

import csv
import json
import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from harness import DataSource, HarnessError, read_rows
from harness.authoring import as_floats, as_ids, as_texts, read_json, read_text
from harness.errors import MissingDataError
from harness.tasks.readers import FORMATS, read_records
from harness.tasks.templates import render

ROWS = [
    {"text1": "Ünïcode — 漢字 🙂", "text2": 'a "quoted" text, with a comma'},
    {"text1": "two\nlines", "text2": ""},
    {"text1": " a tab\tand spaces ", "text2": "{braces} \\ =cmd()"},
]
# Any text of UTF-8; line ends have a test of their own.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20)


def write(path, rows):
    kind = path.suffix.lstrip(".")
    if kind in ("csv", "tsv", "txt"):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="," if kind == "csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "jsonl":
        path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    elif kind == "json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif kind == "arrow":
        table = pa.Table.from_pylist(rows)
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    else:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("formats")


@pytest.fixture
def file(tmp_path):
    """Write a file of given bytes or text, and return its path."""

    def written(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


# --- what can be read -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_the_formats_are_read_alike(kind, tmp_path):
    rows = read_rows(write(tmp_path / f"rows.{kind}", ROWS), ("text1", "text2"))
    assert rows == {name: [row[name] for row in ROWS] for name in ("text1", "text2")}


@pytest.mark.parametrize("kind", FORMATS)
@given(rows=st.lists(st.fixed_dictionaries({"a": TEXTS, "b": TEXTS}), min_size=1, max_size=5))
def test_any_text_survives_any_format(kind, rows, folder):
    # Of a lone quotation mark in a file that tabs delimit nobody can say whether a program wrote it.
    quoting = {"quoting": "csv"} if kind in ("tsv", "txt") else {}
    assert read_records(write(folder / f"rows.{kind}", rows), **quoting) == rows


@pytest.mark.parametrize("name", ["rows.CSV", "rows.Tsv", "rows.JSONL"])
def test_the_ending_may_be_in_capitals(name, file):
    content = '{"a": "1", "b": "2"}' if name.endswith("L") else "a,b\n1,2\n".replace(",", ",\t"["T" in name])
    assert read_records(file(name, content)) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", "a,b\n1,2\n"),
        ("rows.tsv", "a\tb\n1\t2\n"),
        ("rows.jsonl", '{"a": "1", "b": "2"}\n'),
        ("rows.json", '[{"a": "1", "b": "2"}]'),
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_not_part_of_the_data(name, content, line_end, file):
    path = file(name, b"\xef\xbb\xbf" + content.encode().replace(b"\n", line_end))
    assert read_records(path) == [{"a": "1", "b": "2"}]


def test_line_ends_inside_a_quoted_text_become_newlines(file):
    assert read_records(file("rows.csv", b'a,b\r\n"two\r\nlines",2\r\n')) == [{"a": "two\nlines", "b": "2"}]


def test_old_line_ends_of_a_lone_carriage_return_are_line_ends(file):
    assert read_records(file("rows.csv", b"a,b\r1,2\r")) == [{"a": "1", "b": "2"}]


def test_blank_lines_are_not_rows(file):
    assert read_records(file("rows.csv", "a,b\n\n1,2\n\n")) == [{"a": "1", "b": "2"}]
    assert read_records(file("rows.jsonl", '\n{"a": "1"}\n \n')) == [{"a": "1"}]


def test_a_line_separator_inside_a_json_text_does_not_end_the_line(file):
    assert read_records(file("rows.jsonl", '{"a": "x\u2028y\x85z"}\n')) == [{"a": "x\u2028y\x85z"}]


def test_a_quoted_field_may_hold_a_whole_document(file):
    document = "word, " * 100_000
    assert read_rows(file("rows.csv", f'a,b\n"{document}",1\n'), ["a"]) == {"a": [document]}


def test_our_names_are_mapped_to_the_files(file):
    path = file("rows.csv", "question,answer,rating\nq,a,3\n")
    columns = {"text1": "question", "text2": "answer", "score": "rating"}
    assert read_rows(path, columns) == {"text1": ["q"], "text2": ["a"], "score": ["3"]}


def test_optional_columns_are_read_if_they_exist(file):
    path = file("rows.csv", "text,id,other\nt,7,x\n")
    assert read_rows(path, ["text"], optional=["id", "cluster"]) == {"text": ["t"], "id": ["7"]}


def test_an_optional_field_that_only_a_late_row_has_is_seen(file):
    lines = ['{"text": "t"}'] * 2000 + ['{"text": "t", "cluster": "c"}']
    rows = read_rows(file("rows.jsonl", "\n".join(lines)), ["text"], optional=["cluster"])
    assert rows["cluster"] == [None] * 2000 + ["c"]


def test_a_file_without_a_header_takes_the_given_names(file):
    path = file("rows.csv", "one,two\nthree,four\n")
    assert read_rows(path, ["a", "b"], header=["a", "b"]) == {"a": ["one", "three"], "b": ["two", "four"]}


def test_a_header_that_is_the_given_names_is_no_row(file):
    path = file("rows.csv", "a, b\nthree,four\n")
    assert read_rows(path, ["a", "b"], header=["a", "b"]) == {"a": ["three"], "b": ["four"]}
    with pytest.raises(HarnessError, match=r"rows.csv has no rows"):
        read_rows(file("rows.csv", "a,b\n"), ["a", "b"], header=["a", "b"])


def test_the_real_pairs_are_read(shared_data):
    columns = ("text1", "text2", "score")
    pairs = read_rows(shared_data / "stsb" / "stsb-en-test.csv", columns, header=columns)
    assert {name: len(values) for name, values in pairs.items()} == dict.fromkeys(columns, 1379)


# --- what cannot be read ----------------------------------------------------------------------------------


def test_latin_1_is_named_with_its_byte_and_line_and_how_to_convert_it(file):
    path = file("rows.csv", "a,b\nplain,1\nStraße,2\n".encode("latin-1"))
    with pytest.raises(HarnessError, match=r"rows\.csv is not UTF-8: byte 0xdf in line 3\n.*iconv -f latin1"):
        read_records(path)


def test_utf_16_is_named(file):
    with pytest.raises(HarnessError, match="not UTF-8: byte 0xff in line 1"):
        read_text(file("rows.csv", "a,b\n1,2\n".encode("utf-16")))


@pytest.mark.parametrize("kind", FORMATS)
def test_an_error_about_columns_lists_those_found_and_those_needed(kind, tmp_path):
    path = write(tmp_path / f"rows.{kind}", ROWS)
    with pytest.raises(HarnessError) as caught:
        read_rows(path, {"text1": "text1", "text2": "sentence2", "score": "rating"})
    assert caught.value.message == f"{path} has no column 'sentence2', 'rating'"
    assert "found: text1, text2" in caught.value.exists
    assert "needed: text1, sentence2, rating" in caught.value.exists


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("only one", "line 4 has 1 cells, not 2", id="short"),
        pytest.param("one,two,three", "line 4 has 3 cells, not 2", id="long"),
        pytest.param('one,"two"x', "line 4: ',' expected after '\"'", id="text after a quote"),
        pytest.param('one,"two', "line 4: unexpected end of data", id="an open quote"),
    ],
)
def test_a_ragged_row_is_named_with_the_line_that_an_editor_shows(row, message, file):
    # The first row covers two lines.
    path = file("rows.csv", f'a,b\n"two\nlines",1\n{row}\n')
    with pytest.raises(HarnessError, match=message):
        read_records(path)


def test_a_header_that_does_not_fit_is_an_error_not_a_shift(file):
    with pytest.raises(HarnessError, match="has 3 cells, not 2"):
        read_records(file("rows.csv", "one,two,three\n"), header=["a", "b"])


def test_two_columns_of_one_name_are_refused(file, tmp_path):
    with pytest.raises(HarnessError, match="two columns are named 'a'"):
        read_records(file("rows.csv", "a,b,a\n1,2,3\n"))
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    parquet.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(HarnessError, match="two columns are named 'a'"):
        read_records(tmp_path / "rows.parquet")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nothing.csv", ""),
        ("header.csv", "a,b\n"),
        ("blank.tsv", "\n\n"),
        ("nothing.jsonl", ""),
        ("list.json", "[]"),
    ],
)
def test_a_file_without_rows_is_an_empty_dataset(name, content, file):
    with pytest.raises(HarnessError, match=f"empty dataset: .*{name} has no rows"):
        read_rows(file(name, content), ["a"])


def test_a_parquet_file_without_rows_is_an_empty_dataset(tmp_path):
    parquet.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "rows.parquet")
    with pytest.raises(HarnessError, match="empty dataset"):
        read_rows(tmp_path / "rows.parquet", ["a"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("x.json", '[\n{"a": 1},\n{"a": }\n]', "not JSON in line 3, column 7", id="a document"),
        pytest.param("x.jsonl", '{"a": 1}\n{"a" 2}\n', "not JSON in line 2, column 6", id="a line"),
        pytest.param("x.jsonl", '{"a": 1}\n[1]\n', r"line 2 is not an object: \[1\]", id="a list in a line"),
        pytest.param("x.json", '{"a": 1}', "is not a list of objects", id="an object"),
        pytest.param("x.json", '[{"a": 1}, 2]', "is not a list of objects", id="a number among objects"),
        pytest.param("x.json", "[" * 100_000, "levels of nesting", id="deep nesting"),
        pytest.param("x.jsonl", '{"a":' * 100_000, "line 1: more levels of nesting", id="deep in a line"),
        pytest.param("x.json", f'[{{"a": {"1" * 5000}}}]', "too many digits", id="5000 digits"),
        pytest.param("x.jsonl", '{}\n{"a": "x\\ud83d"}', "line 2: half a surrogate pair", id="half an emoji"),
        pytest.param("x.xlsx", "PK", r"unknown format '\.xlsx'\n.*csv, tsv", id="a spreadsheet"),
        pytest.param("x.parquet", "", "not a readable parquet file", id="empty parquet"),
        pytest.param("x.parquet", "PAR1 garbage PAR1", "not a readable parquet file", id="parquet garbage"),
    ],
)
def test_a_file_that_is_not_in_its_format_is_an_error_with_the_position(name, content, message, file):
    with pytest.raises(HarnessError, match=message):
        read_records(file(name, content))


def test_a_whole_emoji_written_as_a_pair_of_escapes_is_one_character(file):
    assert read_json(file("x.json", '["\\ud83d\\ude42"]')) == ["🙂"]


@pytest.mark.parametrize("kept", [8, 60, 200])
def test_a_parquet_file_that_was_cut_is_named(kept, tmp_path):
    whole = write(tmp_path / "whole.parquet", ROWS).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:kept])
    with pytest.raises(HarnessError, match="not a readable parquet file"):
        read_records(tmp_path / "cut.parquet")


def test_a_parquet_text_that_is_not_utf_8_is_named(tmp_path):
    column = pa.array([b"Stra\xdfe"], pa.binary()).view(pa.string())
    parquet.write_table(pa.table({"a": column}), tmp_path / "rows.parquet")
    with pytest.raises(HarnessError, match=r"not a readable parquet file: .*0xdf"):
        read_records(tmp_path / "rows.parquet")


def test_a_file_that_is_absent_or_a_folder_is_named(tmp_path):
    for path, message in ((tmp_path / "absent.csv", "no file"), (tmp_path, "has no files of rows")):
        with pytest.raises(HarnessError, match=f"{message}.*{path.name}|{path.name}.*{message}"):
            read_rows(path, ["a"])


def test_a_file_that_may_not_be_read_is_named(file, monkeypatch):
    path = file("rows.csv", "a\n1\n")

    def denied(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", denied)
    with pytest.raises(HarnessError, match=r"cannot read .*rows\.csv: Permission denied"):
        read_records(path)


# --- columns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, math.nan, 3, 2.5, True, b"bytes"])
def test_a_text_column_with_something_else_in_it_names_the_first_row_and_how_many(value, tmp_path):
    with pytest.raises(HarnessError, match="2 rows of column 'text1' are not texts, the first is row 2"):
        as_texts(["a", value, "b", value], "text1", tmp_path)


@pytest.mark.parametrize("value", [{"title": "t"}, ["a", "b"]])
def test_records_without_a_template_are_an_error_with_a_template_to_copy(value, tmp_path):
    with pytest.raises(HarnessError, match=r"row 2 of column 'text' is a record(.|\n)*templates = {"):
        as_texts(["a", value], "text", tmp_path)


def test_an_empty_text_is_a_text(tmp_path):
    assert as_texts(["", "a"], "text", tmp_path) == ["", "a"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_read_to_the_last_bit(values):
    assert as_floats([repr(value) for value in values], "score", "rows.csv") == values
    assert as_floats(values, "score", "rows.csv") == values


@pytest.mark.parametrize(
    "value", [None, "", "n/a", "nan", "inf", "1,5", math.nan, -math.inf, [1], {}, 10**400, "1e999"]
)
def test_a_value_that_is_not_a_finite_number_is_named_with_its_row(value):
    with pytest.raises(HarnessError, match=r"rows\.csv: row 2 of column 'score' is not a number"):
        as_floats(["1", value, "x"], "score", "rows.csv")


def test_names_are_texts_or_whole_numbers(tmp_path):
    assert as_ids([7, "a7", " "], "id", tmp_path) == ["7", "a7", " "]
    for value in (None, "", 1.5, math.nan, True, ["a"]):
        with pytest.raises(HarnessError, match="row 1 of column 'id' is not a name"):
            as_ids([value], "id", tmp_path)


# --- templates --------------------------------------------------------------------------------------------


def test_a_template_makes_a_text_of_a_record(file):
    path = file("rows.jsonl", '{"title": "On {x}", "text": "T", "year": 1999}\n')
    template = "{title} — {{year}} {year}\n{text}"
    rows = read_rows(path, ["document"], templates={"document": template})
    assert rows == {"document": ["On {x} — {year} 1999\nT"]}


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), TEXTS, min_size=1, max_size=4))
def test_the_text_of_a_field_is_never_read_as_a_template(record):
    template = "|".join(f"{{{name}}}" for name in record)
    assert render(template, record) == "|".join(record.values())


@pytest.mark.parametrize(
    "template",
    [
        "{a.__class__}",
        "{a.__init__.__globals__}",
        "{a.}",
        "{.a}",
        "{a.0}",
        "{a[0]}",
        "{0}",
        "{}",
        "{a!r}",
        "{a:>1000000000}",
        "{a:{b}}",
        "{a b}",
        "{a",
        "a}",
    ],
)
def test_a_template_cannot_use_attributes_indexes_or_formats(template):
    with pytest.raises(HarnessError, match="template"):
        render(template, {"a": "x", "b": "y"})


@pytest.mark.parametrize("value", [None, math.nan, math.inf, ["x"]])
def test_a_field_that_is_not_a_text_or_number_is_not_rendered(value):
    with pytest.raises(HarnessError, match=r"needs the field 'a'\n  found: a, b"):
        render("{a}", {"a": value, "b": "y"})


def test_a_dotted_name_leads_into_a_record_within_the_record(file):
    path = file(
        "rows.jsonl", '{"left": {"title": "T", "in": {"year": 1999}}, "right": {"title": "{left}"}}\n'
    )
    templates = {"text1": "{left.title} ({left.in.year})", "text2": "{right.title}"}
    assert read_rows(path, ["text1", "text2"], templates=templates) == {
        "text1": ["T (1999)"],
        "text2": ["{left}"],
    }


@pytest.mark.parametrize("name", ["left", "left.text", "left.title.real", "title", "left.items", "right.x"])
def test_an_unknown_dotted_name_is_an_error_that_lists_the_known_ones(name):
    record = {"left": {"title": "T", "in": {"year": 1999}}, "right": "R"}
    found = r"needs the field '.*'\n(  did you mean: .*\n)?  found: left.title, left.in.year, right"
    with pytest.raises(HarnessError, match=found):
        render(f"{{{name}}}", record)


def test_a_field_that_one_row_lacks_is_named_with_the_row(file):
    path = file("rows.jsonl", '{"a": "x", "b": "y"}\n{"b": "z"}\n')
    with pytest.raises(HarnessError, match=r"rows\.jsonl: row 2: template '{a}' needs the field 'a'"):
        read_rows(path, ["text"], templates={"text": "{a}"})


# --- sources ----------------------------------------------------------------------------------------------


def test_a_source_gives_the_first_alternative_that_exists(tmp_path):
    (tmp_path / "b.csv").touch()
    (tmp_path / "c.csv").touch()
    assert DataSource("files", tmp_path).path("a.csv", "b.csv", "c.csv") == tmp_path / "b.csv"


def test_a_source_without_the_data_says_what_is_missing_and_what_exists(tmp_path):
    for number in range(30):
        (tmp_path / f"{number:02}").mkdir()
    with pytest.raises(MissingDataError) as caught:
        DataSource("files", tmp_path).path("a.csv", "b.csv")
    assert caught.value.message == f"no a.csv or b.csv in {tmp_path}"
    assert caught.value.exists.startswith("there: 00, 01, ")
    assert caught.value.exists.endswith("19 …")


def test_an_absent_folder_is_reported_as_empty(tmp_path):
    with pytest.raises(MissingDataError, match="there: nothing"):
        DataSource("files", tmp_path / "absent").path("a.csv")


def test_a_task_without_a_sample_says_how_to_give_the_real_data():
    with pytest.raises(MissingDataError, match=r"no sample is shipped.*\n.*--data DIR"):
        DataSource("sample", None).path("a.csv")
