"""What the check `labels` finds: on all rows with a base, and on the little that a card shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import LetterModel

from harness import Severity
from harness.encoding.cached_model import CachedModel
from harness.training import CheckInput, Rows
from harness.training.recipe import Data
from harness.training.rows import read_training_rows
from harness_train.labels import LABELS


def training(rows=None, loss="ContrastiveLoss", **changes) -> CheckInput:
    return CheckInput(path="it", what="dataset", loss_name=loss, rows=rows, **changes)


def pairs(labels, left=None, right=None, kind="labeled-pairs") -> Rows:
    """Rows of distinct texts, unless texts are given."""
    left = left or [f"left {row}" for row in range(len(labels))]
    right = right or [f"right {row}" for row in range(len(labels))]
    return Rows(kind=kind, texts={"text1": left, "text2": right}, labels=labels)


def found(given: CheckInput) -> dict[str, tuple[Severity, str]]:
    return {finding.code: (finding.severity, finding.evidence) for finding in LABELS.look(given)}


def words(letters: str, count: int, seed: int) -> list[str]:
    """Draw texts of the given letters: to LetterModel, texts of the same letters are alike."""
    generator = np.random.default_rng(seed)
    return ["".join(generator.choice(list(letters), 12)) for _ in range(count)]


# --- inverted ---------------------------------------------------------------------------------------------


def alike_and_not(alike: float, unlike: float, rows: int = 60, kind="labeled-pairs") -> Rows:
    """Half of the rows share their letters, and have the label `alike`; the others `unlike`."""
    left = words("abcdef", rows, 1)
    right = [*words("abcdef", rows // 2, 2), *words("uvwxyz", rows // 2, 3)]
    return pairs([alike] * (rows // 2) + [unlike] * (rows // 2), left, right, kind)


@pytest.mark.parametrize(
    ("loss", "kind"), [("ContrastiveLoss", "labeled-pairs"), ("CosineSimilarityLoss", "scored-pairs")]
)
def test_labels_that_contradict_the_similarities_of_the_base_are_inverted(loss, kind):
    wrong = found(training(alike_and_not(0.0, 1.0, kind=kind), loss, base=LetterModel))
    severity, evidence = wrong["labels-inverted"]
    assert severity is Severity.ERROR
    assert "AUC of its similarity against the label 0.000 (95 % interval 0.000" in evidence
    assert "over 60 of 60 rows" in evidence
    assert loss in evidence
    assert "labels-inverted" not in found(
        training(alike_and_not(1.0, 0.0, kind=kind), loss, base=LetterModel)
    )


def test_the_measured_auc_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    rows = pairs([row % 2 for row in range(80)], words("abcdefgh", 80, 4), words("abcdefgh", 80, 5))
    model = LetterModel()
    similarity = model.pairwise_similarity(*(model.encode(cells) for cells in rows.texts.values()))
    # The label is made of the similarity, turned round, for three rows of four.
    labels = [
        float(value < np.median(similarity)) if row % 4 else 0.0 for row, value in enumerate(similarity)
    ]
    (_, evidence) = found(training(replace(rows, labels=labels), base=lambda: model))["labels-inverted"]
    assert f"{roc_auc_score(labels, similarity):.3f} (95 %" in evidence


def test_scores_that_rise_where_similarity_falls_are_inverted():
    left, right = words("abcd", 90, 6), [*words("abcd", 30, 7), *words("abyz", 30, 8), *words("wxyz", 30, 9)]
    scores = [0.1] * 30 + [0.5] * 30 + [0.9] * 30
    given = training(pairs(scores, left, right, "scored-pairs"), "CoSENTLoss", base=LetterModel)
    assert "concordance of similarity and score" in found(given)["labels-inverted"][1]
    turned = replace(given, rows=replace(given.rows, labels=[1 - score for score in scores]))
    assert "labels-inverted" not in found(turned)


def test_labels_that_mean_nothing_are_not_called_inverted():
    generator = np.random.default_rng(10)
    flagged = 0
    for seed in range(40):
        labels = generator.integers(2, size=60).tolist()
        rows = pairs(labels, words("abcdef", 60, 100 + seed), words("abcdef", 60, 200 + seed))
        flagged += "labels-inverted" in found(training(rows, base=LetterModel))
    assert flagged <= 2


def test_a_handful_of_rows_is_never_significant():
    assert "labels-inverted" not in found(training(alike_and_not(0.0, 1.0, rows=6), base=LetterModel))


def test_a_few_rows_of_another_label_are_too_few_to_call_the_rest_inverted():
    rows = alike_and_not(0.0, 1.0, rows=200)
    for others, said in ((8, False), (40, True)):
        labels = [0.0 if row < others else 1.0 for row in range(200)]
        given = training(replace(rows, labels=labels), base=LetterModel)
        assert ("labels-inverted" in found(given)) == said


def test_pairs_are_compared_within_each_recurring_text_where_one_side_recurs():
    # To each hypothesis, clauses labeled 1 are less similar; but to that of most ones, all are more so.
    near, far = "aaaaaaaaaaaa", "aaaavvvvwwww"
    rows = [(text, near, 1) for text in words("aabc", 60, 11)] + [
        (text, near, 0) for text in words("aaab", 12, 12)
    ]
    rows += [(text, far, 1) for text in words("aabc", 12, 13)] + [
        (text, far, 0) for text in words("aaab", 60, 14)
    ]
    left, right, labels = (list(column) for column in zip(*rows, strict=True))
    _, evidence = found(training(pairs(labels, left, right), base=LetterModel))["labels-inverted"]
    assert "among pairs with the same text2 (2 texts); over all pairs it is" in evidence


def test_without_a_base_or_with_a_cards_few_rows_there_is_no_finding_of_inversion():
    rows = alike_and_not(0.0, 1.0)
    assert "labels-inverted" not in found(training(rows))
    assert "labels-inverted" not in found(training(replace(rows, complete=False), base=LetterModel))


def shortest(shared_data, labels) -> Rows:
    """The 300 rows of ContractNLI with the shortest clauses, which the base reads in seconds."""
    columns = {"text1": "concatenated_spans", "text2": "hypothesis"}
    data = Data(kind="labeled-pairs", columns=columns, labels=labels)
    rows = read_training_rows(data, shared_data / "contract-nli" / "train-pairs.csv")
    order = sorted(range(len(rows)), key=lambda row: len(rows.texts["text1"][row]))[:300]
    texts = {name: [cells[row] for row in order] for name, cells in rows.texts.items()}
    return replace(rows, texts=texts, labels=[rows.labels[row] for row in order])


def test_contract_nli_as_published_is_inverted_and_corrected_it_is_not(shared_data, minilm):
    once = CachedModel(minilm)
    published = found(training(shortest(shared_data, {"0": 0, "1": 1}), base=lambda: once))
    corrected = found(training(shortest(shared_data, {"0": 1, "1": 0}), base=lambda: once))
    severity, evidence = published["labels-inverted"]
    # By 300 rows p is above 0.001; by all 4,371 rows it is below 0.0001, and an error.
    assert severity is Severity.WARNING
    assert "0.298" in evidence
    assert "among pairs with the same text2" in evidence
    assert "labels-inverted" not in corrected


# --- columns ----------------------------------------------------------------------------------------------


def triplets(anchor, positive, negative) -> Rows:
    return Rows(kind="triplets", texts={"anchor": anchor, "positive": positive, "negative": negative})


def test_positives_not_nearer_than_those_of_other_anchors_are_swapped():
    kinds = ["abcd", "efgh", "ijkl", "mnop"]
    anchor = [words(kinds[row % 4], 1, row)[0] for row in range(80)]
    own = [words(kinds[row % 4], 1, 100 + row)[0] for row in range(80)]
    drawn = [words(kinds[np.random.default_rng(row).integers(4)], 1, 200 + row)[0] for row in range(80)]
    severity, evidence = found(training(triplets(anchor, drawn, own), "TripletLoss", base=LetterModel))[
        "columns-swapped"
    ]
    assert severity is Severity.ERROR
    assert "as if drawn by chance" in evidence
    assert "columns-swapped" not in found(
        training(triplets(anchor, own, drawn), "TripletLoss", base=LetterModel)
    )


def test_hard_negatives_may_look_swapped_and_are_a_warning():
    kinds = ["abcd", "efgh", "ijkl", "mnop"]
    anchor = [words(kinds[row % 4], 1, row)[0] for row in range(80)]
    positive = [words(kinds[row % 4] + "vwxyz", 1, 100 + row)[0] for row in range(80)]
    hard = [text[::-1] for text in anchor]
    severity, evidence = found(training(triplets(anchor, positive, hard), "TripletLoss", base=LetterModel))[
        "columns-swapped"
    ]
    assert severity is Severity.WARNING
    assert "as also with hard negatives" in evidence


# --- values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "labels", "outside"),
    [
        ("CosineSimilarityLoss", [0.0, 2.5, 5.0, 1.0], "2 of 4 labels (50%)"),
        ("CosineSimilarityLoss", [-1.0, 0.0, 1.0], None),
        ("ContrastiveLoss", [0.0, 1.0, 2.0], "1 of 3 labels (33%)"),
        ("ContrastiveLoss", [0.0, 0.5, 1.0], "1 of 3 labels (33%)"),
        ("ContrastiveLoss", [0, 1, 1], None),
        ("CoSENTLoss", [0.0, 2.5, 5.0], None),
        ("SomeOtherLoss", [0.0, 7.0], None),
    ],
)
def test_labels_are_compared_with_the_range_of_the_loss(loss, labels, outside):
    finding = found(training(pairs(labels), loss)).get("labels-out-of-range")
    assert (finding is None) == (outside is None)
    if outside:
        # ContrastiveLoss takes a label between 0 and 1: it both pulls and pushes such a pair.
        between = max(labels) <= 1 and loss == "ContrastiveLoss"
        assert finding[0] is (Severity.WARNING if between else Severity.ERROR)
        assert outside in finding[1]


def test_the_remedy_for_scores_out_of_range_names_their_range():
    (finding,) = LABELS.look(training(pairs([0.0, 2.5, 5.0]), "CosineSimilarityLoss"))
    assert "score_range = [0, 5]" in finding.remedy


@pytest.mark.parametrize(
    ("loss", "labels", "severity"),
    [
        ("CosineSimilarityLoss", [1.0] * 98 + [0.0] * 2, Severity.ERROR),
        ("ContrastiveLoss", [1.0] * 98 + [0.0] * 2, Severity.WARNING),
        ("ContrastiveLoss", [0.0] * 98 + [1.0] * 2, Severity.WARNING),
        ("CosineSimilarityLoss", [0.5] * 98 + [0.51] * 2, Severity.WARNING),
        ("CoSENTLoss", [3.0] * 100, Severity.ERROR),
        ("CoSENTLoss", [5.0] * 97 + [0.0] * 3, Severity.WARNING),
        ("ContrastiveLoss", [1.0] * 90 + [0.0] * 10, None),
        ("CosineSimilarityLoss", [0.0, 0.5, 1.0] * 10, None),
    ],
)
def test_labels_that_hardly_differ_are_nearly_constant(loss, labels, severity):
    assert found(training(pairs(labels), loss)).get("labels-near-constant", (None,))[0] is severity


@pytest.mark.parametrize("label", ["yes", None, float("nan"), float("inf")])
def test_a_label_that_is_not_a_finite_number_is_named_with_its_row(label):
    severity, evidence = found(training(pairs([0.0, 1.0, label, 1.0])))["labels-not-numbers"]
    assert severity is Severity.ERROR
    assert "1 of 4" in evidence
    assert "in row 3" in evidence


@pytest.mark.parametrize("loss", ["ContrastiveLoss", ""])
def test_labels_in_another_scale_are_not_called_constant_too(loss):
    labels = [0.0, 1.0] * 45 + [100.0] * 2
    assert "labels-near-constant" not in found(training(pairs(labels), loss))
    assert "labels-near-constant" in found(training(pairs([0.0] * 97 + [1.0] * 3), loss))


def test_classes_may_have_any_name():
    rows = Rows(kind="labeled-texts", texts={"text": ["a", "b"]}, labels=["cat", "dog"])
    assert found(training(rows, "BatchHardTripletLoss")) == {}


# --- repeats ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("repeated", "severity"), [(0, None), (1, Severity.NOTE), (10, Severity.WARNING)])
def test_rows_that_repeat_an_earlier_one_are_counted(repeated, severity):
    texts = [f"text {max(row - repeated, 0)}" for row in range(100)]
    rows = pairs(
        [1.0 if text[-1] in "02468" else 0.0 for text in texts], texts, [f"b {text}" for text in texts]
    )
    assert found(training(rows)).get("duplicate-rows", (None,))[0] is severity


def test_one_pair_with_two_labels_contradicts_itself_in_either_order_and_case():
    rows = pairs([1.0, 0.0, 1.0, 0.0], ["A b", "c d", "e", "g"], ["C, d", "a b", "f", "h"])
    severity, evidence = found(training(rows))["same-pair-two-labels"]
    assert severity is Severity.ERROR
    assert evidence.startswith("1 pairs are in 2 of 4 rows")


def test_scores_that_differ_a_little_do_not_contradict_each_other():
    rows = pairs([0.4, 0.6, 1.0], ["a", "a", "e"], ["b", "b", "f"], "scored-pairs")
    assert "same-pair-two-labels" not in found(training(rows, "CoSENTLoss"))


def test_pairs_of_a_text_with_itself_are_found_by_their_label():
    rows = pairs([1.0, 0.0, 1.0, 0.0], ["a", "b", "c", "d"], ["a ", "b", "x", "y"])
    findings = found(training(rows))
    assert "In 1 of 4 rows (25.0%)" in findings["positives-verbatim-equal"][1]
    assert "In 1 of 4 rows" in findings["negatives-verbatim-equal"][1]
    assert findings["negatives-verbatim-equal"][0] is Severity.ERROR


def test_triplets_whose_texts_are_equal_are_found_by_column():
    rows = triplets(["a", "b", "c"], ["a", "x", "y"], ["n", "x", "c"])
    assert set(found(training(rows, "TripletLoss"))) == {
        "positives-verbatim-equal", "negatives-equal-positive", "negatives-verbatim-equal",
    }  # fmt: skip


def test_sound_rows_have_no_findings():
    assert found(training(alike_and_not(1.0, 0.0), base=LetterModel)) == {}
