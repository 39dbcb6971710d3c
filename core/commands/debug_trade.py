"""debug_trade: one trade from intent to exit, with the venue's own fills beside ours."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.domain.brackets import Bracket
from core.domain.errors import Code, Denied
from core.domain.money import ZERO, plain
from core.domain.orders import Order
from core.domain.venue import VenueFill
from core.exchange.errors import VenueUnreadableError
from core.lifecycle.news import EXIT_WORDS, price, signed
from core.strategy.evaluation import Evaluation
from core.trading.desk import Desk
from core.trading.reply import Reply

_EARLIER = timedelta(seconds=60)


class DebugTrade(Command):
    """Show one trade from intent to exit, with the venue's own fills beside ours and every difference marked."""

    declaration: ClassVar[Declaration] = Declaration(
        name="debug_trade",
        calls=("debug_trade", "debug trade", "debug", "trace"),
        danger=Danger.QUERY,
        nouns=frozenset({"trade", "last", "data"}),
        examples=("debug ZEC", "/debug_trade ETH"),
    )
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: DebugTrade) -> Reply:
    """The newest bracket of the symbol (or of all), its orders, and both books of its fills."""
    bracket = desk.ledger.newest(command.symbol)
    if bracket is None:
        what = command.symbol or "trade"
        raise Denied(Code.NOT_FOUND, f"the {desk.mode} ledger has no {what} to show")
    pilot = desk.house.pilot
    rows = pilot.evaluations.of_bracket(desk.mode, bracket.id)
    since = bracket.unprotected_since
    bare_s = bracket.unprotected_s + (max(0.0, (desk.clock() - since).total_seconds()) if since is not None else 0.0)
    lines = [*_bracket_lines(bracket, bare_s), *_timeline(bracket, rows)]
    lines += [_order_line(order) for order in bracket.orders]
    fills, trouble = await _venue_fills(desk, bracket)
    lines += _both_books(bracket, fills, desk.exchange.name, trouble)
    data = {
        "bracket": bracket.id,
        "orders": [order.client_id for order in bracket.orders],
        "fills": [fill.id for order in bracket.orders for fill in order.fills],
        "venue_fills": [fill.id for fill in fills],
        "unprotected_s": bare_s,
    }
    return Reply(tuple(lines), mode=desk.mode, data=data)


def _bracket_lines(bracket: Bracket, bare_s: float) -> list[str]:
    begun = f"{bracket.created_at:%Y-%m-%d %H:%M:%S} UTC"
    wish = f"buy {plain(bracket.quantity)} {bracket.entry_type}"
    levels = f"Stop {_or_none(bracket.stop_price)}, target {_or_none(bracket.target_price)}"
    lines = [
        f"{bracket.symbol} bracket {bracket.id}, {bracket.state}, by {bracket.source}, {begun}: {wish}.",
        f"{levels}, without a stop for {bare_s:.1f} s in all.",
    ]
    if bracket.close_reason is not None:
        result = f"{signed(bracket.result_quote)} {bracket.symbol.partition('/')[2]}"
        lines.append(f"Ended: {EXIT_WORDS[bracket.close_reason]}; result {result} ({signed(bracket.result_r)} R).")
    return lines


def _timeline(bracket: Bracket, rows: Sequence[Evaluation]) -> list[str]:
    """What happened, in the order of time: what was decided, what was sent, what traded, how it ended."""
    moments = [
        (one.evaluated_at, f"evaluation of the candle of {one.at:%H:%M}: {one.decision} ({one.reason}), {one.text}")
        for one in rows
    ]
    for order in bracket.orders:
        at = f" at {plain(order.price)}" if order.price is not None else ""
        moments.append((order.created_at, f"{order.role} {order.client_id}: {order.side} {plain(order.quantity)}{at}"))
        moments += [
            (fill.at, f"{order.role} filled {plain(fill.quantity)} at {price(fill.price)}, fee {plain(fill.fee)}")
            for fill in order.fills
        ]
    if bracket.closed_at is not None and bracket.close_reason is not None:
        moments.append((bracket.closed_at, f"closed: {EXIT_WORDS[bracket.close_reason]}"))
    moments.sort(key=lambda moment: moment[0])
    return ["Timeline (UTC):", *(f"• {at:%m-%d %H:%M:%S} {what}" for at, what in moments), "Orders:"]


def _or_none(value: Decimal | None) -> str:
    return "N/A" if value is None else plain(value)


def _order_line(order: Order) -> str:
    at = "at market" if order.price is None else f"at {plain(order.price)}"
    why = f" ({order.reason})" if order.reason else ""
    average = f", {plain(order.filled)} filled at {price(order.average)}" if order.average is not None else ""
    return (
        f"• {order.role} {order.side} {plain(order.quantity)} {at} · {order.state}{why}{average} · "
        f"{order.client_id} · {order.venue_id or 'no venue id'}"
    )


async def _venue_fills(desk: Desk, bracket: Bracket) -> tuple[list[VenueFill], str]:
    """The venue's own executions of this bracket, read now and kept; those kept before where they cannot be read."""
    venue_ids = {order.venue_id for order in bracket.orders if order.venue_id is not None}
    trouble = ""
    try:
        found = await desk.exchange.fetch_fills(bracket.created_at - _EARLIER, _until(desk, bracket))
        desk.ledger.venue_fills.keep([fill for fill in found if fill.venue_id in venue_ids])
    except VenueUnreadableError as error:
        trouble = error.message
    return desk.ledger.venue_fills.of(venue_ids), trouble


def _until(desk: Desk, bracket: Bracket) -> datetime:
    return (bracket.closed_at or desk.clock()) + _EARLIER


def _both_books(bracket: Bracket, fills: list[VenueFill], name: str, trouble: str) -> list[str]:
    """Ours and the venue's, order by order: quantity, cost and fee, with ≠ where they differ."""
    lines = [f"Fills in our ledger and in the books of {name}:"]
    if trouble:
        lines = [f"The books of {name} cannot be read just now ({trouble}); what was kept of them:"]
    for order in bracket.orders:
        theirs = [fill for fill in fills if fill.venue_id == order.venue_id]
        if order.filled > ZERO or theirs:
            lines.append(_compared(order, theirs))
    return lines if len(lines) > 1 else [*lines, "• none"]


def _compared(order: Order, theirs: list[VenueFill]) -> str:
    quantity, cost, fee = (sum((getattr(fill, one) for fill in theirs), ZERO) for one in ("quantity", "cost", "fee"))
    rounding = _ROUNDING * max(1, len(theirs))
    pairs = (
        ("quantity", order.filled, quantity, ZERO),
        ("cost", order.cost, cost, rounding),
        ("fee", order.fee, fee, rounding),
    )
    parts = [
        f"{what} {price(mine)}" if abs(mine - yours) <= within else f"{what} {plain(mine)} ≠ {plain(yours)} there"
        for what, mine, yours, within in pairs
    ]
    count = f"{len(order.fills)} here, {len(theirs)} there"
    return f"• {order.role} {order.venue_id}: {', '.join(parts)} ({count})"


_ROUNDING = Decimal("0.00001")
"""Kraken rounds cost and fee of each execution; a sum may differ by so much for each without meaning anything."""
