"""Delimited files as they are published: quotation marks, headers, positions, trailing tabs."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness import HarnessError, read_rows
from harness.tasks.readers import read_records

PAIRS = ("text1", "text2", "score")
HEADER = "text1\ttext2\tscore\n"


@pytest.fixture
def file(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        return path

    return written


def codes(rows):
    return [finding.code for finding in rows.findings]


# --- quotation marks in files that tabs delimit -----------------------------------------------------------


@pytest.mark.parametrize("ending", ["tsv", "txt"])
@pytest.mark.parametrize(
    "text",
    [
        '"He said" yes',
        '"',
        'a 5" disc',
        '5" discs and 3" discs',
        '"never closed',
        'closed only"',
        '"Yes."',
        'say "please"',
        '""',
        '"a" and "b"',
    ],
)
def test_a_quotation_mark_of_a_text_is_part_of_it(text, ending, file):
    path = file(
        f"rows.{ending}", f"{HEADER}a dog\ta cat, perhaps\t1.5\n{text}\tyes, no\t2\nx\t{text}\t3\nz\tw\t4\n"
    )
    rows = read_rows(path, PAIRS)
    assert rows["text1"] == ["a dog", text, "x", "z"]
    assert rows["text2"] == ["a cat, perhaps", "yes, no", text, "w"]


def test_quotes_far_apart_do_not_swallow_the_rows_between_and_the_doubt_is_said(file):
    lines = [f"item {number}\tthing {number}\t{number}" for number in range(9)]
    lines[2], lines[6] = '"item 2\tthing 2\t2', 'item 6\tthing 6"\t6'
    lines[6] = 'item 6"\tthing 6\t6'
    rows = read_rows(file("rows.tsv", HEADER + "\n".join(lines)), PAIRS)
    assert rows["score"] == [str(number) for number in range(9)]
    (finding,) = rows.findings
    assert finding.code == "doubtful-quotes"
    assert "read without quoting, as 9 rows; with it there would be 5" in finding.evidence
    assert "begins in line 4 and ends in line 8" in finding.evidence
    assert 'quoting = "none"' in finding.remedy


@pytest.mark.parametrize(
    "style", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC], ids=["minimal", "all", "texts"]
)
def test_the_quotes_of_a_program_are_taken_off(style, file):
    rows = [['a "quoted" word', "plain", 1.5], ["no quotes, a comma", '"', 2.0]]
    text = io.StringIO()
    csv.writer(text, delimiter="\t", quoting=style, lineterminator="\n").writerows([PAIRS, *rows])
    read = read_rows(file("rows.tsv", text.getvalue()), PAIRS)
    assert (read["text1"], read["text2"]) == ([rows[0][0], rows[1][0]], ["plain", '"'])
    assert codes(read) == []


def test_excel_s_quotes_around_texts_with_commas_are_taken_off(file):
    path = file("rows.txt", f'{HEADER}"one, two"\tplain\t1\n"a ""b"""\tx\t2\n')
    assert read_rows(path, PAIRS)["text1"] == ["one, two", 'a "b"']


def test_a_quoted_text_with_a_line_end_is_read_where_only_quoting_gives_whole_rows(file):
    path = file("rows.tsv", f'{HEADER}"two\nlines"\tb\t1\n')
    assert read_rows(path, PAIRS)["text1"] == ["two\nlines"]
    assert codes(read_rows(path, PAIRS)) == []


def test_a_quoted_text_with_a_tab_and_a_line_end_is_never_silent(file):
    path = file("rows.tsv", f'{HEADER}"two\nlines\tand a tab"\tb\t1\n')
    rows = read_rows(path, PAIRS)
    assert rows["text1"] == ["two\nlines\tand a tab"]
    assert codes(rows) == ["doubtful-quotes"]


TEXTS = st.text(st.sampled_from('ab"\t\n, '), max_size=8)


@given(texts=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
@example(texts=[("x", "y\nz\tw"), ("a", "b")])
@example(texts=[("a\tb\nc", '"'), ("d", "e")])
def test_a_text_with_a_tab_and_a_line_end_is_read_whole_or_in_a_finding(texts, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "drawn.tsv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="\t").writerows([("one", "two"), *texts])
    try:
        rows = read_rows(path, ("one", "two"))
    except HarnessError:
        return
    read = list(zip(rows["one"], rows["two"], strict=True))
    assert read == texts or codes(rows) == ["doubtful-quotes"]


@given(texts=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_any_text_is_read_whole_where_quoting_is_said(texts, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "said.tsv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="\t").writerows([("one", "two"), *texts])
    rows = read_rows(path, ("one", "two"), quoting="csv")
    assert list(zip(rows["one"], rows["two"], strict=True)) == texts


def test_quoting_can_be_said(file):
    path = file("rows.tsv", f'{HEADER}"a"\tb\t1\n')
    assert read_rows(path, PAIRS, quoting="none")["text1"] == ['"a"']
    assert read_rows(path, PAIRS, quoting="csv")["text1"] == ["a"]
    path = file("rows.csv", 'a,b\n"x,y\n')
    assert read_records(path, quoting="none") == [{"a": '"x', "b": "y"}]


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('one,"two', "line 4: unexpected end of data; the quotation mark opens in line 4"),
        ('"one,two\nthree,four\n', "line 5: unexpected end of data; the quotation mark opens in line 4"),
        ('one,"two\nthree"x,four\n', "line 5: .*; the quotation mark opens in line 4"),
        ('"one\n","two\nthree,four\n', "the quotation mark opens in line 5"),
        ('a,"b ""c""\n', "the quotation mark opens in line 4"),
        ('"one\ntwo",3,4\n', "that begins in line 4 and ends in line 5 has 3 cells, not 2"),
    ],
)
def test_an_error_names_the_line_in_which_the_quotation_mark_opens(body, message, file):
    with pytest.raises(HarnessError, match=message):
        read_records(file("rows.csv", f'a,b\n"two\nlines",1\n{body}\n'.replace("\n\n", "\n")))


def test_a_row_that_no_way_of_quoting_explains_is_named(file):
    path = file("rows.tsv", f'{HEADER}a\tb\t1\na tab\tin "the\ttext\t2\n')
    with pytest.raises(
        HarnessError, match="the row in line 3 has 4 cells, not 3\n  columns: text1, text2, score"
    ):
        read_rows(path, PAIRS)


# --- what does not count ----------------------------------------------------------------------------------


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n\n"], ids=["plain", "mark", "blank"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n \n"], ids=["none", "one", "many"])
@pytest.mark.parametrize("tail", ["", "\t\t"], ids=["bare", "tabs"])
def test_line_ends_blank_lines_and_trailing_tabs_do_not_count(line_end, start, end, tail, file):
    lines = [f"{line}{tail}" for line in ("text1\ttext2\tscore", "a\tb\t1", "c\td\t2")]
    path = file("rows.tsv", start + "\n".join(lines) + end)
    path.write_bytes(path.read_bytes().replace(b"\n", line_end.encode()))
    rows = read_rows(path, PAIRS)
    assert rows == {"text1": ["a", "c"], "text2": ["b", "d"], "score": ["1", "2"]}
    assert rows.findings == ()


def test_trailing_tabs_of_some_rows_do_not_count(file):
    path = file("rows.tsv", "text1\ttext2\tscore\na\tb\t1\t\t\nc\td\t2\n")
    assert read_rows(path, PAIRS)["score"] == ["1", "2"]


def test_a_csv_file_that_tabs_delimit_is_read_so_and_that_is_said(file):
    path = file("rows.csv", "a, b\tc\t1.5\nd\te, f\t2\n")
    rows = read_rows(path, PAIRS, numbers=("score",))
    assert rows["text2"] == ["c", "e, f"]
    assert codes(rows) == ["tabs-delimit", "no-header"]
    assert codes(read_rows(file("rows.csv", "text1,text2,score\na\t,b,1\n"), PAIRS)) == []


def test_the_delimiter_can_be_said(file):
    path = file("rows.csv", 'text1;text2;score\n"a;b";c;1\n')
    assert read_rows(path, PAIRS, delimiter=";", quoting="csv")["text1"] == ["a;b"]
    with pytest.raises(HarnessError, match="the first line has no tab"):
        read_records(file("rows.txt", "a;b\n1;2\n"))
    assert read_records(file("rows.txt", "a;b\n1;2\n"), delimiter=";") == [{"a": "1", "b": "2"}]


# --- headers and positions --------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt"])
def test_a_missing_header_is_recognized_by_its_number_and_said(ending, file):
    separator = "," if ending == "csv" else "\t"
    path = file(f"rows.{ending}", "a|b|1.5\nc|d|2\n".replace("|", separator))
    rows = read_rows(path, PAIRS, numbers=("score",))
    assert rows == {"text1": ["a", "c"], "text2": ["b", "d"], "score": ["1.5", "2"]}
    (finding,) = rows.findings
    assert finding.code == "no-header"
    assert "the first line, 'a | b | 1.5', is read as a row of text1, text2, score" in finding.evidence


def test_a_header_of_other_names_is_no_row(file):
    with pytest.raises(HarnessError, match="has no column 'text1', 'text2', 'score'\n  found: s1, s2, sim"):
        read_rows(file("rows.csv", "s1,s2,sim\na,b,1\n"), PAIRS, numbers=("score",))


def test_columns_are_found_by_position(file):
    lines = 'main-captions\tMSRvid\t2012test\t0001\t2.500\tA girl.\tA "boy".\tsource\tsource\n'
    lines += "main-news\theadlines\t2015\t0002\t5.000\tOne.\tTwo.\n"
    columns = {"text1": 6, "text2": 7, "score": 5}
    rows = read_rows(file("sts-test.csv", lines), columns, numbers=("score",))
    assert rows == {"text1": ["A girl.", "One."], "text2": ['A "boy".', "Two."], "score": ["2.500", "5.000"]}
    assert codes(rows) == ["tabs-delimit", "ragged-rows", "no-header"]
    assert "7 to 9 cells, of which 7 are read" in rows.findings[1].evidence


def test_positions_count_in_a_file_with_a_header_too(file):
    rows = read_rows(file("r.csv", "x,y,z\na,b,1\n"), {"text1": 2, "score": 3}, numbers=("score",))
    assert rows == {"text1": ["b"], "score": ["1"]}


@pytest.mark.parametrize(
    ("content", "columns", "how", "message"),
    [
        ("a,b,c\n", {"a": 1, "b": 2}, {}, "given by position\n.*header = true, or header = false"),
        ("a,b,\nc,d,1\n", {"text1": 1, "score": 3}, {}, "given by position\n.*header = true"),
        ("a,b,n/a\nc,d,1\n", {"text1": 1, "score": 3}, {}, "given by position\n.*header = true"),
        ("a,b\n", {"text1": 1, "score": 3}, {"header": False}, "2 cells: there is no column 3"),
        (
            "a,b\nc,d\n",
            {"text1": 1, "score": 3},
            {"header": True},
            "2 columns, counted from 1: .* no column 3",
        ),
        ("a,1\n", {"text1": 1, "score": 10**18}, {"header": False}, "2 cells: there is no column 10{18}"),
        ("a,b\n", {"text1": 0, "score": 1}, {"header": False}, "there is no column 0"),
        ("a,b,1,x\n", ("text1", "text2", "score"), {}, "no header and 4 columns, where 3 are needed"),
        ("a,b\n", ("text1", "text2", "score"), {"header": False}, "no header and 2 columns"),
        ("a,b,1\n", {"text1": "a", "score": "1"}, {}, "is '1'\n.*header = false"),
        (
            "a,b,1\n",
            {"text1": "s1", "score": "sim"},
            {"header": False},
            "no header, so columns have no names",
        ),
    ],
)
def test_a_column_that_cannot_be_found_is_an_error_that_says_what_to_write(
    content, columns, how, message, file
):
    with pytest.raises(HarnessError, match=message):
        read_rows(file("rows.csv", content), columns, numbers=("score",), **how)


def test_a_row_with_an_empty_score_counts_by_what_is_asked(file):
    path = file("rows.tsv", "a\tb\t1\nc\td\t\ne\tf\t3\n")
    assert read_rows(path, PAIRS, numbers=("score",))["score"] == ["1", "", "3"]
    rows = read_rows(path, PAIRS, numbers=("score",), missing="drop")
    assert rows["text1"] == ["a", "e"]
    assert rows.places == [(path, 1), (path, 3)]
    assert codes(rows) == ["no-header", "rows-dropped"]
    assert rows.findings[1].evidence == "1 of 3 rows lacks a value and was dropped"
    with pytest.raises(HarnessError, match=r"each row of .* lacks a value"):
        read_rows(file("rows.csv", "text1,text2,score\na,b,\n"), PAIRS, numbers=("score",), missing="drop")


# --- several files ----------------------------------------------------------------------------------------


def test_several_files_are_read_in_order_each_with_its_own_header_or_none(file):
    paths = [
        file("b.tsv", f"{HEADER}b\tx\t1\n"),
        file("a.csv", "a,y,2\n"),
        file("c.jsonl", '{"text1": "c", "text2": "z", "score": 3}'),
    ]
    rows = read_rows(paths, PAIRS, numbers=("score",))
    assert rows == {"text1": ["b", "a", "c"], "text2": ["x", "y", "z"], "score": ["1", "2", 3]}
    assert rows.places == [(path, 1) for path in paths]
    assert codes(rows) == ["no-header", "several-files"]
    assert (
        rows.findings[1].evidence == "rows are of 3 files, in this order: b.tsv (1), a.csv (1), c.jsonl (1)"
    )


def test_a_pattern_is_its_files_sorted_by_name(file, tmp_path):
    for name in "cab":
        file(f"STS.{name}.tsv", f"{name}\tx\t1\n")
    rows = read_rows(tmp_path / "STS.*.tsv", PAIRS, numbers=("score",))
    assert rows["text1"] == ["a", "b", "c"]
    with pytest.raises(HarnessError, match=r"no file matches .*\n  in .*: STS\.a\.tsv, STS\.b\.tsv"):
        read_rows(tmp_path / "STS.*.csv", PAIRS)
    with pytest.raises(HarnessError, match=r"STS\.a\.tsv is named twice"):
        read_rows([tmp_path / "STS.*.tsv", tmp_path / "STS.a.tsv"], PAIRS)


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(file):
    assert read_records(file("rows[1].csv", "a\n1\n")) == [{"a": "1"}]


def test_a_column_that_only_one_of_several_files_has_is_named(file):
    paths = [file("a.csv", "text,id\nx,1\n"), file("b.csv", "text\ny\n")]
    with pytest.raises(HarnessError, match=r"column 'id' is in .*a\.csv and not in .*b\.csv"):
        read_rows(paths, ["text"], optional=["id"])


def test_columns_that_are_all_optional_are_read_where_they_are(file):
    rows = read_rows(file("rows.csv", "a,b\n1,2\n"), (), optional=["b", "c"])
    assert rows == {"b": ["2"]}
