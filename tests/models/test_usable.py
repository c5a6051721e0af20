"""What is known of a model before it is loaded."""

from __future__ import annotations

import json
import sys

import pytest
from conftest import LetterModel, build_model

from harness import HarnessError, Settings
from harness.authoring import ModelSpec
from harness.models.configuration import dimensions_of
from harness.models.devices import check_device_name
from harness.models.known import known_dimensions
from harness.models.missing_model import MissingModel
from harness.models.sentence_transformer import LocatedFolder
from harness.models.stored_model import LocatedStored
from harness.models.usable import check_usable


def located(folder, **settings):
    spec = ModelSpec("folder", str(folder), settings=Settings(**settings))
    return LocatedStored(LocatedFolder.at(folder, ModelSpec("folder", str(folder)), folder.name), spec)


def listed(folder, *modules):
    """Write a model folder of modules: (class, configuration)."""
    names = [(f"{number}_{kind}", kind) for number, (kind, _) in enumerate(modules)]
    content = [{"type": f"sentence_transformers.models.{kind}", "path": path} for path, kind in names]
    (folder / "modules.json").write_text(json.dumps(content))
    for (path, _), (_, configuration) in zip(names, modules, strict=True):
        (folder / path).mkdir()
        (folder / path / "config.json").write_text(json.dumps(configuration))
    return folder


def test_the_dimensions_of_a_folder_are_those_that_it_has_when_it_is_loaded(tiny, tmp_path):
    assert dimensions_of(tiny) == 32
    concatenated = build_model(tmp_path / "both", hidden=8, pooling=("mean", "max"))
    (dimensions,) = {dimensions_of(concatenated), located(concatenated).load().facts.dimensions}
    assert dimensions == 16


@pytest.mark.parametrize(
    ("modules", "dimensions"),
    [
        ([("Pooling", {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True})], 384),
        ([("Pooling", {"embedding_dimension": 8, "pooling_mode": "cls"}), ("Normalize", {})], 8),
        ([("Pooling", {"embedding_dimension": 8, "pooling_mode": ["cls", "max", "mean"]})], 24),
        ([("Pooling", {"embedding_dimension": 8}), ("Dense", {"in_features": 8, "out_features": 3})], 3),
        ([("Router", {})], None),
        ([("Pooling", {"embedding_dimension": "8"})], None),
        ([("Pooling", []), ("Dropout", {})], None),
    ],
)
def test_dimensions_are_those_of_the_last_module_that_changes_them(modules, dimensions, tmp_path):
    assert dimensions_of(listed(tmp_path, *modules)) == dimensions


def test_a_folder_without_a_list_of_modules_says_no_dimensions(tmp_path):
    assert dimensions_of(tmp_path) is None


def test_all_that_a_model_cannot_do_is_told_at_once(tiny):
    check_usable(located(tiny, truncate_dim=32))
    with pytest.raises(HarnessError) as caught:
        check_usable(located(tiny, truncate_dim=33, device="cuda:99"))
    assert str(caught.value).startswith(f"model {located(tiny, truncate_dim=33).name}: 2 things are wrong")
    assert "no device 'cuda:99' on this machine" in str(caught.value)
    assert "invalid --truncate-dim 33: model tiny has 32 dimensions" in str(caught.value)


def test_a_backend_whose_library_is_missing_is_told_before_the_model_is_loaded(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(HarnessError, match=r"backend openvino needs openvino, .*\n.*-harness\[openvino\]'"):
        check_usable(located(tiny, backend="openvino"))


def test_a_plugins_model_says_its_dimensions_by_its_facts_and_may_run_anywhere():
    model = LetterModel()
    assert known_dimensions(model) == 26
    spec = ModelSpec("letters", "", settings=Settings(device="cuda:99", truncate_dim=27))
    with pytest.raises(HarnessError, match=r"^invalid --truncate-dim 27: model letters has 26"):
        check_usable(LocatedStored(model, spec))


def test_a_model_that_was_not_found_is_told_with_its_reason():
    with pytest.raises(HarnessError, match="no such folder"):
        check_usable(MissingModel(ModelSpec("folder", "x"), HarnessError("no such folder")))


@pytest.mark.parametrize("name", ["auto", "cpu", "mps", "cuda", "cuda:1"])
def test_names_of_devices_are_known(name):
    check_device_name(name)


@pytest.mark.parametrize("name", ["gpu", "", "cuda:", "cuda:x", "cpu:1", "CUDA", "cuda:٣"])
def test_what_is_no_name_of_a_device_is_refused(name):
    with pytest.raises(HarnessError, match="no device named"):
        check_device_name(name)
