"""What an owner says: whole sentences, through the grammar like every other."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from core.domain.orders import OrderType, Side
from tests.simulation.matching import ZEC
from tests.simulation.venue import HostileVenue

BUYS = (
    "buy 0.4 ZEC sl 1% tp 2%",
    "buy 0.2 ZEC sl 2% tp 1%",
    "paper buy 1.5 ZEC sl 1% tp 1%",
    "buy 0.02 ZEC sl 1% tp 3%",
    "buy 1 ZEC limit {below} sl 1% tp 3%",
    "buy 0.5 ZEC limit {above} sl 2% tp 2%",
)
LEAVES = (
    "sell 0.1 ZEC",
    "sell half my ZEC",
    "sell all my ZEC",
    "close ZEC",
    "flatten",
    "sell all my ZEC limit {above}",
)
OTHERS = (
    "cancel ZEC",
    "cancel all orders",
    "cancel {leg}",
    "protect ZEC sl 3% tp 4%",
    "protect ZEC sl 1%",
    "protect ZEC tp {above}",
    "force trade test ZEC",
    "open",
    "open",
    "mode live",
    "mode paper",
    "live buy 0.3 ZEC sl 1% tp 2%",
)


def say_something(random: Random, venues: Sequence[HostileVenue], price: Decimal) -> str:
    """One sentence. Buying is said most often, since everything else needs something bought."""
    pattern = random.choice(random.choices((BUYS, LEAVES, OTHERS), (5, 2, 3))[0])
    legs = [
        one.venue_id
        for venue in venues
        for one in venue.books.resting
        if one.side is Side.SELL and one.type is OrderType.STOP_LOSS
    ]
    return pattern.format(
        below=(price * Decimal("0.996")).quantize(ZEC.tick_size),
        above=(price * Decimal("1.006")).quantize(ZEC.tick_size),
        leg=random.choice(legs) if legs else "V-999",
    )
