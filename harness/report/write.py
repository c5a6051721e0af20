"""Write the content of a report: by the writer of a plugin, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, did_you_mean
from harness.system.plugin_code import error_sentence, plugin_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from harness.plugins.report_writer import ReportWriter
    from harness.report.content import ReportContent


def page_text(writer: ReportWriter, content: ReportContent) -> str:
    """Return the whole page; raises HarnessError where the writer raises, or returns no text."""
    return _checked(writer, "page", _called(writer, "page", lambda: writer.page(content)))


def leaderboard_text(writer: ReportWriter, content: ReportContent) -> str:
    """Return the leaderboard alone; raises HarnessError as `page_text` does."""
    text = _called(writer, "leaderboard", lambda: writer.leaderboard(content))
    return _checked(writer, "leaderboard", text)


def figure_text(writer: ReportWriter, content: ReportContent, name: str) -> str:
    """Return one figure; raises HarnessError for one that these results do not have."""
    found = _called(writer, "figures", lambda: writer.figures(content))
    if name not in found:
        exists = [*did_you_mean(name, found), *_by_kind(found)]
        raise HarnessError(
            f"no figure named {name!r}",
            exists="\n".join(exists),
            hint="a figure is there where the results have what it shows",
        )
    # A mapping may draw each figure when it is asked for.
    return _checked(writer, f"figure {name}", _called(writer, f"figure {name}", lambda: found[name]))


def _by_kind(names: Iterable[str]) -> list[str]:
    """Return all names of figures, a line for each kind: `rank`, then `rank-scifact-minilm` and its like."""
    kinds: dict[str, list[str]] = {}
    for name in sorted(names):
        parts = name.split("-")
        stems = ("-".join(parts[:count]) for count in range(1, len(parts)))
        kinds.setdefault(next((stem for stem in stems if stem in kinds), name), []).append(name)
    return [f"known: {', '.join(own)}" for own in kinds.values()] or ["known: none"]


def refuse_other_than_file(path: Path, option: str) -> None:
    """Raise HarnessError for a folder or a device, which a report does not replace."""
    if path.exists() and not path.is_file():
        raise HarnessError(
            f"cannot write {path}: it is a folder or a device", hint=f"name a file: {option} report.html"
        )


def _checked(writer: ReportWriter, what: str, text: Any) -> str:  # noqa: ANN401 - a plugin's
    if not isinstance(text, str):
        raise HarnessError(f"report writer {writer.name}: {what} is a {type(text).__name__}, not a text")
    return text


def _called(writer: ReportWriter, what: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - a plugin's
    try:
        with plugin_code():
            return make()
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError(f"report writer {writer.name}: {what} raised {error_sentence(error)}") from error
