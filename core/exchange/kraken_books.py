"""What a Kraken account's books say: orders, balances, executions, fees, read no further than is needed.

Kraken counts reads: the open orders are read always, the closed ones only while something that is wanted is not open,
the balances when they are asked for.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from loguru import logger

from core.domain.instruments import Instrument
from core.domain.orders import OrderType, Side
from core.domain.venue import EVERYTHING, Balance, Fees, Reach, Snapshot, VenueFill, VenueOrder, VenueState
from core.exchange import budget, translate
from core.exchange.errors import MarketDownError, VenueUnreadableError
from core.exchange.holds import Evidence, evidence_of
from core.exchange.kraken_wire import NONCE, AccountWire, CallFailedError, Endpoint
from core.exchange.port import MarketData, Pulse
from core.exchange.reading import Page, read_books
from core.market.clocks import Clock

PAGE_ROWS = 50
PAGES_MAX = 10
ASKED_BY_NAME_MAX = 5
"""So many orders that no page shows are asked for singly in one reading; the others wait for the next."""
EARLIER = timedelta(seconds=60)
"""How much further back than asked for the lists are read: Kraken's clock and ours differ."""
SETTLED_AFTER = timedelta(seconds=60)
"""An order seen as over for so long is not asked about again; until then ever more rarely."""
FIRST_RECHECK = timedelta(seconds=2)
REMEMBERED = 2_000
LOOK_AT_LEAST_EVERY = timedelta(seconds=15)
REUSED_FOR = timedelta(seconds=2)
"""So long the last reading is shown again to who only wants to look, if a stream lives that would have told more."""
REUSED_AT_MOST_FOR = timedelta(seconds=60)
JUMP_S = 2.0
UNSTEADY_FOR_S = 20.0
FEES_GOOD_FOR = timedelta(hours=1)
DEFAULT_FEES = Fees(Decimal("0.25"), Decimal("0.40"))
"""Kraken's schedule for who has traded little. Source: Kraken's page of fees."""


@dataclass(frozen=True, slots=True)
class _Settled:
    """An order that is over, as it was first and last seen so."""

    since: datetime
    checked_at: datetime
    shown: VenueOrder

    def is_due(self, now: datetime) -> bool:
        """True when it is to be looked at again: after 2, 6, 14, 30 seconds, and never once it has stayed the same."""
        age = self.checked_at - self.since
        return age < SETTLED_AFTER and now >= self.checked_at + age + FIRST_RECHECK


class AccountBooks:
    """The reading side of one account. Raises VenueUnreadableError where Kraken does not answer, or in other words."""

    def __init__(
        self, wire: AccountWire, market: MarketData, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pulse = Pulse()
        self.learn: Callable[[Evidence], None] = _forget
        """Told what the books say of the coins of resting stops."""
        self.stream_is_alive: Callable[[], bool] = _never
        """Whether Kraken itself would tell of executions."""
        self.wire = wire
        self._market = market
        self._clock = clock
        self._settled: dict[str, _Settled] = {}
        self._fees: dict[str, tuple[datetime, Fees]] = {}
        self._pairs: tuple[Mapping[str, Instrument], translate.Pairs] = ({}, translate.Pairs(()))
        self._monotonic = monotonic
        self._steadied: tuple[datetime, float] | None = None
        self._unsteady_until = 0.0
        self._last: tuple[int, frozenset[str], Snapshot] | None = None
        self._moves = 0
        """Counts whatever may have changed the books: what was sent, and what a stream told."""

    @property
    def pulse(self) -> Pulse:
        """How Kraken answers."""
        return self._pulse

    # -- the books ---------------------------------------------------------------------------------------------

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        """The account's books now, as far as `reach` goes. Raises VenueUnreadableError."""
        pairs = await self.known_pairs()
        names = frozenset(wanted)
        known = self._shown_again(names, reach)
        if known is not None:
            return known
        moves = self._moves
        seen: list[VenueOrder] = []

        async def still_open() -> Page:
            result = await self._read(Endpoint.OPEN_ORDERS, {}, urgent=reach.urgent)
            seen.extend(translate.orders(result, "open", pairs, self._skew))
            return Page(seen)

        async def closed() -> Page:
            return await self._closed(names - translate.names_of(seen), reach, pairs)

        async def balances() -> Mapping[str, Balance]:
            return (
                translate.balances(await self._read(Endpoint.BALANCE, {}, urgent=reach.urgent))
                if reach.balances
                else {}
            )

        snapshot = await read_books(self._clock, still_open, closed, balances)
        snapshot = replace(snapshot, parents=reach.parents, complete=snapshot.complete and self._time_is_steady())
        evidence = evidence_of(snapshot)
        if evidence is not None:
            self.learn(evidence)
        self._last = (moves, names, snapshot) if snapshot.complete else None
        return snapshot

    def _time_is_steady(self) -> bool:
        """False for a while after the wall's clock has jumped: by it, deadlines would seem to have passed."""
        now, here = self._clock(), self._monotonic()
        if self._steadied is not None:
            then, there = self._steadied
            if abs((now - then).total_seconds() - (here - there)) > JUMP_S:
                self._unsteady_until = here + UNSTEADY_FOR_S
        self._steadied = (now, here)
        return here >= self._unsteady_until

    def _shown_again(self, names: frozenset[str], reach: Reach) -> Snapshot | None:
        """The last reading, with its own times, if it answers this one too."""
        if self._last is None or reach.urgent or reach.parents or reach.sweep is not None:
            return None
        moves, known, snapshot = self._last
        fits = moves == self._moves and names <= known and (bool(snapshot.balances) or not reach.balances)
        age = self._clock() - snapshot.began_at
        if not fits or age < timedelta() or not self.stream_is_alive():
            return None
        # With our calls used up, a reading that a living stream has not contradicted is better than a long wait.
        is_low = self.wire.budget.counter.room < budget.REST_RESERVE + 1 + reach.balances
        return snapshot if age < (REUSED_AT_MOST_FOR if is_low else REUSED_FOR) else None

    def note_news(self) -> None:
        """A stream tells that the books have moved."""
        self._moves += 1

    async def _closed(self, missing: frozenset[str], reach: Reach, pairs: translate.Pairs) -> Page:
        """The closed orders among `missing` and the children of `reach.parents`; no call where nothing is missing."""
        settled = self._settled_among(missing)
        left = missing - translate.names_of(settled)
        looks_for_more = bool(reach.parents) or reach.sweep is not None
        if not left and not looks_for_more:
            return Page(settled)
        since = _since(left, reach)
        form = {"start": self._stamp(since - EARLIER)} if since else {}

        def is_enough(found: Sequence[VenueOrder]) -> bool:
            return not looks_for_more and left <= translate.names_of(found)

        found, is_whole = await self._read_closed(form, pairs, is_enough, urgent=reach.urgent)
        if not is_whole:
            # More has ended since than is read: children are looked for where they began, all else by its name.
            is_whole = await self._find_children(reach, found, pairs) and await self._find_by_name(
                left, found, pairs, urgent=reach.urgent
            )
        self._settle(found, missing)
        return Page([*settled, *found], is_whole)

    async def _read_closed(
        self,
        form: Mapping[str, str],
        pairs: translate.Pairs,
        is_enough: Callable[[Sequence[VenueOrder]], bool],
        *,
        urgent: bool,
    ) -> tuple[list[VenueOrder], bool]:
        """Closed orders page by page, and whether these are all, or enough."""
        found: list[VenueOrder] = []
        for page in range(PAGES_MAX):
            asked = {**form, "ofs": str(page * PAGE_ROWS)}
            result = await self._read(Endpoint.CLOSED_ORDERS, asked, urgent=urgent)
            found += translate.orders(result, "closed", pairs, self._skew)
            rows, total = translate.rows_of(result, "closed"), translate.count(result)
            is_last = rows < PAGE_ROWS if total is None else (page + 1) * PAGE_ROWS >= total
            if is_last or is_enough(found):
                return found, True
        return found, False

    async def _find_children(self, reach: Reach, found: list[VenueOrder], pairs: translate.Pairs) -> bool:
        """Add to `found` what began while the parents were filled. True when all of it could be read."""
        if len(reach.parents) > ASKED_BY_NAME_MAX:
            return False
        for name in sorted(reach.parents):
            if name not in reach.spans:
                return False
            made_at, filled_at = reach.spans[name]
            form = {
                "closetime": "open",
                "start": self._stamp(made_at - EARLIER),
                "end": self._stamp(filled_at + EARLIER),
            }
            begun, is_whole = await self._read_closed(form, pairs, lambda _: False, urgent=reach.urgent)
            known = {one.venue_id for one in found}
            found += [one for one in begun if one.venue_id not in known]
            if not is_whole:
                return False
        return True

    def _stamp(self, at: datetime) -> str:
        """A moment of ours as Kraken's clock tells it, in whole seconds."""
        return str(int((at + self._skew).timestamp()))

    async def _find_by_name(
        self, left: frozenset[str], found: list[VenueOrder], pairs: translate.Pairs, *, urgent: bool
    ) -> bool:
        """Add to `found` those of `left` that are not in it, asked for one by one. True when all could be asked for."""
        lacking = sorted(left - translate.names_of(found))
        named = [name for name in lacking if translate.is_client_id(name)][:ASKED_BY_NAME_MAX]
        for name in named:
            form = {"cl_ord_id": name, "ofs": "0"}
            result = await self._read(Endpoint.CLOSED_ORDERS, form, urgent=urgent)
            found += translate.orders(result, "closed", pairs, self._skew)
        return len(named) == len(lacking)

    def _settled_among(self, names: frozenset[str]) -> list[VenueOrder]:
        now = self._clock()
        known = (self._settled.get(name) for name in names)
        return [one.shown for one in known if one is not None and not one.is_due(now)]

    def _settle(self, found: Sequence[VenueOrder], missing: frozenset[str]) -> None:
        """Remember what is over; what still changes begins anew."""
        now = self._clock()
        for shown in found:
            if _was_starved(shown) and missing & {shown.venue_id, shown.client_id}:
                self.learn(met(now, "a stop that was reached found its coins held by another order"))
            name = shown.client_id or shown.venue_id
            known = self._settled.get(name)
            since = known.since if known is not None and known.shown == shown else now
            self._settled[name] = _Settled(since, now, shown)
        while len(self._settled) > REMEMBERED:
            del self._settled[next(iter(self._settled))]

    async def fetch_open_orders(self, symbol: str | None = None) -> Sequence[VenueOrder]:
        """The orders that rest at Kraken. Raises VenueUnreadableError."""
        pairs = await self.known_pairs()
        found = translate.orders(await self._read(Endpoint.OPEN_ORDERS, {}), "open", pairs, self._skew)
        return [one for one in found if symbol in {None, one.symbol}]

    async def fetch_fills(self, since: datetime, until: datetime | None = None) -> Sequence[VenueFill]:
        """Kraken's own executions since then, oldest first. Raises VenueUnreadableError."""
        pairs = await self.known_pairs()
        form = {"start": self._stamp(since - EARLIER)}
        if until is not None:
            form["end"] = self._stamp(until + EARLIER)
        found: list[VenueFill] = []
        for page in range(PAGES_MAX):
            result = await self._read(Endpoint.TRADES, form | {"ofs": str(page * PAGE_ROWS)})
            rows = translate.venue_fills(result, pairs)
            found += rows
            if len(rows) < PAGE_ROWS:
                break
        else:
            # Half of a list would make differences where there are none.
            raise VenueUnreadableError(f"more than {len(found)} executions since then, and Kraken tells them in pages")
        return sorted(found, key=lambda fill: (fill.at, fill.id))

    async def fees(self, symbol: str) -> Fees:
        """This account's own tier for a pair, read once an hour; Kraken's first tier while it cannot be read."""
        known = self._fees.get(symbol)
        if known is not None and self._clock() - known[0] < FEES_GOOD_FOR:
            return known[1]
        try:
            instrument = await self._instrument(symbol)
            found = translate.fees(await self._read(Endpoint.FEES, {"pair": instrument.venue_name}))
        except (VenueUnreadableError, MarketDownError) as error:
            logger.warning("the account's fees cannot be read ({})", error.message)
            return known[1] if known is not None else DEFAULT_FEES
        self._fees[symbol] = (self._clock(), found)
        return found

    async def _read(self, endpoint: Endpoint, form: dict[str, str], *, urgent: bool = False) -> object:
        try:
            result = await self.wire.read(endpoint, form, urgent=urgent)
        except CallFailedError as error:
            self._failed(error)
            raise VenueUnreadableError(error.message) from None
        self._answered()
        return result

    def _answered(self) -> None:
        self.pulse.failing_since, self.pulse.failure = None, ""

    def _failed(self, error: CallFailedError) -> None:
        """Note a failure. What is told of it later is how it began: a new wording is no news."""
        if self.pulse.failing_since is None:
            self.pulse.failing_since, self.pulse.failure = self._clock(), error.message
        self._note_nonce(error)

    def _note_nonce(self, error: CallFailedError) -> None:
        if error.says(*NONCE):
            self.pulse.nonces_refused_at.append(self._clock())

    async def known_pairs(self) -> translate.Pairs:
        """Our symbols by Kraken's names. Raises VenueUnreadableError where its list was never read."""
        try:
            listing = await self._market.instruments()
        except MarketDownError as error:
            raise VenueUnreadableError(f"Kraken's pairs are not known: {error.message}") from error
        if listing is not self._pairs[0]:
            self._pairs = (listing, translate.Pairs(listing.values()))
        return self._pairs[1]

    async def _instrument(self, symbol: str) -> Instrument:
        # An order does not wait for a list of pairs that is being read anew.
        found = self._pairs[0].get(symbol) or (await self._market.instruments()).get(symbol)
        if found is None:
            raise MarketDownError(f"Kraken does not list {symbol}.")
        return found

    def is_look_due(self, last_look_at: datetime | None) -> bool:
        """With a living stream every 15 s; without, as often as asked while our budget is not low."""
        age = None if last_look_at is None else self._clock() - last_look_at
        if age is None or not timedelta() <= age < LOOK_AT_LEAST_EVERY:
            return True
        return not self.stream_is_alive() and self.wire.budget.counter.room > budget.POLL_RESERVE

    @property
    def _skew(self) -> timedelta:
        return self.pulse.skew or timedelta()

    async def measure(self) -> None:
        """Compare the clocks and ask for Kraken's state. Raises CallFailedError or VenueUnreadableError."""
        before = self._clock()
        try:
            theirs = translate.server_time(await self.wire.ask_public("Time"))
            after = self._clock()
            self.pulse.status = translate.system_status(await self.wire.ask_public("SystemStatus"))
        except CallFailedError:
            self.pulse.silent_since = self.pulse.silent_since or before
            raise
        # Kraken tells whole seconds: on the average half a second has gone since.
        self.pulse.skew = theirs + timedelta(seconds=0.5) - (before + (after - before) / 2)
        # Of the account this says nothing: a key that is refused does not heal because the public answers.
        self.pulse.silent_since = None


def met(at: datetime, how: str) -> Evidence:
    """That an order of ours met with coins that were held."""
    return Evidence(holds=True, at=at, how=how, is_proof=True)


def _was_starved(shown: VenueOrder) -> bool:
    """True for a stop that the venue ended because there were no free coins for it when its price came."""
    is_stop = shown.type is OrderType.STOP_LOSS and shown.side is Side.SELL
    return is_stop and shown.state is VenueState.CANCELED and "nsufficient" in shown.reason


def _since(left: frozenset[str], reach: Reach) -> datetime | None:
    """How far back the closed orders are read: to the oldest of those that are looked for, and no further."""
    looked_for = [*left, *reach.parents]
    ages = [reach.ages.get(name, reach.since) for name in looked_for] if reach.ages else [reach.since]
    return min((one for one in (*ages, reach.sweep) if one is not None), default=None)


def _never() -> bool:
    return False


def _forget(_: Evidence) -> None:
    """Nobody wants to know."""
