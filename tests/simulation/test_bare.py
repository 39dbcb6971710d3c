"""How long coins have been without a stop."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.simulation.bare import Bare, layers, oldest

START = datetime(2026, 11, 1, tzinfo=UTC)
DUST = Decimal("0.01")


def _at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_stop_covers_the_coins_that_have_waited_longest() -> None:
    """The first fill is covered while the second came: only the second one's wait counts from then on."""
    found = layers([], Decimal("0.6"), _at(0), 0.0)
    found = layers(found, Decimal("0.8"), _at(30), 5.0)
    found = layers(found, Decimal("0.2"), _at(36), 5.0)
    assert found == [Bare(Decimal("0.2"), _at(30), 5.0)]


def test_coins_that_nothing_covers_keep_their_age_whatever_else_comes_and_goes() -> None:
    """A stop over a part of them makes the rest no younger."""
    found = layers([], Decimal("0.6"), _at(0), 0.0)
    found = layers(found, Decimal("1.0"), _at(40), 0.0)
    found = layers(found, Decimal("0.6"), _at(50), 0.0)
    assert [(one.quantity, one.since) for one in found] == [(Decimal("0.2"), _at(0)), (Decimal("0.4"), _at(40))]
    assert oldest(found, DUST).since == _at(0)


def test_dust_that_no_stop_can_cover_does_not_make_younger_coins_old() -> None:
    """What a stop's rounding leaves is older than the next fill, and too small to count."""
    found = [Bare(Decimal("0.00003"), _at(0), 0.0), Bare(Decimal("0.2"), _at(30), 0.0)]
    assert oldest(found, DUST).since == _at(30)
