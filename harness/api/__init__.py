"""What a Python user calls: models, tasks, evaluations and comparisons as objects."""
