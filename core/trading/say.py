"""Sentences about orders and positions, made from ledger and venue and from nothing else."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from core.domain.brackets import Bracket, BracketState, Level, LevelUnit
from core.domain.market import Quote
from core.domain.modes import Mode
from core.domain.money import ZERO, cents, divide, plain
from core.domain.orders import Order, OrderState, OrderType, Role
from core.domain.venue import who_refused
from core.exchange.errors import MarketDownError, VenueUnreadableError
from core.ledger.ledger import Executed
from core.lifecycle.news import EXIT_WORDS, price, resting_stop, signed
from core.trading.desk import Desk
from core.trading.view import OpenOrder, OpenView, Position, view_open

_UNITS = {LevelUnit.PERCENT: "%", LevelUnit.PRICE: "", LevelUnit.ATR: " ATR", LevelUnit.R: "R"}


def level(wish: Level) -> str:
    """How a level was asked for: "1%", "2 ATR (default)", "as given"."""
    text = "as given" if wish.unit is LevelUnit.PRICE else plain(wish.value) + _UNITS[wish.unit]
    return f"{text}, default" if wish.is_default else text


def sources(quotes: Iterable[Quote], now: datetime) -> list[str]:
    """One line with the source and the age of the prices that were used; none where none were."""
    seen = list(quotes)
    if not seen:
        return []
    oldest = max(quote.age_s(now) for quote in seen)
    return [f"Prices: {seen[0].source}, {max(oldest, 0.0):.0f} s old."]


def entry_lines(bracket: Bracket) -> list[str]:
    """What happened to the entry and how it is protected, as the ledger has it."""
    return [_entry_line(bracket), *_protection_lines(bracket)]


def _entry_line(bracket: Bracket) -> str:
    entry = bracket.entry
    base, quote = bracket.symbol.split("/")
    if entry is None:
        return f"Nothing was sent for {bracket.symbol}."
    name = f"order {entry.venue_id or entry.client_id}"
    asked = f"{plain(bracket.quantity)} {base}"
    if entry.average is not None:
        return _bought_line(bracket, entry, f"{name}, fee {cents(entry.fee)} {quote}", asked)
    if entry.state is OrderState.OPEN:
        return _taken_line(bracket, entry, name, asked)
    if entry.state is OrderState.SUBMITTING:
        unknown = "Whether it exists is UNKNOWN; 'open' will tell."
        came = f"the answer proves nothing ({entry.reason})" if entry.reason else "not answered yet"
        return f"Sent, but {came}: buy {asked} ({bracket.symbol}), {name}. {unknown}"
    if entry.state is OrderState.REJECTED:
        return f"Not bought: {who_refused(entry.reason)} refused {asked} ({bracket.symbol}): {entry.reason}."
    why = f" ({entry.reason})" if entry.reason else ""
    return f"Not bought: {asked} ({bracket.symbol}), {name} is {entry.state}{why}."


def _taken_line(bracket: Bracket, entry: Order, name: str, asked: str) -> str:
    if entry.type is OrderType.MARKET:
        return f"Accepted, but no fill seen yet: buy {asked} ({bracket.symbol}) at market, {name}. 'open' will tell."
    return f"Waiting to buy {asked} ({bracket.symbol}) at {plain(entry.limit_price or ZERO)} or better, {name}."


def _bought_line(bracket: Bracket, entry: Order, name: str, asked: str) -> str:
    text = f"Bought {plain(entry.filled)} {bracket.base} ({bracket.symbol}) at {price(entry.average or ZERO)}, {name}."
    if entry.filled >= bracket.quantity:
        return text
    what = "still waits." if entry.is_live else f"was not bought: {entry.reason or 'canceled'}."
    return f"{text} {plain(bracket.quantity - entry.filled)} of {asked} {what}"


def _protection_lines(bracket: Bracket) -> list[str]:
    if (
        bracket.stop_price is None
        or bracket.target_price is None
        or (bracket.entry and bracket.entry.is_terminal and not bracket.bought)
    ):
        return []
    if bracket.bought and (bracket.held <= ZERO or bracket.state is BracketState.CLOSED):
        return [closed_line(bracket)]
    stop, target = plain(bracket.stop_price), plain(bracket.target_price)
    stops = [order for order in bracket.of_role(Role.STOP) if order.state is OrderState.OPEN]
    if not bracket.bought:
        return [
            f"Planned when it fills: stop {stop} ({level(bracket.stop)}), target {target} ({level(bracket.target)})."
        ]
    covered = sum((order.remaining for order in stops), ZERO)
    names = ", ".join(order.venue_id or order.client_id for order in stops)
    if covered >= bracket.held:
        first = _resting_line(bracket, stops, names)
    else:
        first = f"Stop {stop} ({level(bracket.stop)}) covers {plain(covered)} of {plain(bracket.held)}: "
        is_bare = bracket.unprotected_since is not None
        first += (
            "the rest is UNPROTECTED, Zyn keeps trying." if is_bare else "the rest is dust, or its stop not seen yet."
        )
    return [first, f"Target {target} ({level(bracket.target)}), {_target_where(bracket)}."]


def _resting_line(bracket: Bracket, stops: Sequence[Order], names: str) -> str:
    """Where the stops really rest, and the wish beside it while they are not there yet."""
    asked = f"{plain(bracket.stop_price or ZERO)} ({level(bracket.stop)})"
    prices = sorted({order.trigger_price for order in stops if order.trigger_price is not None})
    if prices in ([bracket.stop_price], []):
        return f"Stop {asked}, resting, order {names}."
    there = ", ".join(plain(price) for price in prices)
    return f"Stop {there}, resting, order {names}; asked for {asked}, not moved there yet."


def not_moved_line(bracket: Bracket) -> str:
    """That a new stop is wanted and the venue has not been seen to take it."""
    asked = f"{plain(bracket.stop_price or ZERO)} ({level(bracket.stop)})"
    wish = f"{bracket.symbol}: stop {asked} is wanted and NOT MOVED there yet; Zyn keeps at it"
    return f"{wish}. Last seen: {resting_stop(bracket)}."


def _target_where(bracket: Bracket) -> str:
    waiting = [order for order in bracket.of_role(Role.TARGET) if not order.is_terminal]
    if not waiting:
        return "not placed yet"
    return ", ".join(
        f"held by Zyn, order {order.client_id}"
        if order.state is OrderState.HELD
        else f"resting, order {order.venue_id}"
        if order.state is OrderState.OPEN and order.venue_id
        else f"sent, unanswered, order {order.client_id}"
        for order in waiting
    )


def closed_line(bracket: Bracket) -> str:
    """Result of a bracket that is over."""
    why = EXIT_WORDS[bracket.close_reason] if bracket.close_reason else "sold"
    text = f"{bracket.symbol} {why}"
    if bracket.result_quote is not None:
        text += f": result {signed(bracket.result_quote)} {bracket.symbol.partition('/')[2]}"
        text += f" ({signed(bracket.result_r)} R)" if bracket.result_r is not None else ""
    if bracket.held > ZERO:
        text += f", {plain(bracket.held)} dust remains"
    return text + "."


def order_line(order: OpenOrder) -> str:
    """One open order."""
    at = "at market" if order.price is None else f"at {plain(order.price)}"
    done = f", {plain(order.filled)} filled" if order.filled > ZERO else ""
    return (
        f"• {order.role} {order.symbol} {order.side} {plain(order.quantity)} {at}{done} · {order.where} · {order.name}"
    )


def position_line(position: Position) -> str:
    """One position with its open result."""
    bracket = position.bracket
    text = f"• {bracket.symbol} {plain(bracket.held)} bought at {price(bracket.entry_average or ZERO)}"
    if position.quote is not None and position.result is not None:
        quote = bracket.symbol.partition("/")[2]
        text += f", now {plain(position.quote.bid)}, open result {signed(position.result)} {quote}"
        text += f" ({signed(position.result_r)} R)" if position.result_r is not None else ""
    if bracket.trail is not None:
        text += f" · its stop trails {level(bracket.trail)} behind the bid"
    if bracket.unprotected_since is not None:
        text += " · WITHOUT A STOP"
    return f"{text} · {bracket.source}"


def open_lines(view: OpenView) -> list[str]:
    """Positions, waiting entries and open orders of one desk."""
    lines = (
        [] if view.complete else ["The venue's lists came only in part just now: fills and orders may be missing here."]
    )
    if view.mode is Mode.LIVE:
        lines.append(f"The account as of {max(view.age_s, 0.0):.0f} s ago.")
    lines.append(f"Positions ({len(view.positions)}):" if view.positions else "No positions.")
    lines += [position_line(position) for position in view.positions]
    lines.append(f"Open orders ({len(view.orders)}):" if view.orders else "No open orders.")
    lines += [order_line(order) for order in view.orders]
    for bracket in view.pending:
        planned = _protection_lines(bracket)
        lines += [f"{bracket.symbol} entry waits. {line}" for line in planned]
    return lines


async def verified(desk: Desk) -> list[str]:
    """What the venue shows after an act, and whether that is everything."""
    try:
        view = await view_open(desk)
    except (VenueUnreadableError, MarketDownError) as error:
        return [f"NOT VERIFIED: the venue cannot be read just now. {error.message.rstrip('.')}."]
    return ["Verified with the venue:" if view.complete else "NOT VERIFIED:", *open_lines(view)]


async def open_now(desk: Desk, symbol: str | None = None) -> list[str]:
    """What is open, below an answer that stands without it: a venue that cannot be read must not hide what was done."""
    try:
        return open_lines(await view_open(desk, symbol))
    except (VenueUnreadableError, MarketDownError) as error:
        return [f"What is open cannot be shown just now: {error.message}."]


def executed_line(item: Executed, now: datetime) -> str:
    """One order that traded: id, fill price, quantity, time, source, stop and target."""
    order, bracket = item.order, item.bracket
    at = order.filled_at or now
    text = (
        f"• {at:%Y-%m-%d %H:%M:%S} {order.side} {plain(order.filled)} {bracket.symbol}"
        f" at {price(order.average or ZERO)} · {order.role} · {order.venue_id} · {bracket.source}"
        f" · SL {plain(bracket.stop_price) if bracket.stop_price else 'N/A'}"
        f" · TP {plain(bracket.target_price) if bracket.target_price else 'N/A'}"
    )
    if order.role is not Role.ENTRY and bracket.result_quote is not None and order is _last_exit(bracket):
        text += f" · result {signed(bracket.result_quote)} {bracket.symbol.partition('/')[2]}"
        text += f" ({signed(bracket.result_r)} R)" if bracket.result_r is not None else ""
    return text


def _last_exit(bracket: Bracket) -> Order | None:
    exits = [order for order in bracket.orders if order.role is not Role.ENTRY and order.filled > ZERO]
    return max(
        exits,
        key=lambda order: (order.filled_at or order.created_at, len(order.client_id), order.client_id),
        default=None,
    )


def sold_line(symbol: str, orders: Sequence[Order], before: Decimal) -> str:
    """What a sale brought so far: `orders` are its exits, `before` the quantity that was held."""
    base, quote = symbol.split("/")
    sold = sum((order.filled for order in orders), ZERO)
    cost = sum((order.cost for order in orders), ZERO)
    fee = sum((order.fee for order in orders), ZERO)
    names = ", ".join(order.venue_id or order.client_id for order in orders)
    average = price(divide(cost, sold)) if sold > ZERO else "-"
    text = f"Sold {plain(sold)} of {plain(before)} {base} ({symbol}) at {average} {quote}, order {names}"
    return f"{text}, fee {cents(fee)} {quote}."


def sale_line(symbol: str, order: Order) -> str:
    """A sale that was sent and whose end nobody has seen: never that it sold, never that it did not."""
    what = f"sell {plain(order.remaining)} {symbol}, order {order.venue_id or order.client_id}"
    if order.state is OrderState.SUBMITTING:
        return f"Sent, but not answered yet: {what}. Whether it sold is UNKNOWN; 'open' will tell."
    return f"Accepted, but its end is not seen yet: {what}. 'open' will tell."


async def other_desk_line(desk: Desk) -> str:
    """The counts of the desk that is not shown."""
    other = desk.house.other_desk(desk)
    if other is None:
        return f"{desk.mode.other}: not set up."
    unfinished = other.ledger.unfinished()
    held = sum(1 for bracket in unfinished if bracket.held > ZERO)
    orders = sum(
        1 for bracket in unfinished for order in bracket.orders if order.is_live or order.state is OrderState.HELD
    )
    return f"{other.mode}: {held} positions, {orders} open orders in its ledger."
