"""Files of rows as people have them: compressed, Arrow, saved by `datasets`, copied from a hub."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma

import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from harness import HarnessError, read_rows
from harness.tasks.readers import as_floats, format_of, read_json, read_records

ROWS = [{"a": "Ünïcode 🙂", "b": 'a "quote"'}, {"a": "two\nlines", "b": ""}, {"a": "x", "b": "y"}]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()
TEXTS = {"jsonl": LINES, "json": json.dumps(ROWS).encode(), "csv": b'a,b\nx,"y, z"\n', "tsv": b"a\tb\nx\ty\n"}


def zstandard(content):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstandard}


def write_arrow(path, rows, *, stream=False, compression=None):
    table = pa.Table.from_pylist(rows)
    options = ipc.IpcWriteOptions(compression=compression)
    with (ipc.new_stream if stream else ipc.new_file)(path, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=2)
    return path


def write_parquet(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


# --- compressed files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("kind", TEXTS)
def test_a_compressed_file_is_read_as_the_plain_one(kind, ending, tmp_path):
    plain, packed = tmp_path / f"rows.{kind}", tmp_path / f"ROWS.{kind}.{ending.upper()}"
    plain.write_bytes(TEXTS[kind])
    packed.write_bytes(COMPRESS[ending](TEXTS[kind]))
    assert read_records(packed) == read_records(plain)


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_file_that_was_compressed_in_several_parts_is_read_to_its_end(ending, tmp_path):
    packed = tmp_path / f"rows.jsonl.{ending}"
    lines = LINES.splitlines(keepends=True)
    packed.write_bytes(b"".join(COMPRESS[ending](line) for line in lines))
    assert read_records(packed) == ROWS


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
def test_a_damaged_compressed_file_is_named(ending, damage, tmp_path):
    whole = COMPRESS[ending](LINES * 50)
    packed = tmp_path / f"rows.jsonl.{ending}"
    packed.write_bytes(
        {"cut": whole[: len(whole) // 2], "garbage": b"not compressed at all", "empty": b""}[damage]
    )
    with pytest.raises(HarnessError, match=rf"rows\.jsonl\.{ending} is not a readable {ending} file"):
        read_records(packed)


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_few_bytes_that_become_many_are_refused(ending, tmp_path, monkeypatch):
    packed = tmp_path / f"rows.jsonl.{ending}"
    packed.write_bytes(COMPRESS[ending](b" " * 3_000_000))
    monkeypatch.setenv("HARNESS_MAX_DATA_BYTES", "2000000")
    with pytest.raises(HarnessError, match="bytes of data, where the limit is 2,000,000"):
        read_records(packed)
    monkeypatch.delenv("HARNESS_MAX_DATA_BYTES")
    monkeypatch.setattr("harness.system.limits._GROWS_FREELY", 1_000_000)
    monkeypatch.setenv("HARNESS_MAX_GROWTH", "10")
    with pytest.raises(HarnessError, match="times its size on disk"):
        read_records(packed)


def test_an_absent_compressed_file_is_named(tmp_path):
    with pytest.raises(HarnessError, match=r"cannot read .*absent\.json\.gz: No such file"):
        read_json(tmp_path / "absent.json.gz")


def test_the_format_is_the_ending_before_that_of_the_compression(tmp_path):
    assert format_of(tmp_path / "rows.v2.jsonl.GZ") == "jsonl"
    assert format_of(tmp_path / "rows.parquet.gz") is None
    assert format_of(tmp_path / "gz") is None


# --- JSON -------------------------------------------------------------------------------------------------


def test_json_lines_in_a_file_named_json_are_read(tmp_path):
    path = tmp_path / "rows.json"
    path.write_bytes(b"\n" + LINES)
    assert read_records(path) == ROWS


def test_a_list_in_a_file_named_jsonl_is_read(tmp_path):
    path = tmp_path / "rows.jsonl"
    for indent in (None, 2):
        path.write_text(json.dumps(ROWS, indent=indent))
        assert read_records(path) == ROWS


def test_an_error_in_json_lines_names_the_line_whatever_the_ending(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('{"a": 1}\n{"a" 2}\n')
    with pytest.raises(HarnessError, match="not JSON in line 2, column 6"):
        read_records(path)


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_a_name_that_an_object_has_twice_is_refused(kind, tmp_path):
    path = tmp_path / f"rows.{kind}"
    path.write_text('[{"a": 1, "b": 2, "a": 3}]' if kind == "json" else '{"a": 1, "b": 2, "a": 3}')
    with pytest.raises(HarnessError, match="two columns are named 'a'"):
        read_records(path)


# --- Arrow ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_an_arrow_file_and_an_arrow_stream_are_read(stream, compression, tmp_path):
    path = write_arrow(tmp_path / "rows.arrow", ROWS, stream=stream, compression=compression)
    assert read_records(path) == ROWS


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_an_arrow_file_without_rows_is_an_empty_dataset(stream, tmp_path):
    path = tmp_path / "rows.arrow"
    with (ipc.new_stream if stream else ipc.new_file)(path, pa.schema([("a", pa.string())])):
        pass
    with pytest.raises(HarnessError, match="empty dataset"):
        read_rows(path, ["a"])


@pytest.mark.parametrize("content", [b"", b"ARROW1\0\0", b"ARROW1\0\0 and more", b"garbage"])
def test_a_damaged_arrow_file_is_named(content, tmp_path):
    path = tmp_path / "rows.arrow"
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=r"rows\.arrow is not a readable arrow file"):
        read_records(path)


def test_an_arrow_file_whose_offsets_lead_out_of_it_is_named(tmp_path):
    path = write_arrow(tmp_path / "rows.arrow", [{"a": "0123456789abcdef" * 8}])
    content = path.read_bytes()
    offsets = (0).to_bytes(4, "little") + (128).to_bytes(4, "little")
    assert content.count(offsets) >= 1
    path.write_bytes(content.replace(offsets, (0).to_bytes(4, "little") + (2**31 - 1).to_bytes(4, "little")))
    # pyarrow 18 counts the bytes that the offsets claim, and newer ones look whether they are there.
    with pytest.raises(HarnessError, match=r"not a readable arrow file|times its size on disk"):
        read_records(path)


def test_the_limits_hold_for_arrow_files(tmp_path, monkeypatch):
    path = write_arrow(tmp_path / "rows.arrow", ROWS)
    monkeypatch.setenv("HARNESS_MAX_ROWS", "2")
    with pytest.raises(HarnessError, match="3 rows, where the limit is 2"):
        read_records(path)


# --- folders ----------------------------------------------------------------------------------------------


def test_a_saved_dataset_is_read(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "one", num_shards=2)
    assert read_records(tmp_path / "one") == ROWS
    with pytest.raises(HarnessError, match="has no splits"):
        read_records(tmp_path / "one", split="test")


def test_the_split_of_a_saved_dataset_is_chosen(tmp_path):
    datasets = pytest.importorskip("datasets")
    splits = {"test": datasets.Dataset.from_list(ROWS), "train": datasets.Dataset.from_list(ROWS[:1])}
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "all")
    assert read_records(tmp_path / "all") == ROWS
    assert read_records(tmp_path / "all", split="train") == ROWS[:1]
    with pytest.raises(HarnessError, match=r"no split in .* named 'dev'\n  known: test, train\n.*split = "):
        read_records(tmp_path / "all", split="dev")


@pytest.mark.parametrize("name", ["../secret.arrow", "/etc/passwd", "..", "", 3])
def test_a_saved_dataset_names_no_file_outside_its_folder(name, tmp_path):
    write_arrow(tmp_path / "secret.arrow", ROWS)
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(HarnessError, match=r"state\.json names no files"):
        read_records(folder)


def test_a_saved_dataset_that_lacks_a_file_says_which(tmp_path):
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-0.arrow"}]}))
    with pytest.raises(HarnessError, match=r"lacks data-0\.arrow"):
        read_records(tmp_path)


def test_a_copy_of_a_hub_s_repository_is_read_by_split(tmp_path):
    for number, row in enumerate(ROWS):
        write_parquet(tmp_path / "data" / f"test-{number:05}-of-00003.parquet", [row])
    write_parquet(tmp_path / "data" / "train-00000-of-00001.parquet", ROWS[:1])
    (tmp_path / "README.md").write_text("a card")
    assert read_records(tmp_path) == read_records(tmp_path, split="test") == ROWS
    assert read_records(tmp_path, split="train") == ROWS[:1]


def test_a_shard_that_is_missing_is_named(tmp_path):
    for number in (0, 2):
        write_parquet(tmp_path / f"test-{number:05}-of-00003.parquet", ROWS)
    with pytest.raises(HarnessError, match=r"of 3 files test-…-of-00003 there are 2\n.*number 00001"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ["test.jsonl.gz", "train.jsonl.gz"],
        ["test/0.jsonl.gz", "train/0.jsonl.gz"],
        ["data/test/0.jsonl.gz"],
        ["part-0.jsonl.gz"],
        ["rows-00000-of-00001.jsonl.gz"],
    ],
    ids=", ".join,
)
def test_other_layouts_of_splits_are_read(names, tmp_path):
    folder = tmp_path / "rows"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(gzip.compress(LINES if "train" not in name else b"{}"))
    assert read_records(folder) == ROWS


def test_numbered_files_of_one_folder_are_one_split_in_the_order_of_their_names(tmp_path):
    for number, row in enumerate(ROWS):
        write_parquet(tmp_path / f"part-{number}.parquet", [row])
    assert read_records(tmp_path) == ROWS


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["stsb-en-test.jsonl", "stsb-en-train.jsonl"], "several files of rows, and not as parts of one"),
        (["train.jsonl"], r"no split in .* named 'test'\n  known: train"),
        (["test/0.jsonl", "test/0.csv"], "files of rows in several formats"),
        (["notes.md"], "has no files of rows\n  there: notes.md"),
        ([], "has no files of rows\n  there: nothing"),
    ],
)
def test_a_folder_that_leaves_open_what_is_meant_is_an_error(names, message, tmp_path):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(LINES)
    with pytest.raises(HarnessError, match=message):
        read_records(tmp_path)


def test_a_file_has_no_splits(tmp_path):
    path = write_parquet(tmp_path / "test.parquet", ROWS)
    with pytest.raises(HarnessError, match="is a file, so it has no split 'test'"):
        read_records(path, split="test")


def test_a_saved_dataset_that_names_a_file_too_long_for_a_disk_is_an_error(tmp_path):
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": "9" * 5000}]}))
    with pytest.raises(HarnessError, match="file name too long"):
        read_records(tmp_path)
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["9" * 5000]}))
    with pytest.raises(HarnessError, match="file name too long"):
        read_records(tmp_path, split="9" * 5000)


def test_an_arrow_file_that_asks_for_more_memory_than_there_is_is_named(tmp_path):
    path = write_arrow(
        tmp_path / "rows.arrow", [{"a": "0123456789abcdef" * 8}], stream=True, compression="zstd"
    )
    content, size = path.read_bytes(), (128).to_bytes(8, "little")
    assert content.count(size) >= 1
    path.write_bytes(content.replace(size, (2**60).to_bytes(8, "little")))
    with pytest.raises(HarnessError, match=r"rows\.arrow is not a readable arrow file"):
        read_records(path)


# --- parts, and pointers in place of files ----------------------------------------------------------------


def _parts(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(json.dumps({"a": name}) + "\n")
    return folder


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["part-1.jsonl", "part-2.jsonl", "part-4.jsonl"],
            "1 to 4, and 1 of them are not there: part-3",
        ),
        (["p-02.jsonl", "p-03.jsonl"], "numbered 1 to 3, and 1 of them are not there: p-01.jsonl"),
        (["p-0.jsonl", "p-3.jsonl"], "p-1.jsonl, p-2.jsonl"),
        (["p-9.jsonl", "p-10.jsonl", "p-12.jsonl"], "p-1.jsonl, p-2.jsonl"),
        (["STS2012.jsonl", "STS2013.jsonl", "STS2015.jsonl"], "STS2014.jsonl"),
    ],
)
def test_a_gap_in_the_numbers_of_parts_is_a_warning_that_names_it(names, said, tmp_path):
    folder = _parts(tmp_path / "all", *names)
    for path in (folder, folder / "*.jsonl"):
        listed, gap = read_rows(path, ("a",)).findings
        assert (listed.code, gap.code, gap.severity) == ("several-files", "missing-parts", "warning")
        assert all(name in listed.evidence for name in names)
        assert said in gap.evidence
    # Files that are named one by one are those that are meant.
    named = read_rows([folder / name for name in names], ("a",))
    assert [finding.code for finding in named.findings] == ["several-files"]


@pytest.mark.parametrize(
    "names",
    [
        ["part-1.jsonl", "part-2.jsonl", "part-3.jsonl"],
        ["p-00.jsonl", "p-01.jsonl"],
        ["STS2012.jsonl", "STS2013.jsonl"],
        ["20240131.jsonl", "20240214.jsonl", "20240314.jsonl"],
    ],
)
def test_parts_without_a_gap_are_listed_alone(names, tmp_path):
    findings = read_rows(_parts(tmp_path / "all", *names), ("a",)).findings
    assert [finding.code for finding in findings] == ["several-files"]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json.gz", "parquet", "arrow"])
def test_a_pointer_of_git_lfs_is_no_file_of_rows(ending, tmp_path):
    name = f"rows.{ending}"
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 9\n")
    with pytest.raises(HarnessError, match=rf"{name} is a pointer of Git LFS and not the") as caught:
        read_rows(tmp_path / name, ("a",))
    assert "git lfs pull" in caught.value.hint


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('sep: ";"', 'sep: ";"), and is not heeded: say it with delimiter in a task file; map'),
        (
            "names: [a, b]\n  header: null",
            'names: ["a", "b"], header: null), and is not heeded: say it with header',
        ),
        ("names: [[a], b]", "names: …), and is not heeded"),
        ("data_files: x.csv", "map"),
        ("1", "map"),
    ],
)
def test_an_error_of_reading_names_what_the_card_says_of_it(keys, said, tmp_path):
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n- config_name: default\n  {keys}\n---\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test.csv").write_text("x;y\n1;2\n")
    with pytest.raises(HarnessError, match="has no column 'a', 'b'") as caught:
        read_rows(tmp_path, ("a", "b"))
    assert said in caught.value.hint


# --- names of classes -------------------------------------------------------------------------------------

NAMES = ["entailment", "not_entailment"]
FEATURES = {"label": {"names": NAMES, "_type": "ClassLabel"}, "a": {"dtype": "string", "_type": "Value"}}
CLASSES = [{"a": "x", "label": 0}, {"a": "y", "label": 1}, {"a": "z", "label": -1}]
CARD = """---
dataset_info:
- config_name: rte
  features:
  - {name: a, dtype: string}
  - {name: label, dtype: {class_label: {names: {'0': entailment, '1': not_entailment}}}}
- config_name: qqp
  features:
  - {name: label, dtype: {class_label: {names: {'0': not_duplicate, '1': duplicate}}}}
---
# RTE
"""


def with_features(rows):
    metadata = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    return pa.Table.from_pylist(rows).replace_schema_metadata(metadata)


def _parquet(folder):
    parquet.write_table(with_features(CLASSES), folder / "rows.parquet")
    return folder / "rows.parquet"


def _stream(folder):
    table = with_features(CLASSES)
    with ipc.new_stream(folder / "rows.arrow", table.schema) as writer:
        writer.write_table(table)
    return folder / "rows.arrow"


def _info(folder):
    write_arrow(folder / "rows.arrow", CLASSES)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "rows.arrow"}]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


def _card(folder, name="test.jsonl"):
    (folder / "README.md").write_text(CARD)
    (folder / "rte").mkdir()
    file = folder / "rte" / name
    if name.endswith("csv"):
        file.write_text("a,label\nx,0\ny,not_entailment\nz,-1\n")
    else:
        file.write_text("".join(f"{json.dumps(row)}\n" for row in CLASSES))
    return file


def _card_of_csv(folder):
    return _card(folder, "test.csv")


@pytest.mark.parametrize("write", [_parquet, _stream, _info, _card, _card_of_csv])
def test_numbers_of_classes_are_read_by_the_names_that_features_give(write, tmp_path):
    rows = read_rows(write(tmp_path), ("a", "label"))
    assert [str(label) for label in rows["label"]] == [*NAMES, "-1"]
    assert [label.number for label in rows["label"][:2]] == [0, 1]
    (finding,) = rows.findings
    assert finding.code == "class-names"
    assert "label: 0 = entailment, 1 = not_entailment" in finding.evidence


def test_a_column_of_numbers_and_training_keep_the_numbers_of_classes(tmp_path):
    path = _parquet(tmp_path)
    assert read_rows(path, ("a", "label"), numbers=("label",))["label"] == [0, 1, -1]
    assert read_rows(path, ("a", "label"), named_classes=False)["label"] == [0, 1, -1]
    rows = read_rows(path, ("a", "label")).take([0, 1])
    assert as_floats(rows["label"], "label", rows) == [0, 1]


@pytest.mark.parametrize(
    "card",
    [
        "---\ndataset_info: [class_label\n---\n",
        "---\ndataset_info: {features: class_label}\n---\n",
        "---\ndataset_info: {features: [0, {name: a, dtype: {class_label: {names: [1.5]}}}]}\n---\n",
        CARD.replace("config_name: rte", "config_name: other").replace("- {name: a, dtype: string}", "- 1"),
        "no card of a dataset: class_label",
    ],
)
def test_a_card_without_plain_names_of_classes_changes_nothing(card, tmp_path):
    path = _card(tmp_path)
    (tmp_path / "README.md").write_text(card)
    rows = read_rows(path, ("a", "label"))
    assert (rows["label"], rows.findings) == ([0, 1, -1], ())


@pytest.mark.parametrize(
    "front",
    [
        "x: " + "[" * 200_000,
        "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 26)),
        "x: !!bool foo",
        "x: !!timestamp foo",
    ],
    ids=["deep", "merge keys", "no bool", "no time"],
)
def test_a_hostile_card_beside_a_file_is_no_card(front, tmp_path):
    """As it would be to a YAML parser: the process ends, or does not within hours."""
    (tmp_path / "README.md").write_text(f"---\n{front}\n---\n")
    (tmp_path / "rows.jsonl").write_text('{"a": "one"}\n')
    assert read_rows(tmp_path / "rows.jsonl", ["a"]) == {"a": ["one"]}
