"""Targets: each gives the files in a folder to the public reader that a user's own file would meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fuzzing import seeds, words, written

if TYPE_CHECKING:
    from fuzzing.mutators import Files
    from harness.plugins.loader import Plugins
    from harness.tasks.interface import Task
    from harness.training.check_input import CheckInput


@dataclass(frozen=True, slots=True)
class Target:
    """A reader, and what it is given."""

    name: str
    share: float
    """How often it is drawn, beside the others."""
    seeds: Callable[[], list[Files]]
    """Sound inputs: each is accepted as it is."""
    call: Callable[[Path], object]
    """Read what lies in a folder; may raise HarnessError, and nothing else."""
    heavy: bool = False
    """Whether it imports torch: left out of the default suite."""


def by_name(name: str) -> Target:
    """Find a target."""
    return next(one for one in TARGETS if one.name == name)


@cache
def plugins() -> Plugins:
    """Our own plugins but mteb's, loaded once."""
    import os

    from harness.plugins.loader import load_plugins

    before = os.environ.get("HARNESS_PLUGINS")
    os.environ["HARNESS_PLUGINS"] = ",".join(seeds.PLUGINS)
    try:
        loaded = load_plugins()
    finally:
        if before is None:
            del os.environ["HARNESS_PLUGINS"]
        else:
            os.environ["HARNESS_PLUGINS"] = before
    assert not loaded.problems, loaded.problems
    return loaded


def _rows(folder: Path) -> None:
    from harness.tasks.readers import as_floats, as_ids, as_texts, read_records, read_rows

    for path in _files(folder):
        read_records(path, quoting="none", header=False)
        read = read_rows(
            path,
            {"left": "text1", "score": "score", "both": ""},
            optional=("id",),
            templates={"both": "{text1} {id}"},
            numbers=("score",),
        )
        as_texts(read["left"], "text1", read)
        as_texts(read["both"], "both", read)
        as_floats(read["score"], "score", read)
        as_ids(read.get("id", []), "id", read)


def _template(folder: Path) -> None:
    from harness.system.text_file import read_text
    from harness.tasks.readers import read_json
    from harness.tasks.templates import render

    record = read_json(folder / "record.json")
    if isinstance(record, dict):
        render(read_text(folder / "template.txt"), record)


def _config(folder: Path) -> None:
    from harness.cli.config import read_config

    read_config(folder)


def _task_file(folder: Path) -> None:
    from harness.tasks.task_file import read_task_file

    for task in read_task_file(folder / "tasks.toml", plugins().task_kinds()).values():
        _load(task, folder)


def _published(folder: Path) -> None:
    tasks = plugins().tasks()
    there = {"stsb": "stsb", "legal-triplets": "penal-triplets", "aila-statutes": "aila-statutes"}
    for name in [task for part, task in there.items() if (folder / part).exists()]:
        _load(tasks[name], folder)
    if (folder / "contract-nli").exists():
        for name in ("contract-nli", "contract-nli-3way", "contract-nli-evidence"):
            _load(tasks[name], folder)


def _load(task: Task, folder: Path) -> None:
    from harness.tasks.interface import DataSource

    dataset = task.load(DataSource("files", folder))
    _ = dataset.digest
    list(task.texts(dataset))
    task.limited(dataset, 2)


def _answered(folder: Path) -> None:
    """Score a model on what could be loaded: rows that are sound by themselves may still be odd together."""
    from conftest import LetterModel

    from harness.evaluation.evaluate import evaluate
    from harness.tasks.interface import DataSource
    from harness.tasks.task_file import read_task_file

    for task in read_task_file(folder / "tasks.toml", plugins().task_kinds()).values():
        evaluate(LetterModel(), task, DataSource("files", folder))


def _recipe(folder: Path) -> None:
    from harness.checks import CheckOptions, check_input_from_path
    from harness.checks.models import ModelLoader

    _looked_at(
        check_input_from_path(
            str(folder / "recipe.toml"), CheckOptions(models=ModelLoader({}), tasks=plugins().tasks())
        )
    )


def _training_rows(folder: Path) -> None:
    from harness.training.recipe_file import read_recipe
    from harness.training.rows import digest, read_training_rows, rows_path, validate_rows

    recipe = read_recipe(folder / "recipe.toml")
    rows = read_training_rows(recipe.data, rows_path(recipe.data, None, recipe.home))
    digest(validate_rows(rows))


def _gate(folder: Path) -> None:
    from harness.comparison.gate import evaluate_gate, read_gate

    evaluate_gate(read_gate(folder / "gate.toml"), [], None, "no speed was measured")


def _board(folder: Path) -> None:
    """Rank what stands in a results folder, as `harness leaderboard` does."""
    from harness.results.folder import ResultsFolder
    from harness.results.leaderboard import boards, leaderboard_rows, read_leaderboard
    from harness.results.publish import to_csv
    from harness.results.tables import models_table, task_tables
    from harness.table import to_markdown

    results = ResultsFolder(folder)
    evaluations, speeds = results.evaluations(), results.throughputs()
    for one in evaluations:
        results.read(one.model, one.examination)
        results.has_predictions(one)
    ranked = boards(evaluations)
    to_csv(leaderboard_rows(evaluations)).encode()
    to_markdown([models_table(ranked, speeds), *task_tables(ranked)]).encode()
    if (folder / "leaderboard.csv").is_file():
        to_csv(read_leaderboard(folder / "leaderboard.csv"))


def _compare(folder: Path) -> None:
    from harness.comparison.compare import CompareOptions, compare
    from harness.comparison.formats import to_csv, to_json, to_junit
    from harness.comparison.markdown import markdown
    from harness.comparison.sources import read_results

    board = folder / "leaderboard.csv"
    sides = read_results(folder if (folder / "records").is_dir() else board)
    pairs = [(sides[0], [other]) for other in sides[1:3]]
    found = compare(pairs, CompareOptions(tasks=plugins().tasks(), metrics=None, why=True))
    for text in (to_json(found, []), to_csv(found), to_junit(found), markdown(found, matrix=False, front=[])):
        text.encode()


def _verify(folder: Path) -> None:
    from harness.cli.verify import _print
    from harness.evaluation.verify import verify
    from harness.results.folder import ResultsFolder

    _print("results", verify(ResultsFolder(folder), plugins().tasks()))


def _status(folder: Path) -> None:
    from harness.cli.status import _document, _print, _unfinished_runs
    from harness.evaluation.journal import read_runs
    from harness.evaluation.status import run_status, status_of_records
    from harness.results.folder import ResultsFolder
    from harness.system.json_text import json_document

    results, problems = ResultsFolder(folder.absolute()), list[str]()
    runs = read_runs(results, problems)
    found = run_status(results, runs, plugins())
    found.problems += status_of_records(results, problems).problems
    left = _unfinished_runs(runs, found)
    json_document(_document(runs, found, left)).encode()
    _print(runs, found, left, known=[])


def _candidate(folder: Path) -> None:
    from harness.checks import CheckOptions, check_input_from_path
    from harness.checks.models import ModelLoader
    from harness.training.contamination import read_training_texts

    read_training_texts.__globals__["_trained_on"].cache_clear()
    read_training_texts(folder)
    subject = check_input_from_path(
        str(folder), CheckOptions(models=ModelLoader({}), tasks=plugins().tasks())
    )
    _looked_at(subject, loading=False)


def _card(folder: Path) -> None:
    from harness.checks import CheckOptions, check_input_from_path
    from harness.checks.models import ModelLoader

    _looked_at(
        check_input_from_path(
            str(folder / "card.md"), CheckOptions(models=ModelLoader({}), tasks=plugins().tasks())
        )
    )


def _from_card(folder: Path) -> None:
    from harness.training.cards.to_recipe import recipe_from_card

    changes = {
        "train.seed": 1,
        "train.dtype": "float32",
        "train.max_grad_norm": 1.0,
        "train.weight_decay": 0.0,
    }
    changes |= {
        "train.learning_rate": 1e-5,
        "train.warmup": 0,
        "model.pooling": "mean",
        "evaluation.keep": "last",
    }
    recipe_from_card(folder / "card.md", changes, data=folder / "rows.csv")


def _looked_at(subject: CheckInput, *, loading: bool = True) -> None:
    """Let every check look, as `harness check` does, and say what it saw in a line of UTF-8."""
    from dataclasses import replace

    from harness.checks import missing_inputs, run_checks
    from harness.cli.check import _CheckedPath, _document, _print
    from harness.system.json_text import json_document

    subject = subject if loading else replace(subject, model=None)
    looked = run_checks(subject, plugins().checks())
    raised = [problem for problem in looked.problems if " raised on " in problem]
    assert not raised, raised
    missing_inputs(subject)
    checked = _CheckedPath(subject.path, subject, looked)
    _print([checked], frozenset(), looked.problems)
    json_document(_document([checked], frozenset(), tuple(looked.problems))).encode()


def _cache(folder: Path) -> None:
    """Look texts up in a store that something happened to, and write to it."""
    import numpy as np

    from harness.encoding.cache import CacheStore, EmbeddingCache

    told: list[str] = []
    store = CacheStore(EmbeddingCache(folder, told.append), written.STORE)
    for embeddings, positions, rows in store.find(["a", "b", "c", "e"]):
        assert embeddings[rows].shape == (len(positions), 4)
    store.write(["e"], [np.ones((1, 4), dtype=np.float32)])
    "\n".join(told).encode()


def _model_folder(folder: Path) -> None:
    from harness.checks.models import read_architecture
    from harness.models.fingerprint import weights_size
    from harness.models.interface import ModelSpec
    from harness.models.sentence_transformer import LocatedFolder

    read_architecture(folder)
    LocatedFolder.at(folder, ModelSpec("folder", str(folder)), "mine")
    weights_size(folder)


def _loaded_model(folder: Path) -> None:
    from harness.models.interface import ModelSpec
    from harness.models.sentence_transformer import LocatedFolder

    model = LocatedFolder.at(folder, ModelSpec("folder", str(folder), threads="1"), "mine").load()
    model.encode(["a cat", ""])


def _bench(folder: Path) -> None:
    from harness.bench.cost.model import plan_cost
    from harness.bench.cost.records import CostQuestion
    from harness.bench.cost.report import plan_tables
    from harness.bench.files import read
    from harness.bench.pytest_benchmark import pytest_benchmark

    bench = read(folder / "bench.json")
    pytest_benchmark(bench, bench.variants)
    plan_tables(plan_cost(bench, CostQuestion(documents=10**6, workers=2)))


def _workload(folder: Path) -> None:
    from harness.bench.workloads import select_workloads

    for path in _files(folder):
        assert all(one.digest for one in select_workloads([str(path)]))


def _words(folder: Path) -> None:
    words.understand(folder, plugins())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir())


TARGETS = (
    Target("rows", 10, cache(seeds.rows), _rows),
    Target("template", 3, cache(seeds.template), _template),
    Target("config", 4, cache(seeds.config), _config),
    Target("task-file", 10, cache(seeds.task_files), _task_file),
    Target("published", 10, cache(seeds.published), _published),
    Target("answered", 3, cache(seeds.task_files), _answered),
    Target("recipe", 6, cache(seeds.recipes), _recipe),
    Target("training-rows", 4, cache(seeds.training_rows), _training_rows),
    Target("gate", 4, cache(seeds.gates), _gate),
    Target("board", 8, written.results, _board),
    Target("compare", 4, written.results, _compare),
    Target("verify", 4, written.results, _verify),
    Target("status", 4, cache(written.journals), _status),
    Target("candidate", 5, written.candidates, _candidate),
    Target("card", 8, cache(written.cards), _card),
    Target("from-card", 5, cache(written.cards), _from_card),
    Target("cache", 5, written.caches, _cache),
    Target("model-folder", 5, cache(written.models), _model_folder),
    Target("bench", 3, cache(written.benches), _bench),
    Target("workload", 2, cache(seeds.workloads), _workload),
    Target("words", 8, cache(words.seeds), _words),
    Target("loaded-model", 0.5, written.real_models, _loaded_model, heavy=True),
)
"""Everything that reads what a stranger may have written."""
