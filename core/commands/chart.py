"""chart: a picture of a symbol: candles, indicators, what was traded, stop and target."""

import asyncio
from typing import ClassVar

from core.autopilot.picture import chart_of
from core.charts.values import picture_name
from core.commands.base import Command, Danger, Declaration, Symbol
from core.trading import say
from core.trading.desk import Desk
from core.trading.reply import Picture, Reply
from core.trading.view import view_open


class Chart(Command):
    """Draw candles, entries, exits, stop and target of a symbol."""

    declaration: ClassVar[Declaration] = Declaration(
        name="chart",
        calls=("chart", "graph", "plot", "draw"),
        danger=Danger.QUERY,
        nouns=frozenset({"chart", "candles", "picture", "graph"}),
        examples=("chart ETH", "draw me a chart of bitcoin"),
    )
    symbol: Symbol


async def handle(desk: Desk, command: Chart) -> Reply:
    """The last candles with their indicators, what was traded, and where stop and target are."""
    chart = await chart_of(desk, command.symbol)
    from core.charts.draw import draw  # noqa: PLC0415 - matplotlib, on the first picture

    png = await asyncio.to_thread(draw, chart)
    picture = Picture(picture_name(command.symbol, desk.clock()), png)
    held = [say.position_line(one) for one in (await view_open(desk, command.symbol)).positions]
    lines = (chart.title, chart.subtitle, *held)
    return Reply(tuple(line for line in lines if line), mode=desk.mode, picture=picture)
