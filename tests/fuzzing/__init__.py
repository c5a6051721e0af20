"""Fuzzing: hostile files, drawn from a number, given to every reader; only HarnessError may come out."""
