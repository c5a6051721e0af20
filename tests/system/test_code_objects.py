"""Code of a notebook: the key of a task changes with the cells that it depends on, and with nothing else."""

import pytest

from harness.system.code_hash.objects import object_digest

CELL = '''
LIMIT = 3

def helper(text):
    """Say something."""
    return text[:LIMIT]

class Cell:
    weight = 2.0

    def predict(self, text, power=1):
        return {helper(text) for _ in (1, 2)}, self.inner(text)

    @staticmethod
    def inner(text):
        return [word for word in text.split() if word in {"a", "b"}]
'''


def digest_of(cell, file="<ipython-input-1>"):
    names = {"__name__": "__main__"}
    exec(compile(cell, file, "exec"), names)
    return object_digest(names["Cell"])


def test_a_cell_that_is_run_again_elsewhere_has_the_same_digest():
    assert digest_of(CELL) == digest_of("\n\n# moved\n" + CELL, "<ipython-input-7>")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("text[:LIMIT]", "text[:LIMIT].lower()"),
        ("LIMIT = 3", "LIMIT = 4"),
        ("weight = 2.0", "weight = 2.5"),
        ("power=1", "power=2"),
        ('"a", "b"', '"a", "c"'),
        ("(1, 2)", "(1, 3)"),
    ],
)
def test_a_change_of_what_the_class_reaches_changes_the_digest(old, new):
    assert old in CELL
    assert digest_of(CELL) != digest_of(CELL.replace(old, new))
