"""Colors of figures: names of the page's custom properties, or concrete ones for papers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors of the parts of a figure, as values of SVG attributes."""

    ink: str
    muted: str
    line: str
    better: str
    worse: str
    neutral: str
    ground: str
    """What the figure lies on; text over marks is outlined with it."""
    series: tuple[str, ...]
    background: str | None


PAGE = Palette(
    ink="var(--ink)",
    muted="var(--muted)",
    line="var(--grid)",
    better="var(--better)",
    worse="var(--worse)",
    neutral="var(--neutral)",
    ground="var(--ground)",
    series=tuple(f"var(--series-{number})" for number in range(1, 9)),
    background=None,
)
"""The page defines these for the light and the dark theme."""

PAPER = Palette(
    ink="#1b1f24",
    muted="#57606a",
    line="#d5d9de",
    better="#00704d",
    worse="#b03a00",
    neutral="#57606a",
    ground="#ffffff",
    series=("#0072b2", "#bf4d00", "#007f5f", "#a8457f", "#8f5f00", "#2381b8", "#6b6a00", "#3f4650"),
    background="#ffffff",
)
"""The light theme: Okabe and Ito's colors, darkened until each has a contrast of 3 on white."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "stroke")
"""Of the marks of a series, so that color alone tells none apart."""
