"""Scores in a model card: ours are replaced, and nothing else moves."""

from __future__ import annotations

import pytest
import yaml
from conftest import evaluated
from huggingface_hub import ModelCard

from harness import HarnessError
from harness.results.card_export import card_with_scores
from harness.results.model_index import BEGIN, END

OTHERS = """---
# the license of the base
license: mit   # as the base's
model-index:
- name: somebody's
  results:
  - task: {type: STS}
    dataset: {type: mteb/sts12, name: MTEB STS12, config: default, split: test, revision: abc}
    metrics:
    - type: cosine_spearman
      value: 72.4
      verified: true
    own_key: [1, 2]
# tags of ours
tags:
- legal
date: 2024-01-01
---
# A model

--- not front matter ---
Text.
"""


def written(text="", **changes):
    return card_with_scores(text, "mine", [evaluated(**changes)], "README.md")


def front(text):
    return yaml.safe_load(text.split("---\n")[1])


@pytest.mark.parametrize(
    "text", ["", "# Only a body\n", "---\n---\nbody", OTHERS, OTHERS.replace("\n", "\r\n")]
)
def test_a_second_export_changes_no_character(text):
    once = written(text)
    assert written(once) == once != text
    assert ("\r\n" in once) == ("\r\n" in text)
    assert once.count("\n") == once.count("\r\n") or "\r" not in once


def test_entries_of_others_comments_keys_and_the_body_stay():
    card = written(OTHERS)
    (model,) = front(card)["model-index"]
    assert model["name"] == "somebody's"
    assert model["results"][:1] == front(OTHERS)["model-index"][0]["results"]
    assert [*front(card)] == [*front(OTHERS)]
    for line in (
        "# the license of the base",
        "license: mit   # as the base's",
        "# tags of ours",
        "date: 2024-01-01",
    ):
        assert f"\n{line}\n" in card
    assert "---\n# A model\n\n--- not front matter ---\nText.\n" in card


def test_new_scores_replace_ours_alone():
    card = written(written(OTHERS, score=0.5), score=0.25)
    assert card == written(OTHERS, score=0.25)
    values = [one["metrics"][0]["value"] for one in front(card)["model-index"][0]["results"]]
    assert values == [72.4, 0.25]
    assert card.count(BEGIN) == card.count(END) == 1


def test_the_hub_reads_the_entry_back(tmp_path):
    (tmp_path / "README.md").write_text(written(score=0.123456789012345678), encoding="utf-8")
    data = ModelCard.load(tmp_path / "README.md").data
    (result,) = data.eval_results
    assert data.model_name == "mine"
    assert (result.task_type, result.metric_type, result.metric_name) == (
        "semantic-similarity", "spearman_cosine", "Spearman Cosine",
    )  # fmt: skip
    assert (result.dataset_type, result.dataset_split, result.dataset_revision) == ("stsb", "test", "d" * 64)
    assert (result.metric_value, result.source_name) == (0.123456789012345678, "harness")


def test_rows_of_the_hub_are_named_by_their_home_and_commit():
    card = written(data="hub", hub="mteb/stsbenchmark-sts@" + "c" * 40)
    dataset = front(card)["model-index"][0]["results"][0]["dataset"]
    assert (dataset["type"], dataset["revision"]) == ("mteb/stsbenchmark-sts", "c" * 40)


def test_samples_and_limited_runs_are_marked():
    sample = front(written(data="sample"))["model-index"][0]["results"][0]["dataset"]
    limited = front(written(limit=9))["model-index"][0]["results"][0]["dataset"]
    assert (sample["type"], sample["name"]) == ("stsb-sample", "stsb (shipped sample, illustrative)")
    assert (limited["type"], limited["name"]) == ("stsb-limit-9", "stsb (at most 9 examples)")


def test_an_undefined_score_is_in_the_table_alone():
    card = card_with_scores("", "mine", [evaluated(score=None), evaluated(task="other")], "README.md")
    assert len(front(card)["model-index"][0]["results"]) == 1
    assert "| stsb | test | 10 | spearman | undefined |  |" in card
    assert "| other | test | 10 | spearman | 0.5000 | 0.2500 – 0.7500 |" in card


def test_front_matter_in_one_line_is_written_anew():
    card = written("---\n{license: mit, tags: [a]}\n---\nbody\n")
    assert {name: front(card)[name] for name in ("license", "tags")} == {"license": "mit", "tags": ["a"]}
    assert written(card) == card


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("---\na: [\n---\n", "not YAML", id="not yaml"),
        pytest.param("---\n- a\n---\n", "not a table", id="a list"),
        pytest.param("---\nmodel-index: {a: 1}\n---\n", "model-index is not a list", id="index"),
        pytest.param("---\nmodel-index: [{results: 3}]\n---\n", "model-index is not a list", id="results"),
        pytest.param(f"{BEGIN}\nhalf\n", "where the section of harness begins", id="half a section"),
    ],
)
def test_a_card_that_cannot_be_read_is_an_error(text, fault):
    with pytest.raises(HarnessError, match=fault):
        written(text)


def test_secrets_in_names_are_hidden(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "geheim-42")
    assert "geheim-42" not in card_with_scores("", "m", [evaluated(task="geheim-42 rows")], "README.md")
