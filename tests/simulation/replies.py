"""Whether what a reply or an alert says was true in the venue's own books while it was made."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial

from core.domain.errors import Code
from core.domain.orders import OrderState
from core.domain.venue import VenueOrder, VenueState
from core.ledger.store import Alert
from core.trading.reply import Receipt, Reply
from tests.simulation.matching import ZEC
from tests.simulation.promises import Promises
from tests.simulation.venue import HostileVenue

_BOUGHT = re.compile(r"Bought ([\d.]+) ZEC \(ZEC/USD\) at \S+, order ([\w-]+)")
_SOLD = re.compile(r"Sold ([\d.]+) of ([\d.]+) ZEC \(ZEC/USD\) at \S+ USD, order ([\w, -]+), fee")
_RESTING_STOP = re.compile(r"Stop ([\d.]+) \([^)]*\), resting, order ([\w, -]+)\.")
_WAITING = re.compile(r"Waiting to buy [\d.]+ ZEC \(ZEC/USD\) at \S+ or better, order (\S+)\.")
_LISTED = re.compile(r"• \w+ ZEC/USD (?:buy|sell) ([\d.]+) at .* · resting · (\S+)")
_CANCELED = re.compile(r"Entry (\S+) for [\d.]+ ZEC/USD is canceled")
_TOLD = re.compile(r"(?:Bought|Stop sold|Target sold|Sold) ([\d.]+) ZEC at .* Order (\S+), fee")
_SHOWS_ALL = ("Open orders (", "No open orders.")


class Truth:
    """Holds words against the history of one venue."""

    def __init__(self, promises: Promises, venue: HostileVenue) -> None:
        self._promises = promises
        self._venue = venue

    def check_reply(self, reply: Reply, since: datetime) -> None:
        """Everything that `reply` claims was so at some moment since the question."""
        require = self._promises.require
        since = min(since, reply.as_of) if reply.as_of is not None else since
        require("nothing of ours breaks", reply.code not in {Code.INTERNAL, Code.STORAGE}, reply.text)
        for receipt in reply.receipts:
            self._check_receipt(receipt, since)
        text = reply.text
        for quantity, name in _BOUGHT.findall(text):
            self._was(name, partial(_has_filled, Decimal(quantity)), since, f"bought {quantity}")
        for quantity, held, names in _SOLD.findall(text):
            fits = Decimal(quantity) <= Decimal(held) or self._venue.books.rests_unlinked
            require("a reply sells no more than was there", fits, text)
            sold = sum((self._latest(name).filled for name in names.split(", ")), Decimal(0))
            require("what a reply says is sold is sold", Decimal(quantity) <= sold, f"{quantity} of {sold}: {text}")
        for price, names in _RESTING_STOP.findall(text):
            for name in names.split(", "):
                self._was(name, _is_open, since, f"stop {price} rests")
        for name in (*_WAITING.findall(text), *(name for _, name in _LISTED.findall(text))):
            self._was(name, _is_open, since, "rests")
        for name in _CANCELED.findall(text):
            self._was(name, lambda one: one.state is VenueState.CANCELED, since, "is canceled")
        if "our brackets hold no ZEC/USD, so" in text:
            self._check_holds_none(since)
        if any(words in text for words in _SHOWS_ALL) and "only in part" not in text:
            self._check_shows_all(text, since)

    def check_alert(self, alert: Alert) -> None:
        """An alert tells of no more than was filled."""
        for quantity, name in _TOLD.findall(alert.text):
            filled = self._latest(name).filled
            self._promises.require("what an alert says is filled is filled", Decimal(quantity) <= filled, alert.text)

    def _check_receipt(self, receipt: Receipt, since: datetime) -> None:
        if receipt.state == OrderState.HELD or (receipt.state == OrderState.SUBMITTING and not receipt.filled):
            return
        name = receipt.venue_id
        dead = receipt.state in {OrderState.REJECTED, OrderState.LOST} or (
            receipt.state == OrderState.CANCELED and name is None
        )
        if dead:
            dead = receipt.client_id not in self._venue.books.names or receipt.client_id in self._venue.ghosts
            self._promises.require("a receipt calls nothing dead that lives", dead, receipt)
            return
        self._promises.require("a receipt names its order", name is not None, receipt)
        self._was(str(name), lambda one: one.filled == receipt.filled, since, f"receipt: {receipt.filled} filled")
        if receipt.state == OrderState.OPEN:
            self._was(str(name), _is_open, since, "receipt: open")
        elif receipt.state == OrderState.CANCELED:
            self._was(str(name), lambda one: one.state is VenueState.CANCELED, since, "receipt: canceled")
        elif receipt.state == OrderState.FILLED:
            self._was(str(name), lambda one: one.filled >= one.quantity, since, "receipt: filled")

    def _check_holds_none(self, since: datetime) -> None:
        """No bracket of ours has held coins from before the question until now, as far as a list could show it."""
        books = self._venue.books
        if self._venue.dice.struck["by hand: sell"]:
            return  # Somebody has moved coins by hand; whose they were is no longer to be told from here.
        for name, bracket in books.brackets.items():
            if any(one.client_id in self._venue.ghosts for one in books.of(name)):
                continue  # The venue's own answer said that there is no such order.
            filled_before = any(one.filled_at and one.filled_at < since for one in books.of(name))
            shown = all(self._venue.is_shown_in_full(one, since) for one in bracket)
            held = books.bought_less_sold(name) if filled_before and shown else Decimal(0)
            self._promises.require("what we hold is not denied", held < ZEC.order_min, f"{name}: {held}")

    def _check_shows_all(self, text: str, since: datetime) -> None:
        for order in self._venue.books.orders.values():
            hidden = self._venue.visible_at.get(order.venue_id, since) > since
            if order.opened_at >= since or hidden or order.state is not VenueState.OPEN:
                continue
            shown = re.search(rf"\b{order.venue_id}\b", text)
            self._promises.require("a list of what is open lacks nothing", shown, f"{order.venue_id}: {text}")

    def _latest(self, name: str) -> VenueOrder:
        order = self._venue.books.orders.get(name) or self._venue.books.orders.get(
            self._venue.books.names.get(name, "")
        )
        self._promises.require("what is told of exists", order is not None, name)
        assert order is not None
        return order

    def _was(self, name: str, holds: Callable[[VenueOrder], bool], since: datetime, claim: str) -> None:
        """Some state of the order between `since` and now bears the claim out."""
        order = self._latest(name)
        if not self._venue.is_shown_in_full(order.venue_id, since):
            since = min(since, order.opened_at)  # No list could have shown more than the answer to it did.
        states = self._promises.history[self._venue.mode, order.venue_id]
        during = [one for at, one in states if at >= since]
        earlier = [one for at, one in states if at < since][-1:]
        true = any(holds(one) for one in (*earlier, *during))
        self._promises.require("what a reply says was so while it was made", true, f"{claim}, {name}: {order}")


def _has_filled(quantity: Decimal, order: VenueOrder) -> bool:
    return order.filled == quantity


def _is_open(order: VenueOrder) -> bool:
    return order.state is VenueState.OPEN
