"""The shipped recipes repeat the cards, and the corrected ones fix their flaws."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest
from conftest import SHARED

from harness.plugins.loader import load_plugins
from harness.training import LOSSES, ROW_KINDS, Recipe
from harness.training.recipe_file import find_recipe, read_recipe, with_changes
from harness.training.rows import read_training_rows, rows_path, validate_rows
from harness_train.recipes import SHIPPED, shipped_recipes

CARDS = ("nda-contrastive", "papers-mnrl", "penal-triplet", "records-cosine", "sts-cosine")
DATA = SHIPPED / "data"
DOCS = Path(__file__).parents[2] / "docs" / "recipes.md"


@pytest.fixture(scope="module")
def recipes():
    return {recipe.name: recipe for recipe in shipped_recipes()}


def rows_of(recipe, root=None):
    return validate_rows(read_training_rows(recipe.data, rows_path(recipe.data, root, recipe.home)))


def records(name):
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def test_every_card_has_a_recipe_as_it_was_and_one_as_it_should_be(recipes):
    assert sorted(recipes) == [
        f"{card}/{variant}" for card in CARDS for variant in ("as-published", "corrected")
    ]
    assert [find_recipe(recipes.values(), card).name for card in CARDS] == [
        f"{card}/corrected" for card in CARDS
    ]
    assert set(load_plugins().recipes()) >= set(recipes)


def test_what_a_recipe_is_about_fits_on_a_line(recipes):
    for recipe in recipes.values():
        assert 30 < len(recipe.about) <= 110, recipe.name
        assert "\n" not in recipe.about


@pytest.mark.parametrize("card", CARDS)
def test_a_recipe_as_published_is_what_its_card_says(card, recipes):
    path = SHARED / "cards" / f"{card}.md"
    if not path.is_file():
        pytest.skip(f"needs the card {path}")
    text, recipe = path.read_text(encoding="utf-8", errors="replace"), recipes[f"{card}/as-published"]

    def said(pattern):
        return re.search(pattern, text)[1]

    assert recipe.loss.name == said(r"loss:(\w+)")
    assert recipe.train.batch_size == int(said(r"`per_device_train_batch_size`: (\d+)"))
    assert recipe.train.epochs == float(said(r"`num_train_epochs`: (\S+)"))
    assert recipe.train.learning_rate == float(said(r"`learning_rate`: (\S+)"))
    assert recipe.train.schedule == said(r"`lr_scheduler_type`: (\w+)")
    assert recipe.train.warmup == float(said(r"`warmup_ratio`: (\S+)"))
    assert recipe.train.seed == int(said(r"`seed`: (\d+)"))
    assert recipe.train.max_seq_length == int(said(r"\*\*Maximum Sequence Length:\*\* (\d+)"))
    assert recipe.train.batch_sampler == "default"
    assert (recipe.model.normalize is False) == ("Normalize()" not in text)
    for name, pattern in {"margin": r'margin": (\S+),?\n', "scale": r'"scale": (\S+),'}.items():
        if re.search(pattern, text):
            assert recipe.loss.parameters[name] == float(said(pattern).rstrip(","))
    if "distance_metric" in text:
        assert recipe.loss.parameters["distance"] == said(r'Metric\.(\w+?)(?:_DISTANCE)?"').lower()
    assert bool(recipe.evaluation.tasks) == ("stsb-dev" in text)


@pytest.mark.parametrize(
    ("card", "size"), [("nda-contrastive", 4292), ("penal-triplet", 96), ("sts-cosine", 5749)]
)
def test_on_real_data_a_recipe_as_published_has_the_rows_of_its_card(card, size, recipes, shared_data):
    rows = rows_of(recipes[f"{card}/as-published"], shared_data)
    assert len(rows) == pytest.approx(size, rel=0.002)


def test_nda_labels_are_inverted_and_nothing_else(recipes, shared_data):
    wrong, right = (
        rows_of(recipes[f"nda-contrastive/{variant}"], shared_data)
        for variant in ("as-published", "corrected")
    )
    assert wrong.texts == right.texts
    assert list(right.labels) == [1 - label for label in wrong.labels]
    assert sum(wrong.labels) / len(wrong) == pytest.approx(0.19, abs=0.01)
    assert wrong.left_out == 2820


def test_penal_margin_comes_within_reach_and_there_are_steps_enough(recipes, shared_data):
    wrong, right = recipes["penal-triplet/as-published"], recipes["penal-triplet/corrected"]
    steps = [
        math.ceil(len(rows_of(one, shared_data)) / one.train.batch_size) * one.train.epochs
        for one in (wrong, right)
    ]
    assert steps == [12, 140]
    assert wrong.loss.margin > 2 > right.loss.margin
    assert right.data.path != "legal-triplets/ipc-illustrations.jsonl", "penal-triplets is evaluated on it"


def test_sts_scores_are_shares_and_the_best_is_kept(recipes, shared_data):
    wrong, right = recipes["sts-cosine/as-published"], recipes["sts-cosine/corrected"]
    for recipe in (wrong, right):
        rows = rows_of(recipe, shared_data)
        assert (min(rows.labels), max(rows.labels)) == (0, 1)
    assert (wrong.train.epochs, wrong.train.stop_after, wrong.evaluation.keep) == (16, 4, "last")
    assert (right.train.stop_after, right.evaluation.keep) == (None, "best")


# --- rows that are shipped ------------------------------------------------------------------------------


def test_shipped_rows_are_read_though_the_data_folder_is_another(recipes, tmp_path):
    sizes = {
        name: len(rows_of(recipe, tmp_path))
        for name, recipe in recipes.items()
        if "../data" in recipe.data.path
    }
    assert sizes == {
        "records-cosine/as-published": 1100,
        "records-cosine/corrected": 1078,
        "papers-mnrl/as-published": 3584,
        "papers-mnrl/corrected": 800,
    }
    assert math.ceil(3584 / recipes["papers-mnrl/as-published"].train.batch_size) == round(500 / 2.2321)


def test_records_as_published_are_their_first_key_and_labels_that_are_nearly_all_one(recipes):
    rows, pairs = rows_of(recipes["records-cosine/as-published"]), records("records/pairs.jsonl")
    for number, name in enumerate(("record1", "record2"), 1):
        first = [next(iter(pair[name].values())) for pair in pairs]
        assert rows.texts[f"text{number}"] == first
    assert sum(rows.labels) / len(rows) == 0.98
    same = sum(map(str.__eq__, *rows.texts.values()))
    assert same < len(rows) / 2, "equal texts teach CosineSimilarityLoss nothing"


def test_records_corrected_are_whole_and_about_one_programme(recipes):
    rows = rows_of(recipes["records-cosine/corrected"])
    pairs = [pair for pair in records("records/pairs.jsonl") if pair["label"] == 1]
    for pair, left, right in zip(pairs, *rows.texts.values(), strict=True):
        for record, text in ((pair["record1"], left), (pair["record2"], right)):
            assert all(record[key] in text for key in ("page_name", "section_title", "text"))
    assert len(set(rows.texts["text1"])) == len(rows)


def test_neighboring_lines_are_debris_and_titles_are_clean(recipes):
    lines = rows_of(recipes["papers-mnrl/as-published"]).texts["text1"]
    assert sum("(cid:" in line for line in lines) > 100
    assert sum(bool(re.search(r"\w- \w", line)) for line in lines) > 100
    clean = rows_of(recipes["papers-mnrl/corrected"])
    for text in (*clean.texts["text1"], *clean.texts["text2"]):
        assert text.strip() == text
        assert not re.search(r"\(cid:|\w- \w|\n|[{}]|\ba [aeio](?!ne)", text), text
    assert [len(set(texts)) for texts in clean.texts.values()] == [len(clean)] * 2
    assert clean.repeated == 0


def test_shipped_rows_are_small_and_name_no_real_site():
    files = sorted(DATA.rglob("*.jsonl"))
    assert sum(file.stat().st_size for file in files) < 1_500_000
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://([^/\"]+)|@([\w.]+\w)", text)) <= {
            ("halvmoor.example", ""),
            ("", "halvmoor.example"),
        }
    told = (DATA / "README.md").read_text(encoding="utf-8")
    for file in files:
        name = file.relative_to(DATA).as_posix()
        assert f"| `{name}` | {len(records(name)):,} |" in told


# --- what is said of them -------------------------------------------------------------------------------


def test_every_task_that_a_recipe_evaluates_exists(recipes):
    tasks = set(load_plugins().tasks())
    assert {task for recipe in recipes.values() for task in recipe.evaluation.tasks} <= tasks


def keys(kind):
    for one in fields(kind):
        inner = get_type_hints(kind)[one.name]
        yield from keys(inner) if is_dataclass(inner) else [one.name]


def test_the_documentation_has_every_key_choice_loss_kind_and_recipe(recipes):
    text = DOCS.read_text(encoding="utf-8")
    for key in set(keys(Recipe)) - {"home"}:
        assert f"`{key}" in text, key
    for kind, columns in ROW_KINDS.items():
        assert f"| `{kind}` | {', '.join(f'`{column}`' for column in columns)} |" in text
    for name, facts in LOSSES.items():
        parameters = ", ".join(f"`{parameter}`" for parameter in facts.parameters)
        assert f"| `{name}` | {', '.join((facts.kind, *facts.also))} | {parameters}".rstrip() in text
    assert {name.partition("/")[0] for name in recipes} <= set(
        re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)
    )


def test_the_recipe_of_the_documentation_is_read(tmp_path):
    (block,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "support.toml").write_text(block, encoding="utf-8")
    recipe = read_recipe(tmp_path / "support.toml")
    assert (recipe.name, recipe.evaluation.keep) == ("support", "best")
    (tmp_path / "support").mkdir()
    row = {"question": "Q", "answer": "A", "product": {"name": "P"}, "language": "en"}
    (tmp_path / "support" / "train.jsonl").write_text(
        f"{json.dumps(row)}\n{json.dumps({**row, 'language': 'de'})}\n"
    )
    assert rows_of(recipe).texts == {"text1": ["Q"], "text2": ["P: A"]}
    assert with_changes(recipe, {"train.seed": 1}, "--set").home == str(tmp_path)
