"""The venue that a test of the contract is run on: each in turn."""

import pytest

from tests.contract.subject import Venue
from tests.contract.venues import VENUES


@pytest.fixture(params=VENUES, ids=[venue.name for venue in VENUES])
def venue(request: pytest.FixtureRequest) -> Venue:
    """One implementation of the port, in one nature."""
    found: Venue = request.param
    return found
