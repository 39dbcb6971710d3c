"""bracket: buy with both levels named."""

from typing import Annotated, ClassVar

from core.commands.base import (
    AmountArgument,
    Command,
    Danger,
    Declaration,
    LevelArgument,
    LimitPriceArgument,
    OrderTypeArgument,
    Preview,
    Slot,
    SlotKind,
    Symbol,
)
from core.commands.entering import enter
from core.commands.showing import show_entry
from core.domain.errors import Code
from core.trading.desk import Desk
from core.trading.reply import Reply

RequiredStop = Annotated[LevelArgument, Slot(SlotKind.STOP, Code.STOP_LOSS, "SL 1%")]
RequiredTarget = Annotated[LevelArgument, Slot(SlotKind.TARGET, Code.TAKE_PROFIT, "TP 2%")]


class BracketBuy(Command):
    """Buy with a stop and a target that you name, both."""

    declaration: ClassVar[Declaration] = Declaration(
        name="bracket",
        calls=("bracket", "bracket buy", "bracket order"),
        danger=Danger.TRADE,
        nouns=frozenset({"position", "order", "trade", "buy"}),
        examples=("bracket 0.1 ETH SL 1% TP 2%", "/bracket SOL $100 sl=2% tp=4%"),
    )
    symbol: Symbol
    amount: AmountArgument
    order_type: OrderTypeArgument = "market"
    limit_price: LimitPriceArgument = None
    stop_loss: RequiredStop
    take_profit: RequiredTarget


async def handle(desk: Desk, command: BracketBuy) -> Reply:
    """Open the position and answer with what the ledger shows of it."""
    return await enter(desk, command)


async def preview(desk: Desk, command: BracketBuy) -> Preview:
    """The order as it would be sent, with its risk and its levels."""
    shown = await show_entry(desk, command)
    return Preview(shown.lines, command.model_copy(update=shown.exact), shown.prices)
