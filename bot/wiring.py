"""The one place that wires the world: settings in, a house out."""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from bot.grammar.parse import Grammar
from bot.live import LiveSetupError, lacks, live_exchange, remember_holds, require_keys, require_live
from bot.settings import Settings
from bot.strategy import load_strategy
from core.autopilot.choices import Choices
from core.autopilot.day import DayKeeper
from core.autopilot.pilot import Pilot
from core.domain.errors import ZynError
from core.domain.instruments import Instrument
from core.domain.modes import Mode
from core.domain.orders import OUR_SIGN
from core.exchange.kraken_private import KrakenExchangeWrapper
from core.exchange.matching import Friction
from core.exchange.paper import PaperExchangeWrapper
from core.exchange.port import Exchange, MarketData
from core.ledger.evaluations import Evaluations
from core.ledger.ledger import Ledger
from core.ledger.paper import PaperLedger
from core.ledger.proposals import Proposals
from core.ledger.store import Store
from core.lifecycle.rules import SUBMIT_DEADLINE_S, Rules
from core.market.builtin import builtin_instruments
from core.market.clocks import Clock, MarketClock, wall_clock
from core.risk.limits import RiskLimits
from core.risk.prices import BracketConfig
from core.strategy.config import ConfigError, TradingConfig, in_currency
from core.trading.approvals import Approvals
from core.trading.consent import ConsentPolicy
from core.trading.desk import Desk, DeskSettings
from core.trading.service import MODE_KEY, TradingService
from storage.database import Database, DatabaseError, open_database
from storage.lock import ProcessLock
from storage.migrate import migrate
from storage.peek import peek_instruments

MARKET_KEY = "market"
CLOCK_KEY = "market_clock"
INSTALLATION_KEY = "installation"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
GENERATED_SPEED_MAX = 3000
"""Faster, its prints of one tick take longer to match than the tick may last."""


class WiringError(Exception):
    """The house cannot be opened as it is set; the message says what would be right."""


@dataclass(slots=True)
class House:
    """Everything that one process needs, and the way to give it back."""

    settings: Settings
    database: Database
    lock: ProcessLock
    store: Store
    market: MarketData
    clock: Clock
    service: TradingService
    approvals: Approvals
    grammar: Grammar
    look_s: float = 1.0
    """How often the autopilot looks whether a candle has ended, in real seconds."""

    def keep_time(self) -> None:
        """Remember how far a market of our own has come, so that it stands still while nobody runs it."""
        if isinstance(self.clock, MarketClock):
            self.store.put(CLOCK_KEY, self.clock().isoformat())

    async def close(self) -> None:
        """Stop the desks, remember the time, let the database go."""
        self.keep_time()
        await self.service.close()
        self.lock.release()
        self.database.close()


CANDLE_SETTLES_S = 3.0
LOOK_LEAST_S = 0.05


@dataclass(frozen=True, slots=True)
class MarketParts:
    """A market with its clock and the stamp that its books carry."""

    data: MarketData
    clock: Clock
    stamp: str
    quote_age_max_s: float
    """PRICE_MAX_AGE_S in the market's own time: a market that runs faster has older prices at every look."""
    slack_s: float = 0.0
    """So much of the market's own time may go by between two looks: no patience is shorter."""
    settle_s: float = 0.0
    """How long after its end a candle is asked for."""
    look_s: float = 1.0
    """How often the autopilot looks whether a candle has ended, in real seconds."""
    submit_deadline_s: float = SUBMIT_DEADLINE_S
    """How long an order may take to arrive, in the market's own time."""


async def open_house(settings: Settings) -> House:
    """Open database and market, migrate, lock, and set up the desks; nothing trades before `service.start`.

    There is a LIVE desk where there are Kraken keys and Kraken's prices. Raises WiringError, DatabaseError or a
    ZynError of the market, having given everything back.
    """
    try:
        require_keys(settings)
    except LiveSetupError as error:
        raise WiringError(str(error)) from error
    database = open_database(settings.database_url)
    lock = ProcessLock(database)
    try:
        lock.acquire()
        backup = migrate(database, datetime.now(UTC))
        if backup is not None:
            logger.info("the database was copied to {} before its schema was brought up to date", backup)
        return await _furnish(settings, database, lock)
    except ConfigError as error:
        lock.release()
        database.close()
        raise WiringError(str(error)) from error
    except (SQLAlchemyError, ValueError) as error:
        lock.release()
        database.close()
        cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise DatabaseError(f"the database holds something that Zyn cannot read: {cause}") from error
    except BaseException:
        lock.release()
        database.close()
        raise


async def _furnish(settings: Settings, database: Database, lock: ProcessLock) -> House:
    store = Store(database)
    market = _market(settings, store)
    _stamp(store, market.stamp)
    try:
        require_live(settings, database, store.get(MODE_KEY))
    except LiveSetupError as error:
        raise WiringError(str(error)) from error
    instruments = await _instruments(market, store)
    exchanges: list[Exchange] = [_paper_exchange(settings, database, market)]
    if not lacks(settings):
        exchanges.append(live_exchange(settings, market.data, market.clock))
    return assemble(settings, database, lock, market, instruments, exchanges)


def assemble(
    settings: Settings,
    database: Database,
    lock: ProcessLock,
    market: MarketParts,
    instruments: Mapping[str, Instrument],
    exchanges: Collection[Exchange],
) -> House:
    """One desk for each exchange, and the service, grammar and store around them. Nothing is read or sent yet."""
    store = Store(database)
    strategy = in_currency(load_strategy(settings.strategy), settings.quote_currency)
    desks = {
        exchange.mode: _desk(settings, exchange, database, market, instruments, strategy) for exchange in exchanges
    }
    for exchange in exchanges:
        if isinstance(exchange, KrakenExchangeWrapper):
            remember_holds(desks[exchange.mode], exchange, store)
    name = database.url.render_as_string(hide_password=True)
    service = TradingService(
        desks, store, settings.mode, owner=settings.owner_name, database_name=name, lacks=lacks(settings)
    )
    keepers = {mode: DayKeeper(desk, store, strategy.limits) for mode, desk in desks.items()}
    choices = Choices(store, strategy, starts_on=settings.autopilot)
    service.pilot = Pilot(service, Evaluations(database), choices, keepers, settle_s=market.settle_s)
    policy = ConsentPolicy(settings.confirm_paper, settings.confirm_live, settings.confirm_move_pct)
    approvals = Approvals(service, Proposals(database), policy, wall_clock)
    grammar = Grammar(instruments, settings.quote_currency)
    return House(settings, database, lock, store, market.data, market.clock, service, approvals, grammar, market.look_s)


def _installation(store: Store) -> str:
    """Four letters that are this installation's own, in every order that it sends, made once."""
    known = store.get(INSTALLATION_KEY)
    if known is None:
        known = "".join(secrets.choice(_LETTERS) for _ in range(4))
        store.put(INSTALLATION_KEY, known)
    return known


def _market(settings: Settings, store: Store) -> MarketParts:
    if settings.market == "generated":
        from core.market.generated import GeneratedMarket  # noqa: PLC0415 - each start needs one market only

        if settings.market_speed > GENERATED_SPEED_MAX:
            raise WiringError(
                f"MARKET_SPEED={settings.market_speed:g}: a generated market takes at most {GENERATED_SPEED_MAX}"
            )
        clock = MarketClock(_resume(store) or datetime.now(UTC), speed=settings.market_speed)
        faster = max(1.0, settings.market_speed)
        return MarketParts(
            GeneratedMarket(settings.market_seed, clock),
            clock,
            f"generated:{settings.market_seed}",
            settings.price_max_age_s * faster,
            slack_s=settings.unprotected_limit_s * (faster - 1.0),
            submit_deadline_s=SUBMIT_DEADLINE_S * faster,
        )
    if settings.market.startswith("replay:"):
        return _replay(settings, store, Path(settings.market.removeprefix("replay:")))
    from core.exchange.kraken_market import KrakenMarketData  # noqa: PLC0415

    return MarketParts(
        KrakenMarketData(settings.kraken_api_url, wall_clock, store.instruments()),
        wall_clock,
        "kraken",
        settings.price_max_age_s,
        settle_s=CANDLE_SETTLES_S,
    )


def _replay(settings: Settings, store: Store, path: Path) -> MarketParts:
    from core.market.replay import (  # noqa: PLC0415
        ReplayError,
        ReplayMarket,
        fingerprint,
        first_moment,
        load_series,
    )

    try:
        series = load_series(path)
    except ReplayError as error:
        raise WiringError(f"MARKET: {error}") from error
    start = _resume(store) or first_moment(series)
    clock = MarketClock(start, speed=settings.market_speed, step_s=series[0].interval_s)
    data = ReplayMarket(series, clock, _friction(settings))
    # Its clock jumps from candle to candle: between two looks at it, two of them may have gone by.
    jump_s = 2 * series[0].interval_s
    age_max = settings.price_max_age_s + jump_s
    deadline_s = SUBMIT_DEADLINE_S * max(1.0, settings.market_speed) + jump_s
    look_s = min(1.0, max(LOOK_LEAST_S, series[0].interval_s / settings.market_speed / 3))
    stamp = f"replay:{path.name}:{fingerprint(series)}"
    return MarketParts(data, clock, stamp, age_max, slack_s=deadline_s, look_s=look_s, submit_deadline_s=deadline_s)


def _resume(store: Store) -> datetime | None:
    """Where a market of our own goes on: never before anything that the books already know."""
    stored = store.get(CLOCK_KEY)
    moments = [
        moment for moment in (datetime.fromisoformat(stored) if stored else None, store.latest_moment()) if moment
    ]
    return max(moments, default=None)


def _stamp(store: Store, stamp: str) -> None:
    """A ledger belongs to one market for good."""
    known = store.get(MARKET_KEY)
    if known is None:
        store.put(MARKET_KEY, stamp)
    elif known != stamp:
        raise WiringError(
            f"this database belongs to the market {known!r}, and MARKET says {stamp!r}; "
            "set MARKET back, or another DATABASE_URL for the other market"
        )


async def _instruments(market: MarketParts, store: Store) -> Mapping[str, Instrument]:
    """The market's instruments, stored for the next time; the stored or built-in ones while it cannot be read."""
    try:
        known = await market.data.instruments()
    except ZynError as error:
        logger.warning("instruments could not be read ({}); using the stored or built-in ones", error.message)
        return store.instruments() or builtin_instruments()
    if market.stamp == "kraken" and dict(known) != store.instruments():
        store.put_instruments(known, wall_clock())
    return known


def _paper_exchange(settings: Settings, database: Database, market: MarketParts) -> Exchange:
    paper = PaperLedger(
        database, _friction(settings), start_asset=settings.quote_currency, start_balance=settings.paper_balance
    )
    paper.load()
    return PaperExchangeWrapper(paper, market.data, market.clock, quote_age_max_s=market.quote_age_max_s)


def _desk(
    settings: Settings,
    exchange: Exchange,
    database: Database,
    market: MarketParts,
    instruments: Mapping[str, Instrument],
    strategy: TradingConfig,
) -> Desk:
    ledger = Ledger(database, exchange.mode)
    some = next(iter(instruments.values()))
    desk_settings = _desk_settings(settings, some, market, exchange.mode, strategy)
    installation = _installation(Store(database))
    names = _bracket_ids(installation)
    desk = Desk(exchange.mode, exchange, ledger, market.data, market.clock, desk_settings, names)
    desk.prefix = f"{OUR_SIGN}{installation}"
    return desk


def _desk_settings(
    settings: Settings, instrument: Instrument, market: MarketParts, mode: Mode, strategy: TradingConfig
) -> DeskSettings:
    config = BracketConfig(settings.stop_atr, settings.target_atr, settings.stop_pct, settings.target_pct)
    rules = Rules(
        instrument,
        target_mode=settings.target_mode,
        bracket=config,
        unprotected_limit_s=settings.unprotected_limit_s + market.slack_s,
        close_unprotected=settings.close_unprotected,
        quote_age_max_s=market.quote_age_max_s,
        submit_deadline_s=market.submit_deadline_s,
        child_grace_s=settings.child_grace_s,
        target_slippage_pct=settings.target_slippage_pct,
    )
    limits = RiskLimits(
        settings.risk_pct_max,
        settings.exposure_pct_max,
        max(settings.risk_pct_max, strategy.risk.total_risk_pct),
        settings.max_order_quote,
        settings.price_collar_pct,
        settings.risk_reduce,
    )
    validate_only = settings.validate_only and mode is Mode.LIVE
    friction, currency = _friction(settings), settings.quote_currency
    return DeskSettings(rules, limits, friction, currency, market.quote_age_max_s, validate_only)


def _friction(settings: Settings) -> Friction:
    return Friction(half_spread_pct=settings.paper_half_spread_pct)


def _bracket_ids(installation: str) -> Callable[[], str]:
    """Twelve characters, so that with an order's number it fits the 18 that Kraken takes for a client order id."""
    return lambda: f"{OUR_SIGN}{installation}" + "".join(secrets.choice(_LETTERS) for _ in range(6))


def grammar_without_house(settings: Settings) -> Grammar:
    """The grammar over the instruments that a database has stored, else the built-in ones. No lock, no network."""
    url = settings.database_url
    stored = peek_instruments(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite:///") else {}
    known = builtin_instruments()
    instruments = {
        symbol: replace(known.get(symbol) or next(iter(known.values())), symbol=symbol, venue_name=venue_name)
        for symbol, venue_name in stored.items()
    }
    return Grammar(instruments or known, settings.quote_currency)
