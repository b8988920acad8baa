"""Settings of hypothesis, and the process in which spoiled files are read."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# The same examples at every run; a hung reader is the nursery's to find, a slow machine is no error.
SAME = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "print_blob": False,
}
settings.register_profile("fuzz", max_examples=60, **SAME)
settings.register_profile("fuzz-deep", max_examples=200, **SAME)


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    """A process that reads spoiled files."""
    from spoiling.nursery import Nursery

    nursery = Nursery(tmp_path_factory.mktemp("nursery") / "stderr")
    yield nursery
    nursery.close()
