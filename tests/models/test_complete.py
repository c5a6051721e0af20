"""A folder without a part, or with one outside, is refused in one sentence before it gives a score."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from zoo_folders import (
    TEXTS,
    drop,
    edit,
    list_modules,
    read,
    save_weights,
    take_the_tokenizer_from_elsewhere,
    weights,
    write,
)

from harness import HarnessError, load_model


def name_a_file(folder: Path, key: str, value) -> None:
    (folder.parent / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    edit(folder / "tokenizer_config.json", **{key: value(str(folder.parent / "vocab.txt"))})


def name_a_tokenizer_among_special_tokens(folder: Path) -> None:
    shutil.copy(folder / "tokenizer.json", folder.parent / "other.json")
    edit(folder / "special_tokens_map.json", tokenizer_file=str(folder.parent / "other.json"))


def naming(key, value=lambda path: path):
    return lambda folder: name_a_file(folder, key, value)


def retype(folder: Path, kind: str) -> None:
    modules = read(folder / "modules.json")
    modules[0]["type"] = kind
    write(folder / "modules.json", modules)


def drop_a_shard(folder: Path) -> None:
    sorted(folder.glob("model-*.safetensors"))[1].unlink()


def drop_weights(part: str):
    def dropping(folder: Path) -> None:
        save_weights(folder, {name: rows for name, rows in weights(folder).items() if part not in name})

    return dropping


def keep_exports_alone(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "onnx").mkdir(exist_ok=True)
    (folder / "onnx" / "model.onnx").write_bytes(b"exported")


def leave_a_pointer(folder: Path) -> None:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\nsize 9\n")


def drop_weight_of_adapter(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = folder / "adapter_model.safetensors"
    kept = {name: rows.clone() for name, rows in load_file(file).items() if "layer.1." not in name}
    file.unlink()
    save_file(kept, file, metadata={"format": "pt"})


def move_base(folder: Path) -> None:
    edit(folder / "adapter_config.json", base_model_name_or_path=str(folder.parent / "gone"))


REFUSED = [
    ("bert", take_the_tokenizer_from_elsewhere, "takes fast_tokenizer_files from"),
    ("bert", naming("fast_tokenizer_files", lambda path: [path]), "takes fast_tokenizer_files from"),
    (
        "bert",
        naming("fast_tokenizer_files", lambda _: ["onnx/tokenizer.4.0.0.json"]),
        "only files next to it",
    ),
    ("bert", name_a_tokenizer_among_special_tokens, "special_tokens_map.json takes tokenizer_file from"),
    (
        "bert",
        lambda folder: edit(folder / "special_tokens_map.json", tokenizer_file="tokenizer.json"),
        "takes tokenizer_file from 'tokenizer.json'",
    ),
    ("bert", naming("vocab"), "takes vocab from"),
    ("bert", naming("init_inputs", lambda path: [path]), "takes init_inputs from"),
    ("bert", naming("merges"), "takes merges from"),
    ("bert", naming("vocab_file"), "takes vocab_file from"),
    ("bert", naming("audio_tokenizer_name_or_path"), "takes audio_tokenizer_name_or_path from"),
    ("bert", drop("tokenizer.json", "vocab.txt"), "tokens, the model 1"),
    ("bert", drop_weights("layer.1."), "weights are in no file of"),
    ("masked-words", lambda folder: edit(folder / "config.json", num_hidden_layers=3), "15 of the model's"),
    ("adapter", drop_weight_of_adapter, "weights are in no file of"),
    ("sharded", drop_a_shard, "files of weights, and 1 of them are missing"),
    ("sharded", drop("model.safetensors.index.json"), "and no model.safetensors.index.json"),
    ("bert", keep_exports_alone, "there: onnx/model.onnx"),
    ("bert", leave_a_pointer, "is a pointer of Git LFS"),
    ("bert", drop("config.json"), "has no config.json"),
    ("bert", drop("1_Pooling"), "module Pooling of {folder}/modules.json is missing: there is no folder"),
    ("bert", drop("1_Pooling/config.json"), "is incomplete: no configuration"),
    ("bert-dense", drop("1_Dense/model.safetensors"), "module Dense of {folder}/modules.json has no weights"),
    ("router", drop("document_1_Pooling"), "module Pooling of {folder}/router_config.json is missing"),
    ("static", drop("tokenizer.json", "0_StaticEmbedding/tokenizer.json"), "no tokenizer.json in"),
    ("model2vec", drop("tokenizer.json"), "the model2vec model is incomplete: no tokenizer.json"),
    ("bert", list_modules, "lists no modules"),
    (
        "bert",
        lambda folder: list_modules(folder, ("", "sentence_transformers.models.Transformer")),
        "makes no embedding of a text",
    ),
    (
        "version-2",
        lambda folder: retype(folder, "sentence_transformers.models.BERT"),
        "write sentence_transformers.models.Transformer in place of",
    ),
    (
        "version-2",
        lambda folder: retype(folder, "sentence_transformers.models.LASER"),
        "names a module that sentence-transformers does not have: sentence_transformers.models.LASER",
    ),
    ("adapter", move_base, "and its base is missing: "),
    ("adapter", drop("adapter_model.safetensors"), "the adapter has no weights"),
    (
        "adapter",
        lambda folder: edit(folder / "adapter_config.json", base_model_name_or_path="org/not-cached"),
        "org/not-cached is neither a folder nor in the hub's cache",
    ),
    (
        "adapter",
        lambda folder: edit(folder / "adapter_config.json", tokenizer_name_or_path="org/other"),
        "takes its tokenizer from outside",
    ),
    (
        "adapter",
        lambda folder: edit(folder / "adapter_config.json", megatron_config={"a": 1}),
        "names custom code",
    ),
]


@pytest.mark.parametrize(("name", "spoil", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_a_folder_with_missing_or_outside_parts_is_refused_in_one_sentence(copy_of, name, spoil, message):
    folder = copy_of(name)
    spoil(folder)
    with pytest.raises(HarnessError) as error:
        load_model(str(folder))
    assert message.format(folder=folder) in str(error.value)
    assert "--trust-remote-code" not in str(error.value) or "custom code" in message


@pytest.mark.slow
def test_an_old_class_of_transformers_loads_once_it_is_renamed_as_the_error_says(copy_of):
    folder = copy_of("version-1")
    before = load_model(str(folder)).encode(TEXTS)
    retype(folder, "sentence_transformers.models.BERT")
    with pytest.raises(HarnessError, match=r"write sentence_transformers\.models\.Transformer in place"):
        load_model(str(folder))
    retype(folder, "sentence_transformers.models.Transformer")
    np.testing.assert_array_equal(load_model(str(folder)).encode(TEXTS), before)


def test_leftover_paths_of_the_machine_that_saved_a_model_are_accepted(copy_of):
    folder = copy_of("bert")
    edit(
        folder / "tokenizer_config.json",
        vocab_file="/nowhere/vocab.txt",
        name_or_path="/home/somebody/base",
        special_tokens_map_file=str(folder.parent),
        init_inputs=[],
    )
    assert load_model(str(folder)).facts.findings == ()
