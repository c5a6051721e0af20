"""Let every check look at a check_input; one that fails is named, and the others finish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.tasks.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.training.check_input import Check, CheckInput

ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What all checks saw."""

    findings: tuple[tuple[Finding, str], ...]
    """Each with the name of its check, the worst first."""
    problems: tuple[str, ...] = ()
    """A sentence for each check that could not finish."""


def run_checks(
    check_input: CheckInput, checks: Mapping[str, Check], origin: Callable[[str], str] | None = None
) -> CheckReport:
    """Let all checks look; findings that a check had before it failed are kept.

    origin: from a check's name to its plugin's, for problems.
    """
    findings: list[tuple[Finding, str]] = []
    problems = []
    for name, check in checks.items():
        who = f"plugin {origin(name)}: check {name!r}" if origin else f"check {name!r}"
        try:
            for found in check.look(check_input):
                if problem := _unusable(found):
                    problems.append(f"{who} answers {problem}")
                else:
                    findings.append((found, name))
        except HarnessError as error:
            hint = f" ({error.hint})" if error.hint else ""
            problems.append(f"{who} could not finish on {check_input.path}: {error.message}{hint}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
            problems.append(f"{who} raised on {check_input.path}: {type(error).__name__}: {error}")
    findings.sort(key=lambda found: ORDER.index(Severity(found[0].severity)))
    return CheckReport(tuple(findings), tuple(problems))


def collect(check_input: CheckInput, checks: Mapping[str, Check]) -> list[Finding]:
    """Return the findings of all checks, the worst first; raises HarnessError where one could not finish."""
    looked = run_checks(check_input, checks)
    if looked.problems:
        raise HarnessError(
            "not everything could be checked",
            exists="\n".join(looked.problems),
            hint="HARNESS_PLUGINS lists the plugins to load, without one that is broken",
        )
    return [finding for finding, _ in looked.findings]


def stop_on_errors(findings: Sequence[Finding], allowed: Sequence[str] = ()) -> None:
    """Raise one HarnessError that lists every error whose code is not allowed, with its remedy."""
    errors = [one for one in findings if one.severity is Severity.ERROR and one.code not in allowed]
    if errors:
        lines = [line for one in errors for line in (f"{one.code}: {one.evidence}", f"  → {one.remedy}")]
        codes = dict.fromkeys(one.code for one in errors)
        raise HarnessError(
            "one thing is wrong" if len(errors) == 1 else f"{len(errors)} things are wrong",
            exists="\n".join(line for line in lines if line.strip() != "→"),
            hint=f"to go on in spite of it: {' '.join(f'--allow {code}' for code in codes)}",
        )


def missing_inputs(check_input: CheckInput) -> list[str]:
    """Say what checks had no material for, and what would give it."""
    return list(_lacking(check_input))


def _lacking(check_input: CheckInput) -> Iterator[str]:
    rows, whole = check_input.rows, check_input.rows is not None and check_input.rows.complete
    if rows is None and (check_input.what != "model" or check_input.trained):
        yield "training rows (--data DIR or FILE)"
    elif rows is not None and not whole:
        yield f"training rows but the {len(rows)} that the card shows (--data FILE)"
    if check_input.trained and not check_input.log:
        yield "the course of the training (no log)"
    if (whole or check_input.lineage) and check_input.datasets is None:
        yield "overlap with tests (--tasks NAMES --data DIR)"
    if (whole or (check_input.model is not None and check_input.trained)) and check_input.base is None:
        yield "what its base makes of the texts (--base MODEL)"
    if check_input.what == "card":
        yield "embeddings (name the model's folder)"
    if check_input.claims and check_input.model is not None and not check_input.verify:
        yield "whether claims are true (--verify --data DIR)"


def _unusable(found: object) -> str | None:
    """Say why an answer is no finding; None when it is one."""
    if not isinstance(found, Finding):
        return f"{str(found)[:80]!r}, which is no Finding"
    if found.severity not in list(Severity):
        return f"a Finding whose severity is {found.severity!r}, not one of {', '.join(Severity)}"
    if (
        not all(isinstance(text, str) for text in (found.code, found.evidence, found.remedy))
        or not found.code
    ):
        return "a Finding whose code, evidence or remedy is no text"
    return None
