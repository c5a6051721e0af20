"""Evaluate, compare and decide between fine-tuned sentence-embedding models.

These are the names that every user and every author of a task needs. `harness.authoring` has more for
plugins, `harness.training` has trainers, recipes and checks; a plugin may import these three.
"""

from harness.system.lazy import attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "api": "load_model",
        "errors": "HarnessError",
        "evaluation.evaluate": "evaluate",
        "finding": "Finding Severity",
        "metrics.interface": "Metric",
        "metrics.standard": "AVERAGE_PRECISION MACRO_F1 PEARSON ROC_AUC SPEARMAN mean_metric",
        "models.interface": "Model Role Settings",
        "plugins.hookspecs": "hookimpl",
        "tasks.dataset": "Dataset Predictions",
        "tasks.interface": "DataSource Splits Task",
        "tasks.readers": "read_rows",
    },
)
