import dagster as dg

from flutter_pipeline.adapters.expectations import Audit, Finding, audit_facts
from flutter_pipeline.defs.asset import at_most
from flutter_pipeline.defs.checks import to_check_result

HOLDS = Finding("there are flits", "table_row_count_to_be_between", "", "critical", True)
TWICE = Finding(
    "every flit is stored once", "unique", "flit_id", "critical", False, 2, ("f1", "f2")
)
EMPTY = Finding("hardly any flit is empty", "lengths", "text", "warning", False, 1, ("",))
LOW = Finding("recall is high", "between", "", "warning", False, 0, ("found: 0.9",))


def test_an_audit_without_failures_passes():
    result = to_check_result(Audit("flits", (HOLDS,)), "keeps_its_contract")
    assert result.passed and result.check_name == "keeps_its_contract"
    assert result.description == "all 1 expectations hold"


def test_a_critical_failure_is_an_error_and_said_in_words():
    result = to_check_result(Audit("flits", (HOLDS, EMPTY, TWICE)), "keeps_its_contract")
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert result.description == (
        "every flit is stored once: 2 do not, such as 'f1'; "
        "hardly any flit is empty: 1 do not, such as ''"
    )


def test_warnings_alone_do_not_block():
    result = to_check_result(Audit("index", (HOLDS, LOW)), "keeps_its_contract")
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert result.description == "recall is high: not so (found: 0.9)"


def test_a_fact_that_fails_is_told_as_what_was_found():
    few = at_most("quarantined_share", 0.05, "few rows break the contract", "warning")
    result = to_check_result(audit_facts({"quarantined_share": 1 / 6}, [few], "raw"), "keeps")
    assert result.description == "not so: few rows break the contract (found 0.167)"


def test_every_expectation_is_a_row_of_the_table():
    result = to_check_result(Audit("flits", (HOLDS, TWICE)), "keeps_its_contract")
    table = result.metadata["expectations"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data for record in table.records] == [
        {
            "expectation": "there are flits",
            "holds": True,
            "severity": "critical",
            "column": "",
            "unexpected": 0,
            "examples": "",
        },
        {
            "expectation": "every flit is stored once",
            "holds": False,
            "severity": "critical",
            "column": "flit_id",
            "unexpected": 2,
            "examples": "f1 | f2",
        },
    ]
    assert result.metadata["failed_critical"] == dg.IntMetadataValue(1)
