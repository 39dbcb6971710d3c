"""watchlist: declared, so that it is understood; its handler says that it is not built yet."""

from typing import Annotated, ClassVar, Literal

from core.commands.base import Command, Danger, Declaration, OptionalSymbol, Slot, SlotKind
from core.commands.unbuilt import not_built_yet
from core.domain.errors import Code
from core.trading.desk import Desk
from core.trading.reply import Reply


class Watchlist(Command):
    """Show the watched symbols, add one or remove one."""

    declaration: ClassVar[Declaration] = Declaration(
        name="watchlist",
        calls=("watchlist", "watch list", "watch", "unwatch", "watched symbols"),
        danger=Danger.CONTROL,
        goes_with={"add": "symbol", "remove": "symbol"},
        presets={"watch": {"action": "add"}, "unwatch": {"action": "remove"}},
        nouns=frozenset({"symbols", "list", "watchlist", "from", "to"}),
        examples=("watchlist", "add SOL to the watchlist", "unwatch DOGE"),
        built=False,
    )
    action: Annotated[
        Literal["show", "add", "remove"],
        Slot(
            SlotKind.CHOICE,
            Code.ACTION,
            "show, add or remove",
            {
                "add": ("add", "watch", "include", "put"),
                "remove": ("remove", "unwatch", "delete", "drop"),
                "show": ("show",),
            },
        ),
    ] = "show"
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: Watchlist) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
