"""A desk: one mode, its exchange, its ledger and market data, bound together.

Handlers get a desk and can reach nothing else, so an order and the `open` that follows it see the same books.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core.domain.brackets import Bracket
from core.domain.errors import Code, Denied
from core.domain.instruments import Instrument
from core.domain.market import Quote
from core.domain.modes import Mode, TargetMode, TradingState
from core.domain.orders import OUR_SIGN, OrderState
from core.domain.venue import Reach, Snapshot
from core.exchange.budget import TARGET_TRY_COST
from core.exchange.errors import MarketDownError, VenueUnreadableError
from core.exchange.holds import Evidence
from core.exchange.matching import Friction
from core.exchange.port import Exchange, MarketData
from core.ledger.ledger import Ledger
from core.lifecycle.rules import Rules
from core.lifecycle.shortage import Shortage
from core.market.atr import atr_of
from core.market.clocks import Clock
from core.risk.limits import RiskLimits
from core.trading.health import Health
from core.trading.told import Told
from core.trading.wanted import parents_of, wanted_orders

if TYPE_CHECKING:
    from core.trading.house import House
    from core.trading.tick import TickReport

BALANCES_EVERY = timedelta(seconds=60)
"""How often a tick reads the balances; a command reads them each time."""
ATR_INTERVAL_S = 300
ATR_LENGTH = 14


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the owner set for this desk."""

    rules: Rules
    limits: RiskLimits
    friction: Friction
    quote_currency: str
    quote_age_max_s: float = 30.0
    validate_only: bool = False
    """Entries are checked by the venue and never placed."""


class Desk:
    """One mode's trading room. Made by the wiring, used by commands and the tick."""

    def __init__(
        self,
        mode: Mode,
        exchange: Exchange,
        ledger: Ledger,
        market: MarketData,
        clock: Clock,
        settings: DeskSettings,
        new_bracket_id: Callable[[], str],
    ) -> None:
        if exchange.mode is not mode or ledger.mode is not mode:
            raise ValueError(f"a {mode} desk cannot use the exchange or ledger of another mode")
        self.mode = mode
        self.exchange = exchange
        self.ledger = ledger
        self.market = market
        self.clock = clock
        self.settings = settings
        self.new_bracket_id = new_bracket_id
        self.prefix = OUR_SIGN
        """How the names of all orders of this installation begin."""
        self.house: House
        self.ready = False
        """True where new trades may begin."""
        self.compared = asyncio.Event()
        """Set once the books were compared with the venue's: what is open can be changed and left."""
        self.not_ready_because = ""
        self.is_refused = False
        """True where no waiting makes this desk ready: its key is wrong."""
        self.last_tick_at: datetime | None = None
        """When all coins were looked at last."""
        self.ticks = 0
        self.started_at = clock()
        self.priced_at: dict[str, datetime] = {}
        """Of when the last price of each symbol is that anybody here has looked at."""
        self.told = Told()
        self.recover_at: datetime | None = None
        """Before then the books are not compared again."""
        self.recoveries = 0
        self.read_at: dict[str, datetime] = {}
        """By coin: when the last complete reading began that the ledger has learned from; it speaks as of then."""
        self.changes: dict[str, int] = {}
        self.all_read: tuple[datetime | None, Mapping[str, int]] = (None, {})
        """When the last complete reading of all coins began, and the `changes` that it knew of."""
        self.flattened = 0
        """How often the owner has asked out of everything: what was being begun then is begun no more."""
        self.shortages: dict[str, Shortage] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._known: Mapping[str, Instrument] = {}
        self._listed: dict[str, Instrument] = {}
        self.learned: Evidence | None = None
        """What this account is known to do with the coins of a resting stop."""
        self.killed: Callable[[], str] = str
        """Why the kill switch is on; empty while it is off."""
        self.health = Health()
        self._balances_at: datetime | None = None
        self._asked_parents: set[str] = set()
        self._at_work = 0
        self._idle = asyncio.Event()

    @property
    def entries(self) -> asyncio.Lock:
        """Held from the look at the account to the entry that it allowed, so that two cannot spend the same room."""
        return self.lock("")

    def lock(self, base: str) -> asyncio.Lock:
        """One lock per coin: a pile of coins is one thing, however many brackets share it."""
        return self._locks.setdefault(base, asyncio.Lock())

    @property
    def state(self) -> TradingState:
        """Halted after a broken promise or by the kill switch, reducing while a stop is refused, else what the world
        around allows.
        """
        return TradingState.HALTED if self.killed() else self.state_beside_the_kill_switch

    @property
    def state_beside_the_kill_switch(self) -> TradingState:
        """The same, as if there were no kill switch."""
        if self.broken_because:
            return TradingState.HALTED
        now = self.clock()
        if any(bracket.lacks_cover(now) for bracket in self.ledger.unfinished()):
            return self.health.state.or_less(TradingState.REDUCING)
        return self.health.state

    @property
    def halted_because(self) -> str:
        """The kill switch and the broken promises that nobody has cleared yet; empty where there are none."""
        return "; ".join(why for why in (self.killed(), self.broken_because) if why)

    @property
    def broken_because(self) -> str:
        """The broken promises that nobody has cleared yet; empty where there are none."""
        return "; ".join(f"{one.promise}, {one.detail}" for one in self.ledger.incidents.open())

    def read_as_of(self, base: str) -> datetime | None:
        """When the last complete reading of one coin began that the ledger has learned from; None before the first."""
        at, changes = self.all_read
        # A reading of everything speaks for a coin only if nothing was begun there meanwhile.
        everything = at if changes.get(base) == self.changes.get(base) else None
        return max((one for one in (self.read_at.get(base), everything) if one is not None), default=None)

    @property
    def has_compared(self) -> bool:
        """Whether `compared` is set."""
        return self.compared.is_set()

    def require_compared(self) -> None:
        """Raise Denied while the start-up tick has not compared the books yet."""
        if not self.has_compared:
            why = self.not_ready_because or "it has only just begun"
            raise Denied(
                Code.NOT_READY,
                f"the {self.mode} desk has not compared its books with the venue yet ({why.rstrip('.')}); try again",
            )

    def require_ready(self) -> None:
        """Raise Denied while no new trade may begin here."""
        self.require_compared()
        if not self.ready:
            raise Denied(
                Code.NOT_READY, f"the {self.mode} desk begins no new trades yet: {self.not_ready_because.rstrip('.')}"
            )

    # -- market ------------------------------------------------------------------------------------------------

    async def instrument(self, symbol: str) -> Instrument:
        """The instrument. Raises Denied for one that the venue does not have."""
        try:
            known = self._known = await self.market.instruments()
        except MarketDownError:
            if not self._known:
                raise
            known = self._known
        instrument = known.get(symbol)
        if instrument is None and any(bracket.symbol == symbol for bracket in self.ledger.unfinished()):
            # A pair that is listed no more still has to be looked after.
            instrument = self._listed.get(symbol)
        if instrument is not None:
            self._listed[symbol] = instrument
        if instrument is None:
            base = symbol.partition("/")[0]
            others = sorted(name for name in known if name.startswith(base + "/"))
            hint = f"there is {', '.join(others[:4])}" if others else f"{len(known)} other pairs are known"
            raise Denied(Code.UNKNOWN_INSTRUMENT, f"{symbol} cannot be traded here; {hint}")
        return instrument

    async def quote(self, symbol: str) -> Quote:
        """The latest quote, however old. Raises MarketDownError where there is none."""
        quote = (await self.market.quotes([symbol])).get(symbol)
        if quote is None:
            raise MarketDownError(f"there is no price for {symbol} from {self.market.name}")
        return quote

    async def fresh_quote(self, symbol: str) -> Quote:
        """A quote young enough to trade on. Raises Denied with its age otherwise."""
        quote = await self.quote(symbol)
        age = quote.age_s(self.clock())
        if age > self.settings.quote_age_max_s:
            raise Denied(
                Code.STALE_PRICES,
                f"the last price of {symbol} from {quote.source} is {age:.0f} s old, "
                f"the limit is {self.settings.quote_age_max_s:.0f} s (PRICE_MAX_AGE_S): nothing is bought or sold",
            )
        return quote

    async def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """Quotes of these symbols; empty where the market cannot be read, since a display must not fail for that."""
        wanted = sorted(set(symbols))
        if not wanted:
            return {}
        try:
            found = await self.market.quotes(wanted)
        except MarketDownError:
            return {}
        self.priced_at |= {symbol: quote.at for symbol, quote in found.items()}
        return found

    @property
    def price_age_s(self) -> float | None:
        """How old the oldest price is that a position here depends on; None where there is no position."""
        symbols = {bracket.symbol for bracket in self.positions()}
        if not symbols:
            return None
        return max((self.clock() - self.priced_at.get(one, self.started_at)).total_seconds() for one in symbols)

    async def atr(self, symbol: str) -> Decimal | None:
        """Average true range of 14 five-minute candles, None without enough history."""
        try:
            candles = await self.market.candles(symbol, ATR_INTERVAL_S, ATR_LENGTH * 2)
        except MarketDownError:
            return None
        return atr_of(candles, ATR_LENGTH)

    # -- books -------------------------------------------------------------------------------------------------

    async def rules(self, symbol: str, *, before_a_sale: bool = False) -> Rules:
        """The desk's rules for one symbol. In a recovery nothing is quiet: the reply that would tell has died.

        `before_a_sale`: with the pair's status as it is now, since a sale takes the stop away first.
        """
        instrument = await self.instrument(symbol)
        if before_a_sale:
            instrument = replace(instrument, status=await self.market.status(symbol))
        able = self.exchange.abilities
        room = self.exchange.room(symbol)
        return replace(
            self.settings.rules,
            instrument=instrument,
            quiet_s=self.settings.rules.quiet_s if self.has_compared else 0.0,
            target_mode=self.target_mode,
            links_legs=able.links_legs,
            attach_stop=able.attaches_stops,
            rests_unlinked=able.rests_unlinked,
            room=room,
            target_try_cost=0.0 if math.isinf(room) else TARGET_TRY_COST,
        )

    @property
    def target_mode(self) -> TargetMode:
        """Where targets wait: as set, but with Zyn for `auto`, and where an order of ours has met with held coins."""
        wanted, able = self.settings.rules.target_mode, self.exchange.abilities
        starves = able.rests_unlinked and self.learned is not None and self.learned.is_proof
        # Where nothing links the legs, a resting target holds the coins that a free stop will need: nothing that can be
        # learned makes that safe, and what was met with makes it plainly wrong.
        return TargetMode.EMULATED if wanted is TargetMode.AUTO or starves else wanted

    async def snapshot(self, *, sparing: bool = False, urgent: bool = False) -> Snapshot:
        """What the venue shows now; `sparing`: the balances only where the last ones are old.

        Raises VenueUnreadableError.
        """
        since = None if self._balances_at is None else self.clock() - self._balances_at
        balances = not sparing or since is None or since >= BALANCES_EVERY
        now = self.clock()
        wanted, parents = wanted_orders(self.ledger, now), self._parents()
        named = {order.venue_id or order.client_id if order.spawned else order.client_id: order for order in wanted}
        ages = {name: order.created_at for name, order in named.items()}
        ages |= {name: made_at for name, (made_at, _) in parents.items()}
        oldest = min(ages.values(), default=None)
        # A ledger that was restored from a copy may lack orders: the first look finds what ended since.
        sweep = None if self.has_compared else self.ledger.latest()
        shown = await self.exchange.snapshot(
            named.keys(), Reach(oldest, frozenset(parents), sweep, balances, urgent, ages, parents)
        )
        if shown.balances:
            self._balances_at = shown.at
        if shown.complete:
            self._asked_parents |= parents.keys()
        return shown

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Mark that somebody is sending and looking here: who is woken meanwhile waits until that is done."""
        self._at_work += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._at_work -= 1
            if self._at_work == 0:
                self._idle.set()

    async def wait_until_idle(self) -> None:
        """Return when nobody is at work here."""
        while self._at_work:
            await self._idle.wait()

    @property
    def is_busy(self) -> bool:
        """True while something is under way that a look has to see through: an answer that is missing, a sale, a
        position without its stop.
        """
        return any(
            bracket.unprotected_since is not None
            or any(order.state is OrderState.SUBMITTING for order in bracket.orders)
            for bracket in self.ledger.unfinished()
        )

    def _parents(self) -> dict[str, tuple[datetime, datetime]]:
        if not self.exchange.abilities.attaches_stops:
            return {}
        return parents_of(self.ledger.unfinished(), self.clock(), self._asked_parents)

    def has_to_ask_again(self, snapshot: Snapshot, base: str) -> bool:
        """True where a complete reading could not know that the stops of an entry are to be looked for: it is the one
        that first showed what that entry had bought.
        """
        if snapshot.parents is None or not snapshot.complete:
            return False
        ids = {one.entry.venue_id for one in self.ledger.unfinished(base) if one.entry is not None}
        return not (self._parents().keys() & ids) <= snapshot.parents

    def positions(self, symbol: str | None = None) -> list[Bracket]:
        """Brackets that hold coins, oldest first."""
        return [b for b in self.ledger.unfinished() if b.held > 0 and symbol in {None, b.symbol}]

    async def positions_now(self, symbol: str) -> list[Bracket]:
        """The same after a look at the venue, where an entry may have filled since. Raises VenueUnreadableError."""
        waits = any(b.symbol == symbol and b.entry and b.entry.is_live for b in self.ledger.unfinished())
        if waits or not self.positions(symbol):
            report = await self.settle(symbol.partition("/")[0])
            if report.troubles and not self.positions(symbol):
                raise VenueUnreadableError(f"whether {symbol} is held is UNKNOWN just now: {report.troubles[0]}")
        return self.positions(symbol)

    async def unfinished_now(self, symbol: str | None = None) -> tuple[Bracket, ...]:
        """Brackets that are not closed; where there seem to be none, after a look at the venue.

        Raises VenueUnreadableError rather than denying what nobody could look for.
        """
        found = tuple(b for b in self.ledger.unfinished() if symbol in {None, b.symbol})
        if found:
            return found
        report = await self.house.tick(self, symbol.partition("/")[0] if symbol else None)
        found = tuple(b for b in self.ledger.unfinished() if symbol in {None, b.symbol})
        if report.troubles and not found:
            raise VenueUnreadableError(
                f"whether {symbol or 'anything'} is open is UNKNOWN just now: {report.troubles[0]}"
            )
        return found

    async def settle(self, base: str) -> "TickReport":
        """Let the ordinary tick run for one coin now."""
        return await self.house.tick(self, base, urgent=True)

    def note_change(self, base: str) -> None:
        """Remember that this coin's books moved, so that an older snapshot is not used for it."""
        self.changes[base] = self.changes.get(base, 0) + 1
