"""Recipes are plain data: read, changed, written, and checked with all errors at once."""

from __future__ import annotations

import string
import tomllib
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import HarnessError
from harness.training import LOSSES, Recipe, read_recipe
from harness.training.losses import LABELS, ROW_KINDS
from harness.training.recipe import Data, EvaluationSchedule, Loss, Modules, Schedule
from harness.training.recipe_file import find_recipe, recipe_from, with_changes

PAIRS = {"name": "r", "data": {"kind": "pairs"}, "loss": {"name": "MultipleNegativesRankingLoss"}}
SCORED = {"name": "r", "data": {"kind": "scored-pairs"}, "loss": {"name": "CoSENTLoss"}}
LABELED = {"name": "r", "data": {"kind": "labeled-pairs"}, "loss": {"name": "ContrastiveLoss"}}
TRIPLETS = {"name": "r", "data": {"kind": "triplets"}, "loss": {"name": "TripletLoss"}}

WORDS = st.text(string.ascii_letters + "_-. é漢\n{}", min_size=1, max_size=8).filter(str.strip)
WHOLE = st.integers(1, 10**6)
ABOVE_ZERO = st.floats(1e-9, 1e6)


def maybe(strategy):
    return st.none() | strategy


@st.composite
def losses(draw):
    name = draw(st.sampled_from(sorted(LOSSES)))
    values = {
        "distance": st.sampled_from(["cosine", "euclidean", "manhattan"]),
        "margin": ABOVE_ZERO,
        "scale": ABOVE_ZERO,
        "similarity": st.sampled_from(["cosine", "dot"]),
        "size_average": st.booleans(),
        "mini_batch_size": WHOLE,
    }
    given = {name: draw(maybe(values[name])) for name in LOSSES[name].parameters}
    return Loss(name=name, **given, matryoshka=tuple(draw(st.lists(WHOLE, unique=True, max_size=3))))


@st.composite
def data(draw, facts):
    kind = draw(st.sampled_from((facts.kind, *facts.also)))
    names = ROW_KINDS[kind]
    texts = [name for name in names if name not in LABELS]
    templates = {name: draw(WORDS) for name in texts if draw(st.booleans())}
    files = draw(st.lists(WORDS, min_size=len(names), max_size=len(names), unique=True))
    free = [name for name in names if name not in templates]
    ranged = kind == "scored-pairs" and draw(st.booleans())
    mapped = len(names) > len(texts) and not ranged
    return Data(
        kind=kind,
        path=draw(maybe(WORDS.filter(lambda path: ".." not in path))),
        columns=dict(zip(free, files, strict=False)),
        templates=templates,
        header=tuple(draw(st.lists(WORDS, max_size=3, unique=True))),
        labels=draw(st.dictionaries(st.text(max_size=3), st.floats(-1, 1), max_size=3)) if mapped else {},
        score_range=(draw(st.floats(-5, 0)), draw(st.floats(1, 5))) if ranged else None,
        only=draw(st.dictionaries(st.text(max_size=3), st.text(max_size=3) | WHOLE | ABOVE_ZERO, max_size=2)),
        distinct=draw(st.booleans()),
        limit=draw(maybe(WHOLE)),
    )


@st.composite
def schedules(draw):
    epochs, steps = draw(ABOVE_ZERO), draw(maybe(WHOLE))
    warmup = st.floats(0, 1, exclude_max=True) | st.integers(1, steps or 100).map(float)
    return Schedule(
        batch_size=draw(st.integers(2, 64)),
        epochs=epochs,
        steps=steps,
        stop_after=None if steps else draw(maybe(st.just(epochs / 2))),
        warmup=draw(warmup),
        learning_rate=draw(ABOVE_ZERO),
        max_seq_length=draw(maybe(WHOLE)),
        seed=draw(st.integers(0, 2**32 - 1)),
        dtype=draw(st.sampled_from(["auto", "float32", "bfloat16"])),
    )


@st.composite
def recipes(draw):
    loss = draw(losses())
    tasks = tuple(draw(st.lists(WORDS, unique=True, max_size=2)))
    best = bool(tasks) and draw(st.booleans())
    return Recipe(
        name=draw(WORDS),
        about=draw(st.text(max_size=9)),
        base=draw(WORDS),
        revision=draw(maybe(WORDS)),
        data=draw(data(LOSSES[loss.name])),
        loss=loss,
        train=draw(schedules()),
        model=Modules(
            pooling=draw(maybe(st.sampled_from(["mean", "cls"]))), normalize=draw(maybe(st.booleans()))
        ),
        evaluation=EvaluationSchedule(
            tasks=tasks,
            every=draw(st.just("epoch") | WHOLE),
            keep="best" if best else "last",
            patience=draw(maybe(WHOLE)) if best else None,
        ),
        home=draw(st.text(max_size=3)),
    )


@given(recipes())
def test_a_recipe_is_read_back_from_its_own_dict(recipe):
    assert recipe_from(recipe.to_dict(), "here") == recipe


@given(recipes())
def test_a_recipe_s_dict_is_plain_data_without_its_folder(recipe):
    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(inner) for key, inner in value.items())
        return all(map(plain, value)) if isinstance(value, list) else type(value) in (str, int, float, bool)

    table = recipe.to_dict()
    assert plain(table)
    assert "home" not in table


@given(recipes(), st.integers(2, 64), st.floats(1e-6, 1e-3))
def test_a_change_replaces_the_named_value_only(recipe, size, rate):
    made = with_changes(recipe, {"train.batch_size": size, "train.learning_rate": rate}, "--set")
    assert made == replace(recipe, train=replace(recipe.train, batch_size=size, learning_rate=rate))
    assert made.home == recipe.home


def test_a_change_fills_an_empty_table_and_none_removes_a_value():
    recipe = recipe_from({**LABELED, "train": {"steps": 9}}, "here")
    made = with_changes(
        recipe, {"data.columns.text1": "clause", "data.labels.0": 1, "train.steps": None}, "--set"
    )
    assert made.data.columns == {"text1": "clause"}
    assert made.data.labels == {"0": 1.0}
    assert made.train.steps is None
    assert recipe.data.columns == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train.epoch": 1}, r"no key in \[train\] of --set named 'epoch'\n  did you mean: epochs"),
        ({"train.epochs.x": 1}, "train.epochs.x is not a key of a recipe: epochs is not a table"),
        ({"name.x": 1}, "name.x is not a key of a recipe"),
        ({"home": "x"}, "no key in --set named 'home'"),
        ({"train.epochs": 0}, "--set: train.epochs is 0; it must be above 0"),
        (
            {"train.schedule": "liner"},
            r"--set: \[train\] schedule must be 'linear', .* not 'liner'\n  did you mean: linear",
        ),
    ],
)
def test_a_change_is_checked_as_a_file_is(changes, message):
    with pytest.raises(HarnessError, match=message):
        with_changes(recipe_from(PAIRS, "here"), changes, "--set")


# --- files ----------------------------------------------------------------------------------------------

FILE = """
about = "questions and their answers"
[data]
kind = "labeled-pairs"
path = "pairs.csv"
columns = { text1 = "clause", text2 = "hypothesis" }
labels = { 0 = 1, 1 = 0 }
[loss]
name = "OnlineContrastiveLoss"
margin = 0.25
matryoshka = [384, 128]
[train]
epochs = 2
warmup = 0.1
[evaluation]
tasks = ["stsb-dev"]
keep = "best"
"""


def test_a_recipe_has_its_file_s_name_and_folder(tmp_path):
    path = tmp_path / "nda.toml"
    path.write_text(FILE)
    recipe = read_recipe(path)
    assert (recipe.name, recipe.home) == ("nda", str(tmp_path))
    assert recipe.data.labels == {"0": 1.0, "1": 0.0}
    assert recipe.loss.parameters == {"distance": "cosine", "margin": 0.25}
    assert recipe == recipe_from({"name": "nda", **tomllib.loads(FILE)}, "here")


def test_the_error_for_a_missing_file_says_where_recipes_are_listed(tmp_path):
    with pytest.raises(HarnessError, match=r"no recipe file .*\n  hint: `harness list recipes`"):
        read_recipe(tmp_path / "absent.toml")


def without(table, key):
    return {name: value for name, value in table.items() if name != key}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param(without(PAIRS, "name"), "^here: name is missing", id="a missing key"),
        pytest.param(without(PAIRS, "loss"), r"^here: \[loss\] is missing", id="a missing table"),
        pytest.param(
            {**PAIRS, "data": {}},
            r"^here: \[data\] kind is missing; it must be 'pairs', ",
            id="missing in a table",
        ),
        pytest.param({**PAIRS, "data": "x"}, r"^here: \[data\] must be a table, not 'x'", id="no table"),
        pytest.param({**PAIRS, "los": {}}, r"no key in here named 'los'\n  did you mean: loss", id="key"),
        pytest.param(
            {**PAIRS, "train": {"epochs": "2"}},
            r"here: \[train\] epochs must be a number, not '2'",
            id="type",
        ),
        pytest.param(
            {**PAIRS, "data": {"kind": "pair"}},
            r"here: \[data\] kind must be 'pairs', .*, not 'pair'\n  did you mean: pairs",
            id="kind",
        ),
        pytest.param(
            {**PAIRS, "loss": {"name": "MultipleNegativeRankingLoss"}},
            "no loss in here named 'Mul.*'\n  did you mean: MultipleNegativesRankingLoss",
            id="loss",
        ),
        pytest.param(
            {**PAIRS, "evaluation": {"every": "step"}},
            r"here: \[evaluation\] every must be 'epoch' or a whole number, not 'step'",
            id="every",
        ),
    ],
)
def test_an_error_names_the_table_and_the_key(table, message):
    with pytest.raises(HarnessError, match=message):
        recipe_from(table, "here")


def test_every_choice_is_accepted():
    recipe = recipe_from(PAIRS, "here")
    for cadence in ("epoch", 10):
        assert with_changes(recipe, {"evaluation.every": cadence}, "here").evaluation.every == cadence
    for pooling in ("mean", "cls", "max", "lasttoken", "weightedmean"):
        assert with_changes(recipe, {"model.pooling": pooling}, "here").model.pooling == pooling


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_a_loss_has_the_default_parameters(loss):
    assert Loss(name=loss).parameters == dict(LOSSES[loss].parameters)
    assert set(LOSSES[loss].parameters) <= {column.name for column in fields(Loss)}


def test_an_unknown_loss_has_no_parameters():
    assert Loss(name="GISTEmbedLoss", margin=1).parameters == {}


# --- names ----------------------------------------------------------------------------------------------


def test_a_plain_name_means_the_corrected_recipe_unless_a_recipe_has_that_name():
    made = [recipe_from({**PAIRS, "name": name}, name) for name in ("a/as-published", "a/corrected", "b")]
    assert find_recipe(made, "a").name == "a/corrected"
    assert find_recipe(made, "a/as-published").name == "a/as-published"
    assert find_recipe(made, "b").name == "b"
    own = recipe_from({**PAIRS, "name": "a"}, "a")
    assert find_recipe([*made, own], "a") is own


def test_an_unknown_recipe_name_gets_the_nearest():
    made = [recipe_from({**PAIRS, "name": "sts/corrected"}, "x")]
    with pytest.raises(HarnessError, match=r"no recipe named 'sts/corected'\n  did you mean: sts/corrected"):
        find_recipe(made, "sts/corected")
