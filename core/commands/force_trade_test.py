"""force_trade_test: a whole trade on purpose, every step with its receipt."""

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, OptionalSymbol, Preview
from core.commands.entering import entry_facts
from core.domain.brackets import Bracket, BracketState, Level, LevelUnit
from core.domain.errors import Code, ZynError
from core.domain.market import Quote
from core.domain.modes import Source
from core.domain.money import ZERO, divide, percent_of, plain
from core.domain.orders import Order, OrderState, OrderType, Role, Side
from core.lifecycle.decide import Decision
from core.lifecycle.news import price
from core.risk.sizing import AmountUnit
from core.trading import say
from core.trading.desk import Desk
from core.trading.door import open_position_with_brackets
from core.trading.reply import Reply, receipt_of

WORTH = Decimal(10)
LOOKS = 12
PAUSE_S = 1.0
_UNDER_PCT = Decimal("0.05")


class ForceTradeTest(Command):
    """Trade $10 (or the minimum) for a test: entry, both legs, one leg filled, its sibling canceled."""

    declaration: ClassVar[Declaration] = Declaration(
        name="force_trade_test",
        calls=(
            "force_trade_test",
            "force trade test",
            "force test",
            "test trade",
            "force a test trade",
            "forced trade test",
            "run a force trade test",
            "run the force trade test",
            "run force trade test",
            "run force_trade_test",
            "run a test trade",
        ),
        danger=Danger.TRADE,
        nouns=frozenset({"test", "trade"}),
        examples=("force_trade_test ZEC", "force trade test"),
    )
    symbol: OptionalSymbol = None


@dataclass(slots=True)
class _Steps:
    """The steps as they were seen, each with its proof."""

    lines: list[str] = field(default_factory=list)
    ok: bool = True

    def add(self, name: str, text: str, *, ok: bool) -> bool:
        self.lines.append(f"{'✓' if ok else '✗'} {name}: {text}")
        self.ok = self.ok and ok
        return ok


async def handle(desk: Desk, command: ForceTradeTest) -> Reply:
    """Run the test trade through the same door and the same tick as every other trade."""
    symbol, quantity = await _size(desk, command)
    opened = await open_position_with_brackets(
        desk, symbol, Side.BUY, (quantity, AmountUnit.BASE), OrderType.MARKET, None, None, Source.FORCE_TEST
    )
    steps = _Steps()
    bracket = opened.bracket
    if _entry_seen(steps, bracket) and _legs_seen(steps, bracket):
        try:
            bracket = await _let_target_fill(desk, bracket, steps)
        except ZynError as error:
            # It has bought already: from here on nothing is a refusal, only a test that failed.
            steps.add("leg filled by the venue", error.message, ok=False)
        bracket = desk.ledger.bracket(bracket.id) or bracket
        _end_seen(desk, steps, bracket)
    receipts = tuple(receipt_of(order, bracket, desk.exchange.name) for order in bracket.orders)
    verdict = "Force test passed." if steps.ok else "Force test FAILED; 'open' shows what is left."
    lines = (*steps.lines, verdict, *say.sources([opened.quote], desk.clock()))
    facts = replace(entry_facts(bracket), outcome="passed" if steps.ok else "failed", source=Source.FORCE_TEST.value)
    return Reply(lines, desk.mode, steps.ok, None if steps.ok else Code.TEST_FAILED, receipts, facts)


async def preview(desk: Desk, command: ForceTradeTest) -> Preview:
    """What the test would buy and sell."""
    symbol, quantity = await _size(desk, command)
    ask = (await desk.fresh_quote(symbol)).ask
    text = f"Buy {plain(quantity)} {symbol} at market, now about {plain(ask)}, with both legs; then let one leg fill."
    return Preview((text,), command, {symbol: ask})


async def _size(desk: Desk, command: ForceTradeTest) -> tuple[str, Decimal]:
    """The pair, and $10 of it or a little more than its minimum."""
    symbol = command.symbol or f"BTC/{desk.settings.quote_currency}"
    instrument = await desk.instrument(symbol)
    quote = await desk.fresh_quote(symbol)
    smallest = instrument.minimum_quantity(quote.bid)
    least = instrument.quantity(smallest + percent_of(smallest, Decimal(10)))
    return symbol, max(instrument.quantity(divide(WORTH, quote.ask)), least)


def _entry_seen(steps: _Steps, bracket: Bracket) -> bool:
    entry = bracket.entry
    if entry is None or entry.average is None:
        return steps.add("entry", f"not filled ({entry.state if entry else 'not sent'})", ok=False)
    return steps.add(
        "entry", f"bought {plain(entry.filled)} at {price(entry.average)}, order {entry.venue_id}", ok=True
    )


def _legs_seen(steps: _Steps, bracket: Bracket) -> bool:
    stop = _waiting(bracket, Role.STOP)
    target = _waiting(bracket, Role.TARGET)
    found = stop is not None and stop.state is OrderState.OPEN and target is not None
    for role, order in (("stop", stop), ("target", target)):
        if order is None:
            steps.add(role, "missing", ok=False)
        else:
            where = _where(order)
            steps.add(role, f"{plain(order.quantity)} at {plain(order.price or ZERO)}, {where}", ok=True)
    return found and steps.ok


def _where(order: Order) -> str:
    if order.state is OrderState.HELD:
        return "held by Zyn"
    return f"resting, order {order.venue_id}" if order.venue_id else f"sent, unanswered, order {order.client_id}"


def _waiting(bracket: Bracket, role: Role) -> Order | None:
    return next((order for order in bracket.of_role(role) if not order.is_terminal), None)


async def _let_target_fill(desk: Desk, bracket: Bracket, steps: _Steps) -> Bracket:
    """Put the target just under the bid and leave everything else to the venue and the ordinary tick."""
    for look in range(LOOKS):
        if look:
            await asyncio.sleep(PAUSE_S)
        quote = await desk.quote(bracket.symbol)
        await _lower_target(desk, bracket, quote)
        await desk.settle(bracket.base)
        bracket = desk.ledger.bracket(bracket.id) or bracket
        if bracket.state is BracketState.CLOSED:
            break
    filled = [order for order in bracket.of_role(Role.TARGET, Role.STOP) if order.filled > ZERO]
    for order in filled:
        text = f"{order.role} filled {plain(order.filled)} at {price(order.average or ZERO)}, order {order.venue_id}"
        steps.add("leg filled by the venue", text, ok=True)
    if not filled:
        steps.add("leg filled by the venue", f"none within {LOOKS * PAUSE_S:.0f} s", ok=False)
    return bracket


async def _lower_target(desk: Desk, stale: Bracket, quote: Quote) -> None:
    rules = await desk.rules(stale.symbol)
    level = rules.instrument.price(quote.bid - percent_of(quote.bid, _UNDER_PCT))
    async with desk.lock(stale.base):
        bracket = desk.ledger.bracket(stale.id)
        if bracket is None or bracket.state is BracketState.CLOSED:
            return
        after = replace(bracket, target=Level(level, LevelUnit.PRICE), target_price=level, target_retry_at=None)
        desk.ledger.save([Decision(bracket, after, (), (), ())])
        desk.note_change(bracket.base)


def _end_seen(desk: Desk, steps: _Steps, bracket: Bracket) -> None:
    # What the venue never took was no sibling: its refusal is told in the rows, and Zyn held that leg itself.
    legs = bracket.of_role(Role.STOP, Role.TARGET)
    siblings = [order for order in legs if order.filled <= ZERO and order.state is not OrderState.REJECTED]
    for order in siblings:
        canceled = order.state is OrderState.CANCELED
        steps.add(
            "sibling canceled by the tick",
            f"{order.role} {order.venue_id or order.client_id} is {order.state}",
            ok=canceled,
        )
    rows = [item for item in desk.ledger.executed(bracket.symbol) if item.bracket.id == bracket.id]
    steps.add("rows in executed_orders", f"{len(rows)} (entry and exit)", ok=len(rows) > 1)
    closed = bracket.state is BracketState.CLOSED
    steps.add("closed", say.closed_line(bracket) if closed else f"the bracket is {bracket.state}", ok=closed)
