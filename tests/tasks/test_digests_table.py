"""The table of a suite's digests in a TOML file."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.tasks.digests_table import with_digests

SUITE = '[tool.harness.suites."a b"]\ntasks = ["x"]\n'
HEADER = "[tool.harness.suites.'a b']"
TABLE = "[tool.harness.suites.'a b'.digests]\nx = \"new\"\n"
OLD = '[ tool.harness.suites."a b".digests ]  # frozen\n# of x\nx = "old"\n'


@pytest.mark.parametrize(
    ("text", "made"),
    [
        pytest.param(SUITE, f"{SUITE}\n{TABLE}", id="appended"),
        pytest.param(SUITE.rstrip(), f"{SUITE}\n{TABLE}", id="after a last line without an end"),
        pytest.param(OLD + SUITE, TABLE + SUITE, id="replaced"),
        pytest.param(f"{OLD}\n# why\n[z]\n", f"{TABLE}\n# why\n[z]\n", id="the next table keeps its comment"),
        pytest.param(
            f"{OLD}\n[[z]]\na = 1\n", f"{TABLE}\n[[z]]\na = 1\n", id="an array of tables ends it too"
        ),
        pytest.param(
            SUITE.replace("\n", "\r\n"), f"{SUITE}\n{TABLE}".replace("\n", "\r\n"), id="ends of lines"
        ),
        pytest.param(f"{SUITE}digests.x = 'old'\n", None, id="dotted keys"),
        pytest.param(f"a = '''\n{OLD}'''\n{SUITE}", None, id="in a text of several lines"),
    ],
)
def test_the_digests_are_replaced_and_all_else_stays(text, made):
    if made is None:
        with pytest.raises(HarnessError, match="not a table of their own"):
            with_digests(text, HEADER, TABLE, "pyproject.toml")
    else:
        assert with_digests(text, HEADER, TABLE, "pyproject.toml") == made
