import pytest

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.ranking.ranker import RANKERS, ranker_kind
from flutter_pipeline_tests.conformance.rankers import RankerConformance


class TestLogistic(RankerConformance):
    kind = RANKERS["logistic"]


def test_every_ranker_that_is_listed_passes_the_conformance_class():
    tested = [case.kind for case in RankerConformance.__subclasses__()]
    assert all(kind in tested for kind in RANKERS.values())


def test_an_unknown_ranker_is_told_which_there_are():
    with pytest.raises(ConfigError, match=r"'oracle'; there is logistic"):
        ranker_kind("oracle")
