"""PURE. The sentences of the alert outbox. Numbers come from the orders, never from an expectation."""

from collections.abc import Iterable
from decimal import Decimal

from core.domain.brackets import Bracket, ExitReason
from core.domain.money import ZERO, cents, plain
from core.domain.orders import Fill, Order, OrderState, Role

EXIT_WORDS: dict[ExitReason, str] = {
    ExitReason.STOP: "stop hit",
    ExitReason.TARGET: "target hit",
    ExitReason.COMMAND: "closed by your command",
    ExitReason.FLATTEN: "flattened",
    ExitReason.FORCE_TEST: "force test",
    ExitReason.UNPROTECTED: "left because no stop could be placed",
    ExitReason.STOP_EMULATED: "left at the stop price, held by Zyn while no stop could rest",
    ExitReason.STOP_STUCK: "its stop was reached and did not sell through, so the rest was sold at market",
    ExitReason.ENTRY_REJECTED: "the venue refused the entry",
    ExitReason.ENTRY_CANCELED: "the entry was canceled unfilled",
    ExitReason.ENTRY_LOST: "the entry never reached the venue",
    ExitReason.DUST: "what is left is too small to sell",
    ExitReason.STRATEGY: "left by the autopilot, the market has turned",
    ExitReason.PROFIT: "a part was taken as profit",
    ExitReason.TIME: "left by the autopilot after its time",
    ExitReason.KILL_SWITCH: "sold by the kill switch",
    ExitReason.SOLD_ELSEWHERE: "its coins left the account by another way than Zyn's orders",
}

_FILLED = {Role.ENTRY: "Bought", Role.STOP: "Stop sold", Role.TARGET: "Target sold", Role.EXIT: "Sold"}


def filled(bracket: Bracket, order: Order, fill: Fill) -> str:
    """One execution: what, how much, at what price, and how much of the order is done."""
    base, quote = bracket.symbol.split("/")
    part = "" if order.filled >= order.quantity else f" ({plain(order.filled)} of {plain(order.quantity)})"
    late = ", while Zyn was away" if fill.caught_up else ""
    return (
        f"{_FILLED[order.role]} {plain(fill.quantity)} {base} at {price(fill.price)} {quote}{part}"
        f"{late}. Order {order.venue_id}, fee {cents(fill.fee)} {quote}."
    )


def protected(bracket: Bracket) -> str:
    """That a stop rests, with its orders."""
    target = plain(bracket.target_price) if bracket.target_price is not None else "N/A"
    return f"{bracket.symbol} protected: {resting_stop(bracket)}; target {target}."


def resting_stop(bracket: Bracket) -> str:
    """Where the stops of a position really rest, on how much of it, and their orders: not where they are wished."""
    stops = [order for order in bracket.of_role(Role.STOP) if order.state is OrderState.OPEN]
    if not stops:
        return "NO STOP rests"
    prices = ", ".join(sorted({plain(order.price or ZERO) for order in stops}))
    covered = sum((order.remaining for order in stops), ZERO)
    return f"stop {prices} rests on {plain(covered)} of {plain(bracket.held)}, order {_names(stops)}"


def _names(orders: Iterable[Order]) -> str:
    return ", ".join(order.venue_id or order.client_id for order in orders)


def closed(bracket: Bracket) -> str:
    """How a bracket ended, with its result in quote and R where it traded."""
    base, quote = bracket.symbol.split("/")
    why = EXIT_WORDS[bracket.close_reason] if bracket.close_reason else "closed"
    if bracket.bought == ZERO:
        return f"{bracket.symbol}: not bought, {why}."
    text = f"{bracket.symbol} closed: {why}. Result {signed(bracket.result_quote)} {quote}"
    if bracket.result_r is not None:
        text += f" ({signed(bracket.result_r)} R)"
    if bracket.held > ZERO:
        text += f". {plain(bracket.held)} {base} dust remains"
    traded = [order for order in bracket.orders if order.filled > ZERO]
    return f"{text}. Orders {_names(traded)}."


def signed(value: Decimal | None) -> str:
    """An amount with its sign, to the cent; "N/A" for what is not known."""
    if value is None:
        return "N/A"
    return ("+" if value > ZERO else "") + cents(value)


def price(value: Decimal) -> str:
    """A price without trailing zeros, cut to ten significant digits."""
    return plain(Decimal(f"{value:.10g}"))
