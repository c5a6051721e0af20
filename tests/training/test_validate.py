"""Fields that contradict each other are reported in one sentence each, all at once."""

from __future__ import annotations

import math
import re

import pytest

from harness import HarnessError
from harness.training.recipe_file import recipe_from, with_changes

from .test_recipe import LABELED, PAIRS, SCORED, TRIPLETS

TEXTS = {"name": "r", "data": {"kind": "labeled-texts"}, "loss": {"name": "BatchHardTripletLoss"}}

FLAWS = [
    (PAIRS, {"name": " "}, "name is empty"),
    (PAIRS, {"base": ""}, "base is empty"),
    (PAIRS, {"data.path": ""}, "data.path is empty"),
    (PAIRS, {"data.path": "sets/../../rows.csv"}, "has '..' after a folder"),
    (PAIRS, {"data.path": "./sets/../../rows.csv"}, "has '..' after a folder"),
    (PAIRS, {"data.kind": "triplets", "loss.name": "CoSENTLoss"}, "takes scored-pairs, not triplets"),
    (SCORED, {"loss.name": "MultipleNegativesRankingLoss"}, "takes pairs or triplets, not scored-pairs"),
    (SCORED, {"loss.margin": 0.5}, "no parameter of CoSENTLoss named 'loss.margin'"),
    (LABELED, {"loss.margin": 0}, "loss.margin is 0; it must be above 0"),
    (LABELED, {"loss.margin": math.nan}, "loss.margin is nan; it must be above 0"),
    (SCORED, {"loss.scale": math.inf}, "loss.scale is inf; it must be above 0"),
    (SCORED, {"loss.matryoshka": [64, 0]}, "loss.matryoshka is 0; it must be 1 or more"),
    (SCORED, {"loss.matryoshka": [64, 64]}, "names a number of dimensions twice"),
    (SCORED, {"data.columns.txt1": "a"}, "no column of scored-pairs named 'data.columns.txt1'"),
    (SCORED, {"data.templates.score": "{a}"}, "data.templates.score: a template makes a text"),
    (PAIRS, {"data.columns.text1": "a", "data.templates.text1": "{b}"}, "text1 is in data.columns and in"),
    (PAIRS, {"data.columns.text1": "text2"}, "are read from one column of the file"),
    (PAIRS, {"data.header": ["a", "a"]}, "data.header names a column twice"),
    (PAIRS, {"data.labels.0": 1}, "data.labels: pairs have no label"),
    (LABELED, {"data.labels.0": math.inf}, "data.labels maps to finite numbers only"),
    (LABELED, {"data.score_range": [0, 5]}, "data.score_range is for scored-pairs, not labeled-pairs"),
    (SCORED, {"data.score_range": [0, 5], "data.labels.0": 1}, "both map the score"),
    (SCORED, {"data.score_range": [5, 0]}, "from the lowest score to the highest, not 5 to 0"),
    (SCORED, {"data.score_range": [1, 1]}, "from the lowest score to the highest"),
    (SCORED, {"data.score_range": [0, math.nan]}, "from the lowest score to the highest"),
    (PAIRS, {"data.limit": 0}, "data.limit is 0; it must be 1 or more"),
    (PAIRS, {"train.batch_size": 0}, "train.batch_size is 0"),
    (PAIRS, {"train.steps": 0}, "train.steps is 0"),
    (PAIRS, {"train.max_seq_length": 0}, "train.max_seq_length is 0"),
    (PAIRS, {"train.epochs": math.inf}, "train.epochs is inf; it must be above 0"),
    (PAIRS, {"train.stop_after": 0}, "train.stop_after is 0; it must be above 0"),
    (PAIRS, {"train.learning_rate": -1}, "train.learning_rate is -1"),
    (PAIRS, {"train.weight_decay": -0.1}, "train.weight_decay is -0.1; it must be 0 or more"),
    (PAIRS, {"train.seed": -1}, "train.seed is -1; it must be 0 or more"),
    (PAIRS, {"train.seed": 2**32}, "train.seed is 4294967296; it must be 4294967295 or less"),
    (PAIRS, {"train.epochs": 1, "train.stop_after": 2}, "train.stop_after is 2, but train.epochs plans 1"),
    (PAIRS, {"train.steps": 5, "train.stop_after": 1}, "both say when to stop"),
    (PAIRS, {"train.warmup": -0.1}, "train.warmup is -0.1; it must be a share below 1, or a whole"),
    (PAIRS, {"train.warmup": 1.5}, "train.warmup is 1.5"),
    (PAIRS, {"train.warmup": math.nan}, "train.warmup is nan"),
    (PAIRS, {"train.warmup": math.inf}, "train.warmup is inf"),
    (PAIRS, {"train.steps": 5, "train.warmup": 6}, "train.warmup is 6 steps, but train.steps are 5"),
    (PAIRS, {"train.batch_sampler": "group-by-label"}, "pairs have no label to group by"),
    (PAIRS, {"train.batch_size": 1}, "takes the rest of a batch as negatives"),
    (PAIRS, {"evaluation.every": 0}, "evaluation.every is 0"),
    (PAIRS, {"evaluation.keep": "best"}, "needs a task that decides which is best"),
    (PAIRS, {"evaluation.tasks": ["a"], "evaluation.patience": 2}, "evaluation.keep is 'last'"),
    (PAIRS, {"evaluation.tasks": ["a", "a"]}, "evaluation.tasks names a task twice"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "changes", "said"), FLAWS, ids=[said for *_, said in FLAWS])
def test_a_flaw_is_one_sentence_that_names_the_key(table, changes, said):
    with pytest.raises(HarnessError) as caught:
        with_changes(recipe_from(table, "here"), changes, "r.toml")
    assert caught.value.message.startswith("r.toml: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        (PAIRS, {"data.path": "/elsewhere/rows.csv"}),
        (PAIRS, {"data.path": "../../sets/rows.csv"}),
        (PAIRS, {"data.path": "./rows.csv"}),
        (PAIRS, {"data.path": "sets/rows..csv"}),
        (PAIRS, {"train.warmup": 1}),
        (PAIRS, {"train.warmup": 0.99}),
        (PAIRS, {"train.steps": 6, "train.warmup": 6}),
        (PAIRS, {"train.epochs": 2, "train.stop_after": 2}),
        (PAIRS, {"train.weight_decay": 0, "train.max_grad_norm": 0}),
        (PAIRS, {"evaluation.tasks": ["a"], "evaluation.keep": "best", "evaluation.patience": 1}),
        (PAIRS, {"data.columns.text1": "text2", "data.columns.text2": "text1"}),
        (PAIRS, {"data.kind": "triplets", "train.batch_size": 1}),
        (TRIPLETS, {"train.batch_size": 1}),
        (LABELED, {"train.batch_sampler": "group-by-label"}),
        (TEXTS, {"train.batch_sampler": "group-by-label", "data.labels.a": 0}),
        (SCORED, {"data.labels.low": 0, "data.labels.high": 1}),
        (SCORED, {"data.score_range": [-1, 1], "train.batch_size": 1}),
    ],
)
def test_an_unusual_recipe_that_makes_sense_is_valid(table, changes):
    assert with_changes(recipe_from(table, "here"), changes, "r.toml").name == "r"


def test_all_flaws_are_reported_at_once():
    changes = {"train.epochs": 0, "train.warmup": 2.5, "evaluation.keep": "best"}
    with pytest.raises(HarnessError) as caught:
        with_changes(recipe_from(PAIRS, "here"), changes, "r.toml")
    assert caught.value.message == "r.toml: 3 things are wrong"
    assert re.findall(r"^  (\S+)", str(caught.value), re.MULTILINE) == [
        "train.epochs", "train.warmup", "evaluation.keep",
    ]  # fmt: skip
    assert str(caught.value).endswith('    hint: evaluation = { tasks = ["stsb-dev"], keep = "best" }')
