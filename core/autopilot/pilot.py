"""The pilot: each watched symbol is looked at once for each closed candle, decided on, and acted for.

What is decided is written before anything is sent, under a key that exists once: no candle is decided on twice,
whatever ends the process. A candle that nobody looked at in time is written down as missed and is not traded late.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from loguru import logger

from core.autopilot.choices import Choices
from core.autopilot.day import DayKeeper
from core.autopilot.entering import enter, own_position
from core.autopilot.leaving import leave_position, manage
from core.autopilot.resolving import resolve
from core.autopilot.selecting import select_symbols
from core.autopilot.telling import numbers_of, shown
from core.domain.errors import ZynError
from core.domain.market import Candle
from core.domain.modes import Mode, Source
from core.exchange.errors import MarketDownError
from core.ledger.evaluations import Evaluations
from core.risk.gates import Gate
from core.strategy.config import TradingConfig
from core.strategy.evaluation import Came, Evaluation, evaluation_of, missed
from core.strategy.words import Decision
from core.trading.desk import Desk
from core.trading.service import TradingService

if TYPE_CHECKING:
    from core.strategy.signals import Signal, Signals

RETRY_S, SLOW_RETRY_S, QUICK_TRIES = 5.0, 30.0, 3
READ_S = 5.0
"""How long one look waits for candles: what has come is decided on, the rest is asked for at the next look."""
AT_ONCE = 4
"""So many candles are asked for side by side: prices that others wait for get their turn in between."""
SELECT_PAUSE = timedelta(minutes=5)
"""How long after a look whether the symbols are to be chosen anew the next one comes."""
MISSED_MAX = 500
"""So many missed candles of a symbol are written down one by one; of a longer absence the oldest are not."""
Offload = Callable[..., Awaitable[Any]]
_WAYS_OUT = frozenset({Decision.SHORT, Decision.EXIT})


@dataclass(slots=True)
class _Round:
    """One candle's end: the symbols whose candle has not come yet."""

    mode: Mode
    ends_at: datetime
    waiting: set[str]
    since: Mapping[str, datetime]
    """Since when each symbol has been looked at without a pause."""
    retry_at: datetime
    tries: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """How often each has been read: one that has not traded must not be read again and again before the others."""
    flattened: int = 0
    """The desk's count of flattens when the decisions of this round were taken."""
    seen: dict[str, Sequence[Candle]] = field(default_factory=dict)


class Pilot:
    """`look` is called every second or so. `settle_s`: how long after a candle's end it is asked for."""

    def __init__(
        self,
        service: TradingService,
        evaluations: Evaluations,
        choices: Choices,
        keepers: Mapping[Mode, DayKeeper],
        *,
        settle_s: float = 3.0,
        offload: Offload = asyncio.to_thread,
    ) -> None:
        self.choices = choices
        self.evaluations = evaluations
        self.keepers = dict(keepers)
        self._service = service
        self._settle = timedelta(seconds=settle_s)
        self._offload = offload
        self._round: _Round | None = None
        self._select_at: datetime | None = None
        self._acting: set[tuple[str, str, int, datetime]] = set()

    @property
    def config(self) -> TradingConfig:
        """The numbers in force."""
        return self.choices.config

    async def look(self) -> int:
        """Evaluate every watched symbol whose candle has closed. Returns how many were evaluated."""
        desk = self._service.desk(self._service.active_mode)
        if not desk.has_compared:
            return 0
        await self._resolve(desk)
        now = desk.clock()
        if self._select_at is None or not self._select_at - SELECT_PAUSE <= now < self._select_at:
            self._select_at = now + SELECT_PAUSE
            await select_symbols(desk, self.choices)
        current = self._current(desk, now)
        if not current.waiting or now < current.retry_at:
            return 0
        arrived = await self._read(desk, current)
        count = 0
        if not arrived:
            # While some arrive, the others are asked for at once.
            current.tries += 1
            current.retry_at = now + timedelta(seconds=RETRY_S if current.tries <= QUICK_TRIES else SLOW_RETRY_S)
        else:
            # What has ended since the last tick is to be known before anything is begun.
            await self._service.tick(desk)
            count = await self._evaluate(desk, arrived, current)
        # Only now: what broke on the way is looked at again, and the key of its row lets nothing happen twice.
        current.waiting -= arrived.keys()
        if now - current.ends_at > self.late:
            current.waiting.clear()
        return count

    def _current(self, desk: Desk, now: datetime) -> _Round:
        length = self.config.timeframe_s
        stamp = int((now - self._settle).timestamp()) // length * length
        ends_at = datetime.fromtimestamp(stamp, UTC)
        known = self._round
        if known is None or (known.mode, known.ends_at) != (desk.mode, ends_at):
            seen = known.seen if known is not None else {}
            # What it holds is looked at to the end, watched or not.
            symbols = {*self.choices.watched(desk.mode), *_held(desk)}
            since = self.choices.looked_at_since(desk.mode, symbols, now)
            known = self._round = _Round(desk.mode, ends_at, symbols, since, now, seen=seen)
        return known

    @property
    def late(self) -> timedelta:
        """A candle that is seen so long after its end is not traded any more."""
        return timedelta(seconds=self.config.timeframe_s / 2)

    async def _read(self, desk: Desk, current: _Round) -> dict[str, Sequence[Candle]]:
        """The candles of those whose newest has closed with this round, as many as come within a while: what is held
        first, and the others at the next look. Intervals without trades are no candles.
        """
        held = _held(desk)
        symbols = sorted(current.waiting, key=lambda symbol: (symbol not in held, current.asked[symbol], symbol))
        turns = asyncio.Semaphore(AT_ONCE)

        async def read(symbol: str) -> Sequence[Candle]:
            async with turns:
                return await self._candles(desk, symbol, current.ends_at)

        tasks = {symbol: asyncio.create_task(read(symbol)) for symbol in symbols}
        try:
            await asyncio.wait(tasks.values(), timeout=READ_S)
        finally:
            late = [task for task in tasks.values() if not task.done()]
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        found = {symbol: task.result() for symbol, task in tasks.items() if not task.cancelled()}
        current.asked.update(found.keys())
        arrived = {name: its for name, its in found.items() if its and its[-1].ends_at == current.ends_at}
        current.seen |= arrived
        return arrived

    async def _candles(self, desk: Desk, symbol: str, until: datetime) -> Sequence[Candle]:
        try:
            candles = await desk.market.candles(symbol, self.config.timeframe_s, self.config.history, patient=True)
        except MarketDownError as error:
            logger.debug("no candles of {}: {}", symbol, error.message)
            return ()
        # A younger one may not have settled yet; it has a round of its own.
        count = len(candles)
        while count and (not candles[count - 1].closed or candles[count - 1].ends_at > until):
            count -= 1
        return [one for one in candles[:count] if one.volume]

    async def _evaluate(self, desk: Desk, arrived: Mapping[str, Sequence[Candle]], current: _Round) -> int:
        found: Signals = await self._offload(_signals, arrived, self.config)
        now, is_on = desk.clock(), self.choices.is_on(desk.mode)
        known = self.evaluations.newest(desk.mode, self.config.timeframe_s, arrived)
        planned, length = list[Evaluation](), timedelta(seconds=self.config.timeframe_s)
        for symbol, candles in arrived.items():
            last_at = known.get(symbol)
            if last_at is not None:
                gone = self._missed(candles, max(last_at, current.since[symbol] - length), now)
                planned += [missed(symbol, desk.mode, self.config.timeframe_s, at, now) for at in gone]
            signal, last = found.last(symbol), candles[-1]
            is_fresh = known.get(symbol) is None or known[symbol] < last.at
            if signal is None or not is_fresh or now - last.ends_at > self.late:
                continue
            planned.append(self._plan(desk, signal, now, is_on=is_on))
        current.flattened = desk.flattened
        ours = self.evaluations.claim(planned)
        self._log_missed(ours)
        seen = [one for one in ours if one.came is not Came.MISSED]
        # Who wants out goes first.
        for one in sorted(seen, key=lambda row: (row.decision is Decision.LONG, row.symbol)):
            _log(one)
            row = await self._act(desk, one, current) if one.came is Came.BEGUN else one
            if is_on and one.holding and one.decision not in _WAYS_OUT:
                await self._manage(desk, row)
        return len(seen)

    async def _manage(self, desk: Desk, row: Evaluation) -> None:
        """What profit targeting asks for; whatever breaks must not take the next symbol along."""
        try:
            managed = await manage(desk, row, self.config)
        except Exception as error:  # noqa: BLE001 - it is told, written down, and the next symbol has its turn
            logger.opt(exception=error).error("managing {} broke", row.symbol)
            text = f"something of ours broke ({type(error).__name__}) while it was managed; see 'open'"
            managed = replace(row, text=f"{row.text}; {text}" if row.text else text)
        if managed is not row:
            self.evaluations.settle(managed)

    @staticmethod
    def _log_missed(rows: Sequence[Evaluation]) -> None:
        gone = [one for one in rows if one.came is Came.MISSED]
        if gone:
            first, last = min(one.at for one in gone), max(one.at for one in gone)
            logger.warning("{} candles were missed, {:%m-%d %H:%M} to {:%m-%d %H:%M} UTC", len(gone), first, last)

    def _missed(self, candles: Sequence[Candle], last_at: datetime, now: datetime) -> list[datetime]:
        """The candles after `last_at` that nobody looked at, the newest too where it is too old by now."""
        late = now - candles[-1].ends_at > self.late
        over = candles if late else candles[:-1]
        return [one.at for one in over if one.at > last_at][-MISSED_MAX:]

    def _plan(self, desk: Desk, signal: "Signal", now: datetime, *, is_on: bool) -> Evaluation:
        """The row as it is written before anything is done."""
        position = own_position(desk, signal.symbol)
        holding = position.id if position is not None else ""
        said = numbers_of(signal, self.config)
        row = evaluation_of(signal, desk.mode, self.config.timeframe_s, now, holding, said)
        enters = signal.decision is Decision.LONG
        leaves = signal.decision in _WAYS_OUT and bool(holding)
        if (enters or leaves) and not is_on:
            return row.ended(Came.STOPPED, f"the autopilot is off in {desk.mode}", Gate.AUTOPILOT_OFF)
        currency = desk.settings.quote_currency
        if enters and not signal.symbol.endswith(f"/{currency}"):
            # Limits and the day's result are counted in one currency.
            return row.ended(Came.STOPPED, f"the autopilot trades pairs of {currency} only", Gate.NOT_WATCHED)
        if enters and signal.symbol not in self.choices.watched(desk.mode):
            return row.ended(Came.STOPPED, "it is held and not watched any more", Gate.NOT_WATCHED)
        if enters or leaves:
            return row.ended(Came.BEGUN)
        if signal.decision is Decision.SHORT:
            return row.ended(Came.STOPPED, "spot only: a short is recorded and not traded", Gate.SPOT_ONLY)
        return row

    async def _act(self, desk: Desk, begun: Evaluation, current: _Round) -> Evaluation:
        """Do what was decided and write down what came of it; whatever breaks must not take the next decision along."""
        self._acting.add(begun.key)
        try:
            ended = await self._ended(desk, begun, current)
        except Exception as error:  # noqa: BLE001 - it is told, written down, and the next symbol has its turn
            logger.opt(exception=error).error("the autopilot's {} of {} broke", begun.decision, begun.symbol)
            what = f"something of ours broke ({type(error).__name__}); whether an order was sent is UNKNOWN, see 'open'"
            newest = own_position(desk, begun.symbol)
            ended = begun.ended(Came.REFUSED, what, Gate.ORDER, newest.id if newest is not None else "")
        finally:
            self._acting.discard(begun.key)
        self.evaluations.settle(ended)
        gate = f"{ended.gate}, " if ended.gate else ""
        logger.info("[{}] autopilot {} {}: {}{}", desk.mode, ended.symbol, ended.decision, gate, ended.text)
        return ended

    async def _ended(self, desk: Desk, begun: Evaluation, current: _Round) -> Evaluation:
        if begun.decision is not Decision.LONG:
            return await leave_position(desk, begun)
        # Asked again: while the ones before it were traded, the owner may have had his word.
        if not self.choices.is_on(desk.mode):
            return begun.ended(
                Came.STOPPED, f"the autopilot was turned off in {desk.mode} meanwhile", Gate.AUTOPILOT_OFF
            )
        if self._service.active_mode is not desk.mode:
            return begun.ended(Came.STOPPED, f"{desk.mode} is not the active mode any more", Gate.AUTOPILOT_OFF)
        return await enter(desk, begun, self.config, self.keepers[desk.mode], current.seen, current.flattened)

    async def _resolve(self, desk: Desk) -> None:
        """Say of each decision that was begun, and whose end nobody wrote down, what the ledger shows of it."""
        is_on = self.choices.is_on(desk.mode)
        for begun in self.evaluations.begun(desk.mode):
            if begun.key not in self._acting:
                ended = await resolve(desk, begun, is_on=is_on, late=self.late)
                if ended is not begun:
                    self.evaluations.settle(ended)

    async def prepare(self) -> None:
        """Load what the first evaluation needs, beside everything else, before a candle waits for it."""
        await self._offload(_signals, {}, self.config)

    async def watch_day(self, desk: Desk) -> None:
        """Count the day of a desk; a market or venue that cannot be read is waited for."""
        try:
            await self.keepers[desk.mode].look()
        except ZynError as error:
            logger.debug("[{}] the day could not be counted: {}", desk.mode, error.message)


def _held(desk: Desk) -> set[str]:
    """Symbols of the autopilot's own brackets that are not over."""
    return {one.symbol for one in desk.ledger.unfinished() if one.source is Source.AUTOPILOT}


def _signals(candles: Mapping[str, Sequence[Candle]], config: TradingConfig) -> "Signals":
    from core.strategy.panel import panel_of  # noqa: PLC0415 - numpy and pandas, half a second and 60 MiB
    from core.strategy.signals import signals  # noqa: PLC0415 - the same

    return signals(panel_of(candles, config.timeframe_s), config)


def _log(one: Evaluation) -> None:
    figures = one.figures or {}
    logger.info(
        "[{}] {} {:%Y-%m-%d %H:%M} regime {}, RSI {}, ATR {}, {} {}",
        one.mode,
        one.symbol,
        one.at,
        one.regime,
        shown(figures.get("rsi")),
        shown(figures.get("atr")),
        one.decision,
        one.reason,
    )
