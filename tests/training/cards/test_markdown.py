"""Parts of a card's Markdown come back as they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.training.cards.markdown import below, bullet, coded_cells, commented_matrix, sections


def test_bars_breaks_and_entities_in_sample_rows_are_as_they_were(tmp_path):
    line = r"| <code>a \| b | c<br>d</code> | <code>AT&amp;T</code>   | <code>0.5</code> |"
    assert coded_cells(line) == ["a | b | c\nd", "AT&amp;T", "0.5"]


plain = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="<>\\"), max_size=30)


@given(st.lists(plain, min_size=1, max_size=4))
def test_any_texts_come_back_from_the_librarys_table(texts):
    from transformers.modelcard import make_markdown_table

    shown = [f"<code>{text.replace('|', chr(92) + '|')}</code>" for text in texts]
    table = make_markdown_table([dict(zip(map(str, range(len(shown))), shown, strict=True))])
    assert coded_cells(table.split("\n")[2]) == texts


@given(st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(st.floats(-1, 1), min_size=n, max_size=n), min_size=n, max_size=n)
))  # fmt: skip
def test_a_matrix_comes_back_from_the_comment_that_torch_prints(rows):
    import torch

    shown = str(torch.tensor(rows, dtype=torch.float64))
    code = "print(similarities)\n" + "\n".join(f"# {line}" for line in shown.splitlines())
    matrix = commented_matrix(code)
    assert len(matrix) == len(rows)
    for mine, theirs in zip(matrix, rows, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-4)


def test_a_heading_within_code_is_not_a_heading():
    body = "# A\n```python\n# B\n```\n## C\ntext\n# D\n#no heading\n####### nor this"
    assert [(part.level, part.title) for part in sections(body)] == [(0, ""), (1, "A"), (2, "C"), (1, "D")]
    assert [part.title for part in below(sections(body), "A")] == ["A", "C"]


def test_a_bullet_is_found_in_either_way_of_writing_it():
    assert bullet("* Size: 12\n* Loss: X", "Loss") == "X"
    assert bullet("- **Base model:** [a](b)", "Base model") == "[a](b)"
    assert bullet("* Loss function: X", "Loss") is None
