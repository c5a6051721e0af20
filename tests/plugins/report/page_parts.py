"""A page taken apart by a parser of HTML, as a browser would."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = {"meta", "line", "rect", "circle", "path", "br"}


@dataclass
class Parts(HTMLParser):
    """Elements, texts and contents of scripts and styles of a page."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    raw: list[tuple[str, dict[str, str | None], str]] = field(default_factory=list)
    """(tag, attributes, content) of each script and style."""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._inside: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.raw.append((tag, dict(attrs), ""))
            self._inside.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1][0] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._inside:
            tag, attrs, before = self.raw[-1]
            self.raw[-1] = (tag, attrs, before + data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that a reader sees, on one line."""
        return " ".join(" ".join(self.texts).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of the elements of a name."""
        return [attrs for name, attrs in self.elements if name == tag]

    def script(self, ident: str) -> str:
        """Content of the script with an id."""
        return next(content for tag, attrs, content in self.raw if attrs.get("id") == ident)


def parts_of(page: str) -> Parts:
    """Take a page apart."""
    parts = Parts()
    parts.feed(page)
    parts.close()
    return parts
