"""Families of data by kind of metric: each module lists its own in FAMILIES."""

from __future__ import annotations

from benchmarks.type_one.families import additions, area, correlations, means

FAMILIES = [*means.FAMILIES, *correlations.FAMILIES, *area.FAMILIES, *additions.FAMILIES]
