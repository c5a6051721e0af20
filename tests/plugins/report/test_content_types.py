"""What the page's TypeScript takes the content to be is what its schema says."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_the_types_of_the_page_are_those_of_the_content():
    script = runpy.run_path(str(Path(__file__).parent / "content_types.py"))
    assert script["FILE"].read_text(encoding="utf-8") == script["content_types"](), (
        "run: python tests/plugins/report/content_types.py"
    )
