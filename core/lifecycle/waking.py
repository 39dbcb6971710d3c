"""PURE. Which price calls for a look at a bracket."""

from datetime import datetime
from decimal import Decimal

from core.domain.brackets import Bracket
from core.domain.market import Quote
from core.domain.money import ZERO, percent_of
from core.domain.orders import OrderState
from core.lifecycle.trail import STEP_PCT, distance_of


def calls_for_a_look(bracket: Bracket, quote: Quote, now: datetime) -> bool:
    """True when `quote` reaches what Zyn itself has to act on: a target that it holds, a stop that cannot rest,
    a stop that trails. What rests at the venue, the venue tells of.
    """
    if bracket.held <= ZERO:
        return False
    holds_target = any(order.state is OrderState.HELD for order in bracket.orders)
    waits = bracket.target_retry_at is not None and now < bracket.target_retry_at
    if holds_target and not waits and bracket.target_price is not None and quote.bid >= bracket.target_price:
        return True
    stop = bracket.stop_price
    if stop is None:
        return False
    if bracket.lacks_cover(now) and quote.last <= stop:
        return True
    return bracket.trail is not None and _would_trail(bracket, quote.bid, stop)


def _would_trail(bracket: Bracket, bid: Decimal, stop: Decimal) -> bool:
    if bracket.trail is None:
        return False
    high = max(bracket.trail_high or ZERO, bid)
    distance = distance_of(bracket, bracket.trail, high)
    return high - distance - stop >= percent_of(distance, STEP_PCT)
