"""What a plugin's `load` returns has all members of a model, each of its kind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import LetterModel

from harness import Finding, HarnessError, Severity
from harness.models.members import check_model

MEMBERS = (
    "name", "fingerprint", "spec", "facts", "encode", "similarity", "pairwise_similarity", "count_tokens",
    "same_as",
)  # fmt: skip


class Without(LetterModel):
    """Lacks one member."""

    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "lacking"):
            raise AttributeError(name)
        return object.__getattribute__(self, name)

    def __init__(self, lacking):
        self.lacking = ""
        super().__init__()
        self.lacking = lacking


@pytest.mark.parametrize("name", MEMBERS)
def test_a_model_that_lacks_any_member_is_told_which(name):
    with pytest.raises(HarnessError, match=f"^load returned a Without without {name}\n  hint: docs"):
        check_model(Without(name))


def test_all_missing_members_are_named_at_once():
    with pytest.raises(HarnessError, match=f"^load returned a NoneType without {', '.join(MEMBERS)}\n"):
        check_model(None)


class AnswersAnything:
    """As a mock does."""

    def __getattr__(self, name):
        return lambda *_: None


def test_an_object_that_has_every_attribute_is_no_model():
    with pytest.raises(HarnessError, match=r"^load returned a AnswersAnything whose name is .*, not a str"):
        check_model(AnswersAnything())


def test_a_member_that_raises_is_named():
    model_class = type("Odd", (LetterModel,), {"same_as": property(lambda _: 1 / 0)})
    with pytest.raises(HarnessError, match=r"Odd whose same_as cannot be read: ZeroDivisionError"):
        check_model(model_class())


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"dimensions": "26"}, "facts.dimensions is '26', not a whole number above 0"),
        ({"dimensions": 0}, "facts.dimensions is 0, not a whole number above 0"),
        ({"max_tokens": 1e30}, "facts.max_tokens is 1e+30, not a whole number or None"),
        ({"similarity": None}, "facts.similarity is None, not a text"),
        (
            {"similarity": "cos"},
            "facts.similarity is 'cos': cosine, dot, euclidean, manhattan exist; did you mean cosine?",
        ),
        ({"reproducible": "yes"}, "facts.reproducible is 'yes', not True or False"),
        ({"notes": "one"}, "facts.notes is 'one', not a tuple"),
        ({"notes": (1,)}, "facts.notes is (1,), not a tuple of texts"),
        ({"findings": ("bad",)}, "facts.findings has 'bad', which is not a Finding"),
        (
            {"findings": (Finding("a", "fatal", "b"),)},
            "facts.findings has a Finding whose severity is 'fatal'",
        ),
    ],
)
def test_facts_that_no_record_could_hold_are_an_error(facts, told):
    model = LetterModel()
    model.facts = replace(model.facts, **facts)
    with pytest.raises(HarnessError) as caught:
        check_model(model)
    assert caught.value.message.startswith(f"load returned a LetterModel whose {told}")


def test_a_model_with_notes_and_findings_is_returned_as_it_is():
    model = LetterModel()
    found = Finding("assumed", Severity.NOTE, "mean pooling was assumed")
    model.facts = replace(model.facts, notes=("slow",), findings=(found,), parameters=0)
    assert check_model(model, LetterModel()) is model


@pytest.mark.parametrize("name", ["name", "fingerprint"])
def test_a_model_keeps_the_name_and_fingerprint_that_it_was_located_under(name):
    other = LetterModel()
    setattr(other, name, "b" * 64)
    with pytest.raises(HarnessError, match=f"whose {name} is '{'b' * 64}': it was located as '"):
        check_model(other, LetterModel())
