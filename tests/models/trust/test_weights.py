"""A safetensors file must be what its header says; an index names files beside it."""

from __future__ import annotations

import json

import pytest

from harness import HarnessError
from harness.models.trust.weights import check_headers, check_weights

ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def safetensors(header, data=b"\0" * 24, length=None):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(content) if length is None else length).to_bytes(8, "little") + content + data


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"a": ENTRY}, id="one tensor"),
        pytest.param({"__metadata__": {"format": "pt"}, "a": ENTRY}, id="metadata"),
        pytest.param({"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}, id="a number"),
        pytest.param({"a": {"dtype": "F32", "shape": [0, 9], "data_offsets": [0, 0]}}, id="nothing"),
        pytest.param({"a": ENTRY | {"dtype": "NEW"}}, id="a type to come"),
    ],
)
def test_a_header_that_is_true_is_no_reason(header, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(safetensors(header))
    check_headers(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "it ends within its header", id="empty"),
        pytest.param(
            b"\xff" * 8, "its header would have 18,446,744,073,709,551,615 bytes", id="absurd length"
        ),
        pytest.param(
            safetensors({"a": ENTRY}, length=10_000), "it ends within its header", id="beyond the end"
        ),
        pytest.param(safetensors(b"{"), "its header cannot be read", id="no JSON"),
        pytest.param(safetensors(b"[" * 99_999), "its header cannot be read", id="nested deeply"),
        pytest.param(safetensors([1]), "its header cannot be read", id="a list"),
        pytest.param(safetensors({"a": ENTRY}, data=b"\0" * 23), "lies at bytes 0 to 24 of 23", id="cut"),
        pytest.param(
            safetensors({"a": ENTRY | {"data_offsets": [2**62, 2**62 + 24]}}), "lies at bytes", id="far away"
        ),
        pytest.param(safetensors({"a": ENTRY | {"data_offsets": [24, 0]}}), "lies at bytes", id="backwards"),
        pytest.param(
            safetensors({"a": ENTRY | {"shape": [2**40, 2**40]}}), "does not fill its 24 bytes", id="huge"
        ),
        pytest.param(safetensors({"a": ENTRY | {"shape": [-2, -3]}}), "cannot be read", id="less than none"),
        pytest.param(safetensors({"a": ENTRY | {"shape": [1] * 999}}), "999 dimensions", id="many axes"),
    ],
)
def test_a_header_that_is_not_true_of_its_file_is_named(content, message, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(HarnessError, match=r"is not a whole safetensors file") as error:
        check_headers(tmp_path)
    assert message in error.value.message


@pytest.mark.parametrize(
    ("index", "message"),
    [
        pytest.param({"weight_map": {"a": "../model-1.safetensors"}}, "leads out of its folder", id="above"),
        pytest.param({"weight_map": {"a": "/tmp/a.safetensors"}}, "leads out of its folder", id="absolute"),
        pytest.param({"weight_map": {"a": "C:\\a.safetensors"}}, "leads out of its folder", id="a drive"),
        pytest.param({"weight_map": {"a": "b\\..\\a.safetensors"}}, "leads out", id="backslashes"),
        pytest.param({"weight_map": {"a": 1}}, "leads out of its folder, to 1", id="a number"),
        pytest.param(
            {"weight_map": {"a": "weights.bin"}}, "names weights that are no safetensors", id="pickled"
        ),
        pytest.param({"weight_map": {"a": []}}, "cannot be read", id="a list"),
        pytest.param({}, "cannot be read", id="no map"),
        pytest.param([], "cannot be read", id="no table"),
    ],
)
def test_an_index_names_safetensors_beside_it_and_nothing_else(index, message, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(HarnessError, match=message):
        check_weights(tmp_path, allow_pickle=False)


def test_pickled_shards_may_be_allowed_and_stay_in_their_folder(tmp_path):
    index = tmp_path / "pytorch_model.bin.index.json"
    (tmp_path / "shard-1.bin").write_bytes(b"")
    index.write_text('{"weight_map": {"a": "shard-1.bin"}}')
    check_weights(tmp_path, allow_pickle=True)
    index.write_text('{"weight_map": {"a": "../shard-1.bin"}}')
    with pytest.raises(HarnessError, match="leads out of its folder"):
        check_weights(tmp_path, allow_pickle=True)


def test_an_index_hides_no_pickle_that_a_module_would_load(tmp_path):
    """A Dense or LayerNorm knows no index: without a model.safetensors it loads pytorch_model.bin."""
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(HarnessError, match="its weights are pickled"):
        check_weights(tmp_path, allow_pickle=False)
