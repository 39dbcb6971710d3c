"""sell: leave a part of what our brackets hold, or all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from core.commands.base import (
    Amount,
    AmountArgument,
    Command,
    Danger,
    Declaration,
    LimitPriceArgument,
    OrderTypeArgument,
    Preview,
    StopArgument,
    Symbol,
    TargetArgument,
)
from core.commands.exiting import exit_reply
from core.commands.showing import is_all, level_line, levels_about, show_exits
from core.domain.brackets import Bracket, ExitReason, Level, LevelUnit
from core.domain.errors import Code, Denied
from core.domain.instruments import Instrument
from core.domain.money import ZERO, plain
from core.risk.sizing import AmountUnit, size_exit
from core.trading import say
from core.trading.desk import Desk
from core.trading.leaving import leave
from core.trading.levels import apply_levels, plan_levels
from core.trading.reply import ExecFacts, Reply


class Sell(Command):
    """Sell some or all of what Zyn bought; a limit becomes the target of its bracket."""

    declaration: ClassVar[Declaration] = Declaration(
        name="sell",
        calls=(
            "sell",
            "dump",
            "offload",
            "unload",
            "get rid of",
            "take profits on",
            "take profit on",
            "trim",
            "reduce",
        ),
        danger=Danger.TRADE,
        nouns=frozenset({"position", "order", "holding", "holdings", "coins", "tokens", "bag", "bags", "by"}),
        examples=("sell 0.02 ZEC", "sell all my DOGE", "dump half my ETH", "sell 100% of SOL limit 150"),
    )
    symbol: Symbol
    amount: AmountArgument
    order_type: OrderTypeArgument = "market"
    limit_price: LimitPriceArgument = None
    stop_loss: StopArgument = None
    take_profit: TargetArgument = None


@dataclass(frozen=True, slots=True)
class _Sale:
    """What a sale comes to: of which brackets how much, and what is too small to be sold from the last one."""

    instrument: Instrument
    positions: Sequence[Bracket]
    quantity: Decimal
    wishes: Sequence[tuple[Bracket, Decimal | None]] = ()
    skipped: Decimal = ZERO


async def handle(desk: Desk, command: Sell) -> Reply:
    """Sell oldest brackets first and answer with what was really sold."""
    sale = await _plan(desk, command)
    if command.order_type == "limit":
        return await _as_target(desk, command, sale)
    left = await leave(desk, sale.wishes, ExitReason.COMMAND)
    return await exit_reply(desk, left, skipped=sale.skipped, took_all=is_all(command.amount))


async def preview(desk: Desk, command: Sell) -> Preview:
    """What would be sold of which bracket, or whose target would move."""
    sale = await _plan(desk, command)
    exact = {} if is_all(command.amount) else {"amount": Amount(value=sale.quantity, unit=AmountUnit.BASE)}
    if command.order_type == "limit":
        chosen, target = _targeted(command, sale)
        moves = await plan_levels(desk, chosen, None, target)
        lines = tuple(level_line(before, after) for before, after in moves)
        bid = (await desk.quote(command.symbol)).bid
        return Preview(lines, command.model_copy(update=exact), {command.symbol: bid}, levels_about(moves))
    shown = await show_exits(desk, [(bracket, part or bracket.held) for bracket, part in sale.wishes], ())
    return Preview(shown.lines, command.model_copy(update=exact), shown.prices, shown.about)


async def _plan(desk: Desk, command: Sell) -> _Sale:
    """The sale as it would be made now. Raises Denied."""
    if command.stop_loss is not None or command.take_profit is not None:
        raise Denied(
            Code.SPOT_ONLY, "a sale leaves a position, so it takes no stop or target; to move them say 'protect'"
        )
    instrument = await desk.instrument(command.symbol)
    quote = await desk.quote(command.symbol)
    positions = await desk.positions_now(command.symbol)
    held = sum((bracket.held for bracket in positions), ZERO)
    if not positions:
        raise Denied(Code.NO_POSITION, await _nothing(desk, instrument))
    quantity = size_exit(command.amount.value, command.amount.unit, held, quote.bid, instrument)
    if quantity > held:
        raise Denied(
            Code.NOT_OURS,
            f"asked to sell {plain(quantity)} {instrument.base}, our brackets hold {plain(held)}; "
            "nothing else is touched",
        )
    if command.order_type == "limit":
        return _Sale(instrument, positions, quantity)
    if instrument.is_dust(quantity, quote.bid) and quantity < held:
        smallest = plain(instrument.minimum_quantity(quote.bid))
        raise Denied(
            Code.MINIMUM,
            f"{plain(quantity)} {instrument.base} is too small to sell; the venue takes {smallest} or more",
        )
    wishes, skipped = oldest_first(positions, quantity, instrument, quote.bid)
    if is_all(command.amount):
        wishes = [(bracket, None) for bracket in positions]
    return _Sale(instrument, positions, quantity, wishes, skipped)


def oldest_first(
    positions: Sequence[Bracket], quantity: Decimal, instrument: Instrument, bid: Decimal
) -> tuple[list[tuple[Bracket, Decimal | None]], Decimal]:
    """How much to take from each bracket, oldest first, and what is too small to be sold from the last one."""
    wishes: list[tuple[Bracket, Decimal | None]] = []
    for bracket in positions:
        if quantity <= ZERO:
            break
        part = min(bracket.held, quantity)
        if part < bracket.held and instrument.is_dust(part, bid) and wishes:
            return wishes, quantity
        wishes.append((bracket, part))
        quantity -= part
    return wishes, ZERO


async def _nothing(desk: Desk, instrument: Instrument) -> str:
    waiting = [b for b in desk.ledger.unfinished() if b.symbol == instrument.symbol and b.entry and b.entry.is_live]
    if waiting:
        return (
            f"our brackets hold no {instrument.symbol} as far as the venue has shown; {len(waiting)} of them still "
            "wait for their entry, 'open' tells of it and 'cancel' takes it back"
        )
    balance = (await desk.snapshot()).balances.get(instrument.base)
    other = (
        f"; the account has {plain(balance.total)} {instrument.base} that belong to none of them"
        if balance and balance.total
        else ""
    )
    return f"our brackets hold no {instrument.symbol}, so there is nothing to sell{other}"


async def _as_target(desk: Desk, command: Sell, sale: _Sale) -> Reply:
    """A limit sale of protected coins is their target: it cancels with their stop, as it must."""
    chosen, target = _targeted(command, sale)
    await apply_levels(desk, chosen, None, target)
    shown = await say.open_now(desk, command.symbol)
    lines = [f"The limit {plain(target.value)} is now the target of {len(chosen)} position(s).", *shown]
    facts = ExecFacts(
        command.symbol, "sell", str(command.amount), plain(target.value), "-", plain(target.value), "target set"
    )
    return Reply(tuple(lines), mode=desk.mode, facts=facts)


def _targeted(command: Sell, sale: _Sale) -> tuple[list[Bracket], Level]:
    """The whole brackets whose target the limit becomes. Raises Denied where it would be a part of one."""
    if command.limit_price is None:
        raise Denied(Code.LIMIT_PRICE, "a limit sale needs its price, for example 'limit 3300'")
    instrument, quantity = sale.instrument, sale.quantity
    chosen: list[Bracket] = []
    for bracket in sale.positions:
        if quantity >= bracket.held:
            chosen.append(bracket)
            quantity -= bracket.held
    if quantity > ZERO:
        held = ", ".join(plain(bracket.held) for bracket in sale.positions)
        raise Denied(
            Code.AMOUNT,
            f"a limit sale becomes the target of a whole bracket, and {plain(quantity)} {instrument.base} would be "
            f"a part of one (they hold {held}); sell that part at market, or name whole brackets",
        )
    return chosen, Level(instrument.price(command.limit_price), LevelUnit.PRICE)
