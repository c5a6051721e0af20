"""Scores and speed on a GPU: equality with the CPU, ratios to sentence-transformers, one run of minutes."""
