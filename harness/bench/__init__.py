"""Throughput of models in separate processes, with interleaved rounds and intervals.

`session.measure` is the entry point; docs/bench.md describes the method.
"""
