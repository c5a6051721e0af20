"""Run all checks on an input; a check that fails is reported, and the others finish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.finding import Finding, Severity, finding_fault
from harness.render import with_article
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.system.source_place import file_of, place_of_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.training.check_input import Check, CheckInput

ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
"""Severities, the most severe first."""
_MOST = 10_000
"""Maximum findings of one check: a generator may have no end."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The findings of all checks."""

    findings: tuple[tuple[Finding, str], ...]
    """Findings with the names of their checks, the most severe first."""
    problems: tuple[str, ...] = ()
    """A sentence for each check that could not finish."""


def run_checks(
    check_input: CheckInput, checks: Mapping[str, Check], origin: Callable[[str], str] | None = None
) -> CheckReport:
    """Run all checks; findings that a check returned before it failed are kept.

    A card with several training datasets is checked as a whole, and then each dataset by itself.
    origin: name of a check → name of its plugin, for problems.
    """
    inputs = [("", check_input)]
    inputs += [(f"Dataset {part.name or 'without a name'}: ", part) for part in check_input.parts]
    reports = [_run_checks(part, checks, origin, prefix) for prefix, part in inputs]
    findings = [found for report in reports for found in report.findings]
    findings.sort(key=lambda item: ORDER.index(Severity(item[0].severity)))
    return CheckReport(
        tuple(findings), tuple(dict.fromkeys(problem for report in reports for problem in report.problems))
    )


def _run_checks(
    check_input: CheckInput,
    checks: Mapping[str, Check],
    origin: Callable[[str], str] | None,
    prefix: str = "",
) -> CheckReport:
    """Run all checks on one input, with a prefix for the evidence of what they find."""
    findings: list[tuple[Finding, str]] = []
    problems = []
    for name, check in checks.items():
        label = f"plugin {origin(name)}: check {name!r}" if origin else f"check {name!r}"
        try:
            with plugin_code():
                for finding in _findings(check, check_input):
                    if problem := finding_fault(finding):
                        problems.append(f"{label} returned {problem}")
                    else:
                        found = (
                            replace(finding, evidence=f"{prefix}{finding.evidence}") if prefix else finding
                        )
                        findings.append((found, name))
        except HarnessError as error:
            hint = f" ({error.hint})" if error.hint else ""
            problems.append(f"{label} could not finish on {check_input.path}: {error.message}{hint}")
        except Exception as error:  # noqa: BLE001 - third-party code may raise anything
            place = place_of_error(raised_by(error), file_of(check.look))
            where = f" ({place})" if place else ""
            problems.append(f"{label} raised on {check_input.path}: {error_sentence(error)}{where}")
    return CheckReport(tuple(findings), tuple(problems))


def _findings(check: Check, check_input: CheckInput) -> Iterator[Any]:
    """Yield what a check gives; raises HarnessError for what is no list of findings, or has no end."""
    given: object = check.look(check_input)
    if isinstance(given, str | bytes | Mapping | Finding) or not isinstance(given, Iterable):
        kind = "nothing (None)" if given is None else with_article(type(given).__name__)
        raise HarnessError(f"it returned {kind}: a list of Findings is wanted, empty where nothing is wrong")
    for number, finding in enumerate(given):
        if number == _MOST:
            raise HarnessError(f"it gave more than {_MOST:,} findings: does it end?")
        yield finding


def collect(check_input: CheckInput, checks: Mapping[str, Check]) -> list[Finding]:
    """Return the findings of all checks, the most severe first; raises HarnessError if one did not finish."""
    report = run_checks(check_input, checks)
    if report.problems:
        raise HarnessError(
            "some checks could not finish",
            exists="\n".join(report.problems),
            hint="HARNESS_PLUGINS lists the plugins to load, without one that is broken",
        )
    return [finding for finding, _ in report.findings]


def stop_on_errors(findings: Sequence[Finding], allowed: Sequence[str] = ()) -> None:
    """Raise one HarnessError that lists every error whose code is not allowed, with its remedy."""
    errors = [error for error in findings if error.severity is Severity.ERROR and error.code not in allowed]
    if errors:
        lines = [
            line for error in errors for line in (f"{error.code}: {error.evidence}", f"  → {error.remedy}")
        ]
        codes = dict.fromkeys(error.code for error in errors)
        raise HarnessError(
            "one thing is wrong" if len(errors) == 1 else f"{len(errors)} things are wrong",
            exists="\n".join(line for line in lines if line.strip() != "→"),
            hint=f"to continue anyway: {' '.join(f'--allow {code}' for code in codes)}",
        )


def validate_codes(allowed: Iterable[str], checks: Mapping[str, Check]) -> None:
    """Raise HarnessError for a code that no check returns; nothing where a check does not say its codes."""
    known = sorted({code for check in checks.values() for code in check.codes})
    if all(check.codes for check in checks.values()):
        for code in allowed:
            if code not in known:
                raise HarnessError.unknown("finding (--allow)", code, known)


def missing_inputs(check_input: CheckInput) -> list[str]:
    """Return the inputs that checks did not have, each with the option that gives it."""
    return list(_missing(check_input))


def _missing(check_input: CheckInput) -> Iterator[str]:
    rows, whole = check_input.rows, check_input.rows is not None and check_input.rows.complete
    if check_input.what == "card" and not check_input.trained:
        yield "the training (no training section was found)"
    elif rows is None and (check_input.what != "model" or check_input.trained):
        yield "training rows (--data DIR or FILE)"
    elif rows is not None and not whole:
        yield f"training rows except the {len(rows)} that the card shows (--data FILE)"
    if check_input.trained and not check_input.log:
        yield "the log of the training (there is none)"
    if (whole or check_input.lineage) and check_input.datasets is None:
        yield "overlap with tests (--tasks NAMES --data DIR)"
    if (whole or (check_input.model is not None and check_input.trained)) and check_input.base is None:
        yield "the embeddings of its base (--base MODEL)"
    if check_input.what == "card":
        yield "embeddings (name the model's folder)"
    if check_input.claims and check_input.model is not None and not check_input.verify:
        yield "whether claims are true (--verify --data DIR)"
