"""Limits for reading untrusted files, and errors that name them."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from harness import HarnessError, read_rows
from harness.authoring import read_json, read_text
from harness.checks.models import read_architecture
from harness.system import limits
from harness.system.limits import DATA, DEPTH, Limit, check_nesting, read_file, read_json_file, read_size
from harness.system.toml_file import read_toml
from harness.training.cards.reader import read_card
from harness.training.lineage import read_lineage

NAMED = [limit for limit in vars(limits).values() if isinstance(limit, Limit)]


def nested(levels):
    return "[" * levels + "]" * levels


@pytest.fixture
def few(monkeypatch):
    """Lower a limit to a number."""
    return lambda limit, most: monkeypatch.setenv(limit.variable, str(most))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 5), ("8k", 8192), ("2M", 2**21), (" 16GiB ", 2**34), ("1.5T", 3 * 2**39), ("", DATA.default)],
)
def test_a_variable_raises_or_lowers_a_limit(text, expected, few):
    few(DATA, text)
    assert DATA.most == expected


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20GiB", 20 << 30), ("20 gib", 20 << 30), ("20G", 20 << 30), ("500MB", 500_000_000),
        ("1.5KiB", 1536), ("7B", 7), ("2T", 2 << 40),
    ],
)  # fmt: skip
def test_sizes_are_read_as_people_write_them(text, size):
    assert read_size(text, "--cache-size") == size


@pytest.mark.parametrize("text", ["20", "", "-1GiB", "0GiB", "much", "1e9B", "20GiBs"])
def test_an_invalid_size_is_refused(text):
    with pytest.raises(HarnessError, match=r"invalid size .* for --cache-size"):
        read_size(text, "--cache-size")


@pytest.mark.parametrize("text", ["many", "-1", "1.5", "8X", "0G", "9" * 99])
def test_an_invalid_limit_is_refused_with_its_variable(text, few):
    few(DATA, text)
    with pytest.raises(HarnessError, match=r"invalid size .* for HARNESS_MAX_DATA_BYTES"):
        _ = DATA.most


def test_every_limit_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "SECURITY.md").read_text(encoding="utf-8")
    assert NAMED
    assert [limit.variable for limit in NAMED if f"`{limit.variable}`" not in text] == []


@pytest.mark.parametrize(
    ("name", "read", "limit"),
    [
        ("a.csv", lambda path: read_rows(path, ["a"]), "HARNESS_MAX_DATA_BYTES"),
        ("a.jsonl", lambda path: read_rows(path, ["a"]), "HARNESS_MAX_DATA_BYTES"),
        ("a.json", read_json, "HARNESS_MAX_DATA_BYTES"),
        ("a.toml", read_toml, "HARNESS_MAX_CONFIG_BYTES"),
        ("README.md", read_card, "HARNESS_MAX_CARD_BYTES"),
        ("record.json", read_json_file, "HARNESS_MAX_RECORD_BYTES"),
        ("lineage.json", lambda path: read_lineage(path.parent), "HARNESS_MAX_RECORD_BYTES"),
    ],
)
def test_a_file_over_its_limit_is_refused_before_it_is_read_and_the_limit_named(name, read, limit, tmp_path):
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(2**40)  # a terabyte of nothing, which takes no room
    with pytest.raises(HarnessError, match=rf"(?s)1,099,511,627,776 bytes.*raise the limit: {limit}=…"):
        read(path)


def test_a_file_at_its_limit_is_read(tmp_path, few):
    path = tmp_path / "a.txt"
    path.write_text("12345")
    few(DATA, 5)
    assert read_text(path) == "12345"


def test_a_device_without_size_and_end_is_read_up_to_the_limit(few):
    few(DATA, 1000)
    with pytest.raises(HarnessError, match="HARNESS_MAX_DATA_BYTES"):
        read_file(Path(os.devnull).with_name("zero"), DATA)


def test_a_pipe_is_read_to_its_end(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writing = threading.Thread(target=lambda: path.write_bytes(b"from a pipe"))
    writing.start()
    assert read_file(path, DATA) == b"from a pipe"
    writing.join()


@pytest.mark.parametrize(
    ("name", "read"),
    [("record.json", read_json_file), ("modules.json", lambda path: read_architecture(path.parent))],
)
@pytest.mark.parametrize("device", ["zero", "null"])
def test_a_device_among_the_files_of_a_folder_is_not_read(name, read, device, tmp_path):
    (tmp_path / name).symlink_to(Path(os.devnull).with_name(device))
    with pytest.raises(HarnessError, match="is not a regular file: it is a pipe or a device"):
        read(tmp_path / name)


def test_a_pipe_among_the_files_of_a_folder_is_not_waited_for(tmp_path):
    path = tmp_path / "record.json"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    ending = threading.Timer(5, os.close, [writer])  # so that a reader that waits fails, and does not hang
    ending.start()
    with pytest.raises(HarnessError, match="is not a regular file: it is a pipe or a device"):
        read_json_file(path)
    ending.cancel()
    os.close(writer)


@pytest.mark.parametrize("levels", [DEPTH.default + 1, 900, 100_000])
@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("a.json", "{}", read_json),
        ("a.jsonl", '{{"a": {}}}', lambda path: read_rows(path, ["a"])),
        ("a.toml", "a = {}", read_toml),
        ("record.json", "{}", read_json_file),
        ("lineage.json", '{{"hardware": {}}}', lambda path: read_lineage(path.parent)),
    ],
)
def test_deep_nesting_is_refused_with_the_limit(name, written, read, levels, tmp_path):
    path = tmp_path / name
    path.write_text(written.format(nested(levels)))
    with pytest.raises(HarnessError, match=r"(?s)levels of nesting.*HARNESS_MAX_DEPTH=…"):
        read(path)


def test_nesting_at_the_limit_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(nested(DEPTH.default))
    assert json.dumps(read_json(path)) == nested(DEPTH.default)


def test_dotted_keys_nest_too(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(f"{'.'.join('a' * 200)} = 1")
    with pytest.raises(HarnessError, match="levels of nesting"):
        read_toml(path)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("{} = 1", id="a key"),
        pytest.param("[{}]", id="a table"),
        pytest.param("[[{}]]", id="one of several tables"),
        pytest.param("a = [1, {{ b = 2, {} = 1 }}]", id="in a table in a line"),
        pytest.param('a = {{ b = """c"""", {} = 1 }}', id="after a text that ends in a quotation mark"),
        pytest.param("a = {{ b = '''c''''', {} = 1 }}", id="after a text that ends in two"),
        pytest.param('a = "\\"#" # "\n{} = 1', id="after a comment"),
    ],
)
@pytest.mark.parametrize(
    "key", [".".join(["a"] * 30_000), "\"a.b\" . 'c' .\td." * 10_000 + "e"], ids=["bare", "quoted"]
)
def test_a_key_of_many_parts_is_refused_before_it_takes_quadratic_time(written, key, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(written.format(key))
    started = time.process_time()
    with pytest.raises(HarnessError, match=r"(?s)30,00[01] levels of nesting.*HARNESS_MAX_DEPTH=…"):
        read_toml(path)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("mark", ['"', "'", '"""', "'''"])
def test_dots_in_texts_and_comments_do_not_nest(mark, tmp_path):
    text = "and so on. " * 1_000
    path = tmp_path / "a.toml"
    path.write_text(
        f"# {'a.' * 500}\nb = [{mark}{text}{mark}, {mark}c{mark}] # {'d.' * 500}\n'{text}'.e = 1.5\n"
    )
    assert read_toml(path) == {"b": [text, "c"], text: {"e": 1.5}}


@pytest.mark.parametrize(("parts", "read"), [(DEPTH.default, True), (DEPTH.default + 1, False)])
def test_a_key_may_have_as_many_parts_as_there_may_be_levels(parts, read, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(f"{'.'.join(['a'] * parts)} = 1")
    if read:
        assert "a" in read_toml(path)
    else:
        with pytest.raises(HarnessError, match=f"{parts} levels of nesting"):
            read_toml(path)


@pytest.mark.parametrize("piece", ['"', "'", '"\\', "\\", "a ", "a . ", 'a"', "#", "=", "\t"])
@pytest.mark.parametrize("start", ["", 'a = "', 'a = """', "a = '''"])
def test_no_toml_takes_longer_than_its_size_allows(start, piece, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(start + piece * 50_000 + "\n=")
    started = time.process_time()
    with pytest.raises(HarnessError):
        read_toml(path)
    assert time.process_time() - started < 1


def test_a_number_of_too_many_digits_is_refused(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(f"a = {'9' * 5000}")
    with pytest.raises(HarnessError, match="is not TOML"):
        read_toml(path)


def test_a_list_that_holds_itself_ends():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(HarnessError, match="HARNESS_MAX_DEPTH"):
        check_nesting(endless, "a card")


def test_yaml_aliases_that_would_expand_to_a_billion_lists_are_refused(tmp_path, few):
    few(limits.VALUES, 1_000)
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20))]
    (tmp_path / "README.md").write_text("---\n" + "\n".join(lines) + "\n---\n# A model\n")
    with pytest.raises(HarnessError, match=r"(?s)lists and tables.*HARNESS_MAX_CARD_VALUES=…"):
        read_card(tmp_path / "README.md")


# --- parquet ----------------------------------------------------------------------------------------------


def bomb(path, rows=3_000, size=10_000):
    """Write few bytes that become many: one text, in a dictionary, that every row points to."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * size])
    parquet.write_table(pa.table({"text": column}), path, store_schema=False)
    return path


def test_a_parquet_file_that_grows_too_much_is_refused(tmp_path, monkeypatch):
    path = bomb(tmp_path / "bomb.parquet")
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(limits, "_GROWS_FREELY", 2**22)
    with pytest.raises(HarnessError, match=r"(?s)times its size on disk.*HARNESS_MAX_GROWTH=…"):
        read_rows(path, ["text"])


def test_a_parquet_file_of_too_many_bytes_is_refused_while_it_grows(tmp_path, few):
    few(DATA, "15M")
    with pytest.raises(
        HarnessError, match=r"(?s)bytes of data, where the limit is 15,728,640.*HARNESS_MAX_DATA"
    ):
        read_rows(bomb(tmp_path / "bomb.parquet"), ["text"])


def test_a_parquet_file_of_too_many_rows_is_refused_before_it_is_read(tmp_path, few):
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"a": pa.array([0] * 100_001)}), path)
    few(limits.ROWS, 100_000)
    with pytest.raises(
        HarnessError, match=r"(?s)100,001 rows, where the limit is 100,000.*HARNESS_MAX_ROWS=…"
    ):
        read_rows(path, ["a"])


@pytest.mark.parametrize("rows", [0, 1, 1_024, 2_500])
def test_a_table_that_is_read_in_pieces_is_complete(rows, tmp_path):
    table = pa.table(
        {
            "a": pa.array(range(rows), pa.int64()),
            "b": [[str(row)] for row in range(rows)] or pa.array([], pa.list_(pa.string())),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=700)
    with parquet.ParquetFile(tmp_path / "a.parquet") as file:
        assert limits.read_parquet(file, tmp_path / "a.parquet").equals(table)
        assert limits.read_parquet(file, tmp_path / "a.parquet", ["b"]).equals(table.select(["b"]))


def test_a_header_of_many_columns_is_read_fast(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{number}" for number in range(50_000)) + "\n" + "," * 49_999 + "\n")
    assert read_rows(path, ["c0"]) == {"c0": [""]}
