"""Hashes of code: equal for equal meaning, over all code that is reached."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from importlib import machinery
from pathlib import Path

import pytest

from harness.system.code_hash import walk
from harness.system.code_hash.form import COMPUTED, Import, form_of
from harness.system.code_hash.walk import plugin_boundary, reachable_code

EVERY_SYNTAX = Path(__file__).parent / "every_syntax.txt"
MEANING = "d8d1bbb7ce87dfb4bf7ce17d1474cd6ee3d018a1fcde8cf941e077881c435197"
"""Of all syntax that Python 3.11 parses. Where this changes, every stored result becomes stale."""


def meaning(source: str) -> str:
    return form_of(source.encode()).digest


def test_the_form_is_the_committed_one_on_every_version_of_python():
    assert form_of(EVERY_SYNTAX.read_bytes()).digest == MEANING


def test_a_source_printed_by_python_itself_has_the_same_form():
    tree = ast.parse(EVERY_SYNTAX.read_bytes())
    printed = ast.unparse(tree)
    assert "# -*- coding" not in printed
    assert meaning(printed) == MEANING


def test_every_statement_of_the_fixture_counts():
    tree = ast.parse(EVERY_SYNTAX.read_bytes())
    docstring, *statements = tree.body
    for statement in statements:
        tree.body = [docstring, *(other for other in statements if other is not statement)]
        assert meaning(ast.unparse(tree)) != MEANING, ast.unparse(statement)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("x = 1", "# one\nx = 1  # two", id="a comment"),
        pytest.param("x = 1", "\n\n\nx = 1\n\n", id="blank lines"),
        pytest.param("def f():\n    return 1", "def f():\n  return 1", id="indentation"),
        pytest.param("x = 'a'", 'x = "a"', id="quotes"),
        pytest.param("x = 'ab'", "x = ('a'\n     'b')", id="a text in two parts"),
        pytest.param("x = 1 + 2 * 3", "x = (1 + (2 * 3))", id="parentheses"),
        pytest.param("x = 1000", "x = 1_000", id="underscores in numbers"),
        pytest.param("x = 255", "x = 0xff", id="a number in another base"),
        pytest.param("f(1, 2)", "f(\n    1,\n    2,\n)", id="line breaks and a last comma"),
        pytest.param("x = 1; y = 2", "x = 1\ny = 2", id="semicolons"),
        pytest.param("if a: b()\nelif c: d()", "if a: b()\nelse:\n    if c: d()", id="elif"),
        pytest.param("def f(): pass", 'def f():\n    """Say it."""', id="a docstring in place of pass"),
        pytest.param("def f(): ...", "def f(): pass", id="an ellipsis as a body"),
        pytest.param('class A:\n  "a"\n  x = 1', 'class A:\n  "b"\n  x = 1\n  "What x is."', id="docstrings"),
        pytest.param("import a\nimport b", "import b\nimport a", id="order of imports"),
        pytest.param("import a, b", "import a\nimport b", id="import of two"),
        pytest.param("from m import a, b", "from m import b\nfrom m import a", id="from-import of two"),
        pytest.param("import a as a", "import a", id="an alias that is none"),
        pytest.param("import a\nimport a", "import a", id="an import that is written twice"),
        pytest.param(
            "import a",
            "from typing import TYPE_CHECKING\nimport a\nif TYPE_CHECKING:\n    from b import c",
            id="an import for the type checker",
        ),
        pytest.param(
            "import typing\nimport a\nx = 1",
            "import typing\nimport a\nif typing.TYPE_CHECKING:\n    y: int\nelse:\n    x = 1",
            id="what runs when types are not checked",
        ),
        pytest.param(
            "if not TYPE_CHECKING:\n    x = 1\nelse:\n    import b", "x = 1", id="if not TYPE_CHECKING"
        ),
        pytest.param("x = f'{a}' 'b'", "x = f'{a}b'", id="an f-string in two parts"),
        pytest.param("x = f'{a:}'", "x = f'{a}'", id="an empty format"),
        pytest.param("x = u'a'", "x = 'a'", id="u before a text"),
    ],
)
def test_another_spelling_has_the_same_hash(before, after):
    assert before != after
    assert meaning(before) == meaning(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("x = 1", "x = 2", id="a number"),
        pytest.param("x = 1", "x = 1.0", id="the type of a number"),
        pytest.param("x = 1", "x = True", id="a truth value for a number"),
        pytest.param("x = 'a'", "x = b'a'", id="bytes"),
        pytest.param("x = ''", "x = f'{a}'", id="an f-string"),
        pytest.param("return_ = f''", "return_: str", id="an empty f-string is a value"),
        pytest.param("def f(): return", "def f(): return f''", id="what is returned"),
        pytest.param("x = 0.0", "x = -0.0", id="a sign"),
        pytest.param("x = a < b", "x = a <= b", id="an operator"),
        pytest.param("x = a - (b - c)", "x = a - b - c", id="parentheses that matter"),
        pytest.param("def f(a=1): pass", "def f(a=2): pass", id="a default"),
        pytest.param("def f(a, b): pass", "def f(a, *, b): pass", id="a keyword-only parameter"),
        pytest.param("def f(): pass", "@cache\ndef f(): pass", id="a decorator"),
        pytest.param("def f(): pass", "async def f(): pass", id="async"),
        pytest.param("class A: x: int", "class A: x: float", id="a type hint"),
        pytest.param("x = {**a, 1: 2}", "x = {1: 2, **a}", id="order of a dict"),
        pytest.param("x = f'{a!r}'", "x = f'{a}'", id="a conversion"),
        pytest.param("x = f'{a:.2f}'", "x = f'{a:.3f}'", id="a format"),
        pytest.param("from a import x", "from b import x", id="where a name is from"),
        pytest.param("from a import x", "from .a import x", id="a relative import"),
        pytest.param("from a import x", "from a import y as x", id="what a name stands for"),
        pytest.param(
            "from a import x\nfrom b import x", "from b import x\nfrom a import x", id="which import wins"
        ),
        pytest.param(
            "from a import *\nfrom b import *", "from b import *\nfrom a import *", id="which star wins"
        ),
        pytest.param("import a\nf()\nimport b", "import a\nimport b\nf()", id="an import after a call"),
        pytest.param("x()\ny()", "y()\nx()", id="order of statements"),
        pytest.param(
            '"""a"""\nprompt = __doc__', '"""b"""\nprompt = __doc__', id="a docstring that the module reads"
        ),
        pytest.param(
            "TYPE_CHECKING = True\nif TYPE_CHECKING:\n    x = 1",
            "TYPE_CHECKING = True\nif TYPE_CHECKING:\n    x = 2",
            id="a block that is not only for the type checker",
        ),
        pytest.param(
            "match a:\n  case None: pass", "match a:\n  case True: pass", id="a constant of a pattern"
        ),
        pytest.param("try: a()\nexcept E: pass", "try: a()\nexcept* E: pass", id="except*"),
        pytest.param("x = [a]", "x = [*a]", id="a star"),
        pytest.param("def broken(:", "def broken( :", id="what cannot be parsed counts by its bytes"),
        *(
            pytest.param(f"{head}if TYPE_CHECKING: x = 1", f"{head}if TYPE_CHECKING: x = 2", id=what)
            for head, what in [
                ("from flags import TYPE_CHECKING\n", "a constant of another module"),
                ("from flags import *\n", "a constant among all names"),
                ("from flags import DEBUG as TYPE_CHECKING\n", "a constant under that name"),
                ("class TYPE_CHECKING: pass\n", "a class of that name"),
                ("globals()['TYPE_CHECKING'] = True\n", "a global by its name"),
            ]
        ),
        pytest.param(
            "def f(TYPE_CHECKING=1):\n if TYPE_CHECKING: return 1",
            "def f(TYPE_CHECKING=1):\n if TYPE_CHECKING: return 2",
            id="a parameter",
        ),
    ],
)
def test_another_computation_has_another_hash(before, after):
    assert meaning(before) != meaning(after)


def test_a_tree_deeper_than_python_s_stack_is_hashed():
    deep = "x = " + " + ".join(["1"] * 900)
    assert meaning(deep) == meaning(deep.replace(" + ", "+"))
    assert meaning(deep) != meaning(deep.replace("1 + 1", "1 + 2", 1))


def test_imports_are_found_wherever_they_are_written():
    source = """
from typing import TYPE_CHECKING
import a.b as c, d
from . import e
from ..f import g as h
if TYPE_CHECKING:
    import never
def late():
    try:
        from i import *
    except ImportError:
        lazy = importlib.import_module("j.k"), import_module(".l", __package__), import_module(name)
"""
    assert set(form_of(source.encode()).imports) == {
        Import(0, "a.b"),
        Import(0, "d"),
        Import(1, "", "e"),
        Import(2, "f", "g"),
        Import(0, "i", "*"),
        Import(0, "j.k"),
        Import(1, "l"),
        COMPUTED,
    }


# --- what is reached ------------------------------------------------------------------------------------


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Write modules onto the path: name → source."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(walk, "_distributions", walk._distributions.__wrapped__)
    monkeypatch.setattr(walk, "_has_distributions", walk._has_distributions.__wrapped__)

    def writing(**sources):
        for name, source in sources.items():
            path = tmp_path / f"{name.replace('__dot__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return tmp_path

    return writing


def install(site, name, version, package):
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{package}/__init__.py,,\n{name}-{version}.dist-info/METADATA,,\n")
    return info


def names(*roots, left_out=()):
    return list(reachable_code(roots, plugin_boundary(roots, left_out)))


@pytest.mark.parametrize(
    "source",
    [
        "from importlib import import_module\nx = import_module('.sub', 'pkg')",
        "from importlib import import_module as load\nx = load(name='pkg.sub')",
        "from importlib import import_module\nx = import_module('.sub', package='pkg')",
        "from pkg import *",
    ],
)
def test_a_submodule_counts_however_its_name_is_given(modules, source):
    modules(user=source, pkg__dot____init__="__all__ = ['sub']", pkg__dot__sub="LIMIT = 1")
    assert "pkg.sub" in names("user")


@pytest.mark.parametrize(
    "source",
    [
        "import importlib.util as u\nx = u.spec_from_file_location('near', 'near.py')",
        "import runpy\nx = runpy.run_path('near.py')",
        "import importlib\nx = importlib.import_module('ne' + 'ar')",
    ],
)
def test_a_file_that_loads_by_path_or_a_computed_name_counts_with_its_neighbors(modules, source):
    modules(user=source, near="LIMIT = 1")
    assert "near" in names("user")


def test_a_file_with_the_name_of_a_library_counts(modules):
    modules(user="import tokenizers_of_ours", tokenizers_of_ours="LIMIT = 1")
    assert "tokenizers_of_ours" in names("user", left_out={"tokenizers_of_ours"})


def test_a_docstring_that_another_module_reads_counts(modules):
    def read():
        return reachable_code(["user"], plugin_boundary(["user"], ()))["asked"]

    modules(user="import asked\nprompt = asked.__doc__", asked='"""Find this."""')
    before = read()
    modules(asked='"""Find that."""')
    assert read() != before
    modules(asked='"""  Find this.  """')
    assert read() == before


def test_a_module_in_an_archive_counts_by_the_archive(modules, tmp_path, monkeypatch):
    import zipfile

    def read(content):
        with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
            archive.writestr("zipped_here.py", content)
        return reachable_code(["user"], plugin_boundary(["user"], ()))["zipped_here"]

    monkeypatch.syspath_prepend(tmp_path / "lib.zip")
    modules(user="import zipped_here")
    assert read("LIMIT = 1") != read("LIMIT = 2")


def test_modules_reached_indirectly_and_in_circles_are_found_once(modules):
    modules(one="import two", two="import three", three="def late():\n    import one")
    assert names("one") == ["one", "three", "two"]


def test_parent_packages_and_imported_submodules_count(modules):
    modules(
        user="from pkg.sub import part, not_a_module",
        pkg__dot____init__="import other",
        pkg__dot__sub__dot____init__="not_a_module = 1",
        pkg__dot__sub__dot__part="from .. import near",
        pkg__dot__near="from .sub.part import something",
        other="",
    )
    assert names("user") == ["other", "pkg", "pkg.near", "pkg.sub", "pkg.sub.part", "user"]


def test_nothing_is_executed(modules, tmp_path):
    harmful = f"import pathlib\npathlib.Path({str(tmp_path)!r}, 'ran').touch()\n"
    modules(user="import pkg.bad", pkg__dot____init__=harmful, pkg__dot__bad=harmful)
    assert names("user") == ["pkg", "pkg.bad", "user"]
    assert not (tmp_path / "ran").exists()
    assert "pkg" not in sys.modules


def test_a_missing_module_counts_by_a_word_and_a_compiled_one_by_its_bytes(modules):
    root = modules(user="import nowhere.sub\nimport space.inner\nimport compiled")
    (root / "space" / "inner").mkdir(parents=True)
    binary = root / f"compiled{machinery.EXTENSION_SUFFIXES[0]}"
    binary.write_bytes(b"\x7fELF one")
    found = reachable_code(["user"], plugin_boundary(["user"], ()))
    assert (found["nowhere"], found["nowhere.sub"], found["space"]) == ("missing", "missing", "namespace")
    binary.write_bytes(b"\x7fELF two")
    again = reachable_code(["user"], plugin_boundary(["user"], ()))
    assert [name for name in found if found[name] != again[name]] == ["compiled"]


def test_a_missing_module_counts_once_it_is_there(modules):
    modules(user="try:\n    import fast_part\nexcept ImportError:\n    pass")
    before = reachable_code(["user"], plugin_boundary(["user"], ()))
    modules(fast_part="")
    importlib.invalidate_caches()
    assert (
        before["fast_part"]
        == "missing"
        != reachable_code(["user"], plugin_boundary(["user"], ()))["fast_part"]
    )


def test_the_standard_library_and_excluded_packages_are_not_followed(modules):
    modules(user="import json, os.path, numpy.linalg, harness\nfrom xml.dom import minidom")
    assert names("user", left_out={"numpy", "harness"}) == ["user"]


def test_a_file_next_to_the_plugin_that_has_a_standard_module_s_name_counts(modules, monkeypatch):
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    modules(user="import wave", wave="")
    assert names("user") == ["user", "wave"]


def test_an_import_of_a_computed_name_reaches_the_whole_package_of_a_plugin(modules):
    modules(
        pkg__dot____init__="import importlib\n\n\ndef load(name):\n    importlib.import_module(name)\n",
        pkg__dot__part="",
        pkg__dot__sub__dot____init__="",
        pkg__dot__sub__dot__deep="",
        user="import pkg",
    )
    assert names("user") == ["pkg", "pkg.part", "pkg.sub", "pkg.sub.deep", "user"]
    assert list(reachable_code(["user"], plugin_boundary(["user"], ()), computed=False)) == ["pkg", "user"]


def test_another_distribution_counts_by_name_and_version_wherever_it_is_imported(
    modules, tmp_path, monkeypatch
):
    site = tmp_path / "site"
    (site / "topiclib" / "deep").mkdir(parents=True)
    (site / "topiclib" / "__init__.py").write_text("import something_it_needs")
    (site / "topiclib" / "deep" / "__init__.py").write_text("")
    (site / "stray.py").write_text("")
    install(site, "topics", "1.0", "topiclib")
    monkeypatch.syspath_prepend(site)
    modules(user="def f():\n    from topiclib.deep import part\nimport stray")
    found = reachable_code(["user"], plugin_boundary(["user"], ()))
    assert list(found) == ["distribution topics", "stray", "user"]
    assert found["distribution topics"] == "1.0"


def test_the_other_packages_of_an_installed_plugin_s_own_distribution_count_by_content(
    tmp_path, modules, monkeypatch
):
    site = tmp_path / "site"
    for package, source in (("mine", "import mine_too"), ("mine_too", "")):
        (site / package).mkdir(parents=True)
        (site / package / "__init__.py").write_text(source)
    record = install(site, "mine", "1.0", "mine") / "RECORD"
    record.write_text(record.read_text() + "mine_too/__init__.py,,\n")
    monkeypatch.syspath_prepend(site)
    modules()
    assert names("mine") == ["mine", "mine_too"]


def test_a_module_next_to_the_file_that_imports_it_is_found_though_it_is_not_on_the_path(
    tmp_path, monkeypatch
):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "user_of_near.py").write_text("import near_module")
    (tmp_path / "elsewhere" / "near_module.py").write_text("import near_too")
    (tmp_path / "elsewhere" / "near_too.py").write_text("")
    with monkeypatch.context() as patched:
        patched.syspath_prepend(tmp_path / "elsewhere")
        __import__("user_of_near")
    monkeypatch.delitem(sys.modules, "near_module")
    monkeypatch.delitem(sys.modules, "near_too")
    assert names("user_of_near") == ["near_module", "near_too", "user_of_near"]
    monkeypatch.delitem(sys.modules, "user_of_near")


def test_distributions_are_not_read_if_no_code_is_installed(modules, monkeypatch):
    def never():
        raise AssertionError("it takes a tenth of a second")

    monkeypatch.setattr(walk, "_distributions", never)
    modules(user="import helper_here", helper_here="")
    assert names("user") == ["helper_here", "user"]


def test_it_imports_nothing_but_the_standard_library():
    script = "import sys, harness.system.code_hash.walk as w\n"
    script += "print({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    found = subprocess.run([sys.executable, "-Sc", script], capture_output=True, text=True)
    assert set(eval(found.stdout)) <= {"harness", "__main__", "sitecustomize"}, found.stderr
