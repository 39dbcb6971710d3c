"""PURE. What a bracket wants next: compare what is wanted with what the venue shows, and name the difference.

Nothing here remembers that an earlier step ran. Called twice with the same inputs it gives the same answer; called
after a crash it goes on from whatever exists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.brackets import Bracket, BracketState, ExitReason, Leave
from core.domain.events import Event, EventKind
from core.domain.market import Quote
from core.domain.modes import Source
from core.domain.money import ZERO, divide, plain, times
from core.domain.orders import Fill, Order, OrderState, OrderType, Role
from core.domain.venue import Action, Snapshot, Submit
from core.lifecycle import news
from core.lifecycle.absorb import Absorbed, absorb
from core.lifecycle.cover import add_stop, cover
from core.lifecycle.draft import Draft, remaining
from core.lifecycle.rules import Rules
from core.lifecycle.states import move
from core.lifecycle.trail import trail
from core.risk.prices import compute_bracket_prices


@dataclass(frozen=True, slots=True)
class Decision:
    """The bracket as it should be saved, what to send once it is, and the alerts saved with it."""

    before: Bracket
    after: Bracket
    fills: tuple[tuple[Order, Fill], ...]
    actions: tuple[Action, ...]
    events: tuple[Event, ...]

    @property
    def changed(self) -> bool:
        """True when there is something to save or to send."""
        return self.after is not self.before or bool(self.actions) or bool(self.events)


def decide(bracket: Bracket, snapshot: Snapshot, quote: Quote | None, now: datetime, rules: Rules) -> Decision:
    """The next step of `bracket`, given what the venue shows and what the market quotes."""
    steps = (_work_entry, trail, _choose_to_leave, cover, _watch_cover, _finish)
    return _by(steps, bracket, snapshot, quote, now, rules)


def leave_or_protect(
    bracket: Bracket, snapshot: Snapshot, quote: Quote | None, now: datetime, rules: Rules
) -> Decision:
    """The same without the entry: for a bracket whose decision was refused, and that must be left or covered still."""
    return _by((trail, _choose_to_leave, cover, _watch_cover), bracket, snapshot, quote, now, rules)


def only_protect(bracket: Bracket, snapshot: Snapshot, quote: Quote | None, now: datetime, rules: Rules) -> Decision:
    """The venue's truth and a stop for what lacks one, and nothing else: where even that was refused."""
    return _by((_protect, _watch_cover), bracket, snapshot, quote, now, rules)


def only_learn(bracket: Bracket, snapshot: Snapshot, quote: Quote | None, now: datetime, rules: Rules) -> Decision:
    """The venue's truth alone, where nothing that could be sent was right."""
    return _by((_watch_cover,), bracket, snapshot, quote, now, rules)


def _by(
    steps: Sequence[Callable[[Draft], None]],
    bracket: Bracket,
    snapshot: Snapshot,
    quote: Quote | None,
    now: datetime,
    rules: Rules,
) -> Decision:
    """Learn from the snapshot, then take `steps`."""
    absorbed = absorb(bracket, snapshot)
    draft = Draft(absorbed.bracket, quote, now, rules, snapshot)
    _tell_changes(draft, absorbed)
    _set_levels(draft, absorbed.fills)
    for step in steps:
        step(draft)
    after = draft.bracket if draft.bracket != bracket else bracket
    return Decision(bracket, after, absorbed.fills, tuple(draft.actions), tuple(draft.events))


def _protect(draft: Draft) -> None:
    add_stop(draft, max(ZERO, draft.bracket.held - remaining(draft.exits())))


_FILL_KINDS = {Role.STOP: EventKind.STOP_FILLED, Role.TARGET: EventKind.TARGET_FILLED, Role.EXIT: EventKind.EXIT_FILLED}


def _tell_changes(draft: Draft, absorbed: Absorbed) -> None:
    bracket = draft.bracket
    for order, fill in absorbed.fills:
        if bracket.state is BracketState.CLOSED:
            draft.tell(EventKind.LATE_FILL, "Late fill, taken up again. " + news.filled(bracket, order, fill))
        elif order.role is Role.ENTRY:
            whole = order.filled >= order.quantity
            if not whole or _is_news(draft, bracket.created_at):
                draft.tell(
                    EventKind.ENTRY_FILLED if whole else EventKind.ENTRY_PARTIAL, news.filled(bracket, order, fill)
                )
        elif order.role is not Role.EXIT or _leave_is_news(draft):
            draft.tell(_FILL_KINDS[order.role], news.filled(bracket, order, fill))
    for was, order in absorbed.changed:
        _tell_move(draft, was, order)
    for before, order in absorbed.moved:
        draft.tell(
            EventKind.UNPROTECTED,
            f"At the venue the stop order {order.venue_id} of {bracket.symbol} stands at "
            f"{plain(order.price or ZERO)} for {plain(order.remaining)}, not at {plain(before.price or ZERO)} for "
            f"{plain(before.remaining)} as Zyn left it. Putting it back.",
        )


def _tell_move(draft: Draft, was: OrderState, order: Order) -> None:
    if order.role is Role.EXIT and order.state is OrderState.CANCELED and order.remaining > ZERO:
        # The book is empty for now: cover what is left, and try again when it may have filled up.
        retry_at = draft.now + timedelta(seconds=draft.rules.exit_pause_s)
        draft.bracket = replace(draft.bracket, target_retry_at=retry_at)
    name = f"{order.role} order {order.client_id} ({plain(order.quantity)} {draft.bracket.base})"
    why = f" ({order.reason})" if order.reason else ""
    if order.state is OrderState.LOST:
        if order.role is Role.STOP:
            draft.bracket = replace(draft.bracket, protect_failures=draft.bracket.protect_failures + 1)
        draft.tell(EventKind.ORDER_LOST, f"The {name} is in neither list of the venue: it counts as never placed.")
        return
    is_stranger = order.state is OrderState.CANCELED and was is OrderState.OPEN and not order.cancel_asked
    if is_stranger and order.role is Role.STOP and draft.bracket.held > ZERO:
        draft.tell(EventKind.UNPROTECTED, f"The {name} was canceled at the venue{why}. Placing a new one.")


def _is_news(draft: Draft, since: datetime) -> bool:
    quiet = timedelta(seconds=draft.rules.quiet_s)
    if draft.bracket.source is Source.AUTOPILOT:
        return True  # Nobody gets a reply that would tell of it.
    return draft.bracket.entry_type is OrderType.LIMIT or draft.now - since >= quiet


def _leave_is_news(draft: Draft) -> bool:
    leave = draft.bracket.leave
    if leave is None or leave.reason not in {ExitReason.COMMAND, ExitReason.FLATTEN, ExitReason.FORCE_TEST}:
        return True
    return draft.now - leave.asked_at >= timedelta(seconds=draft.rules.quiet_s)


def _set_levels(draft: Draft, fills: Sequence[tuple[Order, Fill]]) -> None:
    """Stop and target from the real average fill, again whenever it or the wish has changed."""
    bracket = draft.bracket
    average = bracket.entry_average
    if average is None:
        return
    entry_filled = any(order.role is Role.ENTRY for order, _ in fills)
    if not entry_filled and bracket.stop_price is not None and bracket.target_price is not None:
        return
    prices = compute_bracket_prices(
        average,
        bracket.atr,
        draft.rules.bracket,
        stop=bracket.stop,
        target=bracket.target,
        tick_size=draft.rules.instrument.tick_size,
    )
    risk = prices.risk if entry_filled or bracket.risk_per_unit is None else bracket.risk_per_unit
    draft.bracket = replace(
        bracket, stop_price=prices.stop, target_price=prices.target, risk_per_unit=risk if risk > ZERO else None
    )


def _work_entry(draft: Draft) -> None:
    bracket, entry = draft.bracket, draft.bracket.entry
    if entry is None:
        if bracket.cancel_entry or bracket.state is not BracketState.PENDING:
            return
        order = draft.new_order(Role.ENTRY, bracket.entry_type, bracket.quantity, limit_price=bracket.limit_price)
        stop = bracket.stop_price if draft.rules.attach_stop else None
        draft.actions.append(Submit(order, bracket.symbol, attached_stop=stop))
        return
    # Once a leg has traded, buying more of the same idea would only feed the other leg. And an entry that comes back
    # from the dead is not wanted any more: in doubt, entries die.
    leg_traded = any(order.filled > ZERO for order in bracket.of_role(Role.STOP, Role.TARGET))
    unwanted = bracket.cancel_entry or leg_traded or bracket.state is BracketState.CLOSED
    if unwanted and entry.state is OrderState.OPEN:
        draft.cancel(entry)


def _choose_to_leave(draft: Draft) -> None:
    """Turn a stop that cannot rest into a sale: at its price, or after too long without one."""
    bracket, stuck = draft.bracket, draft.stuck_stop()
    if bracket.leave is not None or bracket.held <= ZERO or not (stuck or bracket.lacks_cover(draft.now)):
        return
    if draft.rules.instrument.status not in {"online", "unknown"}:
        return  # Nothing can be sold now; when the market opens, a stop is tried first.
    if stuck is not None:
        draft.tell(
            EventKind.UNPROTECTED,
            f"The stop of {bracket.symbol} was reached, and {plain(stuck.remaining)} {bracket.base} of it has not sold "
            f"for {draft.rules.stuck_after_s:.0f} s (order {stuck.venue_id}): taking it back and selling at market.",
        )
        _leave(draft, ExitReason.STOP_STUCK)
        return
    quote = draft.fresh_quote
    if quote is not None and bracket.stop_price is not None and quote.last <= bracket.stop_price:
        _leave(draft, ExitReason.STOP_EMULATED)
        return
    since = bracket.unprotected_since
    limit = timedelta(seconds=draft.rules.unprotected_limit_s)
    if draft.rules.close_unprotected and since is not None and draft.now - since > limit:
        seconds = int((draft.now - since).total_seconds())
        draft.tell(EventKind.UNPROTECTED, f"{bracket.symbol} had no stop for {seconds} s: selling at market.")
        _leave(draft, ExitReason.UNPROTECTED)


def _leave(draft: Draft, reason: ExitReason) -> None:
    bracket = draft.bracket
    wish = Leave(bracket.held, reason, bracket.sold_on_wish, draft.now)
    # The patience that refused stops and targets asked for is not owed to a sale.
    draft.bracket = replace(bracket, leave=wish, cancel_entry=True, protect_retry_at=None, target_retry_at=None)


def _watch_cover(draft: Draft) -> None:
    """Count the seconds in which held coins had no stop at the venue."""
    bracket = draft.bracket
    resting = sum((order.remaining for order in draft.stops() if order.state is OrderState.OPEN), ZERO)
    bare = bracket.held - resting - draft.unseen_children()
    price = bracket.stop_price or bracket.entry_average or ZERO
    is_bare = bare > ZERO and not draft.rules.instrument.is_dust(bare, price)
    if is_bare and bracket.unprotected_since is None:
        draft.bracket = replace(bracket, unprotected_since=draft.now)
    elif is_bare and bracket.unprotected_since is not None and bracket.unprotected_since > draft.now:
        draft.bracket = replace(bracket, unprotected_since=draft.now)  # The clock was put back.
    elif not is_bare and bracket.unprotected_since is not None:
        seconds = bracket.unprotected_s + max(0.0, (draft.now - bracket.unprotected_since).total_seconds())
        draft.bracket = replace(
            bracket, unprotected_since=None, unprotected_s=seconds, protect_failures=0, protect_retry_at=None
        )
        if resting > ZERO and _is_news(draft, bracket.created_at):
            draft.tell(EventKind.PROTECTED, news.protected(draft.bracket))
    elif not is_bare and bracket.protect_failures > 0 and _rests_as_wished(draft):
        draft.bracket = replace(bracket, protect_failures=0, protect_retry_at=None)


def _rests_as_wished(draft: Draft) -> bool:
    """True when the snapshot shows every stop at its price and nothing is to be changed any more."""
    stops = draft.stops()
    in_place = all(order.state is OrderState.OPEN and order.price == draft.bracket.stop_price for order in stops)
    return in_place and not draft.is_unseen(stops) and not draft.actions


def _finish(draft: Draft) -> None:
    """Name the state: pending, open, or closed with its result."""
    bracket, entry = draft.bracket, draft.bracket.entry
    live = any(order.is_live for order in bracket.orders) or draft.unseen_children() > ZERO
    over = not live and (bracket.cancel_entry if entry is None else entry.is_terminal)
    price = bracket.stop_price or bracket.entry_average or ZERO
    empty = bracket.held <= ZERO or draft.rules.instrument.is_dust(bracket.held, price)
    if not (over and empty):
        state = BracketState.OPEN if bracket.held > ZERO else BracketState.PENDING
        if state is not bracket.state:
            draft.bracket = replace(bracket, state=state, closed_at=None, close_reason=None)
        return
    if (
        bracket.state is BracketState.CLOSED
        and bracket.close_reason is not None
        and bracket.result_quote == _result(bracket)
    ):
        return
    _close(draft)


def _close(draft: Draft) -> None:
    target = draft.held_target()
    if target is not None:
        draft.put(move(target, OrderState.CANCELED, "its sibling ended the bracket"))
    bracket, is_news = draft.bracket, _end_is_news(draft)
    result = _result(bracket)
    r_multiple = None
    if result is not None and bracket.risk_per_unit and bracket.sold > ZERO:
        r_multiple = divide(result, times(bracket.risk_per_unit, bracket.sold))
    draft.bracket = replace(
        bracket,
        state=BracketState.CLOSED,
        closed_at=draft.now,
        close_reason=_close_reason(bracket),
        result_quote=result,
        result_r=r_multiple,
        leave=None,
        unprotected_since=None,
    )
    if bracket.held < ZERO:
        draft.tell(
            EventKind.OVERSOLD, f"{bracket.symbol}: sold {plain(-bracket.held)} {bracket.base} more than was bought."
        )
    if is_news:
        draft.tell(EventKind.CLOSED, news.closed(draft.bracket))


def _end_is_news(draft: Draft) -> bool:
    """False where the reply to a command tells the same: an entry canceled or refused, a position closed just now."""
    bracket = draft.bracket
    if bracket.bought == ZERO:
        return not bracket.cancel_entry and _is_news(draft, bracket.created_at)
    # A leg that ends it beside a command is told by an alert as well: the reply may never arrive.
    by_command = _close_reason(bracket) in {ExitReason.COMMAND, ExitReason.FLATTEN, ExitReason.FORCE_TEST}
    return not by_command or bracket.leave is None or _leave_is_news(draft)


def _result(bracket: Bracket) -> Decimal | None:
    """What the sold part brought, fees of both ways included; None when nothing was sold."""
    entry = bracket.entry
    if entry is None or bracket.sold <= ZERO or entry.received <= ZERO:
        return None
    exits = bracket.of_role(Role.STOP, Role.TARGET, Role.EXIT)
    proceeds = sum((order.cost - order.fee for order in exits), ZERO)
    spent = divide(times(entry.cost + entry.fee, bracket.sold), entry.received)
    return proceeds - spent


def _close_reason(bracket: Bracket) -> ExitReason:
    entry = bracket.entry
    if bracket.bought == ZERO:
        if entry is None or entry.state is OrderState.CANCELED:
            return ExitReason.ENTRY_CANCELED
        return ExitReason.ENTRY_LOST if entry.state is OrderState.LOST else ExitReason.ENTRY_REJECTED
    sales = [order for order in bracket.of_role(Role.STOP, Role.TARGET, Role.EXIT) if order.filled > ZERO]
    if not sales:
        return ExitReason.SOLD_ELSEWHERE if bracket.gone > ZERO else ExitReason.DUST
    last = max(sales, key=lambda order: (order.filled_at or order.created_at, order.client_id))
    if last.role is Role.STOP:
        return ExitReason.STOP
    if last.role is Role.TARGET:
        return ExitReason.TARGET
    return bracket.leave.reason if bracket.leave else ExitReason.COMMAND
