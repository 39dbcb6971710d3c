"""protect: set or move the stop and the target of a symbol's positions."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from core.commands.base import (
    Command,
    Danger,
    Declaration,
    Preview,
    Slot,
    SlotKind,
    StopArgument,
    Symbol,
    TargetArgument,
)
from core.commands.showing import level_line, levels_about
from core.domain.brackets import Bracket, Level, LevelUnit
from core.domain.errors import Code, Denied
from core.domain.instruments import Instrument
from core.domain.market import Quote
from core.domain.money import ZERO, plain, times
from core.lifecycle.decide import Decision
from core.lifecycle.trail import distance_of
from core.risk.prices import compute_bracket_prices, misplaced
from core.trading import say
from core.trading.desk import Desk
from core.trading.reply import ExecFacts, Reply, receipt_of


class Protect(Command):
    """Set or move stop and target; "break even" puts the stop at the entry, "trailing" lets it follow the price."""

    declaration: ClassVar[Declaration] = Declaration(
        name="protect",
        calls=(
            "protect",
            "move",
            "set",
            "adjust",
            "change",
            "raise",
            "lower",
            "tighten",
            "update",
            "modify",
            "put",
        ),
        danger=Danger.TRADE,
        nouns=frozenset({"position", "positions", "level", "levels"}),
        any_of=("stop_loss", "take_profit"),
        goes_with={"trailing": "stop_loss"},
        examples=(
            "protect ZEC sl 1% tp 3%",
            "move the stop of ETH to break even",
            "set target on SOL at 160",
            "protect ZEC trailing stop 2%",
        ),
    )
    symbol: Symbol
    stop_loss: StopArgument = None
    take_profit: TargetArgument = None
    trail: Annotated[
        Literal["trailing"] | None,
        Slot(SlotKind.CHOICE, Code.STOP_LOSS, "trailing stop 2%", {"trailing": ("trailing", "trail", "trails")}),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """The fields; of a stop that trails only where it does."""
        given = super().arguments()
        return given if self.trail is not None else {name: value for name, value in given.items() if name != "trail"}


async def handle(desk: Desk, command: Protect) -> Reply:
    """Move the levels of every bracket of the symbol and show what rests afterwards."""
    moved = await apply_levels(desk, *await _wanted(desk, command), trails=command.trail is not None)
    shown = await say.open_now(desk, command.symbol)
    quotes = await desk.quotes([command.symbol])
    after = [desk.ledger.bracket(bracket.id) or bracket for bracket in moved]
    waits = [say.not_moved_line(bracket) for bracket in after if not bracket.stands_as_wished]
    lines = [*waits, *shown, *say.sources(quotes.values(), desk.clock())]
    receipts = [
        receipt_of(order, bracket, desk.exchange.name)
        for bracket in after
        for order in bracket.orders
        if not order.is_terminal
    ]
    code = Code.UNKNOWN if waits else None
    facts = _facts(command.symbol, after)
    return Reply(tuple(lines), desk.mode, ok=not waits, code=code, receipts=tuple(receipts), facts=facts)


async def preview(desk: Desk, command: Protect) -> Preview:
    """Where each level is now and where it would be."""
    moves = await plan_levels(desk, *await _wanted(desk, command), trails=command.trail is not None)
    quote = await desk.quote(command.symbol)
    lines = [*(level_line(before, after) for before, after in moves), *say.sources([quote], desk.clock())]
    return Preview(tuple(lines), command, {command.symbol: quote.bid}, levels_about(moves))


async def _wanted(desk: Desk, command: Protect) -> tuple[Sequence[Bracket], Level | None, Level | None]:
    """The brackets that are meant, and their new levels. Raises Denied where there is nothing to protect."""
    if command.stop_loss is None and command.take_profit is None:
        raise Denied(Code.STOP_LOSS, f"say where: 'protect {command.symbol} sl 1% tp 2%', or 'break even'")
    brackets = await desk.unfinished_now(command.symbol)
    if not brackets:
        raise Denied(Code.NO_POSITION, f"there is no open {command.symbol} on the {desk.mode} desk to protect")
    stop = command.stop_loss.level() if command.stop_loss else None
    return brackets, stop, command.take_profit.level() if command.take_profit else None


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


def _facts(symbol: str, brackets: Sequence[Bracket]) -> ExecFacts:
    first = brackets[0]
    held = sum((bracket.held for bracket in brackets), ZERO)
    return ExecFacts(
        symbol=symbol,
        side="sell",
        size=plain(held),
        entry=plain(first.entry_average) if first.entry_average else "waiting",
        stop=plain(first.stop_price) if first.stop_price else "-",
        target=plain(first.target_price) if first.target_price else "-",
        outcome="moved",
    )
