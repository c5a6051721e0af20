"""The front matter of a model's or dataset's card: YAML of strangers, read in linear time and memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped] # PyYAML has no annotations

from harness.errors import HarnessError
from harness.system.limits import CARD, DEPTH, VALUES, check_nesting

if TYPE_CHECKING:
    from collections.abc import Callable


_FRONT = re.compile(r"\s*---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|$)", re.DOTALL | re.MULTILINE)


def cut_front_matter(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Split a card into its front matter and its body; an empty table where it has no front matter.

    Raises HarnessError for invalid YAML, a value that is not a table, a merge key, or an exceeded limit.
    """
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    # PyYAML takes the square of their number for brackets within brackets, before it finds them too deep.
    if re.search(rf"(?:[\[{{]\s*){{{DEPTH.most + 1}}}", match[1]):
        raise DEPTH.exceeded(where)
    front = _read(match[1], where)
    check_nesting(front, where)
    if not isinstance(front, dict | None):
        raise HarnessError(f"{where}: its front matter is not a table of keys and values")
    return front or {}, text[match.end() :]


def with_front_value(text: str, key: str, value: Any, where: str) -> str:  # noqa: ANN401 - any plain data
    """Return a card whose front matter has this value; the same text where it has it already.

    All other lines stay as they are, comments too; where that cannot be (`{a: b}` in place of lines), the
    whole front matter is written anew. A card without front matter gets one.
    Raises HarnessError as `cut_front_matter` does.
    """
    front, _ = cut_front_matter(text, where)
    line_break = "\r\n" if "\r\n" in text else "\n"
    wanted = _dump({**front, key: value}, line_break)
    if key in front and _dump(front, line_break) == wanted:
        return text
    block = _dump({key: value}, line_break)
    match = _FRONT.match(text)
    if match is None:
        return f"---{line_break}{block}---{line_break}{text}"
    start, end = match.span(1)
    first, last = _lines_of(match[1], key)
    spliced = f"{text[: start + first]}{block}{text[start + last :]}"
    try:
        if _dump(cut_front_matter(spliced, where)[0], line_break) == wanted:
            return spliced
    except HarnessError:
        pass
    return f"{text[:start]}{wanted}{text[end:]}"


def _dump(value: dict[str, Any], line_break: str) -> str:
    from huggingface_hub.utils import yaml_dump  # type: ignore[attr-defined] # public, not re-exported

    return str(yaml_dump(value, sort_keys=False, line_break=line_break))


def _lines_of(front: str, key: str) -> tuple[int, int]:
    """Return where the lines of a key begin and end in valid YAML; the end of the text where it has none."""
    root = yaml.compose(front, yaml.SafeLoader)
    for name, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if name.value == key:
            last = value
            # The end of a list in lines is where the next token is: comments may lie between.
            while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
                last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
            rest = front.find("\n", last.end_mark.index)
            ended = front[: last.end_mark.index].endswith("\n")
            end = last.end_mark.index if ended else rest + 1 if rest >= 0 else len(front)
            return name.start_mark.index, end
    return len(front), len(front)


def _read(text: str, where: str) -> Any:  # noqa: ANN401 - YAML
    try:
        return _Loader(text, where).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 2}" if error.problem_mark else ""
        raise HarnessError(f"{where}: its front matter is not YAML{line}: {error.problem}") from error
    except RecursionError as error:
        raise DEPTH.exceeded(where) from error
    # The last three: PyYAML's own for `!!timestamp x`, `!!int ''` and `!!bool x`.
    except (yaml.YAMLError, ValueError, AttributeError, LookupError) as error:
        raise HarnessError(f"{where}: its front matter is not YAML: {error}") from error


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no annotations
    """PyYAML's safe loader, protected against values that grow exponentially and quadratic time.

    An alias counts as if its value were written out: it is shared and takes no memory here, but code that
    reads the front matter visits it once per alias.
    """

    def __init__(self, text: str, where: str) -> None:
        super().__init__(text)
        self._where = where
        self._outer = self._characters = 0
        self._counted: dict[str, tuple[int, int]] = {}
        """Anchor → number of lists and tables, and of characters, in its value; absent while it is read."""

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - PyYAML's
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in self.anchors:
                self._count(*self._repeated(event.anchor))
            return super().compose_node(parent, index)
        before = self._outer, self._characters
        if isinstance(event, yaml.ScalarEvent):
            self._count(0, len(event.value) + 1)
        else:
            self._count(1, 0)
        node = super().compose_node(parent, index)
        if event.anchor is not None:
            self._counted[event.anchor] = self._outer - before[0], self._characters - before[1]
        return node

    def flatten_mapping(self, node: Any) -> None:  # noqa: ANN401 - PyYAML's
        """Refuse merge keys, which copy tables into tables; generated cards do not have them."""
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(problem="a merge key is not read", problem_mark=key.start_mark)
        super().flatten_mapping(node)

    def _repeated(self, anchor: str) -> tuple[int, int]:
        if anchor not in self._counted:
            raise DEPTH.exceeded(self._where)  # its value contains itself
        return self._counted[anchor]

    def _count(self, outer: int, characters: int) -> None:
        self._outer += outer
        self._characters += characters
        VALUES.check(self._outer, self._where)
        CARD.check(self._characters, f"{self._where}, its aliases written out")


def _not_base_60(read: Callable[[_Loader, Any], Any]) -> Callable[[_Loader, Any], Any]:
    """Read numbers, except those of YAML 1.1 in base 60 such as 1:30, which stay texts as in YAML 1.2."""

    def construct(loader: _Loader, node: Any) -> Any:  # noqa: ANN401 - PyYAML's
        text = loader.construct_scalar(node)
        return text if ":" in text else read(loader, node)

    return construct


_Loader.add_constructor("tag:yaml.org,2002:int", _not_base_60(yaml.SafeLoader.construct_yaml_int))
_Loader.add_constructor("tag:yaml.org,2002:float", _not_base_60(yaml.SafeLoader.construct_yaml_float))
