"""From a card to a recipe: field by field what the card says, and the rest is asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness import HarnessError
from harness.training.cards.reader import read_card
from harness.training.cards.results import count_devices, stopped_after
from harness.training.cards.to_recipe import draft_recipe, recipe_from_card
from harness.training.check_input import LogEntry
from harness.training.recipe_file import recipe_from
from harness.training.rows import read_training_rows, rows_path
from training.trained import TRAININGS, arguments_of, rows_of

AS_LIBRARY = {
    "learning_rate": 5e-5, "schedule": "linear", "warmup": 0, "weight_decay": 0, "max_grad_norm": 1,
    "max_seq_length": 256, "batch_sampler": "default", "seed": 42, "dtype": "float32",
}  # fmt: skip
PAIR = {"text1": "sentence_0", "text2": "sentence_1"}
FIVE = {
    "nda-contrastive": {
        "data": {"kind": "labeled-pairs", "columns": {**PAIR, "label": "label"}},
        "loss": {"name": "ContrastiveLoss", "distance": "cosine", "margin": 0.5, "size_average": True},
        "train": {**AS_LIBRARY, "batch_size": 4, "epochs": 3},
    },
    "penal-triplet": {
        "data": {
            "kind": "triplets",
            "columns": {"anchor": "sentence_0", "positive": "sentence_1", "negative": "sentence_2"},
        },
        "loss": {"name": "TripletLoss", "distance": "euclidean", "margin": 5},
        "train": {**AS_LIBRARY, "batch_size": 8, "epochs": 1},
    },
    "sts-cosine": {
        "data": {"kind": "scored-pairs", "columns": {**PAIR, "score": "label"}},
        "loss": {"name": "CosineSimilarityLoss"},
        # Lines were due at step 1,500 and at epoch 5.
        "train": {**AS_LIBRARY, "batch_size": 16, "epochs": 16, "stop_after": 4},
    },
    "records-cosine": {
        "data": {"kind": "scored-pairs", "columns": {"score": "label"}},
        "loss": {"name": "CosineSimilarityLoss"},
        "train": {**AS_LIBRARY, "batch_size": 16, "epochs": 5, "max_seq_length": 512},
    },
    "papers-mnrl": {
        "data": {"kind": "pairs", "columns": PAIR},
        "loss": {"name": "MultipleNegativesRankingLoss", "scale": 20, "similarity": "cosine"},
        "train": {**AS_LIBRARY, "batch_size": 16, "epochs": 3},
    },
}


@pytest.mark.parametrize("name", FIVE)
def test_a_published_card_becomes_the_recipe_that_it_describes(five_cards, name):
    draft = draft_recipe(read_card(five_cards / f"{name}.md"), name)
    table = dict(draft.table)
    assert "weights are verified by their hash" in table.pop("about")
    normalize = name != "records-cosine"
    assert table == {
        "name": name, "base": "minilm", "model": {"pooling": "mean", "normalize": normalize}, **FIVE[name]
    }  # fmt: skip
    recipe_from(table, name)
    asked = [one.keys[0] for one in draft.missing]
    assert asked == ([] if normalize else ["data.templates.text1", "data.templates.text2"])


@pytest.mark.parametrize("name", TRAININGS)
def test_the_recipe_of_a_real_training_repeats_its_hyperparameters(clean, name):
    training, arguments = TRAININGS[name], arguments_of(TRAININGS[name])
    table = draft_recipe(read_card(clean(name)), name).table
    accumulated = arguments.get("gradient_accumulation_steps", 1)
    length = {"steps": 110} if "max_steps" in arguments else {"epochs": 4}
    assert table["train"] == {
        "batch_size": arguments["per_device_train_batch_size"] * accumulated,
        "learning_rate": arguments["learning_rate"],
        "schedule": arguments.get("lr_scheduler_type", "linear"),
        "warmup": arguments.get("warmup_steps", 0),
        "weight_decay": arguments.get("weight_decay", 0),
        "max_grad_norm": arguments.get("max_grad_norm", 1),
        "max_seq_length": 64,
        "batch_sampler": arguments.get("batch_sampler", "default").replace("_", "-"),
        "seed": arguments["seed"],
        "dtype": "float32",
        **length,
    }
    assert table["data"]["kind"] == training.kind
    assert list(table["data"]["columns"].values()) == list(rows_of(training.kind, 1, seed=1))
    assert table["loss"]["name"] == training.loss
    assert table["loss"].get("matryoshka", []) == list(training.matryoshka)
    assert table["model"] == {"pooling": "mean", "normalize": training.normalize}


def test_a_card_and_its_file_give_back_the_rows_that_were_trained_on(clean, tmp_path):
    table = rows_of("labeled-pairs", 200, seed=1)
    file = tmp_path / "rows.jsonl"
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    changes = {"base": "minilm", "evaluation.keep": "last"}
    recipe = recipe_from_card(clean("ContrastiveLoss"), changes, data=file)
    read = read_training_rows(recipe.data, rows_path(recipe.data, file))
    assert [*read.texts.values(), read.labels] == list(table.values())
    assert (recipe.name, recipe.loss.margin, recipe.train.max_grad_norm) == ("model", 0.6, 0.5)


def test_everything_that_a_card_does_not_say_is_asked_for_at_once(clean):
    with pytest.raises(HarnessError, match="does not say everything") as caught:
        recipe_from_card(clean("MatryoshkaLoss"), {})
    options = [line.partition(":")[0] for line in caught.value.exists.splitlines()]
    assert options == [
        "--data FILE", "--base NAME", "--set loss.scale=VALUE", "--set loss.similarity=VALUE",
        "--set 'evaluation.tasks=[\"TASK\"]', or evaluation.keep=last",
    ]  # fmt: skip
    assert "words-dev_cosine_ndcg@10" in caught.value.exists


def test_a_card_without_hyperparameters_is_asked_for_each(tmp_path):
    path = tmp_path / "card.md"
    path.write_text("---\ntags: [sentence-transformers]\n---\n# Mine\n", encoding="utf-8")
    asked = {key for one in draft_recipe(read_card(path), "x").missing for key in one.keys}
    assert asked == {
        "base", "loss.name", "model.pooling", "model.normalize", "train.batch_size", "train.epochs",
        "train.steps", *(f"train.{name}" for name in AS_LIBRARY),
    }  # fmt: skip


def test_a_file_whose_columns_have_other_names_is_asked_for_them(five_cards, tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("first,sentence_1\na,b\n", encoding="utf-8")
    with pytest.raises(HarnessError) as caught:
        recipe_from_card(five_cards / "papers-mnrl.md", {}, data=file)
    assert (
        caught.value.exists
        == "--column text1=NAME: the file has no column sentence_0; it has first, sentence_1"
    )
    recipe = recipe_from_card(five_cards / "papers-mnrl.md", {"data.columns.text1": "first"}, data=file)
    assert recipe.data.columns == {"text1": "first", "text2": "sentence_1"}


def test_records_are_asked_for_a_template_that_may_repeat_what_was_trained_on(five_cards, tmp_path):
    file = tmp_path / "records.jsonl"
    row = {"sentence_0": {"page_name": "A", "text": "b"}, "sentence_1": {"page_name": "C"}, "label": 1}
    file.write_text(json.dumps(row), encoding="utf-8")
    path = five_cards / "records-cosine.md"
    with pytest.raises(HarnessError) as caught:
        recipe_from_card(path, {}, data=file)
    assert 'data.templates.text1="{sentence_0.page_name}"' in caught.value.exists
    assert "sentence-transformers 3.4.1 took the first alone" in caught.value.exists
    changes = {f"data.templates.text{place}": f"{{sentence_{place - 1}.page_name}}" for place in (1, 2)}
    recipe = recipe_from_card(path, changes, data=file)
    assert read_training_rows(recipe.data, file).texts == {"text1": ["A"], "text2": ["C"]}


def test_another_length_replaces_all_of_the_cards_keys_for_it(five_cards, tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("sentence_0,sentence_1,label\na,b,1\n", encoding="utf-8")
    recipe = recipe_from_card(five_cards / "sts-cosine.md", {"train.epochs": 1}, data=file)
    assert (recipe.train.epochs, recipe.train.steps, recipe.train.stop_after) == (1, None, None)


def edited(five_cards, tmp_path, name, *changes):
    text = (five_cards / f"{name}.md").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "card.md"
    path.write_text(text, encoding="utf-8")
    return read_card(path)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        pytest.param(
            "papers-mnrl", ('"scale": 20.0,', '"scale": 20.0, "directions": ["doc_to_query"],'),
            "recipes cannot hold these parameters", id="parameter",
        ),
        pytest.param(
            "papers-mnrl", ("and <code>sentence_1", "<code>b</code>, <code>c</code>, <code>sentence_1"),
            "recipes cannot use rows of", id="columns",
        ),
    ],
)  # fmt: skip
def test_a_training_that_no_recipe_can_repeat_gives_one_clear_error(five_cards, tmp_path, name, change, said):
    with pytest.raises(HarnessError, match=said):
        draft_recipe(edited(five_cards, tmp_path, name, change), "x")


def test_the_error_for_an_unknown_loss_lists_the_known_ones(five_cards, tmp_path):
    card = edited(five_cards, tmp_path, "penal-triplet", ("TripletLoss", "TripledLoss"))
    with pytest.raises(HarnessError) as caught:
        draft_recipe(card, "x")
    assert "did you mean: TripletLoss" in caught.value.exists
    assert "CoSENTLoss" in caught.value.exists
    assert draft_recipe(card, "x", {"loss.name": "TripletLoss"}).table["loss"] == {}


def test_a_card_of_several_datasets_has_no_recipe(several_datasets):
    with pytest.raises(HarnessError, match="4 training datasets; a recipe has one"):
        draft_recipe(read_card(several_datasets), "x")


def test_another_base_keeps_its_hub_id_and_revision(five_cards, tmp_path):
    change = ("sentence-transformers/all-MiniLM-L6-v2", "org/other")
    table = draft_recipe(edited(five_cards, tmp_path, "penal-triplet", change), "x").table
    assert (table["base"], table["revision"]) == ("org/other", "c9745ed1d9f207416be6d2e6f8de32d1f16199bf")


def test_another_base_drops_the_revision_and_says_what_carries_over(five_cards, tmp_path):
    change = ("sentence-transformers/all-MiniLM-L6-v2", "org/other")
    card = edited(five_cards, tmp_path, "penal-triplet", change)
    table = draft_recipe(card, "x", {"base": "minilm"}).table
    assert "revision" not in table
    assert "Trained from minilm, in place of the card's base org/other" in table["about"]
    assert "mean pooling and normalization carry over" in table["about"]
    pooled = draft_recipe(card, "x", {"base": "minilm", "model.pooling": "cls"}).table["about"]
    assert "normalization carry over" in pooled
    assert draft_recipe(card, "x", {"base": "org/other"}).table["revision"]


def test_a_value_that_recipes_cannot_hold_is_missing(five_cards, tmp_path):
    changes = [
        ("`lr_scheduler_type`: linear", "`lr_scheduler_type`: polynomial"),
        ("`fp16`: False", "`fp16`: True"),
    ]
    draft = draft_recipe(edited(five_cards, tmp_path, "penal-triplet", *changes), "x")
    assert {one.keys[0]: one.why for one in draft.missing} == {
        "train.schedule": "the card gives polynomial, which recipes cannot hold",
        "train.dtype": "the card gives float16, which recipes cannot hold",
    }
    assert not {"schedule", "dtype"} & set(draft.table["train"])


def lines(*places, kind="loss"):
    def values(place):
        return {"loss": 1.0} if kind == "loss" else {"metrics": {"dev": 0.5}}

    return tuple(LogEntry(epoch=place, step=round(place * 100), **values(place)) for place in places)


@pytest.mark.parametrize(
    ("log", "stopped"),
    [
        pytest.param((), None, id="no log"),
        pytest.param(lines(0.9), None, id="one line has no rhythm"),
        pytest.param(lines(1, 2, 3), None, id="to the end"),
        pytest.param(lines(0.8, 1.6, 2.4), None, id="the next line was not due"),
        pytest.param(lines(0.5, 1.0, 1.5), 1.5, id="a line is missing"),
        pytest.param(lines(1, 2, kind="metrics"), 2, id="an evaluation is missing"),
        pytest.param(lines(1, 2) + lines(1), 2, id="two runs"),
        pytest.param(lines(1, 2, 3) + lines(-0.01, kind="metrics"), None, id="evaluated after training"),
    ],
)
def test_a_run_that_ended_early_is_seen_by_the_line_that_its_log_lacks(five_cards, log, stopped):
    plan = replace(read_card(five_cards / "nda-contrastive.md").plan, epochs=3, per_epoch=100)
    assert stopped_after(log, plan) == stopped
    assert stopped_after(log, replace(plan, max_steps=300)) is None


def test_fewer_steps_in_an_epoch_mean_several_devices(five_cards, tmp_path):
    card = edited(
        five_cards, tmp_path, "papers-mnrl", ("| 2.2321 | 500  |", "| 2.2321 | 125  |")
    )  # 224 steps an epoch on one device, 56 on four
    assert count_devices(card.check_input.log, card.plan) == 4
    assert [one.keys for one in draft_recipe(card, "x").missing] == [("train.batch_size",)]
