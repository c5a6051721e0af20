"""The tools that are compared on the suite: harness, the sentence-transformers evaluators, mteb."""

from __future__ import annotations

import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from benchmarks.rounds import Ready

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from sentence_transformers import SentenceTransformer

    from benchmarks.rounds import Variant
    from benchmarks.suite import Suite
    from harness import Model, Role
    from harness.authoring import LocatedModel
    from harness.tasks.selection import SelectedTask

BATCH_SIZES = (16, 32, 64, 128)
_TRIAL = 10
"""Every so many-th text of each list is in the trial of batch sizes."""
_TRIALS = 3


class Tool(Protocol):
    """A model loaded in a tool."""

    ready: Ready

    def run(self) -> tuple[dict[str, float], dict[str, float]]:
        """Evaluate the whole suite anew; return its scores, and seconds by part as far as they are known."""
        ...

    def encode(self, texts: list[str]) -> None:
        """Encode texts and discard the embeddings."""
        ...


class Timed:
    """A model that times encoding and counting of tokens; all else is the model's own."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.seconds = {"encoding": 0.0, "counting": 0.0}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of the model
        return getattr(self._model, name)

    def encode(self, texts: Sequence[str], role: Role) -> np.ndarray:
        """Return the model's embeddings."""
        with self._clock("encoding"):
            return self._model.encode(texts, role)

    def count_tokens(self, texts: Sequence[str], role: Role) -> np.ndarray | None:
        """Return the model's own counts, from which a record counts truncated texts."""
        with self._clock("counting"):
            return self._model.count_tokens(texts, role)

    def load(self) -> Model:
        """Return itself: only the evaluation is timed."""
        return cast("Model", self)

    @contextmanager
    def _clock(self, part: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - began


class Harness:
    """`harness run` without its output: read, encode, score with intervals, write, make the leaderboard."""

    _HEADLINES = (
        ("suite-stsb-dev", "spearman"),
        ("suite-stsb-test", "spearman"),
        ("suite-pairs", "average_precision"),
        ("suite-spans", "ndcg@10"),
    )

    def __init__(self, variant: Variant, tasks: Path) -> None:
        from harness import load_model
        from harness.plugins.loader import load_plugins

        began = time.perf_counter()
        self._model = load_model("minilm", dtype=variant.dtype, backend=variant.backend)
        self._kinds, self._tasks = load_plugins().task_kinds(), tasks
        self.ready = Ready(
            load_seconds=time.perf_counter() - began,
            backend=self._model.facts.backend,
            threads=str(getattr(self._model, "threads", "")),
        )

    def run(self) -> tuple[dict[str, float], dict[str, float]]:
        """Evaluate into a new folder, which is removed afterwards: nothing is reused or kept."""
        from harness.evaluation.run import run_plan
        from harness.evaluation.runner import RunPlan
        from harness.results.folder import ResultsFolder
        from harness.results.publish import publish

        model = Timed(self._model)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            watcher, results = _Watching(), ResultsFolder(Path(folder))
            plan = RunPlan(
                models=[cast("LocatedModel", model)], tasks=self._selected(), data=self._tasks.parent
            )
            outcome = run_plan(plan, results, watcher)
            publish(results)
            whole = time.perf_counter() - began
        if outcome.failed:
            raise RuntimeError(f"{outcome.failed[0].examination.task}: {outcome.failed[0].error}")
        by_metric = {
            (evaluation.examination.task, score.metric): score.score
            for evaluation in outcome.evaluations
            for score in evaluation.scores
        }
        scores = {f"{task} {metric}": float(by_metric[task, metric] or 0) for task, metric in self._HEADLINES}
        parts = {"reading": (watcher.first or began) - began, **model.seconds}
        return scores, parts | {"scoring and files": whole - sum(parts.values())}

    def encode(self, texts: list[str]) -> None:
        """Encode texts, each as often as it occurs."""
        self._model.encode(texts)

    def _selected(self) -> list[SelectedTask]:
        from harness.tasks.selection import SelectedTask
        from harness.tasks.task_file import read_task_file

        return [SelectedTask(task, True) for task in read_task_file(self._tasks, self._kinds).values()]


class _Watching:
    """Note when the first model begins: rows are read and hashed by then."""

    first: float | None = None

    def begin(self, model: str, task: str, texts: int) -> None:  # noqa: ARG002 - a watcher's signature
        self.first = self.first or time.perf_counter()

    def advance(self, texts: int) -> None:
        """Show nothing."""

    def end(self, evaluation: object, *, reused: bool) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""


class _Peer(ABC):
    """A SentenceTransformer with the fastest batch size on this machine."""

    def __init__(self, variant: Variant, model: Path, suite: Suite) -> None:
        began = time.perf_counter()
        self._model = _sentence_transformer(model, variant.dtype)
        loaded = time.perf_counter() - began
        trial = {} if variant.batch_size else _trial(self._model, suite)
        self._batch_size = variant.batch_size or min(trial, key=trial.__getitem__)
        self.ready = Ready(
            load_seconds=loaded,
            backend="encode",
            threads=_threads(),
            batch_size=self._batch_size,
            trial={str(size): seconds for size, seconds in trial.items()},
        )

    @abstractmethod
    def run(self) -> tuple[dict[str, float], dict[str, float]]:
        """Evaluate the whole suite anew."""

    def encode(self, texts: list[str]) -> None:
        """Encode texts, each as often as it occurs."""
        self._model.encode(texts, batch_size=self._batch_size, show_progress_bar=False)


class Evaluators(_Peer):
    """Sentence-transformers' own evaluators, their rows in memory, no CSV written."""

    def __init__(self, variant: Variant, model: Path, suite: Suite) -> None:
        super().__init__(variant, model, suite)
        from sentence_transformers.sentence_transformer import evaluation

        options: dict[str, Any] = {
            "batch_size": self._batch_size,
            "write_csv": False,
            "show_progress_bar": False,
        }
        sts = {"stsb-dev": suite.stsb_dev, "stsb-test": suite.stsb_test}
        self._evaluators: list[Any] = [
            evaluation.EmbeddingSimilarityEvaluator(
                [pair.left for pair in part], [pair.right for pair in part], [pair.gold for pair in part],
                name=name, **options,
            )
            for name, part in sts.items()
        ]  # fmt: skip
        left, right = [pair.left for pair in suite.pairs], [pair.right for pair in suite.pairs]
        gold = [int(pair.gold) for pair in suite.pairs]
        self._evaluators += [
            evaluation.BinaryClassificationEvaluator(left, right, gold, name="pairs", **options),
            evaluation.InformationRetrievalEvaluator(
                dict(suite.queries),
                dict(suite.documents),
                {query: set(names) for query, names in suite.relevant.items()},
                name="spans",
                **options,
            ),
        ]

    def run(self) -> tuple[dict[str, float], dict[str, float]]:
        """Call one evaluator after another."""
        values: dict[str, float] = {}
        for evaluator in self._evaluators:
            values |= evaluator(self._model)
        scores = {
            "suite-stsb-dev spearman": values["stsb-dev_spearman_cosine"],
            "suite-stsb-test spearman": values["stsb-test_spearman_cosine"],
            "suite-pairs average_precision": values["pairs_cosine_ap"],
            "suite-spans ndcg@10": values["spans_cosine_ndcg@10"],
        }
        return {name: float(score) for name, score in scores.items()}, {}


class Mteb(_Peer):
    """`mteb.evaluate` over tasks made of the suite's rows, which stay in memory; no cache, no CO₂ tracker."""

    _MAIN = (
        ("suite-stsb-dev spearman", "cosine_spearman"),
        ("suite-stsb-test spearman", "cosine_spearman"),
        ("suite-pairs average_precision", "cosine_ap"),
        ("suite-spans ndcg@10", "ndcg_at_10"),
    )

    def __init__(self, variant: Variant, model: Path, suite: Suite) -> None:
        # First, so that the load time includes the same imports for every tool.
        super().__init__(variant, model, suite)
        import logging

        import datasets

        from benchmarks.mteb_tasks import tasks_of

        logging.getLogger("mteb").setLevel(logging.ERROR)
        datasets.disable_progress_bars()
        # Without a name, mteb takes all local models for one.
        self._model.model_card_data.model_name = f"local/{model.name}"
        self._tasks = tasks_of(suite)

    def run(self) -> tuple[dict[str, float], dict[str, float]]:
        """Evaluate all tasks in one call."""
        import mteb

        result = mteb.evaluate(
            self._model,
            self._tasks,
            cache=None,
            co2_tracker=False,
            show_progress_bar=False,
            encode_kwargs={"batch_size": self._batch_size, "show_progress_bar": False},
        )
        parts = {task.task_name: task.scores["test"][0] for task in result.task_results}
        scores = {}
        for name, main in self._MAIN:
            scores[name] = float(parts[name.split()[0]][main])
        return scores, {}


def _sentence_transformer(folder: Path, dtype: str) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer

    options = {"dtype": getattr(torch, dtype)}
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, model_kwargs=options)


def _trial(model: SentenceTransformer, suite: Suite) -> dict[int, float]:
    """Return batch size → minimum seconds for a tenth of the texts, cut into calls as both peers do."""
    lists = [texts[::_TRIAL] for texts in suite.lists()]
    model.encode(lists[0], show_progress_bar=False)
    seconds: dict[int, list[float]] = {size: [] for size in BATCH_SIZES}
    for _ in range(_TRIALS):
        for size in BATCH_SIZES:
            began = time.perf_counter()
            for texts in lists:
                model.encode(texts, batch_size=size, show_progress_bar=False)
            seconds[size].append(time.perf_counter() - began)
    return {size: min(times) for size, times in seconds.items()}


def _threads() -> str:
    import torch

    return str(torch.get_num_threads())
