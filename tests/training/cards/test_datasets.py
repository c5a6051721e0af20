"""Cards with several training datasets, and results that sentence-transformers did not write."""

from __future__ import annotations

import pytest

from harness.checks import run_checks
from harness.finding import Severity
from harness.training.cards.reader import read_card
from harness_train.evaluation import EVALUATION
from harness_train.labels import LABELS
from harness_train.loss import LOSS

HEAD = """---
library_name: sentence-transformers
tags:
- sentence-transformers
- generated_from_trainer
- dataset_size:{size}
---
## Training Details
### Training Datasets
"""
DATASET = """
* Size: {size:,} training samples
* Columns: {columns}
* Approximate statistics based on the first {counted} samples:
  |         | a | b | label |
  |:--------|:--|:--|:------|
  | type    | string | string | {type} |
  | details | <ul><li>min: 3 tokens</li></ul> | <ul><li>min: 3 tokens</li></ul> | <ul><li>{label}</li></ul> |
* Loss: [<code>{loss}</code>](https://sbert.net) with these parameters:
  ```json
  {{{params}}}
  ```
"""
OLD, NEW = "<details><summary>{name}</summary>\n{text}\n</details>\n", "#### {name}\n{text}\n"
BINARY = {"params": '"margin": 0.5', "type": "int", "label": "0: ~40.00%</li><li>1: ~60.00%", "counted": 1000}
COLUMNS = "<code>a</code>, <code>b</code>, and <code>label</code>"


def card(tmp_path, form, *datasets, tag=None):
    size = sum(one["size"] for one in datasets)
    text = HEAD.format(size=tag or size)
    for number, one in enumerate(datasets):
        known = {"loss": "ContrastiveLoss", "columns": COLUMNS, **BINARY} | one
        text += form.format(name=f"set{number}", text=DATASET.format(**known))
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    return read_card(tmp_path / "README.md").check_input


def codes(given):
    checks = {"labels": LABELS, "loss": LOSS, "evaluation": EVALUATION}
    return {found.code: found for found, _ in run_checks(given, checks).findings}


@pytest.mark.parametrize("form", [OLD, NEW], ids=["folded", "headings"])
def test_every_dataset_is_read_and_the_sum_of_sizes_contradicts_no_tag(tmp_path, form):
    given = card(tmp_path, form, {"size": 1500}, {"size": 2000}, {"size": 4}, {"size": 6})
    assert [part.name for part in given.parts] == ["set0", "set1", "set2", "set3"]
    assert [part.size for part in given.parts] == [1500, 2000, 4, 6]
    assert given.size == 3510
    assert given.loss_name == "" and given.columns == () and given.rows is None
    assert given.contradictions == ()


def test_a_dataset_other_than_the_first_is_checked_and_named(tmp_path):
    scores = {"type": "float", "label": "min: 0.0</li><li>mean: 2.6</li><li>max: 5.0"}
    other = {"size": 900, "loss": "CosineSimilarityLoss", "params": "", **scores}
    given = card(tmp_path, NEW, {"size": 900}, other)
    found = codes(given)["labels-out-of-range"]
    assert found.evidence.startswith("Dataset set1: Labels of the column label")


@pytest.mark.parametrize("loss", ["MultipleNegativesRankingLoss", "SoftmaxLoss", "MyOwnLoss"])
def test_labels_that_a_loss_does_not_read_or_reads_otherwise_are_not_judged(tmp_path, loss):
    given = card(tmp_path, NEW, {"size": 900, "loss": loss, "label": "1: 100.00%"})
    assert given.loss_name == loss
    assert {code for code in codes(given) if code.startswith("labels")} == set()


def test_labels_that_are_constant_in_the_first_rows_may_be_sorted(tmp_path):
    some = card(tmp_path, NEW, {"size": 90_000, "label": "1: 100.00%"})
    assert codes(some)["labels-near-constant"].severity is Severity.WARNING
    assert "sorted by label" in codes(some)["labels-near-constant"].evidence
    whole = card(tmp_path, NEW, {"size": 1000, "label": "1: 100.00%"})
    assert codes(whole)["labels-near-constant"].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("added", "evaluated"),
    [
        ("", False),
        ("## Evaluation\nOn our tickets it reaches 83.1 % recall.\n", True),
        ("## Notes\n| model | NDCG@10 |\n|---|---|\n| ours | 0.71 |\n", True),
        ("## Notes\n| column | meaning |\n|---|---|\n| a | text |\n", False),
    ],
)
def test_results_in_the_words_of_the_author_are_an_evaluation(tmp_path, added, evaluated):
    card(tmp_path, NEW, {"size": 900})
    path = tmp_path / "README.md"
    path.write_text(
        path.read_text(encoding="utf-8").replace("## Training Details", added + "## Training Details")
    )
    assert ("no-evaluation" not in codes(read_card(path).check_input)) == evaluated


def test_results_of_several_languages_of_one_dataset_of_the_hub_are_not_one_score(tmp_path):
    results = "".join(
        f"  - task: {{type: Classification}}\n    dataset: {{type: mteb/x, name: MTEB X ({language}),"
        f" config: {language}, split: test}}\n    metrics:\n    - {{type: accuracy, value: {value}}}\n"
        for language, value in (("en", 71.0), ("de", 65.0))
    )
    text = (
        f"---\nlibrary_name: sentence-transformers\nmodel-index:\n- name: m\n  results:\n{results}---\n# m\n"
    )
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    given = read_card(tmp_path / "README.md").check_input
    assert [claim.value for claim in given.claims] == [71.0, 65.0]
    assert "metric-reported-twice" not in codes(given)
