"""A folder to try the documents in: the folder of two releases, beside what a reader would have."""

from flutter_pipeline_tests import test_releases

two = test_releases.two
