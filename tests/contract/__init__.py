"""What every implementation of the Exchange port promises, tried on each of them, and two desks over one tape."""

import pytest

pytest.register_assert_rewrite("tests.contract.subject", "tests.contract.tape")
