"""The watchdog: a task of its own, outside of the jobs, so that no job that hangs can silence it.

It judges how the world around each desk is, lets the desk take less or more, tells that once, and asks the owner's
dead-man URL for as long as all is well.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from loguru import logger
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from core.domain.errors import ZynError
from core.domain.events import Event, EventKind
from core.domain.modes import Mode, TradingState
from core.exchange.port import Exchange, Pulse
from core.market.clocks import Clock
from core.trading.desk import Desk
from core.trading.health import STANDSTILL_MAX_S, Signs, hiccup_of, judge
from core.trading.service import TradingService
from core.trading.state import tell_state

EVERY_S = 2.0
PING_EVERY_S = 60.0
PING_LIMIT_S = 10.0
MEASURE_EVERY = timedelta(minutes=2)
STREAM_DOWN_AFTER = timedelta(seconds=30)
NONCES_COUNT_FOR = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watchdog is given beside the service."""

    tick_every_s: float
    dead_man_url: SecretStr | None = None
    stream_is_alive: Callable[[], bool] | None = None
    """Whether the LIVE desk's stream speaks; None where there is none."""
    standstill_max_s: float = STANDSTILL_MAX_S


class Watchdog:
    """`run` never ends. `monotonic` tells steady seconds, `clock` the wall's time."""

    def __init__(
        self,
        service: TradingService,
        watched: Watched,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._watched = watched
        self._clock = clock
        self._monotonic = monotonic
        self._hiccup: tuple[datetime, str] | None = None
        self._pinged_at: float | None = None
        self._ticks: dict[Mode, tuple[int, datetime]] = {}
        self._measured_at: dict[Mode, datetime] = {}
        self._stream_down_since: datetime | None = None
        self._stream_told = False
        self._beside: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look every two seconds until canceled."""
        async with httpx.AsyncClient(timeout=PING_LIMIT_S, trust_env=False) as client:
            steady, wall = self._monotonic(), self._clock()
            while True:
                await asyncio.sleep(EVERY_S)
                now, here = self._clock(), self._monotonic()
                most_s = self._watched.standstill_max_s
                text = hiccup_of(here - steady, EVERY_S, (now - wall).total_seconds(), most_s)
                if text:
                    self._hiccup = (now, text)
                steady, wall = here, now
                try:
                    self.look()
                except (SQLAlchemyError, ZynError) as error:
                    logger.error("the watchdog could not look: {}", error)
                    continue
                if self._is_ping_due():
                    # Beside the look: a URL that is slow must not seem to be Zyn standing still.
                    self._begin(self._ping(client))

    def look(self) -> None:
        """Judge every desk once."""
        for desk in self._service.desks:
            before = desk.health
            desk.health = judge(self._signs(desk))
            if desk.health != before:
                logger.info("[{}] {} {}", desk.mode, desk.health.state, desk.health.text)
                if desk.health.state is TradingState.ACTIVE:
                    desk.recover_at = None  # What kept the desk from being ready may be over.
            if desk.has_compared:
                tell_state(desk)
        self._watch_stream()

    def _signs(self, desk: Desk) -> Signs:
        now = self._clock()
        hiccup_at, hiccup = self._hiccup or (None, "")
        found = Signs(
            now=now,
            hiccup_at=hiccup_at,
            hiccup=hiccup,
            price_age_s=desk.price_age_s,
            price_age_max_s=desk.settings.quote_age_max_s,
            last_tick_at=self._last_tick_at(desk),
            tick_every_s=self._watched.tick_every_s,
        )
        pulse = desk.exchange.pulse
        if pulse is None:
            return found
        self._measure(desk.mode, desk.exchange, pulse)
        return replace(
            found,
            failing_since=pulse.failing_since,
            failure=pulse.failure,
            silent_since=pulse.silent_since,
            status=pulse.status,
            nonce_refusals=sum(1 for at in pulse.nonces_refused_at if timedelta() <= now - at < NONCES_COUNT_FOR),
            skew_s=pulse.skew.total_seconds() if pulse.skew is not None else None,
        )

    def _last_tick_at(self, desk: Desk) -> datetime:
        """When we last saw that a tick had been finished, by the wall's time."""
        known = self._ticks.get(desk.mode)
        if known is None or known[0] != desk.ticks:
            known = self._ticks[desk.mode] = (desk.ticks, self._clock())
        return known[1]

    def _measure(self, mode: Mode, exchange: Exchange, pulse: Pulse) -> None:
        """Compare clocks and ask for the venue's state now and then, and soon where something is wrong."""
        now = self._clock()
        calm = pulse.status == "online" and pulse.failing_since is None and pulse.silent_since is None
        every = MEASURE_EVERY if calm else timedelta(seconds=15)
        last = self._measured_at.get(mode)
        if last is not None and timedelta() <= now - last < every:
            return
        self._measured_at[mode] = now
        self._begin(_measured(exchange))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start something that ends by itself, beside the looks."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _watch_stream(self) -> None:
        """Tell once that the stream is down, and once that it is back."""
        alive = self._watched.stream_is_alive
        desk = self._live_desk()
        if alive is None or desk is None or not desk.has_compared:
            return
        now = self._clock()
        if alive():
            self._stream_down_since = None
            if self._stream_told:
                self._stream_told = False
                self._tell_stream("Kraken's stream of executions is back.")
            return
        self._stream_down_since = self._stream_down_since or now
        if not self._stream_told and now - self._stream_down_since >= STREAM_DOWN_AFTER:
            self._stream_told = True
            every = self._watched.tick_every_s
            self._tell_stream(f"Kraken's stream of executions is silent; Zyn asks every {every:g} s instead.")

    def _tell_stream(self, text: str) -> None:
        desk = self._live_desk()
        if desk is not None:
            desk.ledger.save((), [Event(EventKind.STATE_CHANGED, desk.mode, desk.clock(), text)])

    def _live_desk(self) -> Desk | None:
        return next((one for one in self._service.desks if one.mode is Mode.LIVE), None)

    def _is_ping_due(self) -> bool:
        """True once a minute while every desk ticks; the silence of Zyn is what tells the owner."""
        here = self._monotonic()
        if self._watched.dead_man_url is None:
            return False
        if self._pinged_at is not None and here - self._pinged_at < PING_EVERY_S:
            return False
        if any(desk.health.state is not TradingState.ACTIVE or not desk.ready for desk in self._service.desks):
            return False
        self._pinged_at = here
        return True

    async def _ping(self, client: httpx.AsyncClient) -> None:
        """Ask the dead-man URL, whose answer nobody reads. It is a secret, and so is whatever an error says of it."""
        url = self._watched.dead_man_url
        if url is None:
            return
        try:
            async with asyncio.timeout(PING_LIMIT_S), client.stream("GET", url.get_secret_value()):
                pass
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
            logger.warning("the dead-man URL could not be asked: {}", type(error).__name__)


async def _measured(exchange: Exchange) -> None:
    try:
        await exchange.measure()
    except ZynError as error:
        logger.debug("{}", error.message)
