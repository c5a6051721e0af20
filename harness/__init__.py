"""Evaluate, compare and decide between fine-tuned sentence-embedding models.

What stands in `__all__` is all that a plugin may import. Names are loaded when first used, so that
`import harness` is light and a plugin that only declares its hooks stays so.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from harness.api import load_model as load_model
    from harness.errors import HarnessError as HarnessError
    from harness.evaluation.evaluate import evaluate as evaluate
    from harness.metrics.interface import Metric as Metric
    from harness.metrics.ranking import Ranking as Ranking
    from harness.metrics.ranking import rank as rank
    from harness.metrics.standard import AVERAGE_PRECISION as AVERAGE_PRECISION
    from harness.metrics.standard import MACRO_F1 as MACRO_F1
    from harness.metrics.standard import PEARSON as PEARSON
    from harness.metrics.standard import ROC_AUC as ROC_AUC
    from harness.metrics.standard import SPEARMAN as SPEARMAN
    from harness.metrics.standard import mean_metric as mean_metric
    from harness.models.interface import LocatedModel as LocatedModel
    from harness.models.interface import Model as Model
    from harness.models.interface import ModelFacts as ModelFacts
    from harness.models.interface import ModelScheme as ModelScheme
    from harness.models.interface import ModelSpec as ModelSpec
    from harness.models.interface import Role as Role
    from harness.models.interface import Settings as Settings
    from harness.plugins.hookspecs import hookimpl as hookimpl
    from harness.stats.intervals import estimate as estimate
    from harness.stats.intervals import interval_seed as interval_seed
    from harness.system.text_file import read_text as read_text
    from harness.tasks.dataset import Dataset as Dataset
    from harness.tasks.dataset import Predictions as Predictions
    from harness.tasks.dataset import connected_components as connected
    from harness.tasks.finding import Finding as Finding
    from harness.tasks.finding import Severity as Severity
    from harness.tasks.interface import AggregateTask as AggregateTask
    from harness.tasks.interface import DataSource as DataSource
    from harness.tasks.interface import Splits as Splits
    from harness.tasks.interface import Task as Task
    from harness.tasks.interface import TaskDefinition as TaskDefinition
    from harness.tasks.interface import TaskKind as TaskKind
    from harness.tasks.interface import TaskScheme as TaskScheme
    from harness.tasks.readers import as_floats as numbers
    from harness.tasks.readers import as_ids as names
    from harness.tasks.readers import as_texts as texts
    from harness.tasks.readers import read_json as read_json
    from harness.tasks.readers import read_rows as read_rows
    from harness.training.contamination import TrainingTexts as TrainedOn
    from harness.training.contamination import find_contamination as overlap
    from harness.training.contamination import read_training_texts as trained_on
    from harness.training.contamination import trained_on_texts as trained_on_texts
    from harness.training.interface import Trainer as Trainer
    from harness.training.interface import TrainingCallback as Follower
    from harness.training.interface import TrainingJob as Job
    from harness.training.interface import TrainingResult as Trained
    from harness.training.losses import LOSSES as LOSSES
    from harness.training.losses import ROW_KINDS as KINDS
    from harness.training.losses import max_unit_distance as farthest
    from harness.training.near_duplicates import near_copies as near_copies
    from harness.training.near_duplicates import normalize_text as normalised
    from harness.training.recipe import Recipe as Recipe
    from harness.training.recipe_file import read_recipe as read_recipe
    from harness.training.subject import Check as Check
    from harness.training.subject import CheckInput as Subject
    from harness.training.subject import ColumnFacts as ColumnFacts
    from harness.training.subject import LogEntry as LogEntry
    from harness.training.subject import Rows as Rows

_HOMES = {
    "errors": ("HarnessError",),
    "evaluation.evaluate": ("evaluate",),
    "metrics.interface": ("Metric",),
    "metrics.ranking": ("Ranking", "rank"),
    "metrics.standard": ("AVERAGE_PRECISION", "MACRO_F1", "PEARSON", "ROC_AUC", "SPEARMAN", "mean_metric"),
    "models.interface": (
        "LocatedModel", "Model", "ModelFacts", "ModelScheme", "ModelSpec", "Role", "Settings",
    ),
    "api": ("load_model",),
    "plugins.hookspecs": ("hookimpl",),
    "stats.intervals": ("estimate", "interval_seed"),
    "system.text_file": ("read_text",),
    "tasks.dataset": ("Dataset", "Predictions", "connected_components"),
    "tasks.finding": ("Finding", "Severity"),
    "tasks.interface": (
        "AggregateTask", "DataSource", "Splits", "Task", "TaskDefinition", "TaskKind", "TaskScheme",
    ),
    "tasks.readers": ("as_ids", "as_floats", "read_json", "read_rows", "as_texts"),
    "training.contamination": ("TrainingTexts", "find_contamination", "read_training_texts", "trained_on_texts"),
    "training.interface": ("TrainingCallback", "TrainingJob", "TrainingResult", "Trainer"),
    "training.losses": ("ROW_KINDS", "LOSSES", "max_unit_distance"),
    "training.near_duplicates": ("near_copies", "normalize_text"),
    "training.recipe": ("Recipe",),
    "training.recipe_file": ("read_recipe",),
    "training.subject": ("Check", "ColumnFacts", "LogEntry", "Rows", "CheckInput"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605 - sorted() returns a list


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
