"""Metrics of predictions, and exact search."""
