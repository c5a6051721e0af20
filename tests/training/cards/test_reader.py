"""Reading model cards: of real trainings, of five published models, of broken and hand-edited files."""

from __future__ import annotations

import ast
import re
from itertools import chain

import numpy as np
import pytest
import yaml

from harness.training.cards.reader import read_card
from harness.training.cards.rows import kind_of
from harness.training.check_input import ColumnFacts
from harness.training.losses import LABELS, LOSSES, ROW_KINDS
from training.trained import DEV, TRAININGS, arguments_of, rows_of

SAMPLERS = {"no_duplicates": "no-duplicates"}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_the_card_of_a_real_training_is_read_back_as_it_was_set(clean, name):
    training, card = TRAININGS[name], read_card(clean(name))
    arguments, check_input = arguments_of(training), card.check_input
    accumulated = arguments.get("gradient_accumulation_steps", 1)
    assert check_input.batch_size == arguments["per_device_train_batch_size"] * accumulated
    assert check_input.size == 200
    assert check_input.steps == arguments.get("max_steps", 100)
    assert check_input.epochs == check_input.steps / 25
    assert check_input.schedule == arguments.get("lr_scheduler_type", "linear")
    assert check_input.batch_sampler == SAMPLERS.get(arguments.get("batch_sampler"), "default")
    assert (card.plan.learning_rate, card.plan.seed) == (arguments["learning_rate"], arguments["seed"])
    assert card.plan.warmup == arguments.get("warmup_steps", 0)
    assert card.plan.weight_decay == arguments.get("weight_decay", 0)
    assert card.plan.max_grad_norm == arguments.get("max_grad_norm", 1)
    assert (check_input.keeps_best, check_input.trained, check_input.what) == (True, True, "card")
    assert (check_input.normalized, check_input.dimensions, check_input.max_tokens) == (
        training.normalize,
        32,
        64,
    )
    assert (card.architecture.pooling, card.plan.dtype, card.base) == ("mean", "float32", None)
    assert card.contradictions == ()


@pytest.mark.parametrize("name", TRAININGS)
def test_the_loss_of_a_real_training_is_read_back_with_its_parameters(clean, name):
    training, card = TRAININGS[name], read_card(clean(name))
    loss = card.check_input.loss
    assert card.check_input.loss_name == loss.name == training.loss
    assert loss.matryoshka == training.matryoshka
    set_ = {key: value for key, value in training.parameters.items() if key != "distance_metric"}
    ours = {"margin": loss.margin, "triplet_margin": loss.margin, "scale": loss.scale,
            "size_average": loss.size_average, "mini_batch_size": loss.mini_batch_size}  # fmt: skip
    assert {key: ours[key] for key in set_} == set_
    assert loss.distance == ("cosine" if LOSSES[loss.name].hinge else None)
    assert card.loss.beyond == {}


@pytest.mark.parametrize("name", TRAININGS)
def test_the_rows_of_a_real_training_are_read_back_as_they_were(clean, name):
    check_input = read_card(clean(name)).check_input
    table = rows_of(TRAININGS[name].kind, 200, seed=1)
    columns = list(table.values())
    texts = [column[:3] for column in columns if isinstance(column[0], str)]
    assert check_input.rows.kind == TRAININGS[name].kind
    assert list(check_input.rows.texts) == [
        one for one in ROW_KINDS[check_input.rows.kind] if one not in LABELS
    ]
    assert list(check_input.rows.texts.values()) == texts
    assert check_input.rows.labels == (columns[-1][:3] if len(texts) < len(columns) else None)
    assert not check_input.rows.complete
    assert [one.name for one in check_input.columns] == list(table)
    for facts, column in zip(check_input.columns, columns, strict=True):
        if facts.type == "string":
            assert (facts.low, facts.mean, facts.high, facts.unit) == (10, 10, 10, "tokens")
        else:
            # The library describes the first hundred rows, shares in percent.
            assert facts.mean == pytest.approx(sum(column[:100]) / 100, abs=0.006)
            assert (facts.low, facts.high) == (min(column), max(column))
            assert facts.shares == ({"0": 0.5, "1": 0.5} if facts.type == "int" else {})


@pytest.mark.parametrize("name", TRAININGS)
def test_the_results_of_a_real_training_are_those_that_the_card_shows(clean, name):
    path = clean(name)
    card, text = read_card(path), path.read_text(encoding="utf-8")
    front = next(yaml.safe_load_all(text))
    [result] = front["model-index"][0]["results"]
    stated = [(DEV, one["type"], one["value"]) for one in result["metrics"]]
    # The tables say the same, rounded: nothing is claimed twice.
    assert [(one.dataset, one.metric, one.value) for one in card.check_input.claims] == stated
    log = card.check_input.log
    assert [one.step for one in log if one.loss is not None] == [*range(10, card.check_input.steps + 1, 10)]
    assert [one.step for one in log if one.metrics][-1] == -1
    evaluated = [value for one in log if one.step in (50, 100) for value in one.metrics.values()]
    assert max(value for one in log for value in one.metrics.values()) in evaluated
    widgets = [[one["source_sentence"], *one["sentences"]] for one in front["widget"]]
    assert list(card.check_input.samples) == list(chain(*widgets))
    lists = re.findall(r"^(?:sentences|queries|documents) = (\[.*?^\])", text, re.MULTILINE | re.DOTALL)
    assert list(card.check_input.usage.texts) == list(chain(*map(ast.literal_eval, lists)))
    # With queries and documents the card compares each with the other only.
    assert len(card.check_input.usage.similarities) == (0 if len(lists) == 2 else 3)


def test_the_example_of_a_card_has_the_similarities_that_the_model_gives(clean):
    from sentence_transformers import SentenceTransformer

    path = clean("CosineSimilarityLoss")
    usage = read_card(path).check_input.usage
    model = SentenceTransformer(str(path.parent), device="cpu")
    embeddings = model.encode(list(usage.texts), show_progress_bar=False)
    expected = pytest.approx(np.array(usage.similarities), abs=1e-3)
    assert model.similarity(embeddings, embeddings).numpy() == expected


def test_five_published_cards_are_read(five_cards):
    found = {path.stem: read_card(path) for path in five_cards.glob("*.md")}
    facts = {
        name: (known.loss.name, known.size, known.batch_size, known.epochs, known.steps, known.normalized,
               known.max_tokens, card.version)
        for name, card in found.items()
        for known in [card.check_input]
    }  # fmt: skip
    assert facts == {
        "nda-contrastive": ("ContrastiveLoss", 4292, 4, 3, 3219, True, 256, "5.2.0"),
        "penal-triplet": ("TripletLoss", 96, 8, 1, 12, True, 256, "5.1.2"),
        "sts-cosine": ("CosineSimilarityLoss", 5749, 16, 16, 5760, True, 256, "5.1.0"),
        "records-cosine": ("CosineSimilarityLoss", 13697, 16, 5, 4285, False, 512, "3.4.1"),
        "papers-mnrl": ("MultipleNegativesRankingLoss", 3584, 16, 3, 672, True, 256, "3.1.0"),
    }
    assert {card.base for card in found.values()} == {"sentence-transformers/all-MiniLM-L6-v2"}
    assert found["papers-mnrl"].revision == "8b3219a92973c328a8e22fadcfa821b5dc75636a"
    assert {card.check_input.dimensions for card in found.values()} == {384}
    assert [(line.epoch, line.step, line.loss) for line in found["papers-mnrl"].check_input.log] == [
        (2.2321, 500, 2.7346)
    ]
    assert found["penal-triplet"].check_input.log == ()


def test_a_score_that_a_card_reports_twice_is_claimed_twice(five_cards):
    claims = read_card(five_cards / "sts-cosine.md").check_input.claims
    spearman = [one.value for one in claims if one.metric == "spearman_cosine"]
    assert spearman == [0.8950730981265442, 0.894513806720748]
    assert {one.dataset for one in claims} == {"stsb-dev"}


def test_records_of_a_card_stay_records(five_cards):
    check_input = read_card(five_cards / "records-cosine.md").check_input
    assert [one.type for one in check_input.columns] == ["dict", "dict", "float"]
    assert check_input.columns[2].mean == 0.98
    assert all(isinstance(cell, dict) for cells in check_input.rows.texts.values() for cell in cells)
    assert check_input.rows.texts["text1"][0]["page_name"] == "Supply Chain Management"


@pytest.mark.parametrize(
    ("loss", "columns", "kind"),
    [
        pytest.param("TripletLoss", "abc", "triplets", id="three texts"),
        pytest.param("MultipleNegativesRankingLoss", ["a", "b", "label"], "pairs", id="an ignored label"),
        pytest.param("MultipleNegativesRankingLoss", "abc", "triplets", id="with negatives"),
        pytest.param("MultipleNegativesRankingLoss", "abcd", None, id="with several negatives"),
        pytest.param("OwnLoss", ["a", "score"], "labeled-texts", id="unknown, a text and a label"),
        pytest.param("OwnLoss", ["a", "b", "score"], "scored-pairs", id="unknown, two texts and a label"),
        pytest.param("TripletLoss", ["a", "b"], "pairs", id="too few for the loss"),
    ],
)
def test_the_kind_of_rows_follows_from_the_loss_and_the_columns(loss, columns, kind):
    assert kind_of(loss, [ColumnFacts(name=name, type="string") for name in columns]) == kind


@pytest.mark.slow
def test_several_datasets_are_counted_together_and_shown_apart(several_datasets):
    card = read_card(several_datasets)
    assert card.datasets == ("scored", "pairs", "more", "most")
    assert card.check_input.size == 40 + 24 + 24 + 24
    # What holds for each of them has one input each: losses, and rows.
    assert (card.check_input.loss, card.check_input.rows) == (None, None)
    assert [part.name for part in card.check_input.parts] == [*card.datasets]
    assert card.check_input.parts[0].loss.name == "CoSENTLoss"
    assert card.check_input.parts[0].rows.kind == "scored-pairs"
    # Proportional: each dataset's last batch may be short.
    assert card.plan.per_epoch == 5 + 3 + 3 + 3
    # A dataset that is evaluated is none that was trained on.
    assert "Evaluation Dataset" in several_datasets.read_text(encoding="utf-8")
    assert card.contradictions == ()


def test_an_evaluation_table_over_two_datasets_claims_nothing_new(several_datasets):
    claims = read_card(several_datasets).check_input.claims
    assert {(one.dataset, one.metric) for one in claims} == {
        (name, metric) for name in ("one", "other") for metric in ("pearson_cosine", "spearman_cosine")
    }
    assert len(claims) == 4
