"""Which beginnings of texts say nothing of them."""

from __future__ import annotations

from harness_train.shared_prefixes import without_shared_prefix

INSTRUCTION = "Represent this sentence for searching relevant passages:"
QUESTIONS = [
    f"{word} is it?" for word in ("Where", "When", "Who", "How late", "How far", "Why", "What", "Which")
]


def test_what_follows_an_instruction_is_kept_and_texts_without_one_are_whole():
    given = [f"{INSTRUCTION} {text}" for text in QUESTIONS] + [f"Answer {n} of it." for n in range(3)]
    rest = without_shared_prefix(given, shortest=12)
    assert list(rest) == given
    assert list(rest.values()) == [*QUESTIONS, "Answer 0 of it.", "Answer 1 of it.", "Answer 2 of it."]


def test_each_of_several_instructions_is_taken_off_and_a_text_is_never_empty():
    queries = [f"query: {text}" for text in QUESTIONS]
    passages = [f"passage: no. {n}" for n in range(8)]
    rest = without_shared_prefix([*queries, *passages, "query:", "passage: no."])
    assert [rest[text] for text in queries] == QUESTIONS
    assert [rest[text] for text in passages] == [str(n) for n in range(8)]
    assert (rest["query:"], rest["passage: no."]) == ("query:", "no.")


def test_a_beginning_of_few_texts_or_a_short_one_stays():
    given = [f"{INSTRUCTION} {text}" for text in QUESTIONS[:4]] + [f"{n} other" for n in range(20)]
    assert all(text == rest for text, rest in without_shared_prefix(given).items())
    short = [f"query: {text}" for text in QUESTIONS]
    assert all(text == rest for text, rest in without_shared_prefix(short, shortest=12).items())
