"""PURE. The gates between a signal and an order, in their order: each lets it through, makes it smaller, or stops it.

What stops it is recorded with its numbers. Money is in the quote currency, percents are of equity.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from core.domain.instruments import Instrument
from core.domain.modes import TradingState
from core.domain.money import ONE, ZERO, cents, divide, percent_of, plain, times

_NO_LIMIT = Decimal("Infinity")


class Gate(StrEnum):
    """What is asked before the autopilot buys, in this order."""

    DATA_FRESH = "DATA_FRESH"
    TRADING_STATE = "TRADING_STATE"
    KILL_SWITCH = "KILL_SWITCH"
    DAILY_LIMIT = "DAILY_LIMIT"
    COOLDOWN = "COOLDOWN"
    ONE_POSITION = "ONE_POSITION"
    TRADE_RISK = "TRADE_RISK"
    FEES = "FEES"
    TOTAL_RISK = "TOTAL_RISK"
    EXPOSURE = "EXPOSURE"
    CORRELATION = "CORRELATION"
    BALANCE = "BALANCE"
    MINIMUM = "MINIMUM"
    # Beyond the table: who switched it off, and what the desk's own door said.
    AUTOPILOT_OFF = "AUTOPILOT_OFF"
    SPOT_ONLY = "SPOT_ONLY"
    NOT_WATCHED = "NOT_WATCHED"
    ORDER = "ORDER"


@dataclass(frozen=True, slots=True)
class GateLimits:
    """The numbers in force."""

    risk_pct: Decimal
    total_risk_pct: Decimal
    exposure_pct: Decimal
    position_pct: Decimal
    """What one position may be worth at most, and `least_pct` what it has to be worth, lest fees eat it."""
    least_pct: Decimal
    max_order_quote: Decimal
    reward_to_fees_min: Decimal
    """How many times the fees of both ways the target has to bring; 0: never asked."""
    trades_per_symbol: int
    trades_per_day: int
    cooldown_losses: int
    cooldown: timedelta
    correlation_max: float
    correlated_positions: int
    candle_age_max_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a signal to buy `symbol` before anything is read. Counts are of the UTC day."""

    symbol: str
    now: datetime
    candle_age_s: float
    state: TradingState
    state_because: str
    kill: str
    """Why the kill switch is on; empty while it is off."""
    trades_of_symbol: int
    trades_of_all: int
    goal: str = ""
    """Why the day rests although it went well; empty while it does not."""
    losses_in_row: int
    last_loss_at: datetime | None
    position_open: str
    """The autopilot's open bracket of this symbol; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation(Standing):
    """The same with what market and account show."""

    instrument: Instrument
    equity: Decimal
    available: Decimal
    exposure: Decimal
    """What our own positions are worth, in quote."""
    room: Decimal = _NO_LIMIT
    """How much more the desk's own limit lets all coins of the account be worth, the owner's included, in quote."""
    active_risk: Decimal
    """What all stops together would lose from here."""
    price: Decimal
    stop_distance: Decimal | None
    """From the entry to the stop, in quote per base; None without an ATR."""
    target_distance: Decimal | None
    taker_pct: Decimal
    correlated: Sequence[str]
    """Symbols of open positions that move together with this one."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Buy so much; `notes` say what was made smaller and why."""

    quantity: Decimal
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing is bought: the gate, and its numbers in a sentence."""

    gate: Gate
    why: str


def stands(seen: Standing, limits: GateLimits) -> Stopped | None:
    """Ask the gates that need neither market nor account. The first that stops is the answer."""
    for gate, ask in _QUESTIONS:
        why = ask(seen, limits)
        if why:
            return Stopped(gate, why)
    return None


def pass_gates(seen: Situation, limits: GateLimits) -> Passed | Stopped:
    """Ask every gate. The first that stops is the answer; those of size may let less through."""
    stopped = stands(seen, limits) or _worth_it(seen, limits)
    if stopped is not None:
        return stopped
    distance = seen.stop_distance or ZERO
    quantity, notes = divide(percent_of(seen.equity, limits.risk_pct), distance), list[str]()
    least = divide(_least_worth(seen, limits), seen.price)
    for gate, most, why in _ceilings(seen, limits, distance):
        if quantity <= most:
            continue
        if most < least:
            return Stopped(gate, why)
        notes.append(f"{gate}: reduced from {plain(_lots(seen, quantity))} to {plain(_lots(seen, most))}, {why}")
        quantity = most
    quantity = seen.instrument.quantity(quantity)
    if seen.instrument.is_dust(quantity, seen.price):
        smallest = seen.instrument.minimum_quantity(seen.price)
        base = seen.instrument.base
        return Stopped(Gate.MINIMUM, f"{plain(quantity)} {base} would be bought, the venue takes {plain(smallest)}")
    return Passed(quantity, tuple(notes))


def _least_worth(seen: Situation, limits: GateLimits) -> Decimal:
    """What a position has to be worth. An account may be so large that one order can never be worth its least part."""
    return min(percent_of(seen.equity, limits.least_pct), limits.max_order_quote)


def _worth_it(seen: Situation, limits: GateLimits) -> Stopped | None:
    """Whether a trade with this stop and this target is worth its risk and its fees at all."""
    if seen.stop_distance is None or seen.stop_distance <= ZERO:
        return Stopped(Gate.TRADE_RISK, "there is no ATR yet, and without it no stop to size a position by")
    poor = _fees(seen, limits)
    if poor:
        return Stopped(Gate.FEES, poor)
    worth = times(divide(percent_of(seen.equity, limits.risk_pct), seen.stop_distance), seen.price)
    least = _least_worth(seen, limits)
    if worth >= least:
        return None
    why = f"with a stop so far away {cents(worth)} {seen.instrument.quote} may be bought, the least is {cents(least)}"
    return Stopped(Gate.TRADE_RISK, why)


def _fees(seen: Situation, limits: GateLimits) -> str:
    if not limits.reward_to_fees_min or seen.target_distance is None:
        return ""
    fees = times(seen.price, divide(seen.taker_pct * 2, Decimal(100)))
    least = times(fees, limits.reward_to_fees_min)
    if seen.target_distance >= least:
        return ""
    brings, take = plain(round(seen.target_distance, 4)), plain(round(fees, 4))
    return (
        f"the target brings {brings} a coin, fees take {take}; {plain(limits.reward_to_fees_min)} times them is asked"
    )


def _lots(seen: Situation, quantity: Decimal) -> Decimal:
    return seen.instrument.quantity(max(quantity, ZERO))


def _data(seen: Standing, limits: GateLimits) -> str:
    if seen.candle_age_s <= limits.candle_age_max_s:
        return ""
    return f"the candle closed {seen.candle_age_s:.0f} s ago, the limit is {limits.candle_age_max_s:.0f} s"


def _state(seen: Standing, limits: GateLimits) -> str:
    del limits
    return "" if seen.state is TradingState.ACTIVE else f"the desk is {seen.state}: {seen.state_because}"


def _kill(seen: Standing, limits: GateLimits) -> str:
    del limits
    return seen.kill


def _daily(seen: Standing, limits: GateLimits) -> str:
    if seen.trades_of_symbol >= limits.trades_per_symbol:
        return f"{seen.trades_of_symbol} trades of {seen.symbol} today, the limit is {limits.trades_per_symbol}"
    if seen.trades_of_all >= limits.trades_per_day:
        return f"{seen.trades_of_all} trades today, the limit is {limits.trades_per_day}"
    return seen.goal


def _cooldown(seen: Standing, limits: GateLimits) -> str:
    if seen.losses_in_row < limits.cooldown_losses or seen.last_loss_at is None:
        return ""
    until = seen.last_loss_at + limits.cooldown
    if seen.now >= until:
        return ""
    day = "" if until.date() == seen.now.date() else f"{until:%m-%d} "
    return f"{seen.losses_in_row} losses in a row, {seen.symbol} rests until {day}{until:%H:%M} UTC"


def _one(seen: Standing, limits: GateLimits) -> str:
    del limits
    return f"the autopilot holds {seen.symbol} already ({seen.position_open})" if seen.position_open else ""


_Question = Callable[[Standing, GateLimits], str]
_QUESTIONS: tuple[tuple[Gate, _Question], ...] = (
    (Gate.DATA_FRESH, _data),
    (Gate.TRADING_STATE, _state),
    (Gate.KILL_SWITCH, _kill),
    (Gate.DAILY_LIMIT, _daily),
    (Gate.COOLDOWN, _cooldown),
    (Gate.ONE_POSITION, _one),
)


def _ceilings(seen: Situation, limits: GateLimits, distance: Decimal) -> list[tuple[Gate, Decimal, str]]:
    """(gate, largest quantity, sentence) of each gate on size."""
    quote = seen.instrument.quote
    most_risk = percent_of(seen.equity, limits.total_risk_pct)
    most_exposed = percent_of(seen.equity, limits.exposure_pct)
    crowded = len(seen.correlated) + 1 > limits.correlated_positions
    share = f"of {cents(seen.equity)}"
    risky = (
        f"all stops together risk {cents(seen.active_risk)} {quote} already, the limit is {cents(most_risk)} "
        f"({plain(limits.total_risk_pct)}% {share})"
    )
    exposed = (
        f"positions are worth {cents(seen.exposure)} {quote} already, the limit is {cents(most_exposed)} "
        f"({plain(limits.exposure_pct)}% {share})"
    )
    more = cents(max(ZERO, seen.room)) if seen.room < _NO_LIMIT else "any amount of"
    crowd = f"all coins of the account, yours included, may be worth {more} {quote} more (EXPOSURE_PCT_MAX)"
    most_each = percent_of(seen.equity, limits.position_pct)
    each = f"one position may be worth {cents(most_each)} {quote} ({plain(limits.position_pct)}% {share})"
    order = f"one order may cost {cents(limits.max_order_quote)} {quote} (MAX_ORDER_QUOTE)"
    together = (
        f"it moves together (over {limits.correlation_max:g}) with {', '.join(seen.correlated)}, and "
        f"{limits.correlated_positions} such positions are the limit"
    )
    with_fee = times(seen.price, ONE + divide(seen.taker_pct, Decimal(100)))
    return [
        (Gate.TOTAL_RISK, divide(max(ZERO, most_risk - seen.active_risk), distance), risky),
        (Gate.EXPOSURE, divide(most_each, seen.price), each),
        (Gate.EXPOSURE, divide(max(ZERO, most_exposed - seen.exposure), seen.price), exposed),
        (Gate.EXPOSURE, divide(max(ZERO, seen.room), seen.price) if seen.room < _NO_LIMIT else _NO_LIMIT, crowd),
        (Gate.CORRELATION, ZERO if crowded else _NO_LIMIT, together),
        (Gate.EXPOSURE, divide(limits.max_order_quote, seen.price), order),
        (Gate.BALANCE, divide(max(ZERO, seen.available), with_fee), f"{cents(seen.available)} {quote} are available"),
    ]
