"""What the commands that trade show before they are confirmed: the exact order, its risk and its levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.commands.base import Amount, LevelArgument
from core.commands.entering import Entry
from core.domain.brackets import Bracket, Level
from core.domain.market import Quote
from core.domain.modes import Source
from core.domain.money import ZERO, cents, divide, percent_of, plain, times
from core.domain.orders import Order, OrderType, Side
from core.lifecycle.news import signed
from core.risk.limits import OrderRequest
from core.risk.sizing import AmountUnit
from core.trading import say
from core.trading.desk import Desk
from core.trading.door import Opening, approve_entry, require_entries

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Shown:
    """Lines to be confirmed, the fields that make the command exact, and the prices that the lines were made with."""

    lines: tuple[str, ...]
    exact: Mapping[str, Any]
    prices: Mapping[str, Decimal]
    about: Mapping[str, str] = field(default_factory=dict)


async def show_entry(desk: Desk, command: Entry) -> Shown:
    """The entry as it would be sent now: sized, on the tick, with the levels that it would get. Nothing is sent."""
    require_entries(desk, Side.BUY)
    stop, target = (one.level() if one else None for one in (command.stop_loss, command.take_profit))
    wish = (command.amount.value, command.amount.unit)
    kind = OrderType(command.order_type)
    verdict, opening = await approve_entry(
        desk, command.symbol, wish, kind, stop, target, Source.COMMAND, command.limit_price
    )
    request = verdict.request
    lines = [*_entry_lines(desk, request, opening), *(f"Note: {note}." for note in (*opening.notes, *verdict.notes))]
    exact = {
        "amount": Amount(value=request.quantity, unit=AmountUnit.BASE),
        "limit_price": request.limit_price,
        "stop_loss": _argument(opening.stop),
        "take_profit": _argument(opening.target),
    }
    lines += say.sources([opening.quote], desk.clock())
    return Shown(tuple(lines), exact, {command.symbol: opening.quote.ask})


def _argument(level: Level) -> LevelArgument:
    return LevelArgument(value=level.value, unit=level.unit)


def _entry_lines(desk: Desk, request: OrderRequest, opening: Opening) -> list[str]:
    base, quote = request.instrument.base, request.instrument.quote
    where = "at market" if request.limit_price is None else f"at {plain(request.limit_price)} or better"
    cost = times(request.quantity, request.price)
    fee = percent_of(cost, desk.settings.friction.taker_pct)
    risk = times(request.quantity, request.prices.risk)
    gain = times(request.quantity, request.prices.target - request.price)
    equity = opening.account.equity
    share = f", {plain(Decimal(f'{divide(risk * 100, equity):.2g}'))}% of equity" if equity > ZERO else ""
    reward = f" ({plain(divide(gain, risk).quantize(_HUNDREDTH))} R)" if risk > ZERO else ""
    about = "" if request.limit_price is not None else f", now about {plain(request.price)}"
    what = f"Buy {plain(request.quantity)} {base} ({request.instrument.symbol}) {where}{about}"
    stop, target = plain(request.prices.stop), plain(request.prices.target)
    return [
        f"{what}: {cents(cost)} {quote} and about {cents(fee)} fee.",
        f"Stop {stop} ({say.level(opening.stop)}), target {target} ({say.level(opening.target)}).",
        f"At risk: {cents(risk)} {quote}{share}; to gain: {cents(gain)} {quote}{reward}, before fees.",
    ]


async def show_exits(desk: Desk, parts: Sequence[tuple[Bracket, Decimal]], waiting: Sequence[Bracket]) -> Shown:
    """What would be sold of each bracket at market, and which waiting entries would be canceled."""
    quotes = await desk.quotes({bracket.symbol for bracket, _ in parts})
    lines = [_exit_line(bracket, part, quotes.get(bracket.symbol)) for bracket, part in parts]
    lines += [entry_line(bracket) for bracket in waiting]
    lines += say.sources(quotes.values(), desk.clock())
    about = {bracket.id: f"sell {plain(part)} of {plain(bracket.held)}" for bracket, part in parts}
    about |= {bracket.id: f"{about.get(bracket.id, '')} cancel" for bracket in waiting}
    return Shown(tuple(lines), {}, {symbol: quote.bid for symbol, quote in quotes.items()}, about)


def _exit_line(bracket: Bracket, part: Decimal, quote: Quote | None) -> str:
    base, currency = bracket.symbol.split("/")
    text = f"Sell {plain(part)} of {plain(bracket.held)} {base} ({bracket.symbol}) at market"
    if quote is not None:
        text += f", now about {plain(quote.bid)}: {cents(times(part, quote.bid))} {currency}"
        text += _result(bracket, part, quote, currency)
    stays = part < bracket.held
    return f"{text}. {'The rest keeps its stop and target.' if stays else 'Its stop and target go with it.'}"


def _result(bracket: Bracket, part: Decimal, quote: Quote, currency: str) -> str:
    average = bracket.entry_average
    if average is None:
        return ""
    result = times(part, quote.bid - average)
    risk = times(part, bracket.risk_per_unit or ZERO)
    in_r = f", {signed(divide(result, risk))} R" if risk > ZERO else ""
    return f" (result about {signed(result)} {currency}{in_r} before fees)"


def entry_line(bracket: Bracket) -> str:
    """A waiting entry that would be canceled."""
    name = _name(bracket.entry) or bracket.id
    return f"Cancel the entry {name} for {plain(bracket.quantity)} {bracket.symbol}."


def _name(order: Order | None) -> str:
    return (order.venue_id or order.client_id) if order else ""


def level_line(before: Bracket, after: Bracket) -> str:
    """How a bracket's levels would move."""
    parts = []
    for word, old, new in (
        ("stop", before.stop_price, after.stop_price),
        ("target", before.target_price, after.target_price),
    ):
        was, now = (plain(price) if price is not None else "N/A" for price in (old, new))
        parts.append(f"{word} {was} stays" if was == now else f"{word} {was} → {now}")
    what = before.held or before.quantity
    return f"{plain(what)} {before.symbol}: {', '.join(parts)}.{_at_stop(after)}"


def _at_stop(bracket: Bracket) -> str:
    """What the stop would leave of the position, where it has one."""
    average, stop = bracket.entry_average, bracket.stop_price
    if average is None or stop is None or bracket.held <= ZERO:
        return ""
    result = times(bracket.held, stop - average)
    return f" At the stop: about {signed(result)} {bracket.symbol.partition('/')[2]} before fees."


def levels_about(moves: Sequence[tuple[Bracket, Bracket]]) -> dict[str, str]:
    """What a move of levels is about: each bracket with what it holds and where its levels were."""
    return {before.id: f"{plain(before.held)} {before.stop_price} {before.target_price}" for before, _ in moves}


def is_all(amount: Amount) -> bool:
    """True for 100 percent, which stays "all" however much that is by then."""
    return amount.unit is AmountUnit.PERCENT and amount.value == Decimal(100)
