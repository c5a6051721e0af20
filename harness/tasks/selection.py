"""Selection of tasks by names, tags, prefixes and suites, as in `--tasks` and `--exclude`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import Faults, HarnessError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.tasks.interface import Task, TaskScheme


@dataclass(frozen=True, slots=True)
class SelectedTask:
    """A selected task, and whether its own name selected it."""

    task: Task
    by_name: bool


def split_words(values: Sequence[str]) -> list[str]:
    """Return the words of several values, each of which may be several words with commas between them."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def select_tasks(
    wanted: Sequence[str],
    tasks: Mapping[str, Task],
    schemes: Mapping[str, TaskScheme],
    exclude: Sequence[str] = (),
    suites: Mapping[str, Sequence[str]] | None = None,
    faults: Faults | None = None,
) -> list[SelectedTask]:
    """Return the tasks of names, tags, prefixes (`mteb:NAME`) and suites, without those of `exclude`.

    suites: name → its tasks, each of which counts as selected by its own name.
    faults: takes the error of words that select nothing, and the other words select.
    Each task is returned once, sorted by name; order and repetition of the words do not count.
    Raises HarnessError that names every word that selects nothing, without `faults`; and where there are no
    words, or all tasks are excluded.
    """
    suites, found = suites or {}, Faults()
    if not wanted:
        raise HarnessError("no tasks", exists=_known_names(tasks, suites), hint="--tasks sts,legal")
    with found.collect():
        _check_known([*wanted, *exclude], tasks, schemes, suites)
    wanted, exclude = (
        [task for word in words for task in suites.get(word, (word,))] for words in (wanted, exclude)
    )
    excluded = {name for word in exclude for name in _matching_names(word, tasks)} | set(exclude)
    chosen: dict[str, SelectedTask] = {}
    for word in wanted:
        prefix, colon, rest = word.partition(":")
        if colon and prefix in schemes and word not in tasks:
            matches, by_name = {}, True
            with found.collect():
                matches = {word: schemes[prefix].resolve(rest)}
        else:
            matches, by_name = {name: tasks[name] for name in _matching_names(word, tasks)}, word in tasks
        for name, task in matches.items():
            if name not in excluded:
                chosen[name] = SelectedTask(task, by_name or (name in chosen and chosen[name].by_name))
    if faults is None:
        found.refuse()
    else:
        faults.found += found.found
    if not chosen and not found.found:
        raise HarnessError("no tasks left: --exclude excludes all tasks that --tasks selects")
    return [chosen[name] for name in sorted(chosen)]


def tags_of(tasks: Mapping[str, Task]) -> dict[str, list[str]]:
    """Return every tag with the names of its tasks."""
    tags: dict[str, list[str]] = {}
    for name, task in sorted(tasks.items()):
        for tag in task.tags:
            tags.setdefault(tag, []).append(name)
    return dict(sorted(tags.items()))


def find_ambiguous_names(tasks: Mapping[str, Task]) -> dict[str, list[str]]:
    """Return the names of tasks that are also a tag of other tasks, with those others."""
    tags = tags_of(tasks)
    same_tag = {name: [other for other in tags.get(name, []) if other != name] for name in tasks}
    return {name: others for name, others in same_tag.items() if others}


def name_error(name: str) -> str | None:
    """Return why a word after `--tasks` cannot select a task of this name; None if it can."""
    if not name:
        return "is empty"
    if name != name.strip():
        return "begins or ends with white space"
    return "holds a comma" if "," in name else None


def _matching_names(word: str, tasks: Mapping[str, Task]) -> list[str]:
    """Return the names that a word selects: the task of that name, else the tasks with that tag."""
    return [word] if word in tasks else [name for name, task in tasks.items() if word in task.tags]


def _check_known(
    words: Sequence[str],
    tasks: Mapping[str, Task],
    schemes: Mapping[str, TaskScheme],
    suites: Mapping[str, Sequence[str]],
) -> None:
    def is_unknown(word: str) -> bool:
        return not _matching_names(word, tasks) and not (":" in word and word.partition(":")[0] in schemes)

    unknown = {repr(word): word for word in words if word not in suites and is_unknown(word)}
    for suite in dict.fromkeys(word for word in words if word in suites):
        unknown |= {f"{task!r} (of suite {suite})": task for task in suites[suite] if is_unknown(task)}
    if not unknown:
        return
    known = [*tasks, *tags_of(tasks), *suites]
    alike = dict.fromkeys(match for word in unknown.values() for match in nearest(word, known, most=2))
    exists = [f"did you mean: {', '.join(alike)}"] if alike else []
    groups = ", tag or suite" if suites else " or tag"
    raise HarnessError(
        f"no task{groups} named {', '.join(unknown)}",
        exists="\n".join([*exists, _known_names(tasks, suites)]),
        hint="`harness list tasks` shows where each comes from",
    )


def _known_names(tasks: Mapping[str, Task], suites: Mapping[str, Sequence[str]]) -> str:
    shown = [f"tasks: {', '.join(sorted(tasks))}", f"tags: {', '.join(tags_of(tasks))}"]
    return "\n".join([*shown, *([f"suites: {', '.join(sorted(suites))}"] if suites else [])])
