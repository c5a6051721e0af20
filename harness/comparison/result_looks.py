"""Records of looks at the same examples; `--format json` writes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How many candidates have been judged on the very same examples, by a ledger (`--ledger`)."""

    task: str
    data: str
    limit: int | None
    digest: str
    """Hash of the rows, by which looks are counted."""
    candidates: int
    """Number of distinct candidates, those of this command included."""
    others: int
    """Number of those of them that only other commands judged."""
    false_better: float
    """Upper bound of the chance that a candidate without a gain is called better, in [0, 1).

    The candidates of this command are corrected together, and count as one.
    """
    lucky_pass: float
    """Upper bound of the chance that a candidate which loses the margin passes a gate, in [0, 1)."""
