"""diagnostic: look at every part of the house, and trade a little on PAPER to see it all work."""

from decimal import Decimal
from typing import ClassVar

from core.commands.base import Command, Danger, Declaration
from core.commands.base import handle as run
from core.commands.cancel import Cancel
from core.domain.errors import ZynError
from core.domain.modes import Mode, Source
from core.domain.money import ZERO, percent_of, plain
from core.domain.orders import OrderType, Side
from core.risk.sizing import AmountUnit
from core.trading.desk import Desk
from core.trading.door import open_position_with_brackets
from core.trading.house import Check
from core.trading.reply import Reply

_BELOW_PCT = Decimal(5)


class Diagnostic(Command):
    """Run the full system diagnostic: mode, exchange, database, market data, Telegram, model, jobs, test order."""

    declaration: ClassVar[Declaration] = Declaration(
        name="diagnostic",
        calls=(
            "diagnostic",
            "run full system diagnostic",
            "full system diagnostic",
            "system diagnostic",
            "diagnostics",
            "run diagnostics",
            "run a diagnostic",
            "self test",
            "selftest",
            "system check",
            "run diagnostic",
            "health check",
        ),
        danger=Danger.CONTROL,
        acts=True,
        nouns=frozenset({"system", "full", "run", "test"}),
        examples=("run full system diagnostic", "/diagnostic"),
    )


async def handle(desk: Desk, command: Diagnostic) -> Reply:
    """Check each part and say in plain words what failed."""
    del command
    house = desk.house
    symbol = f"BTC/{desk.settings.quote_currency}"
    checks = [
        Check("Mode", ok=True, text=f"{house.active_mode} is active, this is the {desk.mode} desk"),
        Check(
            "Exchange", ok=desk.ready, text=f"{desk.exchange.name}, {desk.state}{'' if desk.ready else ', not ready'}"
        ),
        house.describe_database(),
        await _market(desk, symbol),
        *[await probe() for probe in house.probes.values()],
    ]
    if desk.mode is Mode.PAPER:
        checks.append(await _test_order(desk, symbol))
    failed = [check for check in checks if check.ok is False]
    lines = [f"{_MARKS[check.ok]} {check.name}: {check.text}." for check in checks]
    lines.append("Everything works." if not failed else f"{len(failed)} of {len(checks)} checks failed.")
    data = {check.name: check.ok for check in checks}
    return Reply(tuple(lines), mode=desk.mode, ok=not failed, data=data)


_MARKS = {True: "✓", False: "✗", None: "–"}


async def _market(desk: Desk, symbol: str) -> Check:
    try:
        quote = await desk.quote(symbol)
    except ZynError as error:
        return Check("Market data", ok=False, text=error.message)
    age = quote.age_s(desk.clock())
    fresh = age <= desk.settings.quote_age_max_s
    return Check("Market data", ok=fresh, text=f"{symbol} {plain(quote.last)} from {quote.source}, {age:.0f} s old")


async def _test_order(desk: Desk, symbol: str) -> Check:
    """A small limit order far below the market: placed, seen in the venue's open orders, canceled, seen gone."""
    try:
        instrument = await desk.instrument(symbol)
        quote = await desk.fresh_quote(symbol)
        limit = instrument.price(quote.bid - percent_of(quote.bid, _BELOW_PCT))
        smallest = instrument.minimum_quantity(limit)
        opened = await open_position_with_brackets(
            desk, symbol, Side.BUY, (smallest + smallest, AmountUnit.BASE), OrderType.LIMIT, None, None,
            Source.FORCE_TEST, limit_price=limit,
        )  # fmt: skip
        entry = opened.bracket.entry
        if entry is None or entry.venue_id is None:
            return Check("Test order", ok=False, text=f"not accepted: {entry.reason if entry else 'not sent'}")
        shown = {order.venue_id for order in await desk.exchange.fetch_open_orders(symbol)}
        await run(desk, Cancel(target=entry.venue_id))
        left = {order.venue_id for order in await desk.exchange.fetch_open_orders(symbol)}
    except ZynError as error:
        return Check("Test order", ok=False, text=error.message)
    after = desk.ledger.bracket(opened.bracket.id)
    ok = entry.venue_id in shown and entry.venue_id not in left and after is not None and after.held <= ZERO
    seen = "shown in open orders" if entry.venue_id in shown else "MISSING from open orders"
    gone = "canceled and gone" if entry.venue_id not in left else "STILL THERE after its cancel"
    return Check("Test order", ok=ok, text=f"{entry.venue_id} for {plain(entry.quantity)} {symbol} {seen}, {gone}")
