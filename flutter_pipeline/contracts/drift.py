"""The table of what has drifted: a row a day and measure."""

from flutter_pipeline.contracts.table import Column, Expectation, Table
from flutter_pipeline.contracts.tables import has_rows

TOO_FEW, AS_USUAL, STANDS_OUT, ALARM = "too few days", "as usual", "stands out", "alarm"
SAID = (TOO_FEW, AS_USUAL, STANDS_OUT, ALARM)
"""What is said of a measure: nothing yet, ordinary, unlike chance but small, or an alarm."""

NO_MEASURE = "-"
"""In place of a measure, on a day that has nothing to be held against."""

DRIFT_REPORT = Table(
    name="drift_report",
    description="How each day differs from the days before it, measure by measure.",
    columns=(
        Column("day", "str", "The day, or hour."),
        Column("measure", "str", "What was measured; with the encoder whose vectors were."),
        Column("value", "float64", "The distance from the reference, or the share.", nullable=True),
        Column("usual", "float64", "Its mean where chance alone is at work.", nullable=True),
        Column("limit", "float64", "Above this it would stand out by itself.", nullable=True),
        Column("matters", "float64", "From here on the effect is large enough.", nullable=True),
        Column("effect", "float64", "How much it is above the usual.", nullable=True),
        Column("threshold", "float64", "The least effect that matters.", nullable=True),
        Column("score", "float64", "The same in standard deviations of chance.", nullable=True),
        Column(
            "counts_as", "float64", "The score that later days are held against.", nullable=True
        ),
        Column("p", "float64", "Chance of such a score among earlier days'.", nullable=True),
        Column("adjusted_p", "float64", "After Holm's correction.", nullable=True),
        Column("said", "str", "One of: " + "; ".join(SAID) + "."),
        Column("alarms_now", "bool", "Whether it is an alarm on the newest day."),
        Column("days", "int64", "Days in the reference."),
        Column("earlier", "int64", "Earlier scores that it was held against."),
        Column("origin", "str", "A digest of what it was made from."),
    ),
    key=("day", "measure"),
    expectations=(
        has_rows("some day is there to be looked at", "warning"),
        Expectation(
            "compound_columns_to_be_unique",
            {"column_list": ["day", "measure"]},
            "every measure of a day is there once",
        ),
        Expectation(
            "column_values_to_be_in_set",
            {"column": "said", "value_set": list(SAID)},
            "what is said is one of the known words",
        ),
        Expectation(
            "column_values_to_be_in_set",
            {"column": "alarms_now", "value_set": [False]},
            "nothing has drifted on the newest day, see `flutter-pipeline drift`",
            severity="warning",
        ),
    ),
)
