"""Inverted labels that the check `labels` suspects from a card."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from harness import Severity
from harness.training import CheckInput
from harness.training.cards.reader import read_card
from harness.training.check_input import ColumnFacts, Usage
from harness_train.card_labels import check_card_labels
from plugins.cards import replaced, shared_card
from plugins.test_train_labels import found, pairs, training

MOSTLY_ONES = "mean: 0.2</li>", "mean: 0.8</li>"
ROWS_OF_ONES = "<code>0.0</code>", "<code>1.0</code>"


def of_card(text, tmp_path) -> dict[str, tuple[Severity, str]]:
    (tmp_path / "any name.md").write_text(text, encoding="utf-8")
    return found(read_card(tmp_path / "any name.md").check_input)


def test_the_nda_card_is_suspected_with_its_evidence(tmp_path):
    findings = of_card(shared_card("nda-contrastive"), tmp_path)
    severity, evidence = findings.pop("labels-may-be-inverted")
    assert (severity, findings) == (Severity.WARNING, {})
    for told in ("label 1 together", "80%", "all 3 rows", "0.98"):
        assert told in evidence


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([MOSTLY_ONES, ROWS_OF_ONES], id="flipped"),
        pytest.param([MOSTLY_ONES], id="mostly ones"),
        pytest.param([ROWS_OF_ONES], id="rows of ones"),
        pytest.param([("0.9799", "0.2799")], id="an example pushed apart"),
        pytest.param([("ContrastiveLoss", "MultipleNegativesRankingLoss")], id="a loss without labels"),
    ],
)  # fmt: skip
def test_a_copy_of_the_nda_card_without_one_part_of_the_evidence_is_not_suspected(changes, tmp_path):
    assert "labels-may-be-inverted" not in of_card(
        replaced(shared_card("nda-contrastive"), *changes), tmp_path
    )


@pytest.mark.parametrize("name", ["penal-triplet", "sts-cosine", "papers-mnrl"])
def test_the_labels_of_these_cards_have_no_finding(name, tmp_path):
    assert of_card(shared_card(name), tmp_path) == {}


def test_the_records_card_has_nearly_constant_labels_and_a_copy_with_another_mean_has_not(tmp_path):
    text = shared_card("records-cosine")
    assert {code: one[0] for code, one in of_card(text, tmp_path).items()} == {
        "labels-near-constant": Severity.ERROR
    }
    assert of_card(replaced(text, ("mean: 0.98", "mean: 0.58")), tmp_path) == {}


def on_card(rows, mean=0.2, similarity=0.95, **label) -> CheckInput:
    """What a card of ContrastiveLoss says."""
    column = ColumnFacts(**{"name": "label", "type": "float", "low": 0.0, "mean": mean, "high": 1.0} | label)
    texts = tuple(ColumnFacts(name=name, type="string") for name in ("a", "b"))
    usage = Usage(texts=("x", "y"), similarities=((1.0, similarity), (similarity, 1.0)))
    given = training(replace(rows, complete=False))
    return replace(given, what="card", columns=(*texts, column), usage=usage)


def test_zeros_that_share_no_words_may_be_drawn_at_random_and_are_not_suspected():
    apart = pairs(
        [0.0, 0.0], ["the harbour froze", "a violin concert"], ["cheap rubber boots", "tax returns"]
    )
    together = pairs([0.0, 0.0], ["the harbour froze", "a violin"], ["ice on the harbour", "a concert"])
    assert "labels-may-be-inverted" not in found(on_card(apart))
    severity, evidence = found(on_card(together))["labels-may-be-inverted"]
    assert severity is Severity.WARNING
    assert "'harbour'" in evidence


def test_a_word_of_two_rows_is_not_evidence_and_many_rows_take_a_moment():
    twice = pairs([0.0, 0.0], ["the harbour froze"] * 2, ["ice on the harbour", "harbours froze"])
    assert "'froze'" in found(on_card(twice))["labels-may-be-inverted"][1]
    assert "harbour'" not in found(on_card(twice))["labels-may-be-inverted"][1]
    many = pairs([0.0] * 5_000, ["the harbour froze"] * 5_000, ["ice on the harbour"] * 5_000)
    started = time.process_time()
    assert not list(check_card_labels(on_card(many)))
    assert time.process_time() - started < 1


def test_a_mean_follows_from_shares_of_whole_numbers():
    rows = pairs([0, 0], ["the harbour froze", "a violin"], ["ice on the harbour", "a concert"])
    given = on_card(rows, mean=None, type="int", shares={"0": 0.8, "1": 0.2})
    assert "about 80% of the pairs" in found(given)["labels-may-be-inverted"][1]
    constant = on_card(rows, mean=None, type="int", shares={"0": 0.01, "1": 0.99})
    assert "labels-near-constant" in found(constant)


def test_a_card_whose_scores_go_to_five_is_out_of_range():
    rows = pairs([2.0, 3.0])
    given = replace(on_card(rows, mean=2.7, high=5.0), loss_name="CosineSimilarityLoss")
    severity, evidence = found(given)["labels-out-of-range"]
    assert severity is Severity.ERROR
    assert "from 0 to 5" in evidence
