"""The jobs of the house on python-telegram-bot's JobQueue: tick, prices, outbox. With or without a token the same."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from loguru import logger

from bot.outbox import Outbox
from bot.wiring import House
from core.domain.modes import Mode
from core.domain.money import ZERO
from core.lifecycle.waking import calls_for_a_look
from core.trading.desk import Desk
from core.trading.house import Check

if TYPE_CHECKING:
    from telegram.ext import Application, JobQueue

TICK_TIMEOUT_S = 60.0
OUTBOX_SECONDS = 1.0
PRICE_SECONDS = 2.0
SUMMARY_SECONDS = 30.0
PRUNE_SECONDS = 3600.0
SETTLE_S = 0.05
_NO_TOKEN = "1:offline"  # noqa: S105 - an Application wants a token even when it never speaks to Telegram


def build_application(
    token: str | None, api_url: str | None, queue: "asyncio.Queue[object] | None" = None
) -> "Application[Any, Any, Any, Any, Any, Any]":
    """An Application with its JobQueue. Without a token it runs the jobs and never connects."""
    from telegram.ext import ApplicationBuilder  # noqa: PLC0415 - 0.2 s, and one-shot commands do without

    # The library asks everybody to choose whether its waits are numbers or timedeltas.
    os.environ.setdefault("PTB_TIMEDELTA", "true")
    builder = ApplicationBuilder().token(token or _NO_TOKEN)
    if queue is not None:
        builder = builder.update_queue(queue)
    if api_url is not None:
        builder = builder.base_url(f"{api_url}/bot").base_file_url(f"{api_url}/file/bot")
    return builder.build()


class Jobs:
    """The repeating work. A run that fails is logged and comes again; one that hangs is cut off."""

    def __init__(self, house: House, outbox: Outbox) -> None:
        self._house = house
        self._outbox = outbox
        self._runs: dict[str, int] = {}
        self._failures: dict[str, str] = {}
        self._troubles: dict[Mode, frozenset[str]] = {}
        self._running: set[asyncio.Future[None]] = set()
        self._stopping = False

    async def stop(self, queue: "JobQueue[Any]") -> None:
        """End what runs, at its next wait, and the queue: a venue that hangs must not keep the process from ending."""
        self._stopping = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        # The scheduler hears of their ends some turns of the loop later; what it cuts off itself now is no failure.
        await asyncio.sleep(SETTLE_S)
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        if queue.scheduler.running:
            await queue.stop(wait=False)

    def schedule(self, queue: "JobQueue[Any]") -> None:
        """Put every job on the queue."""
        seconds = self._house.settings.bracket_check_seconds
        for desk in self._house.service.desks:
            # One job each: a venue that answers slowly must not keep the other desk's stops waiting.
            self._repeat(queue, f"tick {desk.mode}", seconds, partial(self.tick, desk))
            self._repeat(queue, f"prices {desk.mode}", min(PRICE_SECONDS, seconds), partial(self.prices, desk))
        # A round of many symbols may take as long as a candle may be traded.
        late_s = self._house.service.pilot.late.total_seconds()
        self._repeat(queue, "autopilot", self._house.look_s, self.autopilot, limit_s=max(TICK_TIMEOUT_S, late_s))
        self._repeat(queue, "pruning", PRUNE_SECONDS, self.prune)
        self._repeat(queue, "outbox", OUTBOX_SECONDS, self.outbox)
        self._repeat(queue, "summary", SUMMARY_SECONDS, self.summary)
        self._house.service.probes["Jobs"] = self.check

    def _repeat(
        self,
        queue: "JobQueue[Any]",
        name: str,
        seconds: float,
        work: Callable[[], Awaitable[None]],
        *,
        limit_s: float = TICK_TIMEOUT_S,
    ) -> None:
        async def run(_context: Any) -> None:
            if self._stopping:
                return
            task = asyncio.ensure_future(work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            try:
                async with asyncio.timeout(limit_s):
                    await task
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            except Exception as error:  # noqa: BLE001 - the next run must come, and the diagnostic tells of this one
                self._failures[name] = f"{type(error).__name__}: {error}"
                logger.opt(exception=error).error("the job {} failed", name)
            else:
                self._failures.pop(name, None)
                self._runs[name] = self._runs.get(name, 0) + 1

        options = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        queue.run_repeating(run, interval=seconds, first=seconds, name=name, job_kwargs=options)

    async def tick(self, desk: Desk) -> None:
        """The tick of one desk, and the market's time kept."""
        service = self._house.service
        looks = desk.is_busy or desk.exchange.is_look_due(desk.last_tick_at)
        if desk.has_compared and not looks and not service.is_recovery_due(desk):
            return
        report = await service.tick_or_recover(desk)
        if desk.has_compared:
            await service.pilot.watch_day(desk)
        if report.looked:
            self._log_troubles(desk, report.troubles)
        self._house.keep_time()

    def _log_troubles(self, desk: Desk, troubles: Sequence[str]) -> None:
        """What is wrong, once: the same again is news only when it has been right in between."""
        known = self._troubles.get(desk.mode, frozenset())
        for trouble in troubles:
            if trouble not in known:
                logger.warning("tick of the {} desk: {}", desk.mode, trouble)
        self._troubles[desk.mode] = frozenset(troubles)

    async def autopilot(self) -> None:
        """Look whether candles have closed, and decide."""
        await self._house.service.pilot.look()

    async def prune(self) -> None:
        """Let go of evaluations that are old and led to no trade."""
        days = timedelta(days=self._house.settings.evaluations_days)
        gone = self._house.service.pilot.evaluations.prune(self._house.clock() - days)
        if gone:
            logger.info("{} old evaluations pruned", gone)

    async def prices(self, desk: Desk) -> None:
        """Look at the prices of what is open at a desk and tick where a level was reached."""
        for base in await _reached(desk):
            await self._house.service.tick(desk, base)

    async def summary(self) -> None:
        """Tell of the day before, once."""
        self._house.service.summarise()

    async def outbox(self) -> None:
        """Deliver alerts."""
        await self._outbox.deliver()

    async def check(self) -> Check:
        """For the diagnostic: which jobs ran, and what failed last."""
        if self._failures:
            text = "; ".join(f"{name} failed ({why})" for name, why in self._failures.items())
            return Check("Jobs", ok=False, text=text)
        return Check(
            "Jobs", ok=True, text=", ".join(f"{name} ran {n} times" for name, n in self._runs.items()) or "scheduled"
        )


async def _reached(desk: Desk) -> set[str]:
    """Coins of which some bracket's stop or target has been reached."""
    holding = [bracket for bracket in desk.ledger.unfinished() if bracket.held > ZERO]
    if not holding:
        return set()
    quotes = await desk.quotes({bracket.symbol for bracket in holding})
    found = set()
    for bracket in holding:
        quote = quotes.get(bracket.symbol)
        if quote is None or bracket.stop_price is None or bracket.target_price is None:
            continue
        # A real venue tells of its own stops; a simulated one lives only while the tick lets it.
        reached = quote.bid >= bracket.target_price or quote.last <= bracket.stop_price
        if calls_for_a_look(bracket, quote, desk.clock()) if desk.mode is Mode.LIVE else reached:
            found.add(bracket.base)
    return found
