"""The tick: compare what is wanted with what exists, save, send, note. Recovery is the same path."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from loguru import logger

from core.domain.brackets import Bracket
from core.domain.errors import ZynError
from core.domain.events import Event, EventKind
from core.domain.market import Quote
from core.domain.money import ZERO, plain
from core.domain.orders import Role, TimeInForce
from core.domain.venue import Accepted, Action, Outcome, Refused, Snapshot, Submit, Unknown, VenueState
from core.exchange.errors import MarketDownError, VenueUnreadableError
from core.ledger.incidents import Incident
from core.ledger.ledger import Ended
from core.lifecycle.cover import may_sell
from core.lifecycle.decide import Decision, decide, leave_or_protect, only_learn, only_protect
from core.lifecycle.note import note, unsent
from core.lifecycle.promises import Broken, Promise, broken
from core.lifecycle.shortage import find_shortage, is_over, missing_event, write_off
from core.lifecycle.states import IllegalMoveError
from core.trading.desk import Desk
from core.trading.state import tell_state
from core.trading.wanted import WATCHED

SEND_MARGIN = timedelta(seconds=2)
"""An order is sent only while its deadline is further away than this; Kraken takes no nearer ones."""
ROUNDS = 8
"""How often a tick may look again after it acted; what is left waits for the next tick."""


@dataclass(slots=True)
class TickReport:
    """What a tick saw and did."""

    brackets: int = 0
    changed: int = 0
    actions: int = 0
    looked: bool = False
    """Whether there was a look at all."""
    has_read: bool = False
    """Whether the venue's books came, and whole; what is wrong with one coin does not count here."""
    troubles: list[str] = field(default_factory=list)


async def tick(desk: Desk, base: str | None = None, *, urgent: bool = False) -> TickReport:
    """One tick of `desk`, for one coin or all of them. What cannot be read is reported and changes nothing.

    `urgent`: somebody knows that there is something to see.
    """
    with desk.at_work():
        return await _tick(desk, base, urgent=urgent)


async def _tick(desk: Desk, base: str | None, *, urgent: bool) -> TickReport:
    report = TickReport(looked=True)
    try:
        await desk.exchange.advance(base)
    except MarketDownError as error:
        report.troubles.append(error.message)
    seen = dict(desk.changes)
    try:
        shared = await desk.snapshot(sparing=True, urgent=urgent or desk.is_busy)
    except VenueUnreadableError as error:
        report.troubles.append(error.message)
        # Above all now: a position may be without its stop, and nobody can place one.
        tell_state(desk)
        return report
    # A simulated venue that could not live up to now has books of an earlier time.
    report.has_read = shared.complete and not report.troubles
    if not shared.complete:
        report.troubles.append("the venue's lists came only in part")
    _take_up_strays(desk, shared)
    brackets = desk.ledger.unfinished(base)
    quotes = await desk.quotes(bracket.symbol for bracket in brackets)
    for group in sorted({bracket.base for bracket in brackets}):
        async with desk.lock(group):
            try:
                is_old = desk.changes.get(group) != seen.get(group)
                snapshot = await desk.snapshot(sparing=True, urgent=True) if is_old else shared
                await _group(desk, group, snapshot, quotes, report)
            except ZynError as error:
                # What was saved stands, what was sent is found again; the other coins go on.
                report.troubles.append(error.message)
    if base is None:
        if shared.complete and not report.troubles:
            desk.all_read = (shared.began_at, seen)
        desk.last_tick_at = desk.clock()
        desk.ticks += 1
    tell_state(desk)
    return report


def _take_up_strays(desk: Desk, snapshot: Snapshot) -> None:
    """An order of ours that is open at the venue belongs to a bracket that is not over, whatever we thought."""
    known = {order.client_id for bracket in desk.ledger.unfinished() for order in bracket.orders}
    named = [name for name, shown in snapshot.orders.items() if shown.state is VenueState.OPEN and name not in known]
    parents = {order.venue_id for bracket in desk.ledger.unfinished() for order in bracket.orders}
    spawned = [shown.parent_id for shown in snapshot.nameless.values() if shown.state is VenueState.OPEN]
    for ended in desk.ledger.ended_since(desk.clock() - WATCHED):
        if _has_more(ended, snapshot) and _is_later(snapshot, ended.bracket):
            desk.ledger.take_up(ended.bracket)
    for name in (*named, *(parent for parent in spawned if parent is not None and parent not in parents)):
        found = desk.ledger.find_order(name)
        bracket = found[0] if found is not None else desk.ledger.bracket(name.rpartition("-")[0])
        if bracket is not None and _is_later(snapshot, bracket):
            logger.warning("order {} of closed bracket {} is not over at the venue: taken up again", name, bracket.id)
            desk.ledger.take_up(bracket)
        elif bracket is None and name.startswith(desk.prefix) and name not in desk.told.strangers:
            _tell_stranger(desk, name, snapshot)


def _tell_stranger(desk: Desk, name: str, snapshot: Snapshot) -> None:
    """An order under our own name whose whole bracket is missing: the ledger was restored from an older copy."""
    shown = snapshot.orders[name]
    what = f"{shown.side} {plain(shown.quantity - shown.filled)} {shown.symbol}"
    text = (
        f"At the venue rests order {shown.venue_id}, {what}, under this Zyn's own name, and its ledger does not have "
        "it: it was restored from an older copy, or another Zyn trades with the same one. It is not touched; see to it "
        "there."
    )
    desk.ledger.save((), [Event(EventKind.STATE_CHANGED, desk.mode, desk.clock(), text, shown.symbol)])
    desk.told.strangers.add(name)


def _is_later(snapshot: Snapshot, bracket: Bracket) -> bool:
    """True when the reading began after the bracket was closed: an older one shows what was open then."""
    return bracket.closed_at is None or snapshot.began_at > bracket.closed_at


def _has_more(ended: Ended, snapshot: Snapshot) -> bool:
    """True when the venue shows fills of a closed bracket that we have not booked."""
    shown = ((order, snapshot.find(order)) for order in ended.in_doubt)
    return any(one is not None and one.filled > order.filled for order, one in shown)


async def _group(desk: Desk, base: str, snapshot: Snapshot, quotes: Mapping[str, Quote], report: TickReport) -> None:
    """Rounds of decide, save, perform, note for the brackets of one coin, until nothing is left to do."""
    for _ in range(ROUNDS):
        await _write_off(desk, base, snapshot)
        brackets = desk.ledger.unfinished(base)
        report.brackets = max(report.brackets, len(brackets))
        outcomes: list[tuple[Action, Outcome]] = []
        changed = 0
        for name in [bracket.id for bracket in brackets]:
            decision = await _decide(desk, name, snapshot, quotes)
            if decision is not None and decision.changed:
                changed += 1
                desk.ledger.save([decision])
                desk.note_change(base)
                # Sent before the next bracket is decided: each order's deadline begins when it can be sent.
                outcomes += [(action, await act(desk, action)) for action in decision.actions]
        report.changed += changed
        report.actions += len(outcomes)
        if snapshot.complete:
            desk.read_at[base] = snapshot.began_at
        desk.ledger.let_go(base)
        if any(_lacks_coins(action, outcome) for action, outcome in outcomes):
            _hold_targets(desk, base)
        elif desk.has_to_ask_again(snapshot, base):
            pass
        elif not outcomes or any(_was_refused_a_change(action, outcome) for action, outcome in outcomes):
            return
        snapshot = await desk.snapshot(sparing=True, urgent=True)


def _was_refused_a_change(action: Action, outcome: Outcome) -> bool:
    """True when an amend or cancel was refused or not answered: asking again at once would be no better."""
    return not isinstance(outcome, Accepted) and not isinstance(action, Submit)


def _lacks_coins(action: Action, outcome: Outcome) -> bool:
    """True when a stop or a sale was refused because something else holds the coins."""
    protects = action.order.role in {Role.STOP, Role.EXIT}
    return protects and isinstance(outcome, Refused) and "Insufficient funds" in outcome.reason


def _hold_targets(desk: Desk, base: str) -> None:
    """Take the resting targets of this coin back: where the venue counts both legs, they hold what a stop needs."""
    decisions = []
    for bracket in desk.ledger.unfinished(base):
        rests = any(order.is_live and order.time_in_force is TimeInForce.GTC for order in bracket.of_role(Role.TARGET))
        if rests and not bracket.target_held:
            text = f"The venue lacks coins for a stop of {base}; Zyn holds the target of {bracket.symbol} itself now."
            event = Event(EventKind.TARGET_HELD, desk.mode, desk.clock(), text, bracket.symbol, bracket.id)
            decisions.append(Decision(bracket, replace(bracket, target_held=True), (), (), (event,)))
    desk.ledger.save(decisions)


async def _write_off(desk: Desk, base: str, snapshot: Snapshot) -> None:
    """Stop counting on coins that somebody has sold or moved by hand."""
    brackets = desk.ledger.unfinished(base)
    known = desk.shortages.pop(base, None)
    lot = (await desk.rules(brackets[0].symbol)).instrument.lot_size if brackets else ZERO
    shortage = find_shortage(brackets, snapshot, known, lot=lot)
    if shortage is None:
        return
    if is_over(shortage, snapshot):
        desk.ledger.save(write_off(brackets, shortage, desk.clock(), lot=lot))
        return
    desk.shortages[base] = shortage
    if known is None:
        desk.ledger.save((), [missing_event(brackets, shortage, desk.clock())])


async def _decide(desk: Desk, name: str, snapshot: Snapshot, quotes: Mapping[str, Quote]) -> Decision | None:
    """The next step of one bracket; where that would break a promise of ours, as much of it as would not."""
    found = desk.ledger.bracket(name)
    if found is None:
        return None
    quote = quotes.get(found.symbol)
    rules = await desk.rules(found.symbol, before_a_sale=may_sell(found, quote))
    bracket, now = desk.ledger.bracket(name) or found, desk.clock()
    for make in (decide, leave_or_protect, only_protect, only_learn):
        decision = _checked(desk, bracket, snapshot, quote, partial(make, bracket, snapshot, quote, now, rules))
        if decision is not None:
            return decision
    return None


def _checked(
    desk: Desk, bracket: Bracket, snapshot: Snapshot, quote: Quote | None, make: Callable[[], Decision]
) -> Decision | None:
    """The decision, or None where it would break a promise of ours: then the desk halts for entries and alerts."""
    try:
        decision = make()
    except IllegalMoveError as error:
        _halt(desk, bracket, [Broken(Promise.LEGAL_MOVE, error.message)], (bracket, snapshot, quote))
        return None
    found = broken(decision) if decision.changed else []
    if found:
        _halt(desk, bracket, found, (decision, snapshot, quote))
    return None if any(one.promise.is_ours for one in found) else decision


async def act(desk: Desk, action: Action) -> Outcome:
    """Send one action that is already saved, and note the answer in a second, short transaction."""
    rules = await desk.rules(action.symbol)
    if isinstance(action, Submit) and desk.clock() + SEND_MARGIN > action.order.deadline:
        desk.ledger.save([unsent(_bracket_of(desk, action), action, desk.clock(), rules)])
        return Unknown("not sent: its deadline came first")
    outcome = await desk.exchange.perform(action)
    desk.note_change(action.symbol.partition("/")[0])
    noted = note(_bracket_of(desk, action), action, outcome, desk.clock(), rules)
    desk.ledger.save([noted])
    _log(desk, action, outcome)
    return outcome


def _bracket_of(desk: Desk, action: Action) -> Bracket:
    bracket = desk.ledger.bracket(action.order.bracket_id)
    if bracket is None:
        raise LookupError(f"bracket {action.order.bracket_id} of order {action.order.client_id} is not in the ledger")
    return bracket


def _halt(desk: Desk, bracket: Bracket, found: Sequence[Broken], state: object) -> None:
    """No new entries on this desk until the owner says 'risk resume'; he hears of each broken promise once."""
    now = desk.clock()
    for one in found:
        text = (
            f"{desk.mode} desk halted for new entries: {one.promise} broken, {one.detail}. {bracket.symbol} (bracket "
            f"{bracket.id}) needs your eyes; Zyn keeps to stops and sales. "
            f"'{desk.mode.lower()} risk resume' takes entries again."
        )
        event = Event(EventKind.STATE_CHANGED, desk.mode, now, text, bracket.symbol, bracket.id)
        incident = Incident(now, one.promise, bracket.id, one.detail, repr(state))
        if desk.ledger.incidents.record(incident, event):
            logger.error("[EXEC-ERR] {}: {} {}", one.promise, bracket.id, one.detail)


def _log(desk: Desk, action: Action, outcome: Outcome) -> None:
    order = action.order
    price = order.price
    logger.debug(
        "[{}] {} {} {} {} {} {} at {} -> {}",
        desk.mode,
        type(action).__name__,
        order.role,
        order.client_id,
        order.side,
        plain(order.quantity if isinstance(action, Submit) else order.remaining),
        action.symbol,
        plain(price) if price is not None else "market",
        outcome,
    )
