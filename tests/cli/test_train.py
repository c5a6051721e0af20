"""`harness train`, as a user meets it."""

from __future__ import annotations

import json
import sys

import pytest

from cli.letters import ALLOWED, SHORT, TRAINER, harness, write_letters
from harness.training.lineage import read_lineage


@pytest.fixture
def place(tiny, tmp_path, monkeypatch):
    """A folder with a recipe and its rows."""
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,train")
    monkeypatch.chdir(tmp_path)
    write_letters(tmp_path, tiny)
    return tmp_path


def test_a_recipe_becomes_a_candidate_that_can_be_run_and_compared(place, tiny):
    out = place / "candidates" / "letters"
    told = harness("train", "--recipe", place / "letters.toml", "--out", out, *ALLOWED)
    assert "60 rows" in told
    assert "12 steps" in told
    assert "stsb-dev spearman" in told
    assert "written: candidates/letters" in told
    results = place / "results"
    harness(
        "run",
        "--model",
        f"base={tiny}",
        "--model",
        out,
        "--tasks",
        "stsb-dev",
        "--no-throughput",
        "--out",
        results,
    )
    told = json.loads(harness("compare", results, "--baseline", "base", "--format", "json", "--margin", "1"))
    assert "letters" in json.dumps(told)


@pytest.mark.slow
def test_a_candidate_without_texts_shows_no_row_in_its_card_and_no_error_quotes_one(place):
    shown = place / "shown"
    kept = place / "kept"
    harness("train", "--recipe", place / "letters.toml", "--out", shown, *SHORT, *ALLOWED)
    harness("train", "--recipe", place / "letters.toml", "--out", kept, "--no-texts", *SHORT, *ALLOWED)
    assert "ant bee cow" in (shown / "README.md").read_text(encoding="utf-8")
    written = [path.read_bytes() for path in kept.rglob("*") if path.suffix in (".md", ".json", ".csv")]
    assert written
    assert [content for content in written if b"ant bee cow" in content] == []
    assert "## Lineage" in (kept / "README.md").read_text(encoding="utf-8")
    rows = (place / "pairs.csv").read_text(encoding="utf-8").replace(",0.0", ",ant bee cow", 1)
    (place / "pairs.csv").write_text(rows, encoding="utf-8")
    told = harness(
        "train", "--recipe", place / "letters.toml", "--out", place / "other", "--no-texts", *SHORT, *ALLOWED,
        fails=True,
    )  # fmt: skip
    assert "ant bee cow" not in told


@pytest.mark.slow
def test_one_candidate_per_seed(place):
    out = place / "letters"
    options = ("train", "--recipe", place / "letters.toml", "--out", out, "--seeds", "1,2", *ALLOWED)
    answer = harness(*options)
    assert [read_lineage(place / f"letters-seed-{seed}").seed for seed in (1, 2)] == [1, 2]
    assert answer.count("written:") == 2
    again = harness(
        "train", "--recipe", place / "letters.toml", "--out", out, "--seeds", "1,2", "--resume", *ALLOWED
    )
    assert again.count("exists already") == 2


@pytest.mark.slow
def test_a_value_of_the_recipe_can_be_changed_and_the_lineage_says_so(place):
    out = place / "short"
    harness("train", "--recipe", place / "letters.toml", "--out", out, "--set", "train.steps=3",
            "--set", "evaluation.tasks=[]", *ALLOWED)  # fmt: skip
    lineage = read_lineage(out)
    assert (lineage.steps, lineage.recipe["train"]["steps"]) == (3, 3)
    assert lineage.findings == ("labels-inverted", "near-duplicates")


@pytest.mark.slow
def test_column_maps_our_names_to_those_of_the_file(place):
    rows = (place / "pairs.csv").read_text().replace("text1,text2,score", "left,right,how")
    (place / "other.csv").write_text(rows)
    options = (
        "train",
        "--recipe",
        place / "letters.toml",
        "--data",
        place / "other.csv",
        "--out",
        place / "c",
    )
    assert "no column 'text1'" in harness(*options, fails=True)
    columns = [word for one in ("text1=left", "text2=right", "score=how") for word in ("--column", one)]
    harness(*options, *columns, *SHORT, *ALLOWED)
    assert read_lineage(place / "c").data == "other.csv"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "give either --recipe or --from-card"),
        (["--recipe", "nothing-like-it"], "no recipe named 'nothing-like-it'"),
        (["--recipe", "missing.toml"], "no recipe file missing.toml"),
        (["--recipe", "LETTERS", "--data", "nowhere"], "no data folder or file nowhere"),
        (["--recipe", "LETTERS", "--seeds", "1,x"], "seeds are whole numbers"),
        (["--recipe", "LETTERS", "--seeds", "1,1"], "each seed once"),
        (["--recipe", "LETTERS", "--seeds", "1,4294967296"], "none above 4294967295"),
        (["--recipe", "LETTERS", "--out", "."], "invalid name '.' for --out"),
        (["--recipe", "LETTERS", "--out", "..", "--seeds", "1,2"], "invalid name '..' for --out"),
        (["--recipe", "LETTERS", "--out", "letters.toml/candidate"], "Not a directory"),
        (["--recipe", "LETTERS", "--set", "train.epoch=1"], "did you mean: epochs"),
        (["--recipe", "LETTERS", "--set", "train.epochs"], "not KEY=VALUE"),
        (["--recipe", "LETTERS", "--set", "train.epochs=-1"], "train.epochs"),
        (["--recipe", "LETTERS", "--set", "loss.name=TripletLos"], "TripletLoss"),
        (["--recipe", "LETTERS", "--set", "trainer=mine"], "no trainer"),
        (["--recipe", "LETTERS", "--set", 'evaluation.tasks=["stsb-dv"]'], "stsb-dev"),
        (["--recipe", "LETTERS", "--base", "lexical"], "has no weights that could be trained"),
        (["--recipe", "LETTERS", "--base", "./nowhere"], "no model folder"),
        (["--recipe", "LETTERS", "--column", "text3=x"], "text3"),
        (["--recipe", "LETTERS", "--device", "cuda:9"], "no device"),
        (["--from-card", "missing.md"], "missing.md"),
        (
            ["--recipe", "LETTERS", "--allow", "duplicate-rows,lables-inverted"],
            "did you mean: labels-inverted",
        ),
        (
            ["--recipe", "LETTERS", "--set", "loss.matryoshka=[4096, 16]"],
            "4096 dimensions, but embeddings of",
        ),
    ],
)
def test_a_mistake_is_reported_before_training(place, options, said):
    words = [str(place / "letters.toml") if word == "LETTERS" else word for word in options]
    assert said in harness("train", "--out", place / "out", *words, fails=True)
    assert not (place / "out").exists()
    assert not (place / "out.unfinished").exists()


def test_all_mistakes_are_reported_at_once(place):
    said = harness(
        "train", "--recipe", place / "letters.toml", "--out", place / "out", "--seeds", "1,x",
        "--device", "gpu", "--base", "./nowhere", "--set", "trainer=mine",
        "--set", 'evaluation.tasks=["stsb-dv"]', "--column", "score=nothing", fails=True,
    )  # fmt: skip
    assert "6 things are wrong" in said
    for told in (
        "seeds are whole numbers", "no device named 'gpu'", "no model folder ./nowhere", "named 'mine'",
        "did you mean: stsb-dev", "has no column 'nothing'",
    ):  # fmt: skip
        assert told in said
    assert not (place / "out").exists()


@pytest.mark.slow
def test_errors_in_the_data_stop_a_training_unless_their_codes_are_allowed(place):
    rows = (place / "pairs.csv").read_text().splitlines()
    wrong = [rows[0], *(f"{line.rpartition(',')[0]},{number % 6}" for number, line in enumerate(rows[1:]))]
    (place / "pairs.csv").write_text("\n".join(wrong))
    options = ("train", "--recipe", place / "letters.toml", "--out", place / "c", *ALLOWED)
    said = harness(*options, fails=True)
    assert "labels-out-of-range" in said
    assert "--allow" in said
    assert not (place / "c.unfinished").exists()
    harness(
        *options,
        "--allow",
        "labels-out-of-range,duplicate-rows",
        "--set",
        "train.steps=2",
        "--set",
        "evaluation.tasks=[]",
    )
    assert "labels-out-of-range" in read_lineage(place / "c").findings


def test_libraries_that_are_missing_are_named_before_anything_is_trained(place, monkeypatch):
    for library in ("accelerate", "matplotlib"):
        monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delattr("harness.cli.train_plan._device")  # which imports torch, and that takes seconds
    error = harness("train", "--recipe", "letters.toml", "--out", "c", *ALLOWED, *SHORT, fails=True)
    for needed in (
        "trainer sentence-transformers needs accelerate",
        "picture of a training needs matplotlib",
    ):
        assert f"{needed}, which is not installed" in error
    assert error.count("hint: pip install 'embedding-harness[train]'") == 2
    assert not list(place.glob("c*"))


def test_a_trainer_of_a_plugin_says_that_it_cannot_train_here(place):
    needs = 'require_extra("no_such_library", "fast", "trainer copying", distribution="mine")'
    code = TRAINER.replace('base", copy)]', f'base", copy, lambda: {needs})]')
    code = code.replace(
        "from harness.training", "from harness.authoring import require_extra\nfrom harness.training"
    )
    (place / "copying.py").write_text(code)
    error = harness(
        "train", "--plugin", "copying.py", "--recipe", "letters.toml", "--set", "trainer=copying",
        "--out", "new", fails=True,
    )  # fmt: skip
    assert "trainer copying needs no_such_library, which is not installed" in error
    assert "pip install 'mine[fast]'" in error
    assert not list(place.glob("new*"))


def test_a_plugin_can_have_a_trainer(place, tiny):
    (place / "copying.py").write_text(TRAINER)
    answer = harness(
        "train", "--plugin", place / "copying.py", "--recipe", place / "letters.toml",
        "--set", "trainer=copying", "--out", place / "copy", *ALLOWED,
    )  # fmt: skip
    assert "1 step in" in answer
    lineage = read_lineage(place / "copy")
    assert (lineage.trainer, lineage.log[0].loss) == ("copying", 0.25)
    assert (place / "copy" / "model.safetensors").read_bytes() == (tiny / "model.safetensors").read_bytes()
    assert "copying" in harness("list", "trainers", "--plugin", place / "copying.py")


@pytest.mark.slow
def test_a_page_holds_the_candidate_against_its_base_on_the_tasks_of_the_recipe(place, writer_of_pages):
    words = ("train", "--recipe", "letters.toml", "--out", "new", "--set", "train.steps=2", *ALLOWED)
    said = harness(*words, "--report", "page.html", *writer_of_pages)
    assert "written: page.html" in said
    title, outcome, command = (place / "page.html").read_text().split("|")
    assert title.startswith("new against ")
    assert outcome in ("passes", "fails")
    assert command.startswith("harness run --model ")
    assert command.endswith("--out results/new && harness report results/new -o report.html --baseline tiny")
    assert not (place / "results").exists()


@pytest.fixture
def writer_of_pages(place):
    """Write a plugin that writes tiny pages; the options that name it."""
    (place / "writer.py").write_text(
        "from harness import hookimpl\n"
        "from harness.authoring import ReportWriter\n\n\n"
        "def page(content):\n"
        "    command = content.command.partition(' --plugin')[0]\n"
        "    return f'{content.title}|{content.answer.outcome}|{command}'\n"
        "\n\n@hookimpl\ndef harness_reports():\n"
        "    return [ReportWriter(name='html', help='tiny', page=page, leaderboard=page, figures=dict)]\n"
    )
    return "--plugin", "writer.py"


def test_a_page_of_a_recipe_without_tasks_is_refused_before_training(place, writer_of_pages):
    words = ("train", "--recipe", "letters.toml", "--out", "new", *SHORT, *ALLOWED)
    said = harness(*words, "--report", "page.html", *writer_of_pages, fails=True)
    assert "--report has nothing to show: recipe letters has no tasks" in said
    assert not (place / "new").exists()
