"""`harness.Evaluator`: dev scores during a training, equal to those of the leaderboard."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

from harness.errors import HarnessError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from sentence_transformers import SentenceTransformer

    from harness.evaluation.evaluate import LoadedTask
    from harness.tasks.interface import Task

    PathLike = str | os.PathLike[str]


class Evaluator(SentenceEvaluator):
    """Scores a model on tasks during its training, exactly as `harness run` scores the saved model.

    `SentenceTransformerTrainer(evaluator=harness.Evaluator("stsb-dev"))` logs `eval_stsb-dev_spearman`; with
    `load_best_model_at_end=True` name it in `metric_for_best_model`. The model is saved and loaded again for
    each evaluation: in memory, embeddings depend on autocast, dropout and padding. Random numbers are
    afterwards as before, so that evaluating changes no training.
    """

    def __init__(
        self,
        tasks: str | Task | Sequence[str | Task | Any],
        *,
        data: PathLike | None = None,
        limit: int | None = None,
        name: str = "",
        plugins: Sequence[PathLike] = (),
        task_files: Sequence[PathLike] = (),
    ) -> None:
        """Read the rows of all tasks; arguments are those of `harness.evaluate`.

        name: prefix of the scores' names. Raises HarnessError for a task that cannot be read.
        """
        import os

        from harness.api.tasks import chosen_tasks, open_plugins
        from harness.errors import Faults
        from harness.evaluation.evaluate import load_task, rows_of
        from harness.tasks.data_choice import data_choice
        from harness.tasks.interface import DataSource

        super().__init__()  # type: ignore[no-untyped-call]
        choice = data_choice(None if data is None else os.fspath(data))
        selected = chosen_tasks(tasks, open_plugins(plugins), task_files)
        self._tasks: list[LoadedTask] = []
        faults = Faults()
        for each in selected:
            loaded = load_task(each.task, DataSource.of(each.task, choice), limit)
            with faults.collect(f"task {each.task.name}"):
                rows_of(loaded)
            self._tasks.append(loaded)
        faults.refuse()
        self.name = name
        self.greater_is_better = True
        first = self._tasks[0].task
        head = first.metrics[0].name if first.metrics else "score"
        self.primary_metric = f"{name}_{first.name}_{head}" if name else f"{first.name}_{head}"

    @property
    def tasks(self) -> list[Task]:
        """The tasks, in the order of their names; the headline of the first is the primary metric."""
        return [loaded.task for loaded in self._tasks]

    def __call__(  # type: ignore[override] # its base takes models of other kinds
        self,
        model: SentenceTransformer,
        output_path: str | None = None,  # noqa: ARG002 - as in its base; results go to the training's log
        epoch: int = -1,
        steps: int = -1,
    ) -> dict[str, float]:
        """Return `TASK_METRIC` → score; NaN where a headline is undefined, as of a collapsed model.

        Raises HarnessError for a model that cannot be saved or loaded.
        """
        from harness.api.live import unchanged_modes
        from harness.api.process_state import unchanged_process

        with tempfile.TemporaryDirectory(prefix="harness-live-") as folder:
            saved = Path(folder, "model")
            with unchanged_process(), unchanged_modes(model):
                model.save_pretrained(str(saved), create_model_card=False)
                scores = self._scores(saved, model.device.type)
        metrics: dict[str, float] = self.prefix_name_to_metrics(scores, self.name)
        self.store_metrics_in_model_card_data(model, metrics, epoch, steps)
        return metrics

    def get_config_dict(self) -> dict[str, Any]:
        """Return what a model card shows of the evaluator."""
        return {"tasks": [task.name for task in self.tasks]}

    def _scores(self, folder: Path, device: str) -> dict[str, float]:
        """Return the scores of a saved model."""
        from harness.evaluation.evaluate import evaluate_task
        from harness.evaluation.produce import load_saved

        model = load_saved(folder, device)
        scores: dict[str, float] = {}
        for loaded in self._tasks:
            name = loaded.task.name
            try:
                evaluation, _ = evaluate_task(model, loaded)
            except HarnessError as error:
                if not loaded.task.metrics:
                    raise
                warnings.warn(f"{name} has no score: {error.message}", stacklevel=3)
                scores[f"{name}_{loaded.task.metrics[0].name}"] = float("nan")
                continue
            scores |= {
                f"{name}_{score.metric}": score.score
                for score in evaluation.scores
                if score.score is not None
            }
        return scores
