"""The comment on a pull request: written once, and updated by later runs."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST = 65_000
"""Maximum characters of a comment; GitHub refuses more than 65,536."""
_PAGE = 100
_PAGES = 50
"""Comments in a page, and most pages that are searched."""
_TRIES, _WAIT = 3, 0.5
"""Number of tries of a request that can be repeated, and seconds before the second."""
_TIMEOUT = 30.0


def pull_request(event: Path | None) -> int | None:
    """Return the number of the pull request that an event is of; None for other events.

    Raises HarnessError for a file that is not a event.
    """
    if event is None:
        return None
    try:
        content = json.loads(event.read_bytes())
    except (OSError, ValueError) as error:
        raise HarnessError(f"the event cannot be read: {error}") from error
    request = content.get("pull_request") if isinstance(content, dict) else None
    number = request.get("number") if isinstance(request, dict) else None
    return number if isinstance(number, int) else None


def comment_body(report: str, key: str) -> str:
    """Return a report as a comment, with the mark by which a later run finds it; a long one is cut."""
    mark = _mark(key)
    if len(mark) + len(report) + 1 > MOST:
        cut = report[: MOST - len(mark) - 200].rpartition("\n")[0]
        report = f"{cut}\n\n*Cut: the whole report is in the summary of the job and in its artifact.*\n"
    return f"{mark}\n{report}"


class PullRequestComments:
    """Comments of a pull request, through GitHub's REST interface."""

    def __init__(self, api: str, repository: str, number: int, token: str) -> None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
            raise HarnessError(f"not a repository: {repository!r}")
        self._issues = f"{api.rstrip('/')}/repos/{repository}/issues"
        self._number, self._token = number, token
        # A redirection would take the token to another address.
        self._opener = urllib.request.build_opener(_NoRedirection)

    def put(self, body: str, key: str, author: str) -> str:
        """Update the author's comment that has the mark, or write a new one; return its address.

        Somebody else's comment with the mark is left alone: its author could change the report.
        Raises HarnessError where GitHub refuses, or cannot be reached.
        """
        known = self._find(_mark(key), author)
        if known is None:
            answer = self._send("POST", f"{self._issues}/{self._number}/comments", {"body": body})
        else:
            answer = self._send("PATCH", f"{self._issues}/comments/{known}", {"body": body})
        return str(answer.get("html_url", "")) if isinstance(answer, dict) else ""

    def _find(self, mark: str, author: str) -> int | None:
        for page in range(1, _PAGES + 1):
            address = f"{self._issues}/{self._number}/comments?per_page={_PAGE}&page={page}"
            comments = self._send("GET", address)
            if not isinstance(comments, list):
                raise HarnessError("GitHub's answer is not a list of comments")
            for comment in comments:
                if _author(comment) == author and str(comment.get("body", "")).startswith(mark):
                    return int(comment["id"])
            if len(comments) < _PAGE:
                return None
        return None

    def _send(self, method: str, address: str, content: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(  # noqa: S310 - the address of GitHub's interface, from the runner
            address,
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "User-Agent": "embedding-harness",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        # A comment that is posted twice would stay twice.
        tries = 1 if method == "POST" else _TRIES
        for left in reversed(range(tries)):
            try:
                with self._opener.open(request, timeout=_TIMEOUT) as answer:
                    return json.loads(answer.read())
            except urllib.error.HTTPError as error:
                if error.code < 500 or not left:
                    raise HarnessError(f"GitHub answers {error.code} to {method}: {error.reason}") from error
            except (OSError, ValueError) as error:
                if not left:
                    raise HarnessError(f"GitHub cannot be reached: {error}") from error
            time.sleep(_WAIT * (tries - left))
        raise AssertionError("unreachable")


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """Answers a redirection with the error that it is."""

    def redirect_request(self, *_: object) -> None:
        return None


def _mark(key: str) -> str:
    plain = re.sub(r"[^\w .:/-]", "_", key).replace("--", "__")
    return f"<!-- harness-action: {plain} -->"


def _author(comment: Any) -> str:  # noqa: ANN401 - JSON
    user = comment.get("user") if isinstance(comment, dict) else None
    return str(user.get("login", "")) if isinstance(user, dict) else ""
