"""The findings of the check `evaluation` without a model; none for correct or unknown facts."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.finding import Severity
from harness.tasks.dataset import Dataset
from harness.training.check_input import Claim, ColumnFacts, LogEntry, Rows
from plugins.cards import card_text, replaced, shared_card
from plugins.evaluations import findings, found, of_card, trained


def test_a_training_without_any_score_is_found():
    losses = [LogEntry(epoch=1, step=100, loss=0.5)]
    assert "1 line of training loss, and no metric" in found(trained(log=losses))["no-evaluation"]
    assert "no log, and no metric" in found(trained())["no-evaluation"]
    assert "no-evaluation" not in found(trained(trained=False))
    assert "no-evaluation" not in found(trained(scores=[0.5]))
    assert "no-evaluation" not in found(trained(claims=[("m", 0.5)]))


def test_a_metric_with_two_values_is_found_with_both():
    said = found(trained(claims=[("m", 0.8951), ("n", 0.7), ("m", 0.8945)]))["metric-reported-twice"]
    assert "m on dev as 0.8951 and as 0.8945" in said
    assert "n on dev" not in said


def test_many_values_and_many_metrics_take_a_moment_and_ten_values_are_shown():
    many = [("m", (n + 0.1) / 1_000) for n in range(20_000)] + [(f"m{n}", 0.5) for n in range(20_000)]
    scores = {f"dev_{metric}": 0.1 for metric, _ in many}
    log = [LogEntry(epoch=n, step=n, metrics=scores) for n in (1, 2)]
    started = time.process_time()
    said = found(trained(claims=many, log=log))["metric-reported-twice"]
    assert time.process_time() - started < 2
    assert said.count(" as ") == 10
    assert " as 0.0001 and as 0.0011" in said


@given(st.dictionaries(st.text("abc", min_size=1), st.floats(-1, 1), min_size=1))
def test_a_metric_that_is_repeated_or_rounded_is_not_two(scores):
    given = trained(claims=[*scores.items(), *((name, round(value, 4)) for name, value in scores.items())])
    assert "metric-reported-twice" not in found(given)


@pytest.mark.parametrize("tag", ["loss:CosineSimilarityLoss", "loss:TripletLoss"])
def test_a_card_that_names_another_loss_in_its_tags_than_in_its_sections_is_found(tag, tmp_path):
    text = f"""---
library_name: sentence-transformers
tags:
- {tag}
---
## Training Details
### Training Dataset
#### Unnamed Dataset
* Size: 10 training samples
* Loss: [<code>CosineSimilarityLoss</code>](https://sbert.net) with these parameters:
"""
    assert ("card-contradicts-itself" in of_card(text, tmp_path)) is ("Triplet" in tag)


# --- the best of the evaluations -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "claims", "changes", "lost"),
    [
        pytest.param([0.5, 0.7, 0.6], [], {}, True, id="the last is not the best"),
        pytest.param([0.5, 0.6, 0.7], [], {}, False, id="the last is the best"),
        pytest.param([0.5, 0.7, 0.6], [], {"keeps_best": True}, False, id="the best is kept"),
        pytest.param([0.5, 0.7, 0.6], [("m", 0.7)], {}, False, id="the best is what is claimed"),
        pytest.param([0.5, 0.7, 0.6], [("m", 0.60004)], {}, True, id="the last is what is claimed"),
        pytest.param([0.5, 0.7, 0.69995], [], {}, False, id="rounding"),
        pytest.param([0.5, 0.7, 0.6996], [], {}, False, id="a gain that is worth nothing"),
        pytest.param([0.5, 0.7, 0.6994], [], {}, True, id="a gain that is worth something"),
        pytest.param([0.7], [("m", 0.2)], {}, False, id="one evaluation"),
    ],
)
def test_the_best_evaluation_is_lost_where_it_is_neither_last_nor_claimed(scores, claims, changes, lost):
    assert ("best-not-kept" in found(trained(scores=scores, claims=claims, **changes))) == lost


@pytest.mark.parametrize(
    ("name", "values", "severity"),
    [
        ("dev_accuracy", (0.8500, 0.8333), Severity.NOTE),  # one example of 60
        ("dev_accuracy", (0.85, 0.81), Severity.WARNING),
        ("dev_loss", (0.0451, 0.0458), Severity.NOTE),
        ("dev_loss", (0.045, 0.060), Severity.WARNING),
    ],
)
def test_a_better_evaluation_within_noise_is_a_note(name, values, severity):
    log = [LogEntry(epoch=n, step=n, metrics={name: value}) for n, value in enumerate(values, 1)]
    finding = findings(trained(log=log))["best-not-kept"]
    assert finding.severity is severity
    assert ("within noise" in finding.evidence) == (severity is Severity.NOTE)


def test_the_epoch_and_both_values_of_a_lost_best_are_shown():
    said = found(trained(scores=[0.8957, 0.8964, 0.8955], claims=[("m", 0.8951), ("m", 0.8945)]))
    assert "best dev_m was 0.8964, at epoch 2 (step 200)" in said["best-not-kept"]
    # Two values are claimed, and nobody knows which one is the model's.
    assert "the last, at epoch 3 (step 300), is 0.8955" in said["best-not-kept"]


def test_of_several_metrics_a_model_is_better_only_in_all_of_them():
    def log(*rows):
        return tuple(LogEntry(epoch=n, step=n, metrics=row) for n, row in enumerate(rows, 1))

    mixed = log({"a": 0.9, "b": 0.1}, {"a": 0.5, "b": 0.5})
    assert "best-not-kept" not in found(trained(log=mixed))
    assert "best-not-kept" in found(trained(log=log({"a": 0.9, "b": 0.6}, {"a": 0.5, "b": 0.5})))
    falling = log({"Validation Loss": 0.9, "a": 0.5}, {"Validation Loss": 0.1, "a": 0.5})
    assert "best-not-kept" not in found(trained(log=falling))


@pytest.mark.parametrize(
    ("name", "values", "lost"),
    [
        ("Validation Loss", (0.9, 0.5, 0.1), False),
        ("Validation Loss", (0.9, 0.1, 0.5), True),
        ("dev_rmse", (0.9, 0.1, 0.5), True),
        ("dev_negative_mse", (-9.0, -5.0, -1.0), False),
        ("dev_cosine_f1_threshold", (0.9, 0.8, 0.7), False),
    ],
)
def test_losses_and_errors_are_better_where_they_are_lower_and_thresholds_are_no_scores(name, values, lost):
    log = [LogEntry(epoch=n, step=n, metrics={name: value}) for n, value in enumerate(values, 1)]
    assert ("best-not-kept" in found(trained(log=log))) == lost


FITTED = tuple(ColumnFacts(name=name, type="string") for name in ("sentence_0", "sentence_1"))


@pytest.mark.parametrize(
    ("scores", "changes", "selected"),
    [
        ((0.3, 0.2, 0.5), {}, True),
        ((0.3, 0.5, 0.2), {}, False),
        ((0.5,), {}, False),
        ((0.3, 0.2, 0.5), {"columns": ()}, False),
        ((0.3, 0.2, 0.5), {"keeps_best": True}, False),
    ],
)
def test_a_card_of_fit_that_ends_with_its_best_evaluation_is_told_of_selection(scores, changes, selected):
    given = trained(scores=scores, **({"columns": FITTED} | changes))
    assert ("selected-by-score" in found(given)) == selected


# --- what a score must be to count -----------------------------------------------------------------------


def test_a_score_that_is_nan_is_an_error_and_not_also_a_missing_one():
    said = findings(trained(claims=[("m", math.nan)]))
    assert said["score-not-finite"].severity is Severity.ERROR
    assert "m on dev: no score is left" in said["score-not-finite"].evidence
    assert "no-evaluation" not in said
    assert "dev_m at step 100" in found(trained(scores=[math.nan]))["score-not-finite"]
    assert (
        "no score is left" not in found(trained(scores=[math.nan], claims=[("m", 0.5)]))["score-not-finite"]
    )


def test_results_that_the_author_added_are_an_evaluation():
    assert "no-evaluation" not in found(trained(other_results=True))


@pytest.mark.parametrize(
    ("one", "other", "twice"),
    [
        (0.8963944, 0.90, False),
        (89.63944, 89.64, False),
        (0.8964, 0.91, True),
        (1.0, 0.96, True),
        (89.6, 88.9, True),
    ],
)
def test_a_score_that_is_rounded_elsewhere_is_not_reported_twice(one, other, twice):
    assert ("metric-reported-twice" in found(trained(claims=[("m", one), ("m", other)]))) is twice


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"of": "Triplet"}, {"of": "Binary Classification"}),
        ({"of": "STS, en"}, {"of": "STS, de"}),
        ({"dataset": "unknown"}, {"dataset": "Unknown"}),
        ({"dataset": "unknown"}, {"dataset": "unknown"}),
    ],
)
def test_scores_of_other_evaluators_languages_or_of_nameless_data_are_not_one_metric_twice(one, other):
    claims = [Claim(**({"dataset": "dev", "metric": "m", "value": value} | given))
              for value, given in ((0.5, one), (0.7, other))]  # fmt: skip
    assert "metric-reported-twice" not in found(replace(trained(), claims=tuple(claims)))


# --- chance ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "value", "severity"),
    [
        ("roc_auc", 0.039, Severity.ERROR),
        ("cosine_accuracy", 0.2, Severity.ERROR),
        ("spearman_cosine", -0.3, Severity.ERROR),
        ("pearson", -0.01, Severity.WARNING),
        ("roc_auc", 0.47, Severity.WARNING),
        ("roc_auc", 0.5, None),
        ("spearman", 0.0, None),
        ("cosine_accuracy@1", 0.2, None),
        ("accuracy", 0.3, None),
        ("cosine_ap", 0.2, None),
        ("cosine_ndcg@10", 0.1, None),
        ("spearman_cosine", math.nan, None),
    ],
)
def test_a_score_is_below_chance_only_where_chance_is_known(metric, value, severity):
    finding = findings(trained(claims=[(metric, value)])).get("below-chance")
    assert (finding and finding.severity) == severity


def test_without_claims_the_last_score_of_the_log_is_compared_with_chance():
    log = tuple(
        LogEntry(epoch=n, step=n, metrics={"dev_spearman": score}) for n, score in ((1, 0.8), (2, -0.2))
    )
    assert "dev_spearman is -0.2000, chance 0" in found(trained(log=log))["below-chance"]


# --- overlap ---------------------------------------------------------------------------------------------


def test_test_examples_among_the_training_rows_are_found():
    left = [f"the first sentence about thing {n}" for n in range(20)]
    right = [f"another sentence, which tells of object {n}" for n in range(20)]
    rows = Rows(kind="pairs", texts={"text1": left, "text2": right})
    test = Dataset({"text1": [*left[:5], "unheard of"], "text2": [*right[:5], "never seen"]})
    given = trained(claims=[("m", 0.5)], rows=rows, datasets=lambda: {"held-out": test})
    finding = findings(given)["train-test-overlap"]
    assert finding.severity is Severity.ERROR
    assert "5 of 6 examples of held-out" in finding.evidence
    shown = Rows(kind="pairs", texts={"text1": left, "text2": right}, complete=False)
    assert "train-test-overlap" not in found(trained(rows=shown, datasets=lambda: {"held-out": test}))


# --- cards -----------------------------------------------------------------------------------------------

FOUR = [(1.0, 250, None, 0.8957), (2.0, 500, None, 0.8964), (3.0, 750, None, 0.8955)]


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("no-evaluation", {"log": [(1.0, 250, 0.02, None)]}, {"claims": [("spearman_cosine", 0.9)]}),
        ("no-evaluation", {}, {"log": FOUR}),
        (
            "metric-reported-twice",
            {"claims": [("spearman_cosine", 0.8951), ("spearman_cosine", 0.8945)]},
            {"claims": [("spearman_cosine", 0.8951), ("pearson_cosine", 0.8945)]},
        ),
        ("best-not-kept", {"log": FOUR}, {"log": FOUR[:2]}),
        ("best-not-kept", {"log": FOUR}, {"best": True}),
        ("best-not-kept", {"log": FOUR}, {"claims": [("spearman_cosine", 0.89641)]}),
        ("below-chance", {"claims": [("cosine_accuracy", 0.1)]}, {"claims": [("cosine_accuracy", 0.9)]}),
    ],
)
def test_a_written_card_has_the_finding_until_it_is_corrected(code, wrong, right, tmp_path):
    assert code in of_card(card_text(**wrong), tmp_path)
    assert code not in of_card(card_text(**wrong | right), tmp_path)


FIRST_SCORE = """    - type: spearman_cosine
      value: 0.8950730981265442
      name: Spearman Cosine
"""


@pytest.mark.parametrize(
    ("name", "code", "changes"),
    [
        ("penal-triplet", "no-evaluation", [("pipeline_tag:", f"""model-index:
- name: it
  results:
  - task:
      type: semantic-similarity
    dataset:
      name: dev
      type: dev
    metrics:
{FIRST_SCORE}pipeline_tag:""")]),
        ("sts-cosine", "metric-reported-twice", [
            ("0.894513806720748", "0.8950730981265442"), ("0.8945", "0.8951"),
            ("0.8961516051005151", "0.8963944551925366"), ("0.8962", "0.8964"),
        ]),
        ("sts-cosine", "best-not-kept", [("| 0.8964  ", "| 0.8940  "), ("| 0.8957  ", "| 0.8941  "),
                                         ("| 0.8955  ", "| 0.8942  "), ("| 0.8951  ", "| 0.8943  ")]),
        ("sts-cosine", "best-not-kept", [("best_model_at_end`: False", "best_model_at_end`: True")]),
    ],
)  # fmt: skip
def test_a_published_card_has_the_finding_and_a_corrected_copy_has_not(name, code, changes, tmp_path):
    text = shared_card(name)
    assert code in of_card(text, tmp_path)
    assert code not in of_card(replaced(text, *changes), tmp_path)


def test_the_published_cards_have_no_other_findings_of_this_check(tmp_path):
    unmeasured = ("nda-contrastive", "papers-mnrl", "penal-triplet", "records-cosine")
    said = {name: sorted(of_card(shared_card(name), tmp_path)) for name in (*unmeasured, "sts-cosine")}
    assert said == {name: ["no-evaluation"] for name in unmeasured} | {
        "sts-cosine": ["best-not-kept", "metric-reported-twice"]
    }
