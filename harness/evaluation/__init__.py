"""Evaluation: models on tasks, with records, journals, resuming and verification."""
