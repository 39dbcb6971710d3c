"""PURE. What an answer of the venue teaches at once. Unknown teaches nothing: the next snapshot decides."""

from dataclasses import replace
from datetime import datetime

from core.domain.brackets import Bracket, ExitReason
from core.domain.events import EventKind
from core.domain.money import ZERO, plain
from core.domain.orders import Order, OrderState, Role
from core.domain.venue import LINKED_LEG_TRADED, Accepted, Action, Amend, Outcome, Refused, Submit, who_refused
from core.lifecycle.decide import Decision
from core.lifecycle.draft import Draft
from core.lifecycle.rules import Rules
from core.lifecycle.states import move

_TOO_LATE = frozenset({LINKED_LEG_TRADED, "EOrder:Unknown order", "EGeneral:Unknown order"})
"""Refusals of a change that say only that the order has moved on: the next snapshot shows how."""


def note(bracket: Bracket, action: Action, outcome: Outcome, now: datetime, rules: Rules) -> Decision:
    """The bracket after `outcome`; no actions follow from a note, the next decision finds them."""
    draft = Draft(bracket, None, now, rules)
    order = bracket.order(action.order.client_id)
    if isinstance(outcome, Accepted):
        _accepted(draft, action, order, outcome)
    elif isinstance(outcome, Refused):
        _refused(draft, action, order, outcome)
    elif isinstance(action, Submit) and order.state is OrderState.SUBMITTING:
        # Of the order nobody knows more than before; what came instead of an answer is kept for who asks.
        draft.put(replace(order, reason=outcome.detail))
    after = draft.bracket if draft.bracket != bracket else bracket
    return Decision(bracket, after, (), (), tuple(draft.events))


def unsent(bracket: Bracket, action: Submit, now: datetime, rules: Rules) -> Decision:
    """The bracket after an order that was saved and then not sent, because its deadline came first."""
    draft = Draft(bracket, None, now, rules)
    draft.put(move(bracket.order(action.order.client_id), OrderState.LOST, "not sent: its deadline came first"))
    return Decision(bracket, draft.bracket, (), (), ())


def _accepted(draft: Draft, action: Action, order: Order, outcome: Accepted) -> None:
    if isinstance(action, Submit):
        if order.state is OrderState.SUBMITTING:
            order = move(order, OrderState.OPEN)
        draft.put(replace(order, venue_id=outcome.venue_id or order.venue_id))
    elif isinstance(action, Amend):
        draft.put(
            replace(
                order,
                quantity=action.quantity,
                limit_price=action.limit_price,
                trigger_price=action.trigger_price,
                amended_at=draft.now,
                former_quantity=order.quantity,
                former_price=order.price,
            )
        )
        if order.role is Role.STOP and draft.bracket.unprotected_since is None:
            draft.bracket = replace(draft.bracket, protect_failures=0, protect_retry_at=None)


def _refused(draft: Draft, action: Action, order: Order, outcome: Refused) -> None:
    if isinstance(action, Submit) and order.state is OrderState.SUBMITTING:
        draft.put(move(order, OrderState.REJECTED, outcome.told))
        # Where a linked leg was faster nothing is wrong: the next snapshot shows it.
        if outcome.reason != LINKED_LEG_TRADED:
            _after_refusal(draft, order, outcome)
    elif not isinstance(action, Submit) and order.role is not Role.ENTRY and outcome.reason not in _TOO_LATE:
        _change_refused(draft, order, outcome.told)


def _after_refusal(draft: Draft, order: Order, outcome: Refused) -> None:
    reason = outcome.told
    if order.role is Role.STOP:
        _protection_refused(draft, order, reason)
    elif order.role is Role.TARGET:
        # The account does not take a second leg, or not now: Zyn holds the target itself.
        draft.bracket = replace(draft.bracket, target_held=True)
        draft.tell(
            EventKind.TARGET_HELD, f"{_who(reason)} refused the target ({reason}); Zyn holds it and watches the price."
        )
    elif order.role is Role.EXIT:
        _exit_refused(draft, order, reason, passes=outcome.reason.startswith(_PASSING))
    else:
        draft.tell(
            EventKind.ENTRY_REJECTED,
            f"{_who(reason)} refused to buy {plain(order.quantity)} {draft.bracket.base}: {reason}. "
            "Nothing was bought.",
        )


def _change_refused(draft: Draft, order: Order, reason: str) -> None:
    """A leg rests as it is. Ask again later, and tell it once where it is the stop that stays where it was."""
    bracket = draft.bracket
    failures = bracket.protect_failures + 1
    draft.bracket = replace(
        bracket, protect_failures=failures, protect_retry_at=draft.now + draft.rules.backoff(failures)
    )
    if failures == 1 and order.role is Role.STOP:
        draft.tell(
            EventKind.PROTECTION_REFUSED,
            f"{_who(reason)} refused to change the stop order {order.venue_id or order.client_id}: {reason}. It rests "
            f"at {plain(order.price or ZERO)} for {plain(order.remaining)} {bracket.base}; Zyn tries again.",
        )


def _exit_refused(draft: Draft, order: Order, reason: str, *, passes: bool) -> None:
    bracket = draft.bracket
    failures = bracket.protect_failures + 1
    # What passes by itself is no answer to somebody who wants out; but not for long, since the stop is away meanwhile.
    waits = passes and failures <= _TRIES_MAX
    keep = bracket.leave is not None and (bracket.leave.reason in _MUST_LEAVE or waits)
    draft.bracket = replace(
        bracket,
        leave=bracket.leave if keep else None,
        protect_failures=failures if keep else bracket.protect_failures,
        protect_retry_at=draft.now + draft.rules.backoff(failures) if keep else bracket.protect_retry_at,
    )
    if keep and failures > 1:
        return  # It is tried again and again, and was told.
    draft.tell(
        EventKind.PROTECTION_REFUSED,
        f"{_who(reason)} refused to sell {plain(order.quantity)} {bracket.base}: {reason}. "
        + ("Trying again." if keep else "The position stays and is protected again."),
    )


_MUST_LEAVE = frozenset({ExitReason.UNPROTECTED, ExitReason.STOP_EMULATED, ExitReason.STOP_STUCK})
_PASSING = (
    "EOrder:Rate limit", "EAPI:Rate limit", "EAPI:Invalid nonce", "EGeneral:Too many requests",
    "EGeneral:Temporary lockout", "EAuth:Rate limit", "EAuth:Too many requests", "EOrder:Domain rate limit",
    "EService:Market in",
)  # fmt: skip
_TRIES_MAX = 3


def _protection_refused(draft: Draft, order: Order, reason: str) -> None:
    bracket = draft.bracket
    failures = bracket.protect_failures + 1
    draft.bracket = replace(
        bracket, protect_failures=failures, protect_retry_at=draft.now + draft.rules.backoff(failures)
    )
    if failures == 1:
        draft.tell(
            EventKind.PROTECTION_REFUSED,
            f"{_who(reason)} refused the stop for {plain(order.quantity)} {bracket.base}: {reason}. "
            "Zyn watches the stop price itself and keeps trying.",
        )


def _who(reason: str) -> str:
    """At the beginning of a sentence."""
    who = who_refused(reason)
    return who[0].upper() + who[1:]
