import pytest

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.ranking.ranker import RANKERS, ranker_kind
from flutter_pipeline_tests.conformance.rankers import LearnerConformance, RankerConformance


class TestBlend(RankerConformance):
    kind = RANKERS["blend"]


class TestLogistic(LearnerConformance):
    kind = RANKERS["logistic"]


class TestLambdaRank(LearnerConformance):
    kind = RANKERS["lambdarank"]


class TestWideAndDeep(LearnerConformance):
    kind = RANKERS["wide_and_deep"]


def test_every_ranker_that_is_listed_passes_the_conformance_class():
    tested = [TestBlend, TestLogistic, TestLambdaRank, TestWideAndDeep]
    assert [test.kind for test in tested] == list(RANKERS.values())


def test_an_unknown_ranker_is_told_which_there_are():
    with pytest.raises(ConfigError, match=f"'oracle'; there is {', '.join(RANKERS)}"):
        ranker_kind("oracle")
