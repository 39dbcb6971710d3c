"""balance: what the account has."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration
from core.domain.modes import Mode
from core.domain.money import ZERO, cents, plain, times
from core.trading import say
from core.trading.desk import Desk
from core.trading.foreign import MONEY, ours
from core.trading.offers import refresh, show_open
from core.trading.reply import Reply, Row


class Balance(Command):
    """Show what the account has, what waits in orders, and what it is all worth."""

    declaration: ClassVar[Declaration] = Declaration(
        name="balance",
        calls=(
            "balance",
            "bal",
            "balances",
            "funds",
            "wallet",
            "account",
            "how much money",
            "how much cash",
            "how much usd",
            "equity",
            "portfolio",
            "buying power",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"account", "balance", "available", "money", "cash", "left", "usd", "free", "total", "worth"}),
        examples=("balance", "bal", "what's my paper balance?"),
    )


async def handle(desk: Desk, command: Balance) -> Reply:
    """List every asset of the venue's account."""
    del command
    snapshot = await desk.snapshot()
    currency = desk.settings.quote_currency
    pairs = {asset: f"{asset}/{currency}" for asset in snapshot.balances if asset != currency}
    quotes = await desk.quotes(pairs.values())
    lines: list[str] = []
    unpriced: list[str] = []
    worth = ZERO
    for asset, balance in sorted(snapshot.balances.items(), key=lambda item: (item[0] != currency, item[0])):
        held = f", {plain(balance.held)} in open orders" if balance.held > ZERO else ""
        if desk.mode is Mode.LIVE and asset not in MONEY:
            mine = ours(desk, asset)
            held += f", {plain(mine)} in Zyn's positions" if mine > ZERO else ", not Zyn's"
        total = cents(balance.total) if asset == currency else plain(balance.total)
        text, value_cell = f"• {asset} {total}{held}", total if asset == currency else "?"
        quote = quotes.get(pairs.get(asset, ""))
        if asset == currency:
            worth += balance.total
        elif quote is not None:
            value = times(balance.total, quote.bid)
            worth += value
            value_cell = cents(value)
            text += f", worth {value_cell} {currency}"
        else:
            unpriced.append(asset)
        lines.append(text if held else Row(text, asset, total, f"{value_cell} {currency}"))
    missing = f" (without {', '.join(unpriced)}: no price)" if unpriced else ""
    if desk.mode is Mode.LIVE:
        lines.append(f"The account as of {max((desk.clock() - snapshot.at).total_seconds(), 0.0):.0f} s ago.")
    lines.append(f"Equity: {cents(worth)} {currency}{missing}.")
    lines += say.sources(quotes.values(), desk.clock())
    offers = (refresh("balance", desk.mode), show_open(desk.mode))
    return Reply(tuple(lines), mode=desk.mode, data={"equity": plain(worth)}, offers=offers)
