"""No error is seen in the cards of sound trainings with today's library."""

from __future__ import annotations

import pytest

from harness.checks import run_checks
from harness.finding import Severity
from harness.plugins.loader import load_plugins
from harness.training.cards.reader import read_card
from training.trained import TRAININGS


@pytest.fixture(scope="module")
def checks():
    return load_plugins(allowed=["train"]).checks()


FIRST = next(iter(TRAININGS))


@pytest.mark.slow
@pytest.mark.parametrize(
    # A training of each kind takes a quarter of a minute; one is tried by default.
    "name",
    [name if name == FIRST else pytest.param(name, marks=pytest.mark.slow) for name in TRAININGS],
)
def test_the_card_of_a_sound_training_has_no_error(name, clean, checks):
    looked = run_checks(read_card(clean(name)).check_input, checks)
    assert looked.problems == ()
    assert [finding for finding, _ in looked.findings if finding.severity is Severity.ERROR] == []
