"""TOML into dataclasses: what is converted, what is refused, and what an error says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from harness.errors import Faults, HarnessError
from harness.system.toml_file import key_path, read_table, read_toml_as, table_as, table_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table in a list."""

    size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A table in a table."""

    ratio: float | None = None
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Every type that our files have."""

    text: str = ""
    count: int | None = None
    ratio: float = 0.0
    on: bool = False
    choice: Literal["slow", "fast"] = "slow"
    every: Literal["epoch"] | int = "epoch"
    several_words: tuple[str, ...] = ()
    numbers: frozenset[int] = frozenset()
    pair: tuple[float, float] | None = None
    names: dict[str, str] = field(default_factory=dict)
    only: dict[str, str | int] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    inner: Inner = Inner(word="")
    maybe: Inner | None = None
    part: tuple[Part, ...] = ()
    home: str = field(default="", compare=False)


@pytest.fixture
def read(tmp_path):
    def reading(content):
        path = tmp_path / "a.toml"
        path.write_text(content, encoding="utf-8")
        return read_toml_as(path, Whole, hint="the manual has every key")

    return reading


def test_a_file_becomes_a_dataclass(read):
    assert read("""
        text = "a"
        count = 3
        ratio = 1
        on = true
        choice = "fast"
        every = 10
        several_words = ["a", "b"]
        numbers = [1, 2]
        pair = [0, 5.5]
        names = { "a.b" = "c" }
        only = { a = 1, b = "2" }
        groups.x = { y = [1, "2"] }
        [inner]
        word = "w"
        [maybe]
        word = "m"
        ratio = inf
        [[part]]
        [[part]]
        size = 2
    """) == Whole(
        text="a",
        count=3,
        ratio=1.0,
        on=True,
        choice="fast",
        every=10,
        several_words=("a", "b"),
        numbers=frozenset({1, 2}),
        pair=(0.0, 5.5),
        names={"a.b": "c"},
        only={"a": 1, "b": "2"},
        groups={"x": {"y": [1, "2"]}},
        inner=Inner(word="w"),
        maybe=Inner(word="m", ratio=float("inf")),
        part=(Part(), Part(size=2)),
    )


def test_an_empty_file_has_the_defaults(read):
    assert read("") == Whole()


def test_a_whole_number_becomes_a_float_where_a_number_is_wanted(read):
    assert type(read("ratio = 2").ratio) is float


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("text = 3", "a.toml: text must be a text, not 3", id="a number for a text"),
        pytest.param("count = 2.0", "a.toml: count must be a whole number, not 2.0", id="a float"),
        pytest.param("count = true", "a.toml: count must be a whole number, not True", id="a boolean"),
        pytest.param("ratio = true", "a.toml: ratio must be a number, not True", id="a boolean for a float"),
        pytest.param("ratio = '1'", "a.toml: ratio must be a number, not '1'", id="a number in quotes"),
        pytest.param(
            "ratio = 2020-01-01", "ratio must be a number, not datetime.date(2020, 1, 1)", id="a date"
        ),
        pytest.param("on = 1", "a.toml: on must be true or false, not 1", id="one for true"),
        pytest.param(
            "every = 'x'", "every must be 'epoch' or a whole number, not 'x'", id="choice or number"
        ),
        pytest.param(
            "several_words = 'a'",
            "a.toml: several_words must be a list of texts, not 'a'",
            id="a text for a list",
        ),
        pytest.param(
            "numbers = [1, 'a']", "numbers must be a list of whole numbers, not [1, 'a']", id="an item"
        ),
        pytest.param(
            "pair = [1]", "a.toml: pair must be a list of 2 numbers, not [1]", id="a list too short"
        ),
        pytest.param(
            "names = 1", "a.toml: [names] must be a table of texts, not 1", id="a number for a table"
        ),
        pytest.param("names = { a = 1 }", "a.toml: [names] a must be a text, not 1", id="a value of a table"),
        pytest.param("[names]\n'a b' = 1", "a.toml: [names] 'a b' must be a text, not 1", id="a quoted key"),
        pytest.param("only.a = true", "[only] a must be a text or a whole number, not True", id="a union"),
        pytest.param("groups.x = 1", "a.toml: [groups.x] must be a table, not 1", id="a table of a table"),
        pytest.param("inner = []", "a.toml: [inner] must be a table, not []", id="a list for a table"),
        pytest.param("inner.word = 1", "a.toml: [inner] word must be a text, not 1", id="in a table"),
        pytest.param("[inner]", "a.toml: [inner] word is missing; it must be a text", id="a missing key"),
        pytest.param(
            "maybe = { word = 1 }", "a.toml: [maybe] word must be a text", id="in an optional table"
        ),
        pytest.param("part = 1", "a.toml: [[part]] must be a list of tables, not 1", id="no list of tables"),
        pytest.param("part = [1]", "a.toml: [[part]] no. 1 must be a table, not 1", id="no table in a list"),
        pytest.param(
            "[[part]]\n[[part]]\nsize = 'x'",
            "[[part]] no. 2: size must be a whole number, not 'x'",
            id="part",
        ),
    ],
)
def test_an_error_names_the_table_the_key_the_value_and_what_is_wanted(content, message, read):
    with pytest.raises(HarnessError) as error:
        read(content)
    assert message in error.value.message
    assert error.value.hint == "the manual has every key"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            "txt = 1", "a.toml named 'txt'\n  did you mean: text\n  known: choice, ", id="at the top"
        ),
        pytest.param("[inner]\nwrd = 1", "no key in [inner] of ", id="in a table"),
        pytest.param(
            "[inner]\nword = 'a'\nwrd = 1",
            "named 'wrd'\n  did you mean: word\n  known: ratio, word\n",
            id="names",
        ),
        pytest.param("[[part]]\nsze = 1", "no key in [[part]] no. 1 of ", id="in a list of tables"),
        pytest.param("[maybe]\nx = 1", "no key in [maybe] of ", id="in an optional table"),
        pytest.param("several-words = []", "did you mean: several_words", id="a hyphen"),
        pytest.param("home = 'x'", "named 'home'", id="a field that is not compared"),
        pytest.param(
            "choice = 'slo'", "must be 'slow' or 'fast', not 'slo'\n  did you mean: slow", id="a choice"
        ),
    ],
)
def test_an_unknown_name_gets_the_nearest_and_all_that_exist(content, message, read):
    with pytest.raises(HarnessError) as error:
        read(content)
    assert message in str(error.value)
    assert "hint: the manual has every key" in str(error.value)


def test_a_key_may_have_hyphens_where_that_is_said():
    table = {"several-words": ["a"], "names": {"a-b": "c"}}
    whole = table_as(table, Whole, "here", hyphens=True)
    assert (whole.several_words, whole.names) == (("a",), {"a-b": "c"})
    with pytest.raises(HarnessError, match="here: several_words is given twice, with - and with _"):
        table_as({"several-words": [], "several_words": []}, Whole, "here", hyphens=True)


def test_a_table_deeper_in_a_file_is_named_by_its_keys():
    with pytest.raises(HarnessError, match=r"^here: \[tool.ours\] text must be a text, not 1$"):
        table_as({"text": 1}, Whole, "here", at=("tool", "ours"))
    with pytest.raises(HarnessError, match=r"^here: \[tool.ours\] must be a table, not 1$"):
        table_as(1, Whole, "here", at=("tool", "ours"))


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_whole_numbers_of_64_bits_are_read(number, read):
    assert read(f"count = {number}").count == number


@pytest.mark.parametrize("number", [str(2**63), str(-(2**63) - 1), f"0x{'f' * 9_000}"])
def test_whole_numbers_of_more_than_64_bits_are_not_toml(number, read):
    with pytest.raises(HarnessError, match=r"a\.toml: count is a whole number of more than 64 bits"):
        read(f"count = {number}")


def nested(levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(2**63, r"here: \[groups\] a is a whole number of more than 64 bits", id="64 bits"),
        pytest.param(16**9_000, r"\[groups\] a is a whole number", id="more digits than Python writes"),
        pytest.param([1, [-(2**63) - 1]], r"\[groups\] a is a whole number", id="in lists"),
        pytest.param([{}, {"b": 2**64}], r"\[\[groups\.a\]\] no\. 2: b is a whole", id="in a list of tables"),
        pytest.param(nested(10_000), "here: .* levels of nesting", id="nesting"),
    ],
)
def test_plain_data_has_the_limits_of_a_file(value, message):
    with pytest.raises(HarnessError, match=message):
        table_as({"groups": {"a": value}}, Whole, "here")


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (("margin",), "margin"),
        (("train", "epochs"), "[train] epochs"),
        (("tasks", "a b", "tags"), "[tasks.'a b'] tags"),
        (("line", 0, "min"), "[[line]] no. 1: min"),
    ],
)
def test_keys_are_written_as_they_are_found_in_a_file(keys, path):
    assert key_path(*keys) == path


def test_a_table_is_written_as_its_header():
    assert table_name("tasks", "stsb") == "[tasks.stsb]"
    assert table_name("line", 1) == "[[line]] no. 2"


def test_all_keys_that_are_not_right_are_told_at_once(read):
    with pytest.raises(HarnessError) as caught:
        read('txet = "a"\ncount = "x"\n[inner]\nratoi = 1\n[[part]]\nsize = 1.5\n')
    said = str(caught.value)
    assert "a.toml: 5 things are wrong" in said
    for told in (
        "'txet'",
        "count must be",
        "named 'ratoi'",
        "[inner] word is missing",
        "no. 1: size must be",
    ):
        assert told in said


def test_a_table_is_read_without_its_unknown_keys_and_not_at_all_where_a_value_is_wrong():
    faults = Faults()
    assert read_table({"odd": 1, "text": "a", "inner": {"word": "b", "odd": 2}}, Whole, "f", faults) == Whole(
        text="a", inner=Inner(word="b")
    )
    assert len(faults.found) == 2
    assert read_table({"text": 1}, Whole, "f", faults) is None
    assert len(faults.found) == 3
