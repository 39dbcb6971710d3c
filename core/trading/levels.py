"""Moving the stop and the target of positions: planned from the market as it is, saved, and carried out by the tick."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from core.domain.brackets import Bracket, Level, LevelUnit
from core.domain.errors import Code, Denied
from core.domain.instruments import Instrument
from core.domain.market import Quote
from core.domain.money import ZERO, plain, times
from core.lifecycle.decide import Decision
from core.lifecycle.trail import distance_of
from core.risk.prices import compute_bracket_prices, misplaced
from core.trading.desk import Desk


async def plan_levels(
    desk: Desk, brackets: Sequence[Bracket], stop: Level | None, target: Level | None, *, trails: bool = False
) -> list[tuple[Bracket, Bracket]]:
    """Each bracket as it is and as it would be with the new levels; nothing is saved. Raises as `apply_levels`."""
    quote = await desk.fresh_quote(brackets[0].symbol)
    return [(bracket, await _moved(desk, bracket, stop, target, quote, trails=trails)) for bracket in brackets]


async def apply_levels(
    desk: Desk, brackets: Sequence[Bracket], stop: Level | None, target: Level | None, *, trails: bool = False
) -> list[Bracket]:
    """Save the new levels on each bracket, let the tick move the orders, and return what the ledger shows then.

    Raises Denied, changing none of them, when a level would trade at once or lies on the wrong side.
    """
    symbol, base = brackets[0].symbol, brackets[0].base
    quote = await desk.fresh_quote(symbol)
    async with desk.lock(base):
        current = [bracket for one in brackets if (bracket := desk.ledger.bracket(one.id)) is not None]
        moved = [await _moved(desk, bracket, stop, target, quote, trails=trails) for bracket in current]
        desk.ledger.save([Decision(before, after, (), (), ()) for before, after in zip(current, moved, strict=True)])
        desk.note_change(base)
    await desk.settle(base)
    return [desk.ledger.bracket(bracket.id) or bracket for bracket in moved]


async def _moved(
    desk: Desk, bracket: Bracket, stop: Level | None, target: Level | None, quote: Quote, *, trails: bool = False
) -> Bracket:
    rules = await desk.rules(bracket.symbol)
    if trails and stop is not None:
        bracket, stop = _trailing(bracket, stop, quote, rules.instrument)
    elif stop is not None:
        # A stop that is put somewhere stays there.
        bracket = replace(bracket, trail=None, trail_high=None)
    average = bracket.entry_average
    wanted = replace(bracket, stop=stop or bracket.stop, target=_fixed(bracket, target or bracket.target))
    entry = average or bracket.limit_price or quote.ask
    prices = compute_bracket_prices(
        entry, bracket.atr, rules.bracket, stop=wanted.stop, target=wanted.target, tick_size=rules.instrument.tick_size
    )
    if average is None:
        wrong = misplaced(prices, entry)
        if wrong is not None:
            raise wrong
    else:
        moved = prices.target if target or prices.target != bracket.target_price else None
        _must_not_trade(bracket, quote, prices.stop if stop else None, moved)
    return replace(wanted, stop_price=prices.stop, target_price=prices.target)


def _trailing(bracket: Bracket, stop: Level, quote: Quote, instrument: Instrument) -> tuple[Bracket, Level]:
    """The bracket with a stop that follows from now on, and where that stop begins: never below one that it has."""
    if bracket.held <= ZERO:
        raise Denied(Code.STOP_LOSS, f"{bracket.symbol} is not bought yet; let its stop trail once it is")
    if stop.unit is LevelUnit.PRICE:
        raise Denied(Code.STOP_LOSS, "a trailing stop follows at a distance; give it in percent or in ATR, like 2%")
    if stop.value <= ZERO:
        raise Denied(Code.STOP_LOSS, "a trailing stop needs a distance above zero, like 2%")
    if stop.unit is LevelUnit.ATR and bracket.atr is None:
        raise Denied(Code.STOP_LOSS, f"there is no ATR for {bracket.symbol}; give the distance in percent, like 2%")
    first = instrument.price(quote.bid - distance_of(bracket, stop, quote.bid))
    begins = max(first, bracket.stop_price or ZERO)
    return replace(bracket, trail=stop, trail_high=quote.bid), Level(begins, LevelUnit.PRICE)


def _fixed(bracket: Bracket, target: Level) -> Level:
    """A target in R is counted from the risk that the trade began with, not from a stop that has moved since."""
    average = bracket.entry_average
    if target.unit is not LevelUnit.R or average is None or not bracket.risk_per_unit:
        return target
    return Level(average + times(bracket.risk_per_unit, target.value), LevelUnit.PRICE)


def _must_not_trade(bracket: Bracket, quote: Quote, stop: Decimal | None, target: Decimal | None) -> None:
    close = f"to leave now say 'close {bracket.symbol}'"
    if stop is not None and stop >= quote.bid:
        raise Denied(
            Code.STOP_LOSS,
            f"a stop at {plain(stop)} is not below the bid {plain(quote.bid)}: it would sell at once; {close}",
        )
    if target is not None and target <= quote.bid:
        raise Denied(
            Code.TAKE_PROFIT,
            f"a target at {plain(target)} is not above the bid {plain(quote.bid)}: it would sell at once; {close}",
        )
