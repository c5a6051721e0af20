"""Keys are in no error: each error of this plugin is made here, and what a server says is shortened here."""

from __future__ import annotations

import os
import re

from harness import HarnessError

KEYS = ("HARNESS_API_KEY", "OPENAI_API_KEY")
"""Environment variables that may hold the key of a server; the first that is set counts."""
LONGEST = 300
"""Maximum characters of what a server says that an error repeats."""
_GAP = (
    r"(?:[^!-~]|\\+(?:[nrtbf0]|x(?i:[0189a-f][0-9a-f]|20|7f)"
    r"|u(?i:(?!00[2-7])[0-9a-f]{4}|0020|007f)))*"
)
"""What may stand between two characters of a quoted key: blanks, control characters, or escapes of them."""


def masked_error(
    message: str, *, exists: str | None = None, hint: str | None = None, without_texts: str | None = None
) -> HarnessError:
    """Return a HarnessError without any key; arguments: as HarnessError has them."""
    return HarnessError(
        hidden(message),
        exists=exists and hidden(exists),
        hint=hint and hidden(hint),
        without_texts=without_texts and hidden(without_texts),
    )


def hidden(text: str) -> str:
    """Return a text without keys, also where they are escaped or broken: servers quote them in errors."""
    for name in KEYS:
        if value := os.environ.get(name, "").strip():
            text = re.sub(_GAP.join(map(_quoted, value)), "***", text)
    return text


def said(text: str, most: int = LONGEST) -> str:
    """Return what someone else wrote, in one line of printable characters, without keys, shortened."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    # First hidden, then cut: of a key that is cut, nothing would be found.
    line = hidden(line)
    return line if len(line) <= most else f"{line[:most]}…"


def _quoted(sign: str) -> str:
    """Return a pattern for a character of a key: as it is, or as addresses, JSON and Python escape it."""
    before = r"\\*" if sign in "\\'\"/" else ""
    return rf"(?:{before}{re.escape(sign)}|(?:%|\\+x|\\+u00)(?i:{ord(sign):02x}))"
