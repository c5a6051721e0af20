"""Comparison of a candidate with a baseline: gains with intervals, verdicts, a gate, and reports."""
