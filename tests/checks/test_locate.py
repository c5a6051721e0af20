"""The input of checks for every kind of path."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial

import pytest
from conftest import build_model
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import OfflineModeIsEnabled
from plugins.cards import card_text

from harness.checks import CheckOptions, check_input_from_path, check_input_from_recipe
from harness.checks.models import ModelLoader, read_architecture
from harness.errors import HarnessError
from harness.models.interface import ModelScheme
from harness.models.lexical import LexicalModel
from harness.plugins.loader import load_plugins
from harness.training.lineage import Lineage, LoggedLoss, write_lineage
from harness.training.recipe_file import recipe_from
from harness.training.rows import digest, read_training_rows, validate_rows

TABLE = {
    "name": "ours", "base": "lexical", "data": {"kind": "scored-pairs", "path": "pairs.csv"},
    "loss": {"name": "CosineSimilarityLoss"}, "train": {"batch_size": 2, "epochs": 3.0},
}  # fmt: skip
TOML = """
base = "lexical"
data = { kind = "scored-pairs", path = "pairs.csv" }
loss = { name = "CosineSimilarityLoss" }
train = { batch_size = 2, epochs = 3 }
evaluation = { tasks = ["stsb-dev"], keep = "best" }
"""
PAIRS = "text1,text2,score\na cat,a dog,0.5\na man,a bird,0.1\nrain,snow,0.9\n"


@pytest.fixture(scope="module")
def plugins():
    return load_plugins(allowed=["sts"])


@pytest.fixture
def options(plugins):
    """Options of `harness check`, with changes."""
    tasks = plugins.tasks()
    return lambda **changes: CheckOptions(
        **({"models": ModelLoader(plugins.model_schemes()), "tasks": tasks} | changes)
    )


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours.toml").write_text(TOML)
    (tmp_path / "pairs.csv").write_text(PAIRS)


def test_a_recipe_is_known_with_the_rows_beside_it(options):
    training = check_input_from_path("ours.toml", options())
    assert (training.path, training.what, training.loss_name) == (
        "ours.toml",
        "recipe",
        "CosineSimilarityLoss",
    )
    assert (training.size, training.batch_size, training.epochs, training.steps) == (3, 2, 3.0, 6)
    assert training.rows.labels == [0.5, 0.1, 0.9]
    assert (training.keeps_best, training.trained) == (True, False)
    assert set(training.datasets()) == {"stsb-dev"}
    assert training.base().name == "lexical"


def test_a_recipe_without_its_rows_is_known_as_far_as_it_goes(options, tmp_path):
    (tmp_path / "pairs.csv").unlink()
    training = check_input_from_path("ours.toml", options())
    assert (training.rows, training.size, training.steps, training.datasets) == (None, None, None, None)
    assert training.loss_name == "CosineSimilarityLoss"


def test_a_file_given_as_data_is_the_rows_and_may_have_other_names(options, tmp_path):
    (tmp_path / "theirs.csv").write_text("left,right,score\na,b,1\n")
    training = check_input_from_path(
        "ours.toml", options(data=tmp_path / "theirs.csv", columns={"text1": "left", "text2": "right"})
    )
    assert training.rows.texts == {"text1": ["a"], "text2": ["b"]}
    with pytest.raises(HarnessError, match="no column 'text1'"):
        check_input_from_path("ours.toml", options(data=tmp_path / "theirs.csv"))


def test_a_recipe_is_found_by_name_and_a_path_of_that_name_wins(options, tmp_path):
    recipes = {"theirs/corrected": recipe_from(TABLE | {"name": "theirs/corrected"}, "theirs")}
    assert check_input_from_path("theirs", options(recipes=recipes)).what == "recipe"
    assert check_input_from_path("theirs/corrected", options(recipes=recipes)).path == "theirs/corrected"
    build_model(tmp_path / "theirs")
    assert check_input_from_path("theirs", options(recipes=recipes)).what == "model"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nosuch", "no file, folder or recipe named 'nosuch'"),
        ("nosuch.md", "no file nosuch.md"),
        ("some/where", "no file or folder some/where"),
        ("~no-such-user/card.md", "no file or folder ~no-such-user/card.md"),
        ("picture.png", "picture.png cannot be checked"),
        ("empty", "empty is neither a candidate nor a model"),
        ("pairs.csv", "the kind of the rows of pairs.csv is unknown"),
        ("broken.toml", "not TOML"),
        ("none.md", "no card|model card|not a card|sentence"),
    ],
)
def test_what_cannot_be_checked_is_said(options, tmp_path, name, said):
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "broken.toml").write_text("= 3")
    (tmp_path / "none.md").write_text("# Shopping\n\n- bread\n")
    (tmp_path / "empty").mkdir()
    with pytest.raises(HarnessError, match=said):
        check_input_from_path(name, options())


def test_data_is_known_by_a_recipe_or_by_its_kind(options):
    by_recipe = check_input_from_path("pairs.csv", options(recipe="ours.toml"))
    assert (by_recipe.what, by_recipe.loss_name, by_recipe.steps) == ("dataset", "CosineSimilarityLoss", 6)
    by_kind = check_input_from_path("pairs.csv", options(kind="pairs", columns={"text2": "score"}))
    assert by_kind.rows.texts["text2"] == ["0.5", "0.1", "0.9"]
    assert (by_kind.loss, by_kind.base, by_kind.size) == (None, None, 3)
    with pytest.raises(HarnessError, match="no kind of rows named 'pair'"):
        check_input_from_path("pairs.csv", options(kind="pair"))
    with pytest.raises(HarnessError, match="no column of pairs named 'text3'"):
        check_input_from_path("pairs.csv", options(kind="pairs", columns={"text3": "score"}))


def test_a_card_is_known_with_the_rows_that_are_given_for_it(options, tmp_path):
    (tmp_path / "card.md").write_text(card_text(log=[(1.0, 250, 0.02, None)]))
    training = check_input_from_path("card.md", options())
    assert (training.path, training.what, training.trained, training.base) == ("card.md", "card", True, None)
    assert training.rows is None or not training.rows.complete
    given = check_input_from_path("card.md", options(data=tmp_path / "pairs.csv", base="lexical"))
    assert given.rows.complete
    assert given.rows.labels == [0.5, 0.1, 0.9]
    assert given.base().name == "lexical"


def test_a_model_is_known_by_its_folder_and_its_own_card(options, tmp_path):
    folder = build_model(tmp_path / "model")
    bare = check_input_from_path("model", options())
    assert (bare.what, bare.trained, bare.normalized, bare.dimensions, bare.max_tokens) == (
        "model", False, True, 32, 64,
    )  # fmt: skip
    assert bare.model().facts.dimensions == 32
    assert bare.model() is bare.model()
    (folder / "README.md").write_text("just words")
    assert check_input_from_path("model", options()).trained is False
    (folder / "README.md").write_text(card_text(claims=[("spearman_cosine", 0.5)]))
    described = check_input_from_path("model", options())
    assert (described.what, described.trained, described.normalized) == ("model", True, True)
    assert [claim.value for claim in described.claims] == [0.5]


def test_a_candidate_is_known_by_its_lineage(options, tmp_path):
    folder = build_model(tmp_path / "candidate", normalize=False)
    log = (LoggedLoss(step=2, epoch=1.0, loss=0.5), LoggedLoss(step=4, epoch=2.0, metrics={"t_m": 0.1}))
    write_lineage(folder, Lineage(
        recipe=TABLE, base="lexical", base_fingerprint="f", seed=1, trainer="t", data="pairs.csv",
        data_digest="d", rows=4, texts=(), steps=4, seconds=1.0, log=log,
    ))  # fmt: skip
    training = check_input_from_path("candidate", options())
    assert (training.what, training.trained, training.normalized) == ("candidate", True, False)
    assert (training.size, training.steps, training.lineage.steps) == (4, 6, 4)
    assert [(line.step, line.loss, dict(line.metrics)) for line in training.log] == [
        (2, 0.5, {}), (4, None, {"t_m": 0.1}),
    ]  # fmt: skip
    assert training.rows is None


def test_a_candidates_rows_are_looked_at_only_where_they_are_those_that_it_was_trained_on(options, tmp_path):
    rows = read_training_rows(recipe_from(TABLE, "ours").data, tmp_path / "pairs.csv")
    folder = build_model(tmp_path / "candidate")
    write_lineage(folder, Lineage(
        recipe=TABLE, base="lexical", base_fingerprint="f", seed=1, trainer="t", data="pairs.csv",
        data_digest=digest(validate_rows(rows)), rows=3, texts=(), steps=6, seconds=1.0,
    ))  # fmt: skip
    shipped = {"ours": replace(recipe_from(TABLE, "ours"), home=str(tmp_path))}
    assert check_input_from_path("candidate", options()).rows is None
    assert len(check_input_from_path("candidate", options(data=tmp_path)).rows) == 3
    assert len(check_input_from_path("candidate", options(recipes=shipped)).rows) == 3
    (tmp_path / "pairs.csv").write_text(PAIRS.replace("0.1", "0.2"))
    assert check_input_from_path("candidate", options(recipes=shipped)).rows is None
    with pytest.raises(HarnessError, match="they have changed"):
        check_input_from_path("candidate", options(data=tmp_path))


def test_a_task_that_is_asked_for_must_be_there_and_a_recipes_own_need_not(options, tmp_path):
    assert check_input_from_path("ours.toml", options(data=tmp_path)).datasets is None
    with pytest.raises(HarnessError, match="stsb-en-dev"):
        check_input_from_path("ours.toml", options(data=tmp_path, wanted=("stsb-dev",)))


def test_a_model_is_measured_on_a_task_of_that_name(options, tmp_path):
    build_model(tmp_path / "model")
    (tmp_path / "stsb").mkdir()
    rows = "".join(f"word {chr(97 + n)},text {chr(98 + n)},{n % 5}\n" for n in range(20))
    (tmp_path / "stsb" / "stsb-en-dev.csv").write_text(rows)
    measure = check_input_from_path("model", options(data=tmp_path, verify=True)).measure
    assert set(measure("stsb-dev")) == {"spearman", "pearson"}
    with pytest.raises(HarnessError, match="no task named nosuch"):
        measure("nosuch")
    with pytest.raises(HarnessError, match="--data DIR"):
        check_input_from_path("model", options(verify=True)).measure("stsb-dev")


def test_a_recipe_takes_what_it_does_not_say_from_its_base(tmp_path):
    folder = build_model(tmp_path / "base")
    recipe = recipe_from(TABLE, "ours")
    assert check_input_from_recipe(recipe, folder=folder).normalized is True
    assert check_input_from_recipe(recipe).normalized is None
    changed = recipe_from(TABLE | {"model": {"normalize": False}}, "ours")
    assert check_input_from_recipe(changed, folder=folder).normalized is False


def test_a_base_that_is_not_on_this_machine_is_not_asked_of_a_hub(options, plugins):
    models = ModelLoader(plugins.model_schemes())
    assert models.is_here("lexical")
    assert not models.is_here("nobody/has-this")
    assert models.folder("nobody/has-this") is None
    assert not models.is_here("./nowhere")


def test_a_base_of_which_the_cache_has_no_weights_is_not_here(plugins, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.checks.models.hub_folder", lambda spec, *, fetch: tmp_path)
    models = ModelLoader(plugins.model_schemes())
    (tmp_path / "config.json").touch()
    assert not models.is_here("somebody/has-this")
    (tmp_path / "model.safetensors").touch()
    assert models.is_here("somebody/has-this")


@pytest.mark.parametrize("name", ["org/a--b", "org/x.git", "org/x..y", f"org/{'x' * 120}", "-a/b", "a/b."])
def test_a_base_that_no_hub_can_have_is_not_here(options, plugins, tmp_path, name):
    assert not ModelLoader(plugins.model_schemes()).is_here(name)
    (tmp_path / "card.md").write_text(card_text().replace("someone/a-base", name))
    (tmp_path / "its.toml").write_text(TOML.replace('"lexical"', f'"{name}"'))
    assert check_input_from_path("card.md", options()).base is None
    assert check_input_from_path("its.toml", options()).base is None


def test_a_base_that_only_a_file_names_is_taken_from_the_cache_and_asked_of_no_hub(
    options, tmp_path, monkeypatch
):
    cache = tmp_path / "cache" / "models--someone--a-base"
    build_model(cache / "snapshots" / "0", hidden=16)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0")
    asked_of_the_hub = []

    def repo_info(*_, repo_id, **__):
        asked_of_the_hub.append(repo_id)
        raise OfflineModeIsEnabled

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(HfApi, "repo_info", repo_info)
    (tmp_path / "its.toml").write_text(TOML.replace('"lexical"', '"someone/a-base"'))
    training = check_input_from_path("its.toml", options())
    assert (training.dimensions, training.base().facts.dimensions) == (16, 16)
    assert asked_of_the_hub == []
    check_input_from_path("its.toml", options(base="someone/a-base")).base()
    assert asked_of_the_hub == ["someone/a-base"]


def test_a_base_of_a_plugin_is_loaded_only_where_it_is_asked_for(options, plugins, tmp_path):
    paid = ModelScheme("paid", "asks a service", LexicalModel)
    options = partial(options, models=ModelLoader(plugins.model_schemes() | {"paid": paid}))
    (tmp_path / "its.toml").write_text(TOML.replace('"lexical"', '"paid:large"'))
    assert check_input_from_path("its.toml", options()).base is None
    assert check_input_from_path("its.toml", options(base="paid:large")).base().name == "lexical"


def test_an_architecture_is_what_the_folder_says(tmp_path):
    folder = build_model(tmp_path / "base", normalize=False, hidden=16)
    known = read_architecture(folder)
    assert (known.normalized, known.dimensions, known.max_tokens) == (False, 16, 64)
    (folder / "modules.json").write_text(json.dumps("nothing"))
    assert read_architecture(folder).normalized is None
    shutil.rmtree(folder)
    assert read_architecture(folder).dimensions is None
