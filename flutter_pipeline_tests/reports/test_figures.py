from math import nan

from flutter_pipeline.reports.figures import UNKNOWN, Figure, figures_in, figures_of
from flutter_pipeline_tests.reports.small_reports import evaluated


def test_a_figure_reads_with_its_interval():
    assert str(Figure(0.29, 0.27, 0.311)) == "0.290 (0.270 to 0.311)"


def test_without_an_interval_there_are_no_ends_and_without_a_mean_there_is_a_dash():
    assert str(Figure(0.29, nan, nan)) == "0.290"
    assert str(UNKNOWN) == "–" and not UNKNOWN.known


def test_figures_are_of_all_birds_by_method():
    table = evaluated(("ranked", "ndcg", 0.3, 0.2, 0.4), ("ranked", "recall", 0.5, 0.4, 0.6))
    assert figures_of(table, "ndcg") == {"ranked": Figure(0.3, 0.2, 0.4, 20)}
    assert figures_of(table.assign(by="geo"), "ndcg") == {}


def test_another_column_may_hold_the_mean():
    rows = evaluated(("bert", "ndcg", 0.3, 0.2, 0.4)).rename(columns={"mean": "value"})
    assert figures_in(rows.drop(columns="birds"), "value") == [Figure(0.3, 0.2, 0.4, 0)]
