"""Audits as Dagster's asset checks, with a table of every expectation that people can read."""

from collections.abc import Sequence

import dagster as dg

from flutter_pipeline.adapters.expectations import Audit, Finding
from flutter_pipeline.contracts.table import Expectation, Table


def promised(table: Table | None, expectations: Sequence[Expectation]) -> str:
    """What is checked, as a list of sentences; a warning is told as one."""
    asked = table.expectations if table is not None else expectations
    columns = ["every column is there, of its type, and complete"] if table is not None else []
    sentences = [one.sentence + " (else a warning)" * (one.severity == "warning") for one in asked]
    listed = "".join(f"\n- {sentence}" for sentence in [*columns, *sentences])
    return (
        f"Before anybody can read it:{listed}\n\nAfter a failure that is no warning the last good "
        "version stays."
    )


def to_check_result(audit: Audit, check_name: str) -> dg.AssetCheckResult:
    """ERROR where a critical expectation failed; WARN where only warnings did."""
    blocking = audit.blocking_failures
    failed = [*blocking, *audit.warnings]
    return dg.AssetCheckResult(
        passed=audit.passed,
        check_name=check_name,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        description="; ".join(_told(finding) for finding in failed)
        or f"all {len(audit.rows)} expectations hold",
        metadata={
            "expectations": dg.MetadataValue.table([_row(row) for row in audit.rows]),
            "checked": len(audit.rows),
            "failed": len(failed),
            "failed_critical": len(blocking),
        },
    )


def _row(finding: Finding) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "expectation": finding.sentence,
            "holds": finding.passed,
            "severity": finding.severity,
            "column": finding.column,
            "unexpected": finding.unexpected,
            "examples": " | ".join(finding.examples),
        }
    )


def _told(finding: Finding) -> str:
    """What was expected and does not hold, with the fact that was found or a first example."""
    if finding.fact:
        return f"not so: {finding.sentence} (found {finding.fact})"
    number = f"{finding.unexpected} do not" if finding.unexpected else "not so"
    example = (
        f", such as {finding.examples[0]!r}" if finding.unexpected and finding.examples else ""
    )
    found = f" ({finding.examples[0]})" if not finding.unexpected and finding.examples else ""
    return f"{finding.sentence}: {number}{example}{found}"
