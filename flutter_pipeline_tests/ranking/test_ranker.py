import pytest

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.ranking.ranker import RANKERS, ranker_kind
from flutter_pipeline_tests.conformance.rankers import LearnerConformance, RankerConformance


class TestBlend(RankerConformance):
    kind = RANKERS["blend"]


class TestLogistic(LearnerConformance):
    kind = RANKERS["logistic"]


def test_every_ranker_that_is_listed_passes_the_conformance_class():
    assert {"blend": TestBlend.kind, "logistic": TestLogistic.kind} == RANKERS


def test_an_unknown_ranker_is_told_which_there_are():
    with pytest.raises(ConfigError, match=r"'oracle'; there is blend, logistic"):
        ranker_kind("oracle")
