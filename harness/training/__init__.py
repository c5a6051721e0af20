"""Recipes, training rows, lineage, contamination and the input of checks; loads no model.

The names below are for plugins that bring trainers, recipes or checks.
"""

from harness.system.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "training.check_input": "Check CheckInput ColumnFacts LogEntry Rows",
        "training.contamination": "TrainingTexts find_contamination read_training_texts trained_on_texts",
        "training.interface": "Trainer TrainingCallback TrainingJob TrainingResult",
        "training.losses": "LOSSES ROW_KINDS max_unit_distance",
        "training.near_duplicates": "near_copies normalize_text",
        "training.recipe": "Recipe",
        "training.recipe_file": "read_recipe",
    },
)
