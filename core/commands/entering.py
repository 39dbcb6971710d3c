"""What buy and bracket share: through the door, and the answer read back from the ledger."""

from decimal import Decimal
from typing import Protocol

from core.commands.base import Amount, LevelArgument
from core.domain.brackets import Bracket
from core.domain.errors import Code
from core.domain.modes import Source
from core.domain.money import ZERO, plain
from core.domain.orders import OrderState, OrderType, Side
from core.lifecycle.news import price
from core.trading import say
from core.trading.desk import Desk
from core.trading.door import Opened, open_position_with_brackets
from core.trading.offers import position_offers, show_open
from core.trading.reply import ExecFacts, Reply, receipt_of


class Entry(Protocol):
    """The fields of a command that buys."""

    @property
    def symbol(self) -> str:
        """The pair."""
        ...

    @property
    def amount(self) -> Amount:
        """How much."""
        ...

    @property
    def order_type(self) -> str:
        """Either "market" or "limit"."""
        ...

    @property
    def limit_price(self) -> Decimal | None:
        """The limit, None at market."""
        ...

    @property
    def stop_loss(self) -> LevelArgument | None:
        """The stop that was given."""
        ...

    @property
    def take_profit(self) -> LevelArgument | None:
        """The target that was given."""
        ...


async def enter(desk: Desk, command: Entry) -> Reply:
    """Buy as `command` says and tell what came of it, with the open list of that desk."""
    opened = await open_position_with_brackets(
        desk,
        command.symbol,
        Side.BUY,
        (command.amount.value, command.amount.unit),
        OrderType(command.order_type),
        command.stop_loss.level() if command.stop_loss else None,
        command.take_profit.level() if command.take_profit else None,
        Source.COMMAND,
        limit_price=command.limit_price,
    )
    return await entry_reply(desk, opened)


async def entry_reply(desk: Desk, opened: Opened) -> Reply:
    """The answer to an entry: what the ledger has, what the venue shows, and nothing that was only hoped for."""
    shown = []
    if desk.mode is not desk.house.active_mode:
        shown = ["", *await say.open_now(desk, opened.bracket.symbol)]
    # Read last and told at once: while the venue was asked, the tick went on.
    bracket = desk.ledger.bracket(opened.bracket.id) or opened.bracket
    lines = [*say.entry_lines(bracket), *(f"Note: {note}." for note in opened.notes)]
    lines += [*say.sources([opened.quote], desk.clock()), *shown]
    entry = bracket.entry
    failed = entry is None or (entry.is_terminal and entry.filled <= ZERO)
    unknown = entry is not None and entry.state is OrderState.SUBMITTING
    code = Code.UNKNOWN if unknown else Code.REJECTED if failed else None
    if code is not None:
        lines[0] = f"[EXEC-ERR] {code}: {lines[0]}"
    return Reply(
        tuple(lines),
        mode=desk.mode,
        ok=code is None,
        code=code,
        receipts=tuple(receipt_of(order, bracket, desk.exchange.name) for order in bracket.orders),
        facts=entry_facts(bracket),
        data={"bracket": bracket.id},
        offers=(show_open(desk.mode), *(position_offers(bracket.symbol, desk.mode) if bracket.held > ZERO else ())),
    )


def entry_facts(bracket: Bracket) -> ExecFacts:
    """The fields of the log line about an entry."""
    entry = bracket.entry
    average = bracket.entry_average
    return ExecFacts(
        symbol=bracket.symbol,
        side="buy",
        size=plain(bracket.quantity),
        entry=price(average) if average else plain(bracket.limit_price) if bracket.limit_price else "market",
        stop=plain(bracket.stop_price) if bracket.stop_price else "-",
        target=plain(bracket.target_price) if bracket.target_price else "-",
        outcome=f"{entry.state}:{plain(entry.filled)}" if entry else "nothing sent",
    )
