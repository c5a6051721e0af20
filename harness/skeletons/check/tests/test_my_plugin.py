"""The check, tried by the kit for plugins, on rows with the fault and without it."""

from my_plugin import harness_checks, look

from harness.testing import check_check
from harness.training import CheckInput, Rows

CLEAN = ["Where is my parcel?", "It will arrive on Monday.", "Can I pay by card?", "Yes, at any desk."]
SIGNED = [f"{text}\nKind regards,\nAda" for text in CLEAN]


def training(texts: list[str]) -> CheckInput:
    """Return pairs of texts as a check gets them."""
    rows = Rows(kind="pairs", texts={"text1": texts, "text2": CLEAN})
    return CheckInput(path="pairs.csv", what="dataset", rows=rows)


def test_the_check_keeps_the_rules_of_checks() -> None:
    check_check(harness_checks()[0], finds=training(SIGNED))


def test_signatures_are_found_with_their_number() -> None:
    (finding,) = look(training(SIGNED))
    assert "4 of 8 texts" in finding.evidence


def test_nothing_is_found_on_clean_rows_or_where_there_are_none() -> None:
    assert list(look(training(CLEAN))) == []
    assert list(look(CheckInput(path="card.md", what="card"))) == []
