"""cancel: take back entries that wait."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar

from core.commands.base import Command, Danger, Declaration, Preview, Slot, SlotKind
from core.commands.showing import entry_line
from core.domain.brackets import Bracket
from core.domain.errors import Code, Denied
from core.domain.money import ZERO, plain
from core.domain.orders import Role
from core.lifecycle.decide import Decision
from core.trading.desk import Desk
from core.trading.reply import ExecFacts, Reply, receipt_of


class Cancel(Command):
    """Cancel waiting entries: one by its order id, those of a symbol, or all. Stops and targets stay."""

    declaration: ClassVar[Declaration] = Declaration(
        name="cancel",
        calls=("cancel", "cancel order", "cancel orders", "scrap"),
        danger=Danger.TRADE,
        nouns=frozenset({"order", "entry", "pending", "waiting", "limit", "open"}),
        plurals=frozenset({"orders", "entries"}),
        examples=("cancel PX-000007", "cancel ETH", "cancel all orders"),
    )
    target: Annotated[str, Slot(SlotKind.CANCEL_TARGET, Code.TARGET, "an order id, a symbol, or 'all'")]


async def handle(desk: Desk, command: Cancel) -> Reply:
    """Ask for the cancels, let the tick run, and answer with what the ledger shows."""
    waiting, kept = await _waiting(desk, command)
    for base in sorted({bracket.base for bracket in waiting}):
        await _cancel_entries(desk, base, [bracket for bracket in waiting if bracket.base == base])
    after = [desk.ledger.bracket(bracket.id) or bracket for bracket in waiting]
    lines = [_line(bracket) for bracket in after]
    if kept:
        lines.append(f"{kept} position(s) keep their stop and target.")
    symbols = ",".join(sorted({bracket.symbol for bracket in after}))
    done = all(bracket.entry is None or bracket.entry.is_terminal for bracket in after)
    facts = ExecFacts(symbols, "buy", "all", "cancel", "kept", "kept", "canceled" if done else "canceling")
    receipts = tuple(receipt_of(b.entry, b, desk.exchange.name) for b in after if b.entry is not None)
    return Reply(tuple(lines), desk.mode, done, None if done else Code.UNKNOWN, receipts, facts)


async def preview(desk: Desk, command: Cancel) -> Preview:
    """Every entry that would be taken back."""
    waiting, kept = await _waiting(desk, command)
    stays = (f"{kept} position(s) keep their stop and target.",) if kept else ()
    about = {bracket.id: plain(bracket.quantity) for bracket in waiting}
    return Preview((*(entry_line(bracket) for bracket in waiting), *stays), command, about=about)


async def _waiting(desk: Desk, command: Cancel) -> tuple[list[Bracket], int]:
    """The brackets whose entry waits, and how many of those that were named hold coins already. Raises Denied."""
    brackets = await _chosen(desk, command.target)
    waiting = [bracket for bracket in brackets if bracket.entry is None or not bracket.entry.is_terminal]
    kept = sum(1 for bracket in brackets if bracket.held > ZERO)
    if not waiting:
        stays = f"; {kept} position(s) keep their stop and target, 'close' sells them" if kept else ""
        raise Denied(Code.NOT_FOUND, f"no entry waits for {command.target} on the {desk.mode} desk{stays}")
    return waiting, kept


async def _chosen(desk: Desk, target: str) -> Sequence[Bracket]:
    if target == "all" or "/" in target:
        return await desk.unfinished_now(None if target == "all" else target)
    found = desk.ledger.find_order(target)
    if found is None:
        raise Denied(Code.NOT_FOUND, f"the {desk.mode} ledger has no order {target}; 'open' lists what waits")
    bracket, order = found
    if order.is_terminal:
        raise Denied(Code.NOT_FOUND, f"order {target} is {order.state} already")
    if order.role in {Role.STOP, Role.TARGET} and bracket.held > ZERO:
        raise Denied(
            Code.NAKED,
            f"{target} is the {order.role} of {plain(bracket.held)} {bracket.symbol}; without it the position would "
            f"lack its {order.role}. Move it with 'protect {bracket.symbol} …' or leave with 'close {bracket.symbol}'",
        )
    return [bracket]


async def _cancel_entries(desk: Desk, base: str, stale: Sequence[Bracket]) -> None:
    async with desk.lock(base):
        current = [bracket for one in stale if (bracket := desk.ledger.bracket(one.id)) is not None]
        desk.ledger.save([Decision(b, replace(b, cancel_entry=True), (), (), ()) for b in current])
        desk.note_change(base)
    await desk.settle(base)


def _line(bracket: Bracket) -> str:
    entry = bracket.entry
    if entry is None:
        return f"The entry for {plain(bracket.quantity)} {bracket.symbol} was never sent and will not be."
    name = entry.venue_id or entry.client_id
    if not entry.is_terminal:
        return f"Cancel of {name} ({bracket.symbol}) is asked for but not confirmed; 'open' will tell."
    bought = (
        f"{plain(entry.filled)} were bought before and stay protected" if entry.filled > ZERO else "nothing was bought"
    )
    return f"Entry {name} for {plain(bracket.quantity)} {bracket.symbol} is {entry.state}; {bought}."
