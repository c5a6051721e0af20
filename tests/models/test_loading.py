"""Folders as people have them score as with sentence-transformers, and findings say what it assumes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from zoo_folders import FINDINGS, FOLDERS, TEXTS, drop, edit, load_original, save_weights, weights, write

from harness import HarnessError, Role, load_model
from harness.authoring import ModelSpec
from harness.models import loading
from harness.models.sentence_transformer import LocatedFolder


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_gives_the_embeddings_of_sentence_transformers(folder_of, name):
    ours, original = load_model(str(folder_of(name)), device="cpu"), load_original(folder_of(name))
    theirs = {
        Role.TEXT: original.encode,
        Role.QUERY: original.encode_query,
        Role.DOCUMENT: original.encode_document,
    }
    for role, encode in theirs.items():
        expected = encode(TEXTS)
        np.testing.assert_allclose(
            ours.encode(TEXTS, role), expected, rtol=0, atol=1e-5 * np.abs(expected).max(), err_msg=str(role)
        )
        assert np.ptp(expected, axis=0).max() > 1e-3, "all texts have one embedding: nothing was compared"
    assert [finding.code for finding in ours.facts.findings] == FINDINGS.get(name, [])


# --- findings -----------------------------------------------------------------------------------------------


def forget_the_mode(folder: Path) -> None:
    write(folder / "1_Pooling" / "config.json", {"embedding_dimension": 32})


DOUBTFUL = [
    ("bert", drop("sentence_bert_config.json"), "assumed-length", "after 64 tokens"),
    (
        "bert",
        lambda f: write(f / "1_Pooling/config.json", {"embedding_dimension": 32}),
        "assumed-pooling",
        "mean",
    ),
    ("plain", lambda folder: None, "assumed-pooling", "mean pooling, no normalization, and 64 tokens"),
    ("bert", lambda f: edit(f / "config.json", num_hidden_layers=1), "unused-layers", "encoder.layer.1."),
    (
        "bert",
        lambda f: edit(f / "config_sentence_transformers.json", model_type="SparseEncoder"),
        "converted-model",
        "is a SparseEncoder",
    ),
    (
        "float16",
        lambda folder: None,
        "half-precision-weights",
        "saved in float16; they are computed in float32",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "spoil", "code", "evidence"), DOUBTFUL, ids=[row[2] for row in DOUBTFUL])
def test_what_sentence_transformers_assumes_is_a_finding(copy_of, name, spoil, code, evidence):
    folder = copy_of(name)
    spoil(folder)
    findings = {finding.code: finding.evidence for finding in load_model(str(folder)).facts.findings}
    assert list(findings) == [code]
    assert evidence in findings[code]


@pytest.mark.parametrize("code", sorted({row[2] for row in DOUBTFUL}))
def test_the_page_on_models_explains_a_finding(code):
    page = Path(__file__).parents[2] / "docs" / "models.md"
    assert f"| `{code}` |" in page.read_text(encoding="utf-8")


def test_a_release_of_transformers_that_reports_otherwise_is_an_error(folder_of, monkeypatch):
    monkeypatch.delattr("transformers.modeling_utils.log_state_dict_report")
    with pytest.raises(HarnessError, match="does not say which weights it draws at random"):
        load_model(str(folder_of("bert")))


@pytest.mark.slow
def test_half_precision_weights_computed_in_half_precision_are_no_finding(folder_of):
    assert load_model(folder_of("float16"), dtype="float16", allow_deviation=True).facts.findings == ()


# --- overwritten --------------------------------------------------------------------------------------------


def other_weights(folder: Path) -> bytes:
    """Return the content of a file with the same names and shapes, and other weights."""
    copy = Path(shutil.copytree(folder, folder.parent / "other"))
    save_weights(copy, {name: rows + 0.5 for name, rows in weights(copy).items()})
    return (copy / "model.safetensors").read_bytes()


@pytest.mark.parametrize("name", ["bert", "static", "adapter"])
def test_a_model_in_memory_is_not_moved_by_a_folder_that_is_overwritten(copy_of, name):
    folder = copy_of(name)
    model = load_model(str(folder))
    before = model.encode(TEXTS)
    for file in folder.rglob("*.safetensors"):
        with file.open("r+b") as opened:  # the same inode: a mapped page would change
            opened.write(b"\x3c" * file.stat().st_size)
    np.testing.assert_array_equal(model.encode(TEXTS), before)


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_folder_that_is_overwritten_before_or_while_it_is_loaded_is_an_error(copy_of, monkeypatch, when):

    folder = copy_of("bert")
    other = other_weights(folder)
    located = LocatedFolder.at(folder, ModelSpec("folder", str(folder)), "mine")
    if when == "before":
        (folder / "model.safetensors").write_bytes(other)
    else:
        open_model = loading._open

        def overwritten(*args, **options):
            model = open_model(*args, **options)
            (folder / "model.safetensors").write_bytes(other)
            return model

        monkeypatch.setattr(loading, "_open", overwritten)
    with pytest.raises(HarnessError, match="model mine was changed while it was loaded"):
        located.load()


@pytest.mark.slow
def test_routes_behind_the_first_module_are_told_apart(folder_of):
    model = load_model(str(folder_of("asym")))
    assert [model.same_as(role) for role in (Role.QUERY, Role.DOCUMENT)] == [Role.QUERY, Role.DOCUMENT]
    assert np.abs(model.encode(TEXTS, Role.QUERY) - model.encode(TEXTS, Role.DOCUMENT)).max() > 0.1


@pytest.mark.slow
def test_a_router_whose_transformers_lack_their_poolers_loads(copy_of):
    folder = copy_of("router-of-transformers")
    for file in folder.rglob("model.safetensors"):
        save_weights(
            file.parent, {name: row for name, row in weights(file.parent).items() if "pooler" not in name}
        )
    original = load_original(folder)
    rows = load_model(str(folder)).encode(TEXTS, Role.QUERY)
    np.testing.assert_allclose(rows, original.encode_query(TEXTS), atol=1e-5)
