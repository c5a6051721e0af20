"""The card of a candidate: whatever is in a name, it is text."""

from __future__ import annotations

import re

import pytest
from conftest import evaluated
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from harness.evaluation.card_writer import complete_card
from harness.training.lineage import Lineage

EVIL = "x\n\n<img src=https://example.org/seen>`` [a](b) | $"


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("candidate")
    lineage = Lineage(
        recipe={"name": EVIL}, base=EVIL, base_fingerprint="b" * 64, seed=1, trainer="t", data=EVIL,
        data_digest="d" * 64, rows=3, texts=(), steps=2, seconds=1.0,
    )  # fmt: skip
    complete_card(folder, lineage, EVIL, [evaluated(task=EVIL, split=EVIL)])
    return ModelCard.load(folder / "README.md")


def test_a_name_is_neither_html_nor_markdown_nor_a_line_of_its_own(card):
    shown = MarkdownIt("commonmark").enable("table").render(card.text)
    assert not re.search("<(img|a|em)", shown)
    assert shown.count("<td") == 6
    assert shown.count("<p>") == 1
    assert "<code>x &lt;img src=https://example.org/seen&gt;'' [a](b) | $</code>, seed 1" in shown


def test_the_front_matter_holds_names_as_they_are(card):
    assert card.data.base_model == EVIL
    assert card.data.model_name == f"{EVIL} (seed 1)"
    (result,) = card.data.eval_results
    assert result.dataset_name == EVIL
