"""`execute_trading_command`: the one way from a command to a desk, whatever face or model it came from."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from core.commands.base import Command, Danger, Preview, handle, preview
from core.domain.errors import Code, Denied, ZynError
from core.domain.modes import Mode, Source
from core.domain.money import plain
from core.trading.desk import Desk
from core.trading.door import Validated
from core.trading.reply import NEVER, ExecFacts, Reply, refusal
from core.trading.service import TradingService

RECOVERY_WAIT_S = 15.0
"""So long an order waits for a comparison of the books that is under way, as after a start."""


async def execute_trading_command(
    service: TradingService, command: Command, mode: Mode | None = None, source: Source = Source.COMMAND
) -> Reply:
    """Run `command` at the desk of `mode` (the active one when None) and log what came of it.

    Refusals and failures come back as replies with their code; nothing is raised for them. A failure in the middle
    says that the outcome is unknown, because then it is.
    """
    desk: Desk | None = None
    # Fixed now: while the command runs, another may switch the mode, and the answer is still about this desk.
    asked = mode or service.active_mode
    shown = _mode_shown(service, command, asked)
    try:
        desk = await _desk_for(service, command, mode)
        asked_at = desk.clock()
        reply = _dated(desk, command, await handle(desk, command), asked_at)
    except Exception as error:  # noqa: BLE001 - a fault of our own must not silence the answer, nor pretend
        reply = _failed(error, command, shown)
    _log(command, reply, desk, asked, source)
    return reply


async def preview_trading_command(service: TradingService, command: Command, mode: Mode | None) -> Preview | Reply:
    """What `command` would do at that desk, or the refusal that it would get. Nothing is saved and nothing is sent."""
    try:
        return await preview(await _desk_for(service, command, mode), command)
    except Exception as error:  # noqa: BLE001 - as above
        return _failed(error, command, _mode_shown(service, command, mode or service.active_mode))


def _failed(error: Exception, command: Command, shown: Mode | None) -> Reply:
    """The reply to something that was refused, or that broke."""
    if isinstance(error, Validated):
        return Reply((error.message,), shown, code=error.code)
    if isinstance(error, ZynError):
        return refusal(error.code, error.message, shown)
    logger.opt(exception=error).error("{} broke", command.declaration.name)
    if isinstance(error, SQLAlchemyError):
        cause = str(getattr(error, "orig", error)).splitlines()[0]
        why = f"the database failed ({cause}); what was saved before stands, ask 'open' once it is back"
        return refusal(Code.STORAGE, why, shown)
    why = f"something of ours broke ({type(error).__name__}); whether anything was done is UNKNOWN, ask 'open'"
    return refusal(Code.INTERNAL, why, shown)


def _dated(desk: Desk, command: Command, reply: Reply, asked_at: datetime) -> Reply:
    """Mark an answer about orders that the venue was not asked about since the question: it is memory, of that age."""
    if command.declaration.danger is not Danger.TRADE:
        return reply
    bases = {receipt.symbol.partition("/")[0] for receipt in reply.receipts}
    read_at = min((desk.read_as_of(base) or NEVER for base in bases), default=asked_at)
    if read_at >= asked_at:
        return reply
    since = "Zyn started" if read_at == NEVER else f"{read_at:%H:%M:%S} UTC"
    line = f"The venue's books could not be read in full since {since}: what is said of orders here is as of then."
    return replace(reply, lines=(*reply.lines, line), as_of=read_at)


async def _desk_for(service: TradingService, command: Command, mode: Mode | None) -> Desk:
    if mode is Mode.LIVE and service.active_mode is Mode.PAPER and command.declaration.danger is not Danger.QUERY:
        raise Denied(
            Code.WRONG_MODE,
            "Zyn is in PAPER mode, so nothing was done LIVE; say 'mode live' first, then the order again",
        )
    desk = service.desk(mode or service.active_mode)
    if command.declaration.danger is Danger.TRADE:
        await service.until_recovered(desk, RECOVERY_WAIT_S)
        desk.require_compared()
    return desk


def _mode_shown(service: TradingService, command: Command, asked: Mode) -> Mode | None:
    if command.declaration.danger is not Danger.TRADE:
        return None
    return service.active_mode if asked is Mode.LIVE and service.active_mode is Mode.PAPER else asked


def _log(command: Command, reply: Reply, desk: Desk | None, mode: Mode, source: Source) -> None:
    if command.declaration.danger is not Danger.TRADE:
        return
    facts = reply.facts or _asked(command)
    outcome = facts.outcome if reply.ok and facts.outcome != "-" else (reply.code or "done")
    logger.info(
        "[EXEC] mode={}, ex={}, symbol={}, side={}, size={}, entry={}, sl={}, tp={}, source={}, outcome={}",
        mode,
        desk.exchange.name if desk else "none",
        facts.symbol,
        facts.side,
        facts.size,
        facts.entry,
        facts.stop,
        facts.target,
        facts.source or source,
        outcome,
    )
    if not reply.ok:
        logger.warning("{}", reply.lines[0])


def _asked(command: Command) -> ExecFacts:
    """What the command said, for a line about something that did not happen."""
    wanted: dict[str, Any] = {name: getattr(command, name) for name in type(command).model_fields}
    limit = wanted.get("limit_price")
    return ExecFacts(
        symbol=str(wanted.get("symbol") or wanted.get("target") or "all"),
        side="sell" if command.declaration.name in {"sell", "close", "flatten"} else "buy",
        size=str(wanted.get("amount") or "all"),
        entry=plain(limit) if isinstance(limit, Decimal) else "market",
        stop=str(wanted.get("stop_loss") or "default"),
        target=str(wanted.get("take_profit") or "default"),
    )
