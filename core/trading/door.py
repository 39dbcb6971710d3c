"""The only door to a position: `open_position_with_brackets`, for commands, autopilot and force test alike."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from core.domain.brackets import Bracket, Level
from core.domain.errors import Code, Denied, ZynError
from core.domain.instruments import Instrument
from core.domain.market import Quote
from core.domain.modes import Mode, Source, TradingState
from core.domain.money import ZERO, divide, plain, times
from core.domain.orders import OrderType, Side
from core.domain.venue import Refused, Snapshot, Submit, Unknown
from core.exchange.budget import ENTRY_RESERVE
from core.exchange.matching import walk
from core.lifecycle.decide import decide
from core.risk.limits import Account, Approved, OrderRequest, active_risk, assess
from core.risk.prices import BracketPrices, compute_bracket_prices, default_stop, default_target, misplaced
from core.risk.sizing import AmountUnit, Funds, size_entry
from core.trading.desk import Desk
from core.trading.state import reasons
from core.trading.tick import act

WAIT_MAX = timedelta(seconds=30)
"""An order that had to wait longer for the look before it is not what its owner meant any more."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of it, read back from the ledger after the venue had its say."""

    bracket: Bracket
    quote: Quote
    notes: tuple[str, ...]


async def open_position_with_brackets(
    exchange: Desk,
    symbol: str,
    side: Side,
    quantity: tuple[Decimal, AmountUnit],
    entry_type: OrderType,
    stop: Level | None,
    target: Level | None,
    source: Source,
    *,
    limit_price: Decimal | None = None,
    atr: Decimal | None = None,
) -> Opened:
    """Buy `quantity` of `symbol` at the exchange of this desk, protected by `stop` and `target`.

    The intent is saved before anything is sent, and the ordinary tick then fills in the legs. Raises Denied, with
    nothing saved and nothing sent, when a rule or a limit says no. `atr` is the one that a strategy has decided with;
    without it the market's own is taken. A venue's refusal is not raised: it is in the
    bracket that comes back.
    """
    desk = exchange
    require_entries(desk, side)
    asked_at, flattened = desk.clock(), desk.flattened
    async with desk.entries:
        verdict, opening = await approve_entry(
            desk, symbol, quantity, entry_type, stop, target, source, limit_price, atr=atr
        )
        waited = desk.clock() - asked_at
        if desk.mode is Mode.LIVE and waited > WAIT_MAX:
            seconds = waited.total_seconds()
            raise Denied(Code.BUSY, f"Kraken could not be read for {seconds:.0f} s; nothing was bought, say it again")
        if desk.flattened != flattened:
            raise flattened_meanwhile(desk)
        bracket = _plan(desk, verdict, opening)
        if desk.settings.validate_only:
            raise await _validated(desk, bracket, opening)
        with desk.at_work():
            await _send(desk, bracket, opening, flattened)
            await desk.settle(bracket.base)
    final = desk.ledger.bracket(bracket.id)
    if final is None:
        raise LookupError(f"bracket {bracket.id} was saved and is gone")
    return Opened(final, opening.quote, (*opening.notes, *verdict.notes))


@dataclass(frozen=True, slots=True)
class Opening:
    """What was looked at before the decision to buy."""

    quote: Quote
    snapshot: Snapshot
    account: Account
    atr: Decimal | None
    stop: Level
    target: Level
    notes: tuple[str, ...]


async def approve_entry(
    desk: Desk,
    symbol: str,
    quantity: tuple[Decimal, AmountUnit],
    entry_type: OrderType,
    stop: Level | None,
    target: Level | None,
    source: Source,
    limit_price: Decimal | None,
    *,
    atr: Decimal | None = None,
) -> tuple[Approved, Opening]:
    """Look at market and account, and approve or raise Denied. Nothing is saved and nothing is sent."""
    instrument = await desk.instrument(symbol)
    if desk.exchange.room(symbol) < ENTRY_RESERVE:
        raise Denied(
            Code.BUSY, f"so many orders of {symbol} were sent lately that Kraken may refuse its stops; try in a minute"
        )
    if desk.mode is Mode.LIVE:
        status = await desk.market.status(symbol)
        instrument = instrument if status == "unknown" else replace(instrument, status=status)
    snapshot = await desk.snapshot()
    if not snapshot.complete:
        raise Denied(Code.VENUE_UNREADABLE, "the venue's lists came only in part; nothing is bought on half a picture")
    atr = atr or await desk.atr(symbol)
    account = await account_of(desk, snapshot, instrument)
    # Last: the account may have to wait for its turn to be read, and the price goes on meanwhile.
    quote = await desk.fresh_quote(symbol)
    limit, notes = _limit(instrument, entry_type, limit_price)
    # A limit above the ask trades at the ask: levels, size and risk are counted from there.
    expected = quote.ask if limit is None else min(limit, quote.ask)
    config = desk.settings.rules.bracket
    stop, target = stop or default_stop(atr, config), target or default_target(atr, config)
    prices = compute_bracket_prices(expected, atr, config, stop=stop, target=target, tick_size=instrument.tick_size)
    wrong = misplaced(prices, expected)
    if wrong is not None:
        raise wrong
    funds = Funds(account.available, account.equity, expected, prices.risk, account.taker_pct)
    wanted = size_entry(*quantity, funds, instrument)
    worst = await _worst_price(desk, symbol, wanted, limit, expected)
    request = OrderRequest(desk.mode, source, instrument, wanted, entry_type, expected, limit, prices, worst)
    limits = desk.settings.limits
    if source is Source.AUTOPILOT:
        # Its gates have sized it at a price that has moved since: a tick is no reason to refuse what they let through.
        limits = replace(limits, reduce_to_fit=True)
    verdict = assess(request, account, limits, quote.ask)
    if isinstance(verdict, Denied):
        raise verdict
    return verdict, Opening(quote, snapshot, account, atr, stop, target, notes)


async def _worst_price(desk: Desk, symbol: str, wanted: Decimal, limit: Decimal | None, expected: Decimal) -> Decimal:
    """The last price that an order of this size would pay in the book as it is."""
    book = await desk.market.book(symbol)
    taken = walk(book.asks, wanted, Side.BUY, limit) if book is not None else []
    return taken[-1].price if taken else expected


def require_entries(desk: Desk, side: Side) -> None:
    """Raise Denied where this desk opens no positions now, or never of this kind."""
    desk.require_ready()
    if side is not Side.BUY:
        raise Denied(Code.SPOT_ONLY, "spot only: a position is opened by buying, there are no shorts")
    if desk.state is not TradingState.ACTIVE:
        why = desk.halted_because or "; ".join(reasons(desk))
        raise Denied(Code.NOT_ACTIVE, f"the {desk.mode} desk is {desk.state}, no new entries: {why}")


def _limit(
    instrument: Instrument, entry_type: OrderType, limit_price: Decimal | None
) -> tuple[Decimal | None, tuple[str, ...]]:
    if entry_type is OrderType.MARKET:
        return None, ()
    if limit_price is None or limit_price <= ZERO:
        raise Denied(Code.LIMIT_PRICE, "a limit order needs its price, for example 'limit 3200'")
    price = instrument.price(limit_price)
    if price <= ZERO:
        raise Denied(
            Code.LIMIT_PRICE, f"{limit_price} is below one tick ({instrument.tick_size}) of {instrument.symbol}"
        )
    notes = () if price == limit_price else (f"the limit was rounded to the tick, {price}",)
    return price, notes


async def account_now(desk: Desk) -> Account:
    """The account in the desk's own currency, read now. Raises ZynError where it, or the market, cannot be read."""
    currency = desk.settings.quote_currency
    known = await desk.market.instruments()
    some = next((one for one in known.values() if one.quote == currency), None)
    if some is None:
        raise Denied(Code.UNKNOWN_INSTRUMENT, f"nothing is traded in {currency} here")
    return await account_of(desk, await desk.snapshot(), some)


async def account_of(desk: Desk, snapshot: Snapshot, instrument: Instrument) -> Account:
    """The account in the pair's quote: what is available, what everything is worth, and how much of it is coins.

    Coins that are not ours and have no price just now count as nothing, which allows less, not more.
    """
    currency = instrument.quote
    ours = {bracket.base for bracket in desk.positions()}
    known = await desk.market.instruments()
    pairs = {}
    for asset in snapshot.balances:
        if asset != currency:
            pairs[asset] = next(
                (pair for pair in (f"{asset}/{currency}", f"{currency}/{asset}") if pair in known), None
            )
    # With the pair's own: calls are counted, and whoever asks for its price next need not read it again.
    quotes = await desk.quotes([instrument.symbol, *(pair for pair in pairs.values() if pair)])
    worth = ZERO
    for asset, pair in pairs.items():
        quote = quotes.get(pair) if pair else None
        if quote is None:
            if pair is not None and asset in ours:
                raise Denied(Code.NO_PRICES, f"the account has {asset}, and there is no price of {pair} to count it by")
            continue
        total = snapshot.balances[asset].total
        worth += times(total, quote.bid) if quote.symbol.startswith(f"{asset}/") else divide(total, quote.ask)
    cash = snapshot.balances.get(currency)
    total, held = (cash.total, cash.held) if cash else (ZERO, ZERO)
    taker_pct = (await desk.exchange.fees(instrument.symbol)).taker_pct
    return Account(
        total - held,
        total + worth,
        worth + held,
        taker_pct,
        active_risk(one for one in desk.ledger.unfinished() if one.symbol.endswith(f"/{currency}")),
    )


def _plan(desk: Desk, approved: Approved, opening: Opening) -> Bracket:
    """The intent as a bracket. Only an Approved can become one."""
    request = approved.request
    prices: BracketPrices = request.prices
    return Bracket(
        id=_free_id(desk),
        mode=request.mode,
        symbol=request.instrument.symbol,
        source=request.source,
        created_at=desk.clock(),
        quantity=request.quantity,
        entry_type=request.entry_type,
        stop=opening.stop,
        target=opening.target,
        limit_price=request.limit_price,
        atr=opening.atr,
        stop_price=prices.stop,
        target_price=prices.target,
        risk_per_unit=prices.risk if prices.risk > ZERO else None,
    )


class Validated(ZynError):  # noqa: N818 - it is no error: the owner asked for no more than this
    """The venue would take it. Nothing was sent to be executed, and nothing was saved."""


async def _validated(desk: Desk, bracket: Bracket, opening: Opening) -> ZynError:
    """What the venue says to the entry, without an order: Validated, or Denied in its words."""
    decision = decide(bracket, opening.snapshot, opening.quote, desk.clock(), await desk.rules(bracket.symbol))
    for action in decision.actions:
        if isinstance(action, Submit):
            outcome = await desk.exchange.validate(action)
            if isinstance(outcome, Refused):
                return Denied(Code.REJECTED, f"validated, not executed: {desk.exchange.name} refuses: {outcome.reason}")
            if isinstance(outcome, Unknown):
                return Denied(Code.VENUE_UNREADABLE, f"not validated, not executed: {outcome.detail}")
    price = plain(bracket.limit_price) if bracket.limit_price is not None else "market"
    return Validated(
        Code.VALIDATED,
        f"Validated, not executed (VALIDATE_ONLY): {desk.exchange.name} would take buy {plain(bracket.quantity)} "
        f"{bracket.symbol} at {price}, stop {plain(bracket.stop_price or ZERO)}, target "
        f"{plain(bracket.target_price or ZERO)}.",
    )


def _free_id(desk: Desk) -> str:
    """A name that no bracket of this ledger has: a row that exists would be written over."""
    name = desk.new_bracket_id()
    while desk.ledger.has(name):
        name = desk.new_bracket_id()
    return name


def flattened_meanwhile(desk: Desk) -> Denied:
    """The refusal of an entry that somebody has flattened the desk over."""
    return Denied(Code.NOT_ACTIVE, f"the {desk.mode} desk was flattened meanwhile; nothing was bought")


async def _send(desk: Desk, bracket: Bracket, opening: Opening, flattened: int) -> None:
    """Save the intent with its entry order in one transaction, then send it."""
    async with desk.lock(bracket.base):
        rules = await desk.rules(bracket.symbol)
        # Asked again, and nothing is waited for from here to the save: a flatten, the kill switch or a lost stop may
        # have come while this waited for its turn.
        if desk.flattened != flattened:
            raise flattened_meanwhile(desk)
        require_entries(desk, Side.BUY)
        decision = decide(bracket, opening.snapshot, opening.quote, desk.clock(), rules)
        desk.ledger.save([decision])
        desk.note_change(bracket.base)
        for action in decision.actions:
            await act(desk, action)
