"""Detectors of a dip that most tests ask, each fitted once: a trained one and one of correlation alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.detect.panels import DIP, walks
from tsbench.detect import PatternDetector


@pytest.fixture(scope="session")
def trained():
    with ThreadPoolExecutor(2) as pool:
        return PatternDetector(DIP, surrogates=4000).fit(walks(seed=1), executor=pool)


@pytest.fixture(scope="session")
def plain():
    return PatternDetector(DIP, surrogates=4000, trained=False).fit(walks(seed=1))


@pytest.fixture(params=["trained", "plain"])
def detector(request):
    """Each of the two: what holds whoever judges."""
    return request.getfixturevalue(request.param)
