"""What the hyperparameters of a card say about prompts and batches."""

from __future__ import annotations

import pytest

from harness.training.cards.hyperparameters import read_prompts
from harness.training.cards.reader import read_card

CARD = """---
library_name: sentence-transformers
base_model: intfloat/e5-small-v2
---
# SentenceTransformer

## Training Details

### Training Hyperparameters
#### All Hyperparameters

- `per_device_train_batch_size`: 4
- `gradient_accumulation_steps`: 8
- `prompts`: {'anchor': 'query: ', 'positive': 'passage: '}
"""


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("{'anchor': 'query: '}", {"anchor": "query: "}),
        ("{'nli': {'anchor': 'a: '}, 'sts': {'text': 'b: '}}", {"anchor": "a: "}),
        ("query:", {"": "query:"}),
        ("'query: '", {"": "query: "}),
        ("{'anchor': 3}", {}),
        ("{broken", {}),
        ("{}", {}),
    ],
)
def test_prompts_are_read_by_column_or_for_all_columns(text, prompts):
    assert read_prompts({"prompts": text}) == prompts


def test_a_card_gives_its_base_its_prompts_and_the_batch_of_one_device(tmp_path):
    (tmp_path / "card.md").write_text(CARD, encoding="utf-8")
    facts = read_card(tmp_path / "card.md").check_input
    assert facts.base_name == "intfloat/e5-small-v2"
    assert facts.prompts == {"anchor": "query: ", "positive": "passage: "}
    assert (facts.loss_batch, facts.batch_size) == (4, 32)
