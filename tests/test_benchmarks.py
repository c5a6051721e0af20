"""The parts of `benchmarks/` that need no clock: the suite's rows, the order of rounds, ratios, agreement."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import memory, peers, rounds, suite
from benchmarks.child import environment_of
from benchmarks.gpu import __main__ as on_gpu
from benchmarks.gpu import equality, install, speed
from benchmarks.rounds import Claim, Ready, Round, Variant
from harness import HarnessError
from harness.plugins.loader import load_plugins
from harness.system import waiting
from harness.tasks.interface import DataSource
from harness.tasks.task_file import read_task_file
from tests import zoo

SMALL = suite.Suite(
    stsb_dev=(suite.Pair("0", "a cat", "a dog", 2.0), suite.Pair("1", "a cat", "the cat", 4.5)),
    stsb_test=(suite.Pair("0", "rain", "snow", 1.0),),
    pairs=(
        suite.Pair("c1/h1", "It is secret.", "All is secret.", 1, "c1"),
        suite.Pair("c2/h1", "Tell all.", "All is secret.", 0, "c2"),
    ),
    queries={"c1/h1": "All is secret.", "c2/h1": "All is secret."},
    documents={"c1/0": "It is secret.", "c1/1": "rain", "c2/0": "Tell all.", "c2/1": "It is secret."},
    relevant={"c1/h1": ("c1/0", "c2/1"), "c2/h1": ("c2/0",)},
)


def test_rounds_go_back_the_way_they_came():
    assert [rounds.order("ABC", turn) for turn in range(3)] == [list("ABC"), list("CBA"), list("ABC")]


def test_a_ratio_pairs_each_round_with_its_own():
    found = rounds.ratio(Claim("ours", "peer", 2.0), {"ours": [1.0, 2.0, 4.0], "peer": [3.0, 4.0, 4.0]})
    assert (found.median, found.low, found.high, found.rounds) == (2.0, 1.0, 3.0, 3)
    assert found.verdict == "reached"


@pytest.mark.parametrize(
    ("target", "verdict"), [(None, ""), (1.5, "reached"), (1.51, "missed")], ids=["none", "met", "not met"]
)
def test_a_verdict_is_of_what_was_promised(target, verdict):
    assert rounds.ratio(Claim("a", "b", target), {"a": [2.0], "b": [3.0]}).verdict == verdict


def test_rounds_without_a_partner_give_no_ratio():
    with pytest.raises(ValueError, match="a has 1 rounds, b has 2"):
        rounds.ratio(Claim("a", "b"), {"a": [1.0], "b": [1.0, 2.0]})
    assert rounds.ratios([Claim("a", "absent")], {"a": [1.0]}) == []


@given(st.lists(st.tuples(*[st.floats(0.01, 100)] * 2), min_size=1, max_size=9))
def test_a_ratio_and_its_inverse_have_inverse_ranges(pairs):
    seconds = {"a": [a for a, _ in pairs], "b": [b for _, b in pairs]}
    there, back = rounds.ratio(Claim("a", "b"), seconds), rounds.ratio(Claim("b", "a"), seconds)
    assert there.low == pytest.approx(1 / back.high)
    assert there.low <= there.median <= there.high


@pytest.mark.parametrize(
    ("other", "sentences"),
    [
        pytest.param({"x": 0.5009}, 0, id="close enough"),
        pytest.param({"x": 0.5011}, 1, id="too far"),
        pytest.param({"x": float("nan")}, 1, id="not a number"),
        pytest.param({}, 1, id="absent"),
    ],
)
def test_tools_that_differ_in_a_score_are_told_by_name(other, sentences):
    found = rounds.disagreements({"ours": {"x": 0.5}, "theirs": other})
    assert len(found) == sentences
    assert all("ours 0.500000" in sentence and "theirs" in sentence for sentence in found)


def test_what_is_neither_reading_nor_encoding_is_counted_against_the_whole_round():
    parts = {"reading": 2.0, "encoding": 7.0, "counting": 0.25, "scoring and files": 0.75}
    assert rounds.not_encoding([Round(seconds=10.0, cpu_seconds=1.0, load=None, parts=parts)]) == 0.1


def test_one_changed_letter_changes_the_digest_and_so_does_the_order():
    changed = replace(SMALL, stsb_test=(suite.Pair("0", "rain", "Snow", 1.0),))
    turned = replace(SMALL, documents=dict(reversed(SMALL.documents.items())))
    assert len({SMALL.digest, changed.digest, turned.digest}) == 3


def test_a_suite_of_other_rows_is_refused():
    with pytest.raises(HarnessError, match=r"other rows than benchmarks/suite\.toml"):
        suite.check(SMALL)


def test_texts_are_counted_as_often_as_they_occur_and_cut_where_the_model_cuts():
    lengths = [len(text) for text in SMALL.texts()]
    counts = suite.count(SMALL, lengths, limit=10)
    assert (counts.texts, counts.distinct) == (16, 8)
    assert counts.tokens == sum(min(length, 10) for length in lengths)
    assert counts.distinct_tokens == sum(min(len(text), 10) for text in set(SMALL.texts()))


def test_the_first_rows_keep_what_their_queries_need():
    cut = SMALL.head(1)
    assert cut.queries.keys() == cut.relevant.keys() == {"c1/h1"}
    assert cut.documents.keys() == {"c1/0", "c2/1"}


def test_the_harness_reads_the_rows_that_the_peers_are_given(tmp_path):
    tasks = read_task_file(suite.write(SMALL, tmp_path), load_plugins().task_kinds())
    read = {name: task.load(DataSource("files", tmp_path)) for name, task in tasks.items()}
    assert list(read["suite-stsb-dev"]["score"]) == [2.0, 4.5]
    assert list(read["suite-pairs"]["gold"]) == [1, 0]
    assert list(read["suite-pairs"]["clause"]) == ["It is secret.", "Tell all."]
    spans = read["suite-spans"]
    assert (
        dict(zip(spans.tables["corpus"]["id"], spans.tables["corpus"]["text"], strict=True))
        == SMALL.documents
    )
    judged = zip(spans.tables["qrels"]["query"], spans.tables["qrels"]["document"], strict=True)
    assert set(judged) == {(query, name) for query, names in SMALL.relevant.items() for name in names}


def test_peers_read_back_exactly_the_suite_that_was_built(shared_data, tmp_path):
    built, _ = suite.build(shared_data, tmp_path, quick=True)
    assert suite.load_built(tmp_path) == built
    assert {pair.gold for pair in built.pairs} == {0, 1}
    assert all(built.documents[name].strip() for names in built.relevant.values() for name in names)


def test_the_published_files_are_the_suite_whose_counts_are_committed(shared_data):
    found, fixed = suite.read_suite(shared_data), suite.fixed()
    assert (found.digest, len(found.texts()), len(found.distinct())) == (
        fixed.digest,
        fixed.texts,
        fixed.distinct,
    )


@pytest.mark.slow
def test_documents_of_one_text_are_relevant_together(shared_data):
    found = suite.read_suite(shared_data)
    relevant = next(names for names in found.relevant.values() if len(names) > 1)
    texts = {found.documents[name] for name in relevant}
    assert set(relevant) == {name for name, text in found.documents.items() if text in texts}


def test_only_peers_as_installed_go_without_the_wait_policy(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert environment_of(Variant("st", "st")).items() >= waiting.SETTINGS.items()
    assert not environment_of(Variant("st", "st", passive=False)).keys() & waiting.SETTINGS.keys()


def test_every_claim_is_about_variants_that_are_measured_together():
    groups = [
        {one.name for one in peers.select_variants(what, None, as_installed=True)} for what in peers.VARIANTS
    ]
    assert all(any({claim.ours, claim.peer} <= group for group in groups) for claim in peers.CLAIMS)


def test_an_unknown_variant_is_named_with_those_there_are():
    with pytest.raises(SystemExit, match="no variant stt; there are: harness,"):
        peers.select_variants("suite", "harness,stt", as_installed=False)


def test_a_report_tells_ratios_shares_and_disagreements_and_survives_its_file():
    parts = {"reading": 0.1, "encoding": 1.8, "scoring and files": 0.1}
    times = {"harness": (2.0, parts, 0.5), "st": (4.0, {}, 0.6)}
    measured = [
        peers.Measured(
            variant=Variant(name, name),
            ready=Ready(load_seconds=1.0, backend="packed", threads="2×1"),
            warm_up=(
                one := Round(seconds=took, cpu_seconds=took, load=0.0, scores={"x": score}, parts=parts)
            ),
            rounds=[one],
        )
        for name, (took, parts, score) in times.items()
    ]
    report = peers.Report(
        what="suite", quick=False, environment={"processor": "P", "cores": 2}, amx=True,
        texts=16, distinct=8, digest="d", **peers.summarize(measured),
    )  # fmt: skip
    shown = peers.markdown(report)
    assert "| harness | st | 2.00 | 2.00 – 2.00 | ≥ 1.6 | reached |" in shown
    assert "harness: scoring, intervals and files take 5.0% of a round." in shown
    assert "DISAGREE x differs by more than 0.001: harness (round 0) 0.500000" in shown
    assert msgspec.json.decode(msgspec.json.encode(report), type=peers.Report) == report


@pytest.mark.parametrize(("texts", "distinct"), [("same", 10), ("distinct", 40)])
def test_memory_is_noted_after_every_task(texts, distinct):
    found = memory.evaluation(Namespace(tasks=4, rows=5, dimensions=3, texts=texts, cache=False))
    assert (found["distinct_texts"], len(found["held_mib"])) == (distinct, 4)
    assert min(found["peak_mib"], *found["held_mib"]) > 1


# --- on a GPU -------------------------------------------------------------------------------------------


def test_only_wheels_of_missing_distributions_are_installed(tmp_path):
    for name in ("pluggy-9.9-py3-none-any.whl", "no_such_thing-1.0-py3-none-any.whl"):
        (tmp_path / name).touch()
    assert [wheel.name for wheel in install.missing(tmp_path)] == ["no_such_thing-1.0-py3-none-any.whl"]


@pytest.mark.parametrize("length", [3, 12])
def test_texts_for_speed_have_exactly_so_many_tokens(tmp_path, length):
    from transformers import AutoTokenizer

    folder = zoo.ZOO["bert"](tmp_path / "bert")
    texts = speed.make_texts(folder, length, 20)
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    assert {len(ids) for ids in tokenizer(texts)["input_ids"]} == {length}


@pytest.mark.slow
def test_a_model_equals_itself_on_the_device_and_another_does_not(tmp_path):
    found = equality.zoo("cpu", ["bert"])
    assert found["failed"] == []
    assert found["compared"] == 6
    assert all(cell["moved"] < 1e-6 for name, cell in found["cells"]["bert"].items() if "float32" in name)
    assert all(cell["moved"] > 1e-6 for name, cell in found["cells"]["bert"].items() if "bfloat16" in name)


@pytest.mark.parametrize(
    ("cell", "found", "fails"),
    [
        ("packed float32", {"score": 2e-5}, True),
        ("packed float32", {"score": 1e-6}, False),
        ("packed float32", {"score": float("nan")}, True),
        ("packed bfloat16", {"score": 0.1}, False),
        ("packed bfloat16", {"raised": "RuntimeError"}, True),
        ("batched float32", {"refused": "it is not padded on the right"}, False),
    ],
)
def test_what_fails_on_a_device(cell, found, fails):
    assert equality._fails(cell, found) is fails


def test_a_step_that_raises_or_has_no_time_left_says_so_and_the_others_run(tmp_path, monkeypatch):
    def raises():
        raise RuntimeError("no kernel image")

    steps = [("first", 0, raises), ("second", 0, lambda: {"figure": 1}), ("third", 10**6, dict)]
    monkeypatch.setattr(on_gpu, "steps", lambda options, end: steps)
    monkeypatch.setattr(sys, "argv", ["gpu", "--device", "cpu", "--out", str(tmp_path / "out.json")])
    with pytest.raises(SystemExit) as ended:
        on_gpu.main()
    report = msgspec.json.decode((tmp_path / "out.json").read_bytes())
    assert ended.value.code == 1
    assert "no kernel image" in report["first"]["failed"]
    assert report["second"]["figure"] == 1
    assert "skipped" in report["third"]
