"""Evaluate, compare and decide between fine-tuned sentence-embedding models.

What stands in `__all__` is all that a plugin may import. Names are loaded when first used, so that
`import harness` is light and a plugin that only declares its hooks stays so.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from harness.data import DataSource as DataSource
    from harness.data import names as names
    from harness.data import numbers as numbers
    from harness.data import read_json as read_json
    from harness.data import read_rows as read_rows
    from harness.data import read_text as read_text
    from harness.data import texts as texts
    from harness.errors import HarnessError as HarnessError
    from harness.examine import evaluate as evaluate
    from harness.hookspecs import hookimpl as hookimpl
    from harness.interfaces import AggregateTask as AggregateTask
    from harness.interfaces import Finding as Finding
    from harness.interfaces import LocatedModel as LocatedModel
    from harness.interfaces import Metric as Metric
    from harness.interfaces import Model as Model
    from harness.interfaces import ModelFacts as ModelFacts
    from harness.interfaces import ModelScheme as ModelScheme
    from harness.interfaces import ModelSpec as ModelSpec
    from harness.interfaces import Role as Role
    from harness.interfaces import Settings as Settings
    from harness.interfaces import Severity as Severity
    from harness.interfaces import Splits as Splits
    from harness.interfaces import Task as Task
    from harness.interfaces import TaskDefinition as TaskDefinition
    from harness.interfaces import TaskKind as TaskKind
    from harness.interfaces import TaskScheme as TaskScheme
    from harness.metrics import AVERAGE_PRECISION as AVERAGE_PRECISION
    from harness.metrics import MACRO_F1 as MACRO_F1
    from harness.metrics import PEARSON as PEARSON
    from harness.metrics import ROC_AUC as ROC_AUC
    from harness.metrics import SPEARMAN as SPEARMAN
    from harness.metrics import mean_metric as mean_metric
    from harness.models import load_model as load_model
    from harness.ranking import Ranking as Ranking
    from harness.ranking import rank as rank
    from harness.stats import estimate as estimate
    from harness.stats import interval_seed as interval_seed
    from harness.tables import Dataset as Dataset
    from harness.tables import Predictions as Predictions
    from harness.tables import connected as connected
    from harness.training.leakage import TrainedOn as TrainedOn
    from harness.training.leakage import overlap as overlap
    from harness.training.leakage import trained_on as trained_on
    from harness.training.leakage import trained_on_texts as trained_on_texts
    from harness.training.losses import KINDS as KINDS
    from harness.training.losses import LOSSES as LOSSES
    from harness.training.losses import farthest as farthest
    from harness.training.overlap import near_copies as near_copies
    from harness.training.overlap import normalised as normalised
    from harness.training.recipe import Recipe as Recipe
    from harness.training.recipe import read_recipe as read_recipe
    from harness.training.subject import Check as Check
    from harness.training.subject import ColumnFacts as ColumnFacts
    from harness.training.subject import LogEntry as LogEntry
    from harness.training.subject import Rows as Rows
    from harness.training.subject import Subject as Subject
    from harness.training.trainer import Follower as Follower
    from harness.training.trainer import Job as Job
    from harness.training.trainer import Trained as Trained
    from harness.training.trainer import Trainer as Trainer

_HOMES = {
    "data": ("DataSource", "names", "numbers", "read_json", "read_rows", "read_text", "texts"),
    "errors": ("HarnessError",),
    "examine": ("evaluate",),
    "hookspecs": ("hookimpl",),
    "interfaces": (
        "AggregateTask", "Finding", "LocatedModel", "Metric", "Model", "ModelFacts", "ModelScheme",
        "ModelSpec", "Role", "Settings", "Severity", "Splits", "Task", "TaskDefinition", "TaskKind",
        "TaskScheme",
    ),
    "metrics": (
        "AVERAGE_PRECISION", "MACRO_F1", "PEARSON", "ROC_AUC", "SPEARMAN", "mean_metric",
    ),
    "models": ("load_model",),
    "ranking": ("Ranking", "rank"),
    "stats": ("estimate", "interval_seed"),
    "tables": ("Dataset", "Predictions", "connected"),
    "training.leakage": ("TrainedOn", "overlap", "trained_on", "trained_on_texts"),
    "training.losses": ("KINDS", "LOSSES", "farthest"),
    "training.overlap": ("near_copies", "normalised"),
    "training.recipe": ("Recipe", "read_recipe"),
    "training.subject": ("Check", "ColumnFacts", "LogEntry", "Rows", "Subject"),
    "training.trainer": ("Follower", "Job", "Trained", "Trainer"),
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
