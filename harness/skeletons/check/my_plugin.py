"""Find training texts that still carry a signature, which a model learns to match."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import Finding, Severity, hookimpl
from harness.training import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput

SIGNATURE = re.compile(r"^(kind|best) regards\b", re.IGNORECASE | re.MULTILINE)
LEAST = 0.02
"""Minimum share of texts with a signature that is worth a word."""


def look(training: CheckInput) -> Iterator[Finding]:
    """Yield a finding where enough texts of the training rows carry a signature; nothing without rows."""
    if training.rows is None:
        return
    cells = [cell for column in training.rows.texts.values() for cell in column]
    # Rows are not validated yet: a cell may be missing, or a record.
    texts = [cell for cell in cells if isinstance(cell, str)]
    signed = [text for text in texts if SIGNATURE.search(text)]
    if texts and len(signed) >= LEAST * len(texts):
        yield Finding(
            "my-plugin",
            Severity.WARNING,
            # What is quoted of a row stands in quotation marks: `--no-texts` removes it there.
            f"{len(signed)} of {len(texts)} texts carry a signature, such as {signed[0][-40:]!r}.",
            "Cut the texts before the signature.",
        )


@hookimpl
def harness_checks() -> list[Check]:
    """Return the checks that this plugin brings."""
    return [Check("my-plugin", "texts that still carry a signature", look, ("my-plugin",))]
