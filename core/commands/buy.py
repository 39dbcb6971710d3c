"""buy: open a position, always with a stop and a target."""

from typing import ClassVar

from core.commands.base import (
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
from core.commands.entering import enter
from core.commands.showing import show_entry
from core.trading.desk import Desk
from core.trading.reply import Reply


class Buy(Command):
    """Buy at market or at a limit, with a stop and a target that cancel each other."""

    declaration: ClassVar[Declaration] = Declaration(
        name="buy",
        calls=(
            "buy",
            "long",
            "go long",
            "open a long",
            "open long",
            "enter",
            "get me",
            "get",
            "grab",
            "pick up",
            "purchase",
            "scoop",
            "ape into",
            "take a long",
            "accumulate",
            "open a position",
            "open a",
            "ape",
            "invest",
            "spend",
        ),
        danger=Danger.TRADE,
        nouns=frozenset({"position", "order", "trade", "long", "coins", "coin", "tokens", "into"}),
        examples=(
            "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute.",
            "buy $50 of SOL",
            "buy 0.01 BTC limit 90000 stop 88000 target 95000",
            "/buy ETH 0.1 sl=1% tp=2%",
            "long eth risk 1% stop 2 ATR target 3R",
        ),
    )
    symbol: Symbol
    amount: AmountArgument
    order_type: OrderTypeArgument = "market"
    limit_price: LimitPriceArgument = None
    stop_loss: StopArgument = None
    take_profit: TargetArgument = None


async def handle(desk: Desk, command: Buy) -> Reply:
    """Open the position and answer with what the ledger shows of it."""
    return await enter(desk, command)


async def preview(desk: Desk, command: Buy) -> Preview:
    """The order as it would be sent, with its risk and its levels."""
    shown = await show_entry(desk, command)
    return Preview(shown.lines, command.model_copy(update=shown.exact), shown.prices)
