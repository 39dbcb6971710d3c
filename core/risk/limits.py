"""PURE. How much may be risked: the numbers, and the gate that turns a request into an approval or a denial."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from core.domain.brackets import Bracket
from core.domain.errors import Code, Denied
from core.domain.instruments import Instrument
from core.domain.modes import Mode, Source
from core.domain.money import ZERO, cents, divide, percent_of, plain, times
from core.domain.orders import OrderType
from core.risk.prices import BracketPrices


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Limits of one desk. Percents are of equity; `max_order_quote` is in quote currency."""

    risk_pct_max: Decimal = Decimal(2)
    exposure_pct_max: Decimal = Decimal(90)
    total_risk_pct_max: Decimal = Decimal(100)
    max_order_quote: Decimal = Decimal(5000)
    price_collar_pct: Decimal = Decimal(10)
    reduce_to_fit: bool = False


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An entry that somebody asks for, before risk. `price` is what it is expected to cost per unit."""

    mode: Mode
    source: Source
    instrument: Instrument
    quantity: Decimal
    entry_type: OrderType
    price: Decimal
    limit_price: Decimal | None
    prices: BracketPrices
    worst_price: Decimal | None = None
    """The last price that the order would pay in the book, where there is one."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the desk has: amounts in the request's quote currency."""

    available: Decimal
    equity: Decimal
    exposure: Decimal
    taker_pct: Decimal
    active_risk: Decimal = ZERO
    """What all stops together would lose."""


def active_risk(brackets: Iterable[Bracket]) -> Decimal:
    """What the stops of these would lose, counted from their entries; a stop at or above its entry loses nothing."""
    total = ZERO
    for bracket in brackets:
        entry, stop = bracket.entry, bracket.stop_price
        if stop is None or entry is None:
            continue
        waiting = entry.remaining if entry.is_live else ZERO
        price = bracket.entry_average or bracket.limit_price or entry.price
        if price is None:
            # Bought at market and not answered yet: what it was planned to risk.
            total += times(waiting, bracket.risk_per_unit or ZERO)
        elif price > stop:
            total += times(max(bracket.held, ZERO) + waiting, price - stop)
    return total


@dataclass(frozen=True, slots=True)
class Approved:
    """A request that passed; only this can become an order. `notes` say what was reduced and why."""

    request: OrderRequest
    notes: tuple[str, ...] = ()


def assess(request: OrderRequest, account: Account, limits: RiskLimits, ask: Decimal) -> Approved | Denied:
    """Approve `request`, reduced where the desk allows that, or deny it with the numbers."""
    denial = _status(request.instrument) or _collar(request, limits, ask)
    if denial is not None:
        return denial
    notes: list[str] = []
    for code, allowed, why in _ceilings(request, account, limits):
        quantity = request.instrument.quantity(allowed)
        if request.quantity <= quantity:
            continue
        if not limits.reduce_to_fit or request.instrument.is_dust(quantity, request.price):
            return Denied(code, why)
        notes.append(f"reduced from {plain(request.quantity)} to {plain(quantity)}: {why}")
        request = replace(request, quantity=quantity)
    return _minimum(request) or Approved(request, tuple(notes))


def _status(instrument: Instrument) -> Denied | None:
    if instrument.status == "online":
        return None
    return Denied(
        Code.INSTRUMENT_CLOSED, f"{instrument.symbol} takes no new orders now: the venue says {instrument.status}"
    )


def _collar(request: OrderRequest, limits: RiskLimits, ask: Decimal) -> Denied | None:
    limit, worst = request.limit_price, request.worst_price
    ceiling = ask + percent_of(ask, limits.price_collar_pct)
    if limit is None and worst is not None and worst > ceiling:
        return Denied(
            Code.PRICE_COLLAR,
            f"the book is too thin: {plain(request.quantity)} {request.instrument.base} would pay {plain(worst)}, "
            f"more than {plain(limits.price_collar_pct)}% above the ask {plain(ask)}; buy less, or give a limit",
        )
    if limit is None or limit <= ceiling:
        return None
    return Denied(
        Code.PRICE_COLLAR,
        f"a limit of {plain(limit)} is more than {plain(limits.price_collar_pct)}% above the ask {plain(ask)}; "
        f"give at most {plain(request.instrument.price(ceiling))}",
    )


def _ceilings(request: OrderRequest, account: Account, limits: RiskLimits) -> list[tuple[Code, Decimal, str]]:
    """(code, largest quantity, sentence) of each limit on size."""
    price, quote = request.price, request.instrument.quote
    cost = times(request.quantity, price)
    with_fee = price + percent_of(price, account.taker_pct)
    risk_money = percent_of(account.equity, limits.risk_pct_max)
    risk = request.prices.risk
    most_exposed = percent_of(account.equity, limits.exposure_pct_max)
    all_risk = percent_of(account.equity, limits.total_risk_pct_max)
    too_risky_together = (
        f"all stops together would risk {cents(account.active_risk + times(request.quantity, risk))} {quote}, the "
        f"limit is {cents(all_risk)} ({plain(limits.total_risk_pct_max)}% of {cents(account.equity)})"
    )
    too_large = f"the order costs {cents(cost)} {quote}, the limit is {cents(limits.max_order_quote)} (MAX_ORDER_QUOTE)"
    too_dear = f"the order needs {cents(times(request.quantity, with_fee))} {quote} with its fee"
    too_risky = f"the stop risks {cents(times(request.quantity, risk))} {quote}, the limit is {cents(risk_money)}"
    share = f"{plain(limits.risk_pct_max)}% of {cents(account.equity)}, RISK_PCT_MAX"
    exposed = f"positions would be worth {cents(account.exposure + cost)} {quote}"
    return [
        (Code.MAX_ORDER, divide(limits.max_order_quote, price), too_large),
        (
            Code.BALANCE,
            divide(max(account.available, ZERO), with_fee),
            f"{too_dear}, available are {cents(account.available)}",
        ),
        (
            Code.RISK_PER_TRADE,
            divide(risk_money, risk) if risk > ZERO else request.quantity,
            f"{too_risky} ({share})",
        ),
        (
            Code.TOTAL_RISK,
            divide(max(ZERO, all_risk - account.active_risk), risk) if risk > ZERO else request.quantity,
            too_risky_together,
        ),
        (
            Code.EXPOSURE,
            divide(max(ZERO, most_exposed - account.exposure), price),
            f"{exposed}, the limit is {cents(most_exposed)} (EXPOSURE_PCT_MAX)",
        ),
    ]


def _minimum(request: OrderRequest) -> Denied | None:
    instrument = request.instrument
    if not instrument.is_dust(request.quantity, request.price):
        return None
    smallest = instrument.minimum_quantity(request.price)
    return Denied(
        Code.MINIMUM,
        f"{plain(request.quantity)} {instrument.base} is below the venue's minimum: at {plain(request.price)} "
        f"{instrument.quote} it takes {plain(smallest)} {instrument.base} or more",
    )
