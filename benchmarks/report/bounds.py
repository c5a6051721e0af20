"""What a page may weigh, and how long it may take."""

BOUNDS = {"gzipped": 400_000, "bytes": 15_000_000, "first_paint_ms": 1000, "interaction_ms": 100}
"""Most bytes of a page without data, gzipped, and of the whole page; most milliseconds."""
