"""market: how the watched symbols stood at their last closed candle."""

from typing import ClassVar

from core.autopilot.entering import gate_limits
from core.autopilot.telling import config_lines, explain_lines, market_line
from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.trading.desk import Desk
from core.trading.offers import refresh
from core.trading.reply import Reply


class Market(Command):
    """Show regime, RSI, ATR and the last signal of a symbol or of all watched ones."""

    declaration: ClassVar[Declaration] = Declaration(
        name="market",
        calls=(
            "market",
            "market overview",
            "market regime",
            "regime",
            "markets",
            "market status",
            "market conditions",
            "how is the market",
            "how's the market",
            "rsi",
            "atr",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"overview", "conditions", "status", "state", "regime", "current", "doing", "looking"}),
        examples=("market ETH", "market overview"),
    )
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: Market) -> Reply:
    """One symbol with everything that is known of it, or a line for each that is watched."""
    pilot = desk.house.pilot
    if command.symbol is not None:
        found = pilot.evaluations.last(desk.mode, command.symbol, 1)
        if not found:
            is_watched = command.symbol in pilot.choices.watched(desk.mode)
            how = "" if is_watched else f"; 'watch {command.symbol}' lets Zyn look at it"
            return Reply((f"{command.symbol} was not evaluated on the {desk.mode} desk yet{how}.",), mode=desk.mode)
        return Reply(tuple(explain_lines(found[0], desk.ledger.bracket(found[0].bracket_id))), mode=desk.mode)
    lines = []
    for symbol in pilot.choices.watched(desk.mode):
        found = pilot.evaluations.last(desk.mode, symbol, 1)
        lines.append(market_line(found[0] if found else None, symbol))
    head = f"The market as of each symbol's last closed candle ({pilot.config.timeframe_s // 60} min, UTC):"
    offers = (refresh("market", desk.mode),)
    return Reply(
        (head, *lines, *config_lines(pilot.config, gate_limits(desk, pilot.config))), mode=desk.mode, offers=offers
    )
