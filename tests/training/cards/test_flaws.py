"""Cards that are broken, contradict themselves, or were edited by hand."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import HarnessError
from harness.training.cards.markdown import sections
from harness.training.cards.reader import read_card
from harness.training.cards.results import read_claims
from harness.training.cards.to_recipe import draft_recipe

FRONT = "---\nlibrary_name: sentence-transformers\n{more}---\n"
BODY = """
## Training Details
### Training Dataset
#### Unnamed Dataset
* Size: 1,234 training samples
* Columns: <code>left</code>, <code>right</code>, and <code>score</code>
* Approximate statistics based on the first 1000 samples:
  |         | left   | right   | score                                                          |
  |:--------|:-------|:--------|:---------------------------------------------------------------|
  | type    | string | string  | float                                                          |
  | details | <ul><li>min: 3 characters</li><li>mean: 4.5 characters</li><li>max: 9 characters</li></ul> | <ul><li></li></ul> | <ul><li>min: 0.0</li><li>mean: nan</li><li>max: 5.0</li></ul> |
* Samples:
  | left                 | right          | score             |
  |:---------------------|:---------------|:------------------|
  | <code>{'a': 1}</code> | <code>[1]</code> | <code>0.5</code> |
* Loss: [<code>CosineSimilarityLoss</code>](https://sbert.net) with these parameters:
  ```json
  {
      "loss_fct": "torch.nn.modules.loss.MSELoss"
  }
  ```
### Training Hyperparameters
#### Non-Default Hyperparameters
- `per_device_train_batch_size`: 16
#### All Hyperparameters
- `per_device_train_batch_size`: 16
- `num_train_epochs`: 2
- `gradient_accumulation_steps`: 1
"""  # noqa: E501 - the library's line
CARD = FRONT.format(more="") + BODY


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "card.md"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_card(path)

    return read_text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param(" \n\n", "is empty", id="blank"),
        pytest.param(
            "# My project\n\nHello.", "not a model card of sentence-transformers", id="another readme"
        ),
        pytest.param(CARD.encode("utf-16"), "not UTF-8", id="another encoding"),
        pytest.param(FRONT.format(more="tags: [a\n"), "not YAML in line 4", id="broken front matter"),
        pytest.param("---\n- a\n---\n", "not a table of keys and values", id="a list for front matter"),
        pytest.param(FRONT.format(more="date: 2024-99-99\n"), "not YAML", id="an impossible date"),
        pytest.param(FRONT.format(more="tags: [cross-encoder]\n"), "of a cross-encoder", id="cross-encoder"),
        pytest.param(
            CARD.replace("_size`: 16", "_size`: 8", 1),
            "contradicts itself: per_device_train_batch_size is 8 and 16",
            id="two batch sizes",
        ),
        pytest.param(CARD.replace("_size`: 16", "_size`: many"), "is 'many', not a number", id="no number"),
        pytest.param(CARD.replace("_size`: 16", "_size`: 0"), "whole number of 1 or more", id="no batch"),
        pytest.param(CARD.replace("epochs`: 2", "epochs`: nan"), "is 'nan', not a number", id="not finite"),
        pytest.param(
            CARD.replace('"loss_fct": ', '"margin": '), "margin is 'torch.nn.modules", id="a margin in words"
        ),
        pytest.param(
            CARD.replace("CosineSimilarityLoss", "MatryoshkaLoss").replace(
                '"loss_fct": ', '"loss": "CoSENTLoss", "matryoshka_dims": '
            ),
            "not a list of whole numbers",
            id="dimensions in words",
        ),
    ],
)
def test_a_card_that_cannot_be_read_gives_one_clear_error(read, text, said):
    with pytest.raises(HarnessError, match=said) as caught:
        read(text)
    assert "card.md" in caught.value.message


def test_a_file_that_is_not_there_gives_a_clear_error(tmp_path):
    with pytest.raises(HarnessError, match="cannot read"):
        read_card(tmp_path / "none.md")


@pytest.mark.parametrize(
    ("more", "change", "said"),
    [
        pytest.param("tags: ['loss:TripletLoss']\n", ("", ""), "tag names the loss", id="loss"),
        pytest.param("tags: ['dataset_size:99']\n", ("", ""), "99 training rows", id="size"),
        pytest.param(
            "base_model: a/b\n", ("\n## ", "\n### Model Description\n- **Base model:** [c/d](x)\n## "),
            "base a/b, its description c/d", id="base",
        ),
    ],
)  # fmt: skip
def test_a_card_that_contradicts_itself_is_read_but_has_no_recipe(read, more, change, said):
    card = read(FRONT.format(more=more) + BODY.replace(*change, 1))
    assert card.check_input.size == 1234
    with pytest.raises(HarnessError, match="contradicts itself") as caught:
        draft_recipe(card, "x")
    assert said in caught.value.exists


@pytest.mark.parametrize(
    ("tags", "wrong"), [("MatryoshkaLoss", False), ("CoSENTLoss", False), ("TripletLoss", True)]
)
def test_the_loss_inside_a_matryoshka_loss_must_be_tagged_where_another_one_is(read, tags, wrong):
    text = BODY.replace("CosineSimilarityLoss", "MatryoshkaLoss").replace(
        '"loss_fct": ', '"matryoshka_dims": [8], "loss": "CoSENTLoss", "x": '
    )
    listed = dict.fromkeys(f"loss:{name}" for name in ("MatryoshkaLoss", tags))
    card = read(FRONT.format(more=f"tags: {list(listed)}\n") + text)
    assert bool(card.check_input.contradictions) == wrong


def test_tags_of_an_earlier_training_contradict_nothing(read):
    tags = "tags: ['dataset_size:99', 'dataset_size:1234', 'loss:TripletLoss', 'loss:CosineSimilarityLoss']\n"
    assert read(FRONT.format(more=tags) + BODY).contradictions == ()


PARTS = BODY.split("\n")


@given(st.sets(st.integers(0, len(PARTS) - 1)))
def test_a_card_with_any_lines_missing_is_read_as_far_as_it_goes(tmp_path_factory, gone):
    left = [line for place, line in enumerate(PARTS) if place not in gone]
    path = tmp_path_factory.mktemp("cut") / "card.md"
    path.write_text(FRONT.format(more="") + "\n".join(left), encoding="utf-8")
    check_input = read_card(path).check_input
    assert check_input.size in (None, 1234)
    assert check_input.batch_size in (None, 16)
    assert check_input.loss_name in ("", "CosineSimilarityLoss")
    assert check_input.rows is None or list(check_input.rows.texts.values()) in (
        [["{'a': 1}"], ["[1]"]], [[{"a": 1}], ["[1]"]]
    )  # fmt: skip


def test_a_card_with_only_a_front_matter_has_no_facts(read):
    check_input = read(FRONT.format(more="")).check_input
    assert (check_input.trained, check_input.loss, check_input.size, check_input.normalized) == (
        False,
        None,
        None,
        None,
    )
    assert (check_input.rows, check_input.usage, check_input.log, check_input.claims) == (None, None, (), ())


def test_statistics_keep_their_unit_and_leave_out_what_is_not_a_number(read):
    left, right, score = read(CARD).check_input.columns
    assert (left.low, left.mean, left.high, left.unit) == (3, 4.5, 9, "characters")
    assert (right.low, right.unit, right.type) == (None, "", "string")
    assert (score.low, score.mean, score.high) == (0, None, 5)


def test_a_text_that_looks_like_a_record_stays_a_text_where_it_was_one(read):
    assert read(CARD).check_input.rows.texts == {"text1": ["{'a': 1}"], "text2": ["[1]"]}
    texts = read(CARD.replace("string | string", "dict   | list  ")).check_input.rows.texts
    assert texts == {"text1": [{"a": 1}], "text2": [[1]]}


INDEX = """model-index:
- name: x
  results:
  - dataset: {name: dev set, type: dev}
    metrics: [{type: spearman, value: 0.81234}, {type: pearson, value: 0.7}, {type: odd, value: [1]}]
  - metrics: [{type: ap, value: '0.5'}, nonsense]
"""
TABLE = """## Evaluation
### Metrics
#### Semantic Similarity
* Dataset: `dev`
| Metric       | Value      |
|:-------------|:-----------|
| **spearman** | **0.8123** |
| pearson      | 0.9        |
| count        | -          |
"""


def test_tables_add_the_claims_that_the_index_does_not_have(read):
    claims = read(FRONT.format(more=INDEX) + TABLE).check_input.claims
    assert [(one.dataset, one.metric, one.value) for one in claims] == [
        ("dev", "spearman", 0.81234), ("dev", "pearson", 0.7), ("unknown", "ap", 0.5), ("dev", "pearson", 0.9)
    ]  # fmt: skip


def test_each_score_of_the_index_is_the_same_as_one_of_a_table_and_a_nan_is_a_nan(read):
    scores = [f"{{type: m, value: {value}}}" for value in (0.71239, 0.5, 0.71231, ".nan", ".inf")]
    front = FRONT.format(more=f"model-index: [{{results: [{{metrics: [{', '.join(scores)}]}}]}}]\n")
    table = "\n".join(
        f"| m | {value} |" for value in (0.7123, 0.7124, 0.7124, "nan", "nan", 0.5, 0.4999, "inf")
    )
    values = [
        one.value for one in read(front + "## Evaluation\n| Metric | Value |\n" + table).check_input.claims
    ]
    assert [str(value) for value in values[5:]] == ["0.7124", "nan", "0.4999", "inf"]


@pytest.mark.parametrize("apart", [0.0, 0.0002])
def test_many_scores_of_one_metric_are_read_in_a_moment(apart):
    index = [{"type": "m", "value": n * apart} for n in range(30_000)]
    lines = [f"| m | {n * apart + 0.00009:.6f} |" for n in range(30_000)]
    cut = sections("## Evaluation\n| Metric | Value |\n" + "\n".join(lines))
    started = time.process_time()
    claims = read_claims({"model-index": [{"results": [{"metrics": index}]}]}, cut)
    assert time.process_time() - started < 2
    assert len(claims) == 60_000


def test_repeated_tables_are_repeated_claims(read):
    values = [one.value for one in read(FRONT.format(more="") + TABLE + TABLE).check_input.claims]
    assert values == [0.8123, 0.9, 0.8123, 0.9]


@pytest.mark.parametrize(
    ("parameters", "named", "loss"),
    [
        pytest.param(
            '"distance_metric": "SiameseDistanceMetric.EUCLIDEAN", "margin": 2',
            "OnlineContrastiveLoss", ("euclidean", 2, None), id="siamese",
        ),
        pytest.param(
            '"distance_metric": "eucledian_distance", "margin": 5',
            "BatchHardTripletLoss", ("euclidean", 5, None), id="batch hard",
        ),
        pytest.param(
            '"scale": 20.0, "similarity_fct": "dot_score", "hardness_mode": null, "hardness_strength": 0.0',
            "CachedMultipleNegativesRankingLoss", (None, None, "dot"), id="cached",
        ),
        pytest.param('"similarity_fct": "pairwise_angle_sim"', "AnglELoss", (None, None, None), id="angle"),
        pytest.param('"scale": 3', "__main__.OwnLoss", (None, None, None), id="a loss of one's own"),
    ],
)  # fmt: skip
def test_parameters_of_losses_get_our_names(read, parameters, named, loss):
    text = CARD.replace("CosineSimilarityLoss", named).replace(
        '"loss_fct": "torch.nn.modules.loss.MSELoss"', parameters
    )
    card = read(text)
    found = card.check_input.loss
    assert card.check_input.loss_name == named.rpartition(".")[2]
    assert (found.distance, found.margin, found.similarity) == loss
    assert card.loss.beyond == ({"scale": 3} if "Own" in named else {})


LONG = "0x" + "f" * 4000
"""A whole number that Python reads, and does not write in decimal digits."""


@pytest.mark.parametrize(
    ("front", "body"),
    [
        pytest.param(f"tags: [{LONG}]", "", id="a tag of too many digits"),
        pytest.param(
            f"model-index:\n- results:\n  - metrics: [{{type: {LONG}, value: 1}}]",
            "",
            id="a metric of too many digits",
        ),
        pytest.param(
            "", f'* Loss: <code>X</code>\n```json\n{{"distance_metric": {LONG}}}\n```', id="a distance"
        ),
        pytest.param("", f'* Loss: <code>X</code>\n```json\n{{"scale": {LONG}}}\n```', id="a scale"),
        pytest.param(
            "",
            f"* Loss: <code>X</code>\n```json\n{{'scale': 0x{'f' * 260} + 1j}}\n```",
            id="a complex number",
        ),
        pytest.param(
            "", "## Full Model Architecture\n```\n(0): A({1: 2})\n```", id="an option without a name"
        ),
        pytest.param(
            "",
            f"## Full Model Architecture\n```\n(0): A({{'pooling_mode': [{LONG}]}})\n```",
            id="a pooling of too many digits",
        ),
    ],
)
def test_numbers_that_cannot_be_written_are_ignored(read, front, body):
    card = read(FRONT.format(more=f"{front}\n") + "## Training Details\n### Training Dataset\n" + body)
    assert (card.architecture.pooling, card.check_input.claims) == (None, ())
    assert card.loss is None or card.loss.beyond == {}


def test_losses_without_a_tag_are_one_sentence(read):
    sections = "".join(f"#### d{n}\n* Loss: <code>Other{n % 2}Loss</code>\n" for n in range(1_000))
    card = read(FRONT.format(more="tags: ['loss:TripletLoss']\n") + "### Training Dataset\n" + sections)
    assert card.contradictions == ("its tag names the loss TripletLoss, its section Other0Loss, Other1Loss",)


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param("<code>" * 100_000, id="code without end"),
        pytest.param("|" + "-" * 500_000 + "x", id="a long rule"),
        pytest.param("|" + "</code> " * 100_000, id="cells without bars"),
        pytest.param("[" * 200_000, id="nested brackets"),
        pytest.param("* Loss: " + "(" * 200_000, id="a nested loss"),
        pytest.param("```json\n" + "[" * 200_000 + "\n```", id="nested json"),
        pytest.param("---\n" * 100_000, id="rules"),
    ],
)
def test_a_large_odd_file_takes_no_more_than_a_moment(read, flood):
    started = time.process_time()
    read(CARD + "\n## Usage\n### Training Dataset\n#### X\n* Columns: <code>a</code>\n" + flood)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("face", "garbled"), [("🤗", False), ("ðŸ¤—", True), ("", False), ("Model", False)], ids=str
)
def test_a_card_whose_own_words_were_decoded_wrongly_is_known(face, garbled, tmp_path):
    card = tmp_path / "card.md"
    usage = f"## Usage\n```python\n# Download from the {face} Hub\nmodel = 1\n```\n"
    card.write_text(FRONT.format(more="") + usage + BODY, encoding="utf-8")
    assert read_card(card).check_input.garbled is garbled


def test_the_published_cards_were_decoded_wrongly_and_a_fresh_one_is_not(five_cards, clean):
    assert all(read_card(path).check_input.garbled for path in five_cards.glob("*.md"))
    assert not read_card(clean("CosineSimilarityLoss")).check_input.garbled


@pytest.mark.parametrize("opened", ["[", "[ ", "[{"], ids=["lists", "spaced", "tables"])
def test_nested_brackets_are_refused_before_yaml_takes_quadratic_time(opened, tmp_path):
    path = tmp_path / "card.md"
    path.write_text(FRONT.format(more=f"tags: {opened * 5000}\n"))
    with pytest.raises(HarnessError, match="levels of nesting"):
        read_card(path)


def test_datasets_and_metrics_named_by_a_number_are_different():
    results = [
        {"dataset": {"type": year}, "metrics": [{"type": 1, "value": 0.5}]}
        for year in (2012, 2013, True, 10**400)
    ]
    claims = read_claims({"model-index": [{"results": results}]}, [])
    assert [(claim.dataset, claim.metric) for claim in claims] == [
        ("2012", "1"),
        ("2013", "1"),
        ("unknown", "1"),
        ("unknown", "1"),
    ]
