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


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a signal asks to buy `instrument`. Counts are of the UTC day."""

    instrument: Instrument
    now: datetime
    candle_age_s: float
    state: TradingState
    state_because: str
    kill: str
    """Why the kill switch is on; empty while it is off."""
    trades_of_symbol: int
    trades_of_all: int
    losses_in_row: int
    last_loss_at: datetime | None
    position_open: str
    """The autopilot's open bracket of this symbol; empty where there is none."""
    equity: Decimal
    available: Decimal
    exposure: Decimal
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


def pass_gates(seen: Situation, limits: GateLimits) -> Passed | Stopped:
    """Ask every gate. The first that stops is the answer; those of size may let less through."""
    for gate, ask in _QUESTIONS:
        why = ask(seen, limits)
        if why:
            return Stopped(gate, why)
    if seen.stop_distance is None or seen.stop_distance <= ZERO:
        return Stopped(Gate.TRADE_RISK, "there is no ATR yet, and without it no stop to size a position by")
    poor = _fees(seen, limits)
    if poor:
        return Stopped(Gate.FEES, poor)
    quantity, notes = divide(percent_of(seen.equity, limits.risk_pct), seen.stop_distance), list[str]()
    # An account may be so large that one order can never be worth the least part of it.
    least = divide(min(percent_of(seen.equity, limits.least_pct), limits.max_order_quote), seen.price)
    for gate, most, why in _ceilings(seen, limits, seen.stop_distance):
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


def _data(seen: Situation, limits: GateLimits) -> str:
    if seen.candle_age_s <= limits.candle_age_max_s:
        return ""
    return f"the candle closed {seen.candle_age_s:.0f} s ago, the limit is {limits.candle_age_max_s:.0f} s"


def _state(seen: Situation, limits: GateLimits) -> str:
    del limits
    return "" if seen.state is TradingState.ACTIVE else f"the desk is {seen.state}: {seen.state_because}"


def _kill(seen: Situation, limits: GateLimits) -> str:
    del limits
    return seen.kill


def _daily(seen: Situation, limits: GateLimits) -> str:
    if seen.trades_of_symbol >= limits.trades_per_symbol:
        return (
            f"{seen.trades_of_symbol} trades of {seen.instrument.symbol} today, the limit is {limits.trades_per_symbol}"
        )
    if seen.trades_of_all >= limits.trades_per_day:
        return f"{seen.trades_of_all} trades today, the limit is {limits.trades_per_day}"
    return ""


def _cooldown(seen: Situation, limits: GateLimits) -> str:
    if seen.losses_in_row < limits.cooldown_losses or seen.last_loss_at is None:
        return ""
    until = seen.last_loss_at + limits.cooldown
    if seen.now >= until:
        return ""
    return f"{seen.losses_in_row} losses in a row, {seen.instrument.symbol} rests until {until:%H:%M} UTC"


def _one(seen: Situation, limits: GateLimits) -> str:
    del limits
    return f"the autopilot holds {seen.instrument.symbol} already ({seen.position_open})" if seen.position_open else ""


_Question = Callable[[Situation, GateLimits], str]
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
        (Gate.CORRELATION, ZERO if crowded else _NO_LIMIT, together),
        (Gate.EXPOSURE, divide(limits.max_order_quote, seen.price), order),
        (Gate.BALANCE, divide(max(ZERO, seen.available), with_fee), f"{cents(seen.available)} {quote} are available"),
    ]
