"""LIVE as it is set: whether there is a Kraken account to trade on, and the one exchange that may."""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from loguru import logger

from bot.settings import Settings
from core.domain.modes import Mode
from core.domain.venue import OrderNews
from core.exchange.budget import RestBudget
from core.exchange.holds import Evidence, outweighs
from core.exchange.kraken_private import AccountOptions, KrakenExchangeWrapper
from core.exchange.kraken_streams import AccountStreams
from core.exchange.port import MarketData
from core.ledger.ledger import Ledger
from core.ledger.store import Store
from core.market.clocks import Clock
from core.trading.desk import Desk
from core.trading.waker import Waker
from storage.database import Database

HOLDS_KEY = "kraken_holds"


class LiveSetupError(Exception):
    """LIVE is wanted, or needed for what is open there, and cannot be; the message says what would be right."""


def lacks(settings: Settings) -> str:
    """What is missing for a LIVE desk, as an instruction; empty where nothing is."""
    key, secret = settings.kraken_api_key, settings.kraken_api_secret
    if key is None or secret is None:
        return "set KRAKEN_API_KEY and KRAKEN_API_SECRET"
    if not _is_base64(secret.get_secret_value()):
        return "KRAKEN_API_SECRET is no private key of Kraken's (they are base64); copy it again"
    return "" if settings.market == "kraken" else "set MARKET=kraken"


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def require_keys(settings: Settings) -> None:
    """Raise LiveSetupError where MODE asks for LIVE without what it needs; before anything is opened."""
    how = lacks(settings)
    if settings.mode is Mode.LIVE and how:
        raise LiveSetupError(f"MODE=LIVE, and without Kraken there is nothing to trade on: {how}, or MODE=PAPER")


def require_live(settings: Settings, database: Database, stored_mode: str | None) -> None:
    """Raise LiveSetupError where LIVE is wanted or needed and cannot be."""
    unfinished = Ledger(database, Mode.LIVE).unfinished()
    if settings.validate_only and unfinished:
        raise LiveSetupError("VALIDATE_ONLY=true while LIVE trades are open would leave them alone; set it to false")
    how = lacks(settings)
    if not how:
        return
    if unfinished:
        symbols = ", ".join(sorted({bracket.symbol for bracket in unfinished}))
        raise LiveSetupError(f"{len(unfinished)} LIVE trades are open ({symbols}), nobody would watch over them: {how}")
    if stored_mode == Mode.LIVE:
        raise LiveSetupError(f"the stored mode is LIVE, and without Kraken there is nothing to trade on: {how}")


def live_exchange(settings: Settings, market: MarketData, clock: Clock) -> KrakenExchangeWrapper:
    """The LIVE exchange. Its client is made on first use."""
    from core.exchange.kraken import Access, new_account_client  # noqa: PLC0415 - only with keys
    from core.exchange.kraken_wire import AccountWire  # noqa: PLC0415 - the same

    key, secret = settings.kraken_api_key, settings.kraken_api_secret
    if key is None or secret is None:
        raise LiveSetupError("KRAKEN_API_KEY and KRAKEN_API_SECRET are needed together")
    access = Access(key, secret, settings.kraken_api_url, settings.kraken_ws_url, settings.kraken_ws_auth_url)
    wire = AccountWire(lambda: new_account_client(access), RestBudget(settings.kraken_tier))
    options = AccountOptions(
        settings.entry_stop == "attached", settings.kraken_tier, settings.kraken_allow_withdrawal_key
    )
    return KrakenExchangeWrapper(wire, market, clock, options)


@dataclass(frozen=True, slots=True)
class LiveFeed:
    """What listens to Kraken and wakes the LIVE desk."""

    streams: AccountStreams
    waker: Waker
    desk: Desk

    async def listen(self) -> None:
        """Keep the streams up, once the books were compared: a key that is refused is not asked for streams."""
        await self.desk.compared.wait()
        await self.streams.run()


def live_feed(desk: Desk) -> LiveFeed | None:
    """The streams of this desk's account; None where it has none."""
    exchange, market = desk.exchange, desk.market
    if not isinstance(exchange, KrakenExchangeWrapper):
        return None
    from core.exchange.kraken_market import KrakenMarketData  # noqa: PLC0415 - loaded already where there is LIVE

    if not isinstance(market, KrakenMarketData):
        return None
    waker = Waker(desk)
    streams = AccountStreams(
        exchange.wire,
        exchange.known_pairs,
        market,
        desk.clock,
        symbols=lambda: {bracket.symbol for bracket in desk.ledger.unfinished()},
        on_orders=partial(_told, exchange, waker),
        on_prices=waker.look_at,
    )
    exchange.stream_is_alive = streams.is_alive
    return LiveFeed(streams, waker, desk)


def _told(exchange: KrakenExchangeWrapper, waker: Waker, news: Collection[OrderNews]) -> None:
    exchange.note_news()
    waker.wake(news)


def require_care(desk: Desk) -> None:
    """Raise LiveSetupError where LIVE trades are open and the key for them is no good: nobody would watch over them."""
    unfinished = desk.ledger.unfinished()
    if desk.is_refused and unfinished:
        symbols = ", ".join(sorted({bracket.symbol for bracket in unfinished}))
        raise LiveSetupError(f"{len(unfinished)} LIVE trades are open ({symbols}): {desk.not_ready_because}")


def remember_holds(desk: Desk, exchange: KrakenExchangeWrapper, store: Store) -> None:
    """Let the desk know what its account does with the coins of a resting stop, and keep it over restarts."""
    desk.learned = _stored(store)

    def learn(evidence: Evidence) -> None:
        known = desk.learned
        if not outweighs(evidence, known):
            return
        desk.learned = evidence
        if known is None or (known.holds, known.is_proof) != (evidence.holds, evidence.is_proof):
            logger.info("[{}] {}", desk.mode, evidence.text)
            values = {"holds": evidence.holds, "at": evidence.at.isoformat(), "how": evidence.how}
            values["is_proof"] = evidence.is_proof
            store.put(HOLDS_KEY, json.dumps(values))

    exchange.learn = learn


def _stored(store: Store) -> Evidence | None:
    text = store.get(HOLDS_KEY)
    if text is None:
        return None
    values = json.loads(text)
    at = datetime.fromisoformat(values["at"])
    return Evidence(bool(values["holds"]), at, str(values["how"]), bool(values.get("is_proof")))
