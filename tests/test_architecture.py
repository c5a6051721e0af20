"""The structure that docs/architecture.md describes, enforced."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE, PLUGINS = ROOT / "harness", ROOT / "plugins"
PUBLIC = ("harness", "harness.authoring", "harness.training", "harness.testing")
HEAVY = {"torch", "pandas", "sklearn", "scipy", "mteb", "sentence_transformers", "transformers"}
ARCHITECTURE = ROOT / "docs" / "architecture.md"


def floors() -> dict[str, int]:
    """Packages by floor, as the table in docs/architecture.md says: `| 1 | system, render | … |`."""
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.strip(" `"): int(floor) for floor, names in rows for name in names.split(",")}


@cache
def modules() -> dict[str, Path]:
    """Modules by dotted name without `harness.`; a package by its own name. Skeletons are none of ours."""
    paths = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "skeletons" not in path.parents]
    parts = {path.relative_to(PACKAGE).with_suffix("").parts: path for path in paths}
    named = {".".join(part for part in names if part != "__init__"): path for names, path in parts.items()}
    return {name: path for name, path in named.items() if name not in ("", "__main__")}


@cache
def imports(name: str) -> set[str]:
    """Modules of harness that a module imports, anywhere in it, those for the type checker included."""
    known, found = modules(), set()
    for node in ast.walk(ast.parse(known[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {node.module} - {"harness"}
    ours = {one.removeprefix("harness.") for one in found if one.partition(".")[0] == "harness"}
    # A name that is taken from a module is no module.
    return {one if one in known or "." not in one else one.rpartition(".")[0] for one in ours} - {name}


def test_every_package_has_a_floor():
    assert {name.partition(".")[0] for name in modules()} == set(floors())


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_package_imports_only_from_lower_floors(name):
    floor, own = floors(), name.partition(".")[0]
    for other in {other.partition(".")[0] for other in imports(name)} - {own}:
        assert other in floor, f"{name} takes {other} from the list of public names, which is above all"
        assert floor[other] < floor[own], (
            f"{name} (floor {floor[own]}) imports {other} (floor {floor[other]})"
        )


NOT_PARTICIPLES = {"batched", "packed", "exported", "delimited"}
"""The backends' own names, and the name of a kind of text files."""


def test_no_module_is_named_by_a_participle():
    last = {name.rpartition(".")[2] for name in modules()} - NOT_PARTICIPLES
    ends = re.compile(r"([^e]ed|[^e]en|kept|left|made|found|asked)$")
    assert not {name for name in last if ends.search(name)} - {"speed", "seed", "feed"}


def test_no_two_modules_import_each_other_however_long_the_way():
    order = TopologicalSorter({name: imports(name) & set(modules()) for name in modules()})
    order.prepare()  # raises CycleError, with the way


@pytest.mark.parametrize(
    "path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: str(path.relative_to(PLUGINS))
)
def test_our_plugins_import_nothing_of_ours_but_the_public_names(path):
    own = path.relative_to(PLUGINS).parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module in PUBLIC:
                names = importlib.import_module(node.module).__all__
                assert {alias.name for alias in node.names} <= set(names), ast.unparse(node)
            elif node.module.partition(".")[0].startswith("harness"):
                assert node.module.partition(".")[0] == own, ast.unparse(node)
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("harness.") for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("namespace", PUBLIC)
def test_the_public_names_are_exactly_those_that_exist(namespace):
    module = importlib.import_module(namespace)
    assert dir(module) == module.__all__
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018


@pytest.mark.parametrize("namespace", PUBLIC)
def test_the_stub_of_a_namespace_has_its_names(namespace):
    module = importlib.import_module(namespace)
    stub = ast.parse(Path(module.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    names = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert names == set(module.__all__)


def test_a_public_name_is_in_one_namespace():
    names = [name for namespace in PUBLIC for name in importlib.import_module(namespace).__all__]
    assert len(names) == len(set(names))


def test_every_hook_and_every_command_is_in_the_documentation():
    text = "".join(
        path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    )
    hooks = re.findall(
        r"^def (harness_\w+)", (PACKAGE / "plugins" / "hookspecs.py").read_text(), re.MULTILINE
    )
    commands = re.findall(r'^    "(\w+)": "', (PACKAGE / "plugins" / "commands.py").read_text(), re.MULTILINE)
    assert len(hooks) >= 4
    assert len(commands) >= 3
    assert [hook for hook in hooks if hook not in text] == []
    assert [command for command in commands if f"harness {command}" not in text] == []


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        pytest.param(["--help"], {"torch", "numpy", "pandas", "sklearn", "scipy", "mteb"}, id="help"),
        pytest.param(
            ["list", "plugins"], {"torch", "numpy", "pandas", "sklearn", "scipy", "mteb"}, id="plugins"
        ),
        pytest.param(
            ["compare", str(ROOT / "results" / "example"), "--baseline", "lexical"],
            {"torch", "pandas", "sentence_transformers", "transformers", "mteb", "sklearn"},
            id="compare",
        ),
        pytest.param(
            ["leaderboard", str(ROOT / "results" / "example")],
            {"torch", "pandas", "sentence_transformers", "transformers", "mteb", "sklearn"},
            id="leaderboard",
        ),
        *(
            pytest.param(
                [command, str(ROOT / "results" / "example")],
                {"torch", "pandas", "sentence_transformers", "transformers", "mteb", "sklearn"},
                id=command,
            )
            for command in ("status", "verify")
        ),
        pytest.param(["list"], {"torch", "pandas", "sentence_transformers", "mteb", "sklearn"}, id="list"),
    ],
)
def test_commands_that_only_tell_import_nothing_heavy(arguments, heavy):
    script = (
        "import sys, harness.cli\n"
        f"sys.argv = ['harness', *{arguments!r}]\n"
        "try: harness.cli.main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "loaded: []" in found.stderr


@pytest.mark.parametrize(
    "path", sorted([*PACKAGE.rglob("*.py"), *PLUGINS.rglob("*.py")]), ids=lambda path: path.stem
)
def test_no_file_is_too_long_to_be_one_thing(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
