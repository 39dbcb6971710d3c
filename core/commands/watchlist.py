"""watchlist: which symbols the autopilot looks at."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from core.autopilot.choices import WATCHED_MAX
from core.autopilot.telling import LEFT_OUT_WORDS
from core.commands.base import Command, Danger, Declaration, OptionalSymbol, Preview, Slot, SlotKind
from core.domain.errors import Code, Denied
from core.domain.modes import Source
from core.strategy.universe import LeftOut
from core.trading.desk import Desk
from core.trading.reply import Reply


class Watchlist(Command):
    """Show the watched symbols, add one or remove one."""

    declaration: ClassVar[Declaration] = Declaration(
        name="watchlist",
        calls=("watchlist", "watch list", "watch", "unwatch", "watched symbols"),
        danger=Danger.CONTROL,
        goes_with={"add": "symbol", "remove": "symbol"},
        dangerous_live=({"action": "add"},),
        presets={"watch": {"action": "add"}, "unwatch": {"action": "remove"}},
        nouns=frozenset({"symbols", "list", "watchlist", "from", "to"}),
        examples=("watchlist", "add SOL to the watchlist", "unwatch DOGE"),
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
    """Show the list, or store another one. What is held stays protected, watched or not."""
    choices = desk.house.pilot.choices
    watched = choices.watched(desk.mode)
    if command.action == "show" or command.symbol is None:
        if command.action != "show":
            raise Denied(Code.SYMBOL, f"say which: '{command.action} SOL'")
        chosen = (
            "chosen by you" if choices.is_chosen(desk.mode) else f"as the {choices.config.profile} profile has them"
        )
        if choices.wants_selection(desk.mode) and choices.selected_on:
            chosen = f"chosen by their figures on {choices.selected_on}"
        line = f"Watched in {desk.mode} ({len(watched)}, {chosen}): {', '.join(watched) or 'nothing'}."
        return Reply((line, *_left_out_lines(choices.left_out(desk.mode))), data={"watched": list(watched)})
    symbol = command.symbol
    if command.action == "remove":
        if symbol not in watched:
            raise Denied(Code.NOT_FOUND, f"{symbol} is not watched; watched are {', '.join(watched) or 'none'}")
        held = any(one.symbol == symbol and one.source is Source.AUTOPILOT for one in desk.ledger.unfinished())
        rest = " What the autopilot holds of it is looked at until it has ended." if held else ""
        return _store(desk, [one for one in watched if one != symbol], f"{symbol} is watched no more.{rest}")
    await desk.instrument(symbol)
    currency = desk.settings.quote_currency
    if not symbol.endswith(f"/{currency}"):
        # Limits and results are counted in one currency.
        raise Denied(Code.SYMBOL, f"the autopilot trades pairs of {currency} only, and {symbol} is none")
    if symbol in watched:
        return Reply((f"{symbol} is watched already.",), data={"watched": list(watched)})
    if len(watched) >= WATCHED_MAX:
        raise Denied(Code.NOT_ACTIVE, f"{WATCHED_MAX} symbols are watched already; take one off first")
    return _store(desk, [*watched, symbol], f"{symbol} is watched from its next closed candle on.")


def _left_out_lines(left_out: Mapping[str, tuple[LeftOut, str]]) -> list[str]:
    """Each reason with how many symbols it kept out and some of them with their numbers."""
    lines = []
    for reason, words in LEFT_OUT_WORDS.items():
        names = [f"{name} ({why})" for name, (code, why) in left_out.items() if code is reason]
        if names:
            rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            lines.append(f"• {len(names)} left out, {words}: {', '.join(names[:_SHOWN])}{rest}.")
    return lines


_SHOWN = 5


async def preview(desk: Desk, command: Watchlist) -> Preview:
    """What would be traded by itself from then on."""
    pilot = desk.house.pilot
    state = "on" if pilot.choices.is_on(desk.mode) else "off"
    lines = (
        f"Let the autopilot look at {command.symbol} too; it is {state} in {desk.mode}.",
        f"Watched now: {', '.join(pilot.choices.watched(desk.mode)) or 'nothing'}.",
    )
    return Preview(lines, command, about={"autopilot": state})


def _store(desk: Desk, watched: list[str], said: str) -> Reply:
    desk.house.pilot.choices.watch(desk.mode, watched)
    line = f"{said} Watched in {desk.mode} now ({len(watched)}): {', '.join(watched) or 'nothing'}."
    return Reply((line,), data={"watched": watched})
