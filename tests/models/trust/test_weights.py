"""Safetensors files must be valid; an index may name only files of its folder."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness import HarnessError
from harness.models.trust.weights import check_safetensors, check_weights

ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def safetensors(header, data=b"\0" * 24, length=None):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(content) if length is None else length).to_bytes(8, "little") + content + data


NUMBER = safetensors({"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}, data=b"\0" * 4)
EMPTY = safetensors({"a": {"dtype": "F32", "shape": [0, 9], "data_offsets": [0, 0]}}, data=b"")
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(safetensors({"a": ENTRY}), id="one tensor"),
        pytest.param(safetensors({"__metadata__": {"format": "pt"}, "a": ENTRY}), id="metadata"),
        pytest.param(NUMBER, id="a number"),
        pytest.param(EMPTY, id="an empty tensor"),
        pytest.param(safetensors({}, data=b""), id="no tensor"),
        *(
            pytest.param(safetensors({"a": ENTRY | {"dtype": dtype, "shape": [192 // bits]}}), id=dtype)
            for dtype, bits in BITS.items()
        ),
    ],
)
def test_a_valid_safetensors_file_is_accepted_in_every_type(content, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(content)
    check_safetensors(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "header too small", id="empty"),
        pytest.param(b"\xff" * 8, "header too large", id="absurd length"),
        pytest.param(
            (100_000_001).to_bytes(8, "little") + b"{}", "header too large", id="more than 100 million bytes"
        ),
        pytest.param(safetensors({"a": ENTRY}, length=10_000), "invalid header length", id="beyond the end"),
        pytest.param(safetensors(b"{"), "invalid JSON in header", id="not JSON"),
        pytest.param(safetensors(b'{"\xff": 1}'), "invalid UTF-8 in header", id="not UTF-8"),
        pytest.param(safetensors(b"[" * 99_999), "invalid JSON in header", id="nested deeply"),
        pytest.param(safetensors([1]), "invalid JSON in header", id="a list"),
        pytest.param(safetensors({"a": ENTRY}, data=b"\0" * 23), "file not fully covered", id="cut"),
        pytest.param(safetensors({"a": ENTRY}, data=b"\0" * 25), "file not fully covered", id="too long"),
        pytest.param(
            safetensors({"a": ENTRY | {"data_offsets": [2**62, 2**62 + 24]}}), "invalid offset", id="far away"
        ),
        pytest.param(safetensors({"a": ENTRY | {"data_offsets": [24, 0]}}), "invalid offset", id="backwards"),
        pytest.param(safetensors({"a": ENTRY, "b": ENTRY}), "invalid offset for tensor", id="overlapping"),
        pytest.param(safetensors({"a": ENTRY | {"shape": [2**40, 2**40]}}), "overflow", id="huge"),
        pytest.param(safetensors({"a": ENTRY | {"shape": [2, 4]}}), "invalid shape", id="too large a shape"),
        pytest.param(
            safetensors({"a": ENTRY | {"shape": [-2, -3]}}), "invalid value: integer `-2`", id="negative"
        ),
        pytest.param(safetensors({"a": ENTRY | {"shape": [1] * 999}}), "invalid shape", id="many axes"),
        pytest.param(safetensors({"a": ENTRY | {"dtype": "NEW"}}), "unknown variant `NEW`", id="a new type"),
    ],
)
def test_a_broken_safetensors_file_is_refused_with_its_name_and_the_reason(content, message, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(HarnessError, match="is not a valid safetensors file: ") as error:
        check_safetensors(tmp_path)
    assert error.value.message.startswith(str(path))
    assert message in error.value.message


def test_headers_are_checked_without_importing_torch(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(NUMBER)
    code = (
        "import sys; from pathlib import Path; from harness.models.trust.weights import check_safetensors;"
        " check_safetensors(Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        pytest.param(
            {"weight_map": {"a": "../model-1.safetensors"}}, "points outside its folder", id="above"
        ),
        pytest.param({"weight_map": {"a": "/tmp/a.safetensors"}}, "points outside its folder", id="absolute"),
        pytest.param({"weight_map": {"a": "C:\\a.safetensors"}}, "points outside its folder", id="a drive"),
        pytest.param({"weight_map": {"a": "b\\..\\a.safetensors"}}, "points outside", id="backslashes"),
        pytest.param({"weight_map": {"a": 1}}, "points outside its folder: 1", id="a number"),
        pytest.param(
            {"weight_map": {"a": "weights.bin"}}, "names weights that are not safetensors", id="pickled"
        ),
        pytest.param({"weight_map": {"a": []}}, "cannot be read", id="a list"),
        pytest.param({}, "cannot be read", id="no map"),
        pytest.param([], "cannot be read", id="no table"),
    ],
)
def test_an_index_may_name_only_safetensors_in_its_folder(index, message, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(HarnessError, match=message):
        check_weights(tmp_path, allow_pickle=False)


def test_pickled_shards_may_be_allowed_and_stay_in_their_folder(tmp_path):
    index = tmp_path / "pytorch_model.bin.index.json"
    (tmp_path / "shard-1.bin").write_bytes(b"")
    index.write_text('{"weight_map": {"a": "shard-1.bin"}}')
    check_weights(tmp_path, allow_pickle=True)
    index.write_text('{"weight_map": {"a": "../shard-1.bin"}}')
    with pytest.raises(HarnessError, match="points outside its folder"):
        check_weights(tmp_path, allow_pickle=True)


def test_an_index_does_not_hide_a_pickle_that_a_module_would_load(tmp_path):
    """A Dense or LayerNorm knows no index: without a model.safetensors it loads pytorch_model.bin."""
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(HarnessError, match="its weights are pickled"):
        check_weights(tmp_path, allow_pickle=False)
