"""The findings of the check `loss`; none for correct or unknown facts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.finding import Severity
from harness.training.check_input import CheckInput, LogEntry, Rows
from harness.training.losses import LOSSES
from harness_train.loss import LOSS, share_of_clashes
from plugins.cards import PAIRS, TRIPLETS, card_text, replaced, shared_card
from plugins.trainings import columns, found, of_card, training

# --- margins ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "wrong"),
    [
        ("TripletLoss", {}, True),
        ("TripletLoss", {"margin": 2.0}, True),
        ("TripletLoss", {"margin": 1.99}, False),
        ("TripletLoss", {"normalized": False}, False),
        ("TripletLoss", {"normalized": None}, False),
        ("TripletLoss", {"normalized": False, "matryoshka": (32, 16)}, True),
        ("TripletLoss", {"distance": "cosine", "normalized": False}, True),
        ("TripletLoss", {"distance": "cosine", "margin": 0.3}, False),
        ("TripletLoss", {"distance": "manhattan", "dimensions": 384}, False),
        ("TripletLoss", {"distance": "manhattan", "dimensions": 4}, True),
        ("TripletLoss", {"distance": "manhattan"}, False),
        ("BatchHardTripletLoss", {}, True),
        ("ContrastiveLoss", {"margin": 2.5}, True),
        ("ContrastiveLoss", {}, False),
        ("OnlineContrastiveLoss", {"margin": 2.0}, True),
        ("CosineSimilarityLoss", {}, False),
    ],
)
def test_a_margin_is_out_of_reach_where_no_two_embeddings_are_that_far_apart(name, changes, wrong):
    assert ("margin-unreachable" in found(training(name, **changes))) == wrong


@given(
    st.lists(st.lists(st.floats(-1, 1), min_size=6, max_size=6), min_size=3, max_size=3),
    st.sampled_from(["cosine", "euclidean", "manhattan"]),
)
def test_where_a_margin_is_out_of_reach_no_triplet_of_unit_vectors_closes_the_hinge(vectors, distance):
    norms = [math.hypot(*vector) for vector in vectors]
    if min(norms) < 1e-3:
        return
    a, p, n = ([x / norm for x in vector] for vector, norm in zip(vectors, norms, strict=True))

    def apart(left, right):
        if distance == "cosine":
            return 1 - sum(x * y for x, y in zip(left, right, strict=True))
        power = 1 if distance == "manhattan" else 2
        return sum(abs(x - y) ** power for x, y in zip(left, right, strict=True)) ** (1 / power)

    for margin in (0.5, 2.0, 2 * math.sqrt(6), 5.0):
        said = found(training("TripletLoss", distance=distance, margin=margin, dimensions=6))
        if "margin-unreachable" in said:
            assert apart(a, p) - apart(a, n) + margin >= -1e-9


@pytest.mark.parametrize("parameter", ["margin", "distance"])
def test_a_margin_that_the_card_does_not_give_is_not_judged(parameter):
    assert "margin-unreachable" not in found(training("TripletLoss", assumed=frozenset({parameter})))


def test_a_margin_out_of_reach_is_a_warning_for_models_do_learn_with_it():
    (finding,) = [one for one in LOSS.look(training("TripletLoss")) if one.code == "margin-unreachable"]
    assert finding.severity is Severity.WARNING
    assert "the loss is linear" in finding.evidence


# --- steps -----------------------------------------------------------------------------------------------


def test_few_steps_are_counted_from_rows_batch_and_epochs():
    said = found(training(size=96, batch_size=8, epochs=1))["too-few-steps"]
    assert said.startswith("96 rows in batches of 8 over 1 epoch are 12 optimizer steps")
    assert "too-few-steps" in found(training(size=1584, epochs=1))
    assert "too-few-steps" not in found(training(size=1585, epochs=1))
    assert "too-few-steps" not in found(training(size=None))
    assert "too-few-steps" in found(training(size=None, steps=99))


def test_few_steps_are_a_note_where_the_model_was_evaluated_and_nothing_where_it_moved():
    def severity(*scores):
        log = tuple(LogEntry(epoch=n, step=n, metrics={"m": score}) for n, score in enumerate(scores, 1))
        return [one.severity for one in LOSS.look(training(size=96, log=log)) if one.code == "too-few-steps"]

    assert severity() == [Severity.WARNING]
    assert severity(0.50, 0.52) == [Severity.NOTE]
    assert severity(0.35, 0.54) == []


# --- false negatives in a batch --------------------------------------------------------------------------


def pairs(firsts, seconds, **changes) -> CheckInput:
    rows = Rows(kind="pairs", texts={"text1": firsts, "text2": seconds})
    known = {"rows": rows, "size": len(rows), "batch_sampler": "default"}
    return training("MultipleNegativesRankingLoss", **(known | changes))


def test_repeated_texts_are_false_negatives_unless_the_sampler_keeps_them_apart():
    questions, answers = [f"question {n}" for n in range(200)], [f"answer {n % 17}" for n in range(200)]
    said = found(pairs(questions, answers))["in-batch-duplicates"]
    assert said.startswith("200 of 200 rows share a text with another row")
    assert "100% of batches of 16" in said
    assert "in-batch-duplicates" not in found(pairs(questions, answers, batch_sampler="no-duplicates"))
    assert "in-batch-duplicates" not in found(pairs(questions, answers, batch_sampler=None))
    assert "in-batch-duplicates" not in found(pairs(questions, questions[::-1], batch_size=2))
    assert "in-batch-duplicates" not in found(pairs(questions, [f"answer {n}" for n in range(200)]))


@pytest.mark.parametrize(("group", "size"), [(2, 8), (5, 4), (20, 3)])
def test_the_share_of_batches_with_a_clash_is_that_of_combinatorics(group, size):
    groups = 200 // group
    rows = [frozenset({f"own {n}", f"shared {n // group}"}) for n in range(200)]
    none = math.comb(groups, size) * group**size / math.comb(200, size)
    assert share_of_clashes(rows, size) == pytest.approx(1 - none, abs=0.04)


# --- columns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "part"),
    [
        ("TripletLoss", ["a:string", "b:string"], "2 columns of texts"),
        ("CosineSimilarityLoss", ["a:string", "b:string", "c:string", "label:float"], "3 columns of texts"),
        (
            "CosineSimilarityLoss",
            ["similarity:float", "a:string", "b:string"],
            "similarity is in the position of a text",
        ),
        ("CosineSimilarityLoss", ["a:string", "b:string"], "none is called label or score"),
        ("ContrastiveLoss", ["a:string", "b:string", "label:string"], "label holds texts"),
        ("MultipleNegativesRankingLoss", ["a:string", "b:string", "label:int"], "rows of every label"),
        (
            "MultipleNegativesRankingLoss",
            ["answer:string", "question:string"],
            "answer is in position 1, not 2",
        ),
        (
            "TripletLoss",
            ["anchor:string", "negative:string", "positive:string"],
            "negative is in position 2, not 3",
        ),
    ],
)
def test_columns_that_do_not_fit_the_loss_are_named(name, given, part):
    assert part in found(training(name, columns=columns(*given, low=0.0, high=1.0)))["wrong-columns"]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("TripletLoss", ["anchor:string", "positive:string", "negative:string"]),
        ("CosineSimilarityLoss", ["a:string", "b:string", "label:float"]),
        ("CosineSimilarityLoss", ["label:float", "a:string", "b:string"]),
        ("CosineSimilarityLoss", ["a:dict", "b:dict", "score:float"]),
        ("MultipleNegativesRankingLoss", ["a:string", "b:string", "c:string", "d:string"]),
        ("MultipleNegativesRankingLoss", ["query:string", "answer:string"]),
        ("BatchHardTripletLoss", ["text:string", "label:int"]),
    ],
)
def test_columns_that_fit_the_loss_have_no_finding(name, given):
    assert "wrong-columns" not in found(training(name, columns=columns(*given, low=1.0, high=1.0)))


def test_rows_show_numbers_among_texts_and_texts_among_labels():
    texts = {"text1": ["0.5", "1"], "text2": ["a", "b"]}
    rows = Rows(kind="scored-pairs", texts=texts, labels=["a man plays", "a dog runs"], source="file.csv")
    said = found(training(rows=rows))["wrong-columns"]
    assert (
        "column text1 is in the position of a text, but 100% of its cells are numbers, such as '0.5'" in said
    )
    assert "column score is in the position of the label, but 100% of its cells are texts" in said
    fine = Rows(kind="scored-pairs", texts={"text1": ["7", "b"], "text2": ["c", None]}, labels=[0.5, "0.7"])
    assert "wrong-columns" not in found(training(rows=fine))


def test_cells_that_are_missing_are_no_numbers():
    texts = {"text1": ["a", "b"], "text2": [float("nan"), float("nan")]}
    rows = Rows(kind="scored-pairs", texts=texts, labels=[0.5, 0.7])
    assert "wrong-columns" not in found(training(rows=rows))


# --- cards -----------------------------------------------------------------------------------------------

MARGIN_5 = '{"distance_metric": "TripletDistanceMetric.EUCLIDEAN", "triplet_margin": 5}'


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        (
            "margin-unreachable",
            {"loss": "TripletLoss", "columns": TRIPLETS, "parameters": MARGIN_5},
            {"parameters": MARGIN_5.replace("5", "0.5")},
        ),
        ("too-few-steps", {"size": 96, "batch": 8, "epochs": 1}, {"size": 9600}),
        (
            "loss-at-chance",
            {"loss": "MultipleNegativesRankingLoss", "columns": PAIRS, "log": [(2.0, 500, 2.7346, None)]},
            {"log": [(2.0, 500, 0.9, None)]},
        ),
        (
            "schedule-longer-than-run",
            {"epochs": 16, "log": [(1.0, 250, None, 0.8), (2.0, 500, 0.02, 0.8)]},
            {"epochs": 2},
        ),
    ],
)
def test_a_written_card_has_the_finding_until_it_is_corrected(code, wrong, right, tmp_path):
    assert code in of_card(card_text(**wrong), tmp_path)
    assert code not in of_card(card_text(**wrong | right), tmp_path)


@pytest.mark.parametrize(
    ("name", "code", "changes"),
    [
        ("penal-triplet", "margin-unreachable", [('"triplet_margin": 5', '"triplet_margin": 0.5')]),
        ("penal-triplet", "margin-unreachable", [("  (2): Normalize()\n", "")]),
        ("penal-triplet", "too-few-steps", [("Size: 96 ", "Size: 9,600 "), ("_size:96", "_size:9600")]),
        ("papers-mnrl", "loss-at-chance", [("2.7346", "0.9000")]),
        ("sts-cosine", "schedule-longer-than-run", [("`num_train_epochs`: 16", "`num_train_epochs`: 4")]),
    ],
)  # fmt: skip
def test_a_published_card_has_the_finding_and_a_corrected_copy_has_not(name, code, changes, tmp_path):
    text = shared_card(name)
    assert code in of_card(text, tmp_path)
    assert code not in of_card(replaced(text, *changes), tmp_path)


def test_the_published_cards_have_no_other_findings_of_this_check(tmp_path):
    assert {
        name: sorted(of_card(shared_card(name), tmp_path))
        for name in ("nda-contrastive", "papers-mnrl", "penal-triplet", "records-cosine", "sts-cosine")
    } == {
        "nda-contrastive": [],
        "papers-mnrl": ["loss-at-chance"],
        "penal-triplet": ["margin-unreachable", "too-few-steps"],
        "records-cosine": [],
        "sts-cosine": ["schedule-longer-than-run"],
    }


def test_every_loss_of_recipes_can_be_checked():
    for name, facts in LOSSES.items():
        texts = {column: ["a text", "another"] for column in ("text1", "text2")}
        labels = [0.0, 1.0] if facts.kind not in ("pairs", "triplets") else None
        rows = Rows(kind=facts.kind, texts=texts, labels=labels)
        assert not {"wrong-columns", "loss-at-chance"} & set(found(training(name, rows=rows, losses=[0.1])))
