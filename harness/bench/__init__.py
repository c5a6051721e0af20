"""Throughput as its own measurement: models interleaved in processes of their own, with intervals.

`session.measure` is the one function that the command line calls; docs/bench.md says what is measured how.
"""
