"""Evaluate, compare and decide between fine-tuned sentence-embedding models.

    results = harness.evaluate({"base": "minilm", "mine": "./candidate"}, "sts,legal", data="data/")
    results.compare("base", "mine", margin=0.01).exit_code

These are the names that every user and every author of a task needs. `harness.authoring` has more for
plugins, `harness.training` has trainers, recipes and checks; a plugin may import these three.
"""

from harness.system.lazy import attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "api.comparison": "Comparisons compare",
        "api.evaluate": "evaluate",
        "api.evaluator": "Evaluator",
        "api.models": "Encoder ModelSettings load_model",
        "api.report": "ReportPage",
        "api.result": "Result",
        "api.results": "Results read_results",
        "api.rows": "make_task",
        "api.tasks": "get_task get_tasks",
        "errors": "HarnessError",
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
