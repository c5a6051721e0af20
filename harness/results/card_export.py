"""Put scores into a model card, so that everything else in it stays as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.results.model_index import BEGIN, END, merged_index, scores_section
from harness.system.front_matter import cut_front_matter, with_front_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results.records import Evaluation

CARD = "README.md"
"""File name of a model card."""
BARE_CARD = "---\nlibrary_name: sentence-transformers\n---\n"
"""The front matter of a new card."""
_SECTION = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def card_with_scores(text: str, name: str, evaluations: Sequence[Evaluation], where: str) -> str:
    """Return a card with the scores of evaluations in place of ours; the same text where nothing changed.

    text: the card; empty for a new one. name: the model's. where: what an error calls the card.
    Raises HarnessError for a card that cannot be read.
    """
    text = text if text.strip() else f"{BARE_CARD}\n# {name}\n"
    front, _ = cut_front_matter(text, where)
    try:
        index = merged_index(front.get("model-index"), name, evaluations)
    except ValueError as error:
        raise HarnessError(f"{where}: {error}", hint="mend the card; it was not changed") from error
    return with_section(with_front_value(text, "model-index", index, where), evaluations, where)


def with_section(text: str, evaluations: Sequence[Evaluation], where: str) -> str:
    """Return a card with the table of scores in place of an earlier one, else at its end.

    Raises HarnessError for a card in which only one of the section's marks is left.
    """
    line_break = "\r\n" if "\r\n" in text else "\n"
    section = scores_section(evaluations).replace("\n", line_break)
    if text.count(BEGIN) != text.count(END) or text.count(BEGIN) > 1:
        raise HarnessError(
            f"{where}: it is not clear where the section of harness begins and ends",
            hint=f"leave one {BEGIN} and one {END}, or none of them",
        )
    if _SECTION.search(text):
        return _SECTION.sub(lambda _: section, text)
    gap = line_break if text.endswith("\n") else line_break * 2
    return f"{text}{gap}{section}{line_break}"
