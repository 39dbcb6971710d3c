"""What must hold once the faults have stopped and everything has had its time."""

from collections import Counter

from core.domain.brackets import Bracket
from core.domain.modes import TradingState
from core.domain.money import ZERO
from core.domain.orders import OrderState, Role
from core.domain.venue import VenueState
from core.trading.desk import Desk
from tests.simulation.promises import DUST, Promises, both_legs_traded
from tests.simulation.venue import HostileVenue


class Rest:
    """Looks at ledger, venue and outbox through the same eyes as the promises of every step."""

    def __init__(self, promises: Promises) -> None:
        self._promises = promises

    def require_rest(self, venue: HostileVenue, desk: Desk) -> None:
        """Without faults and after a while, both books say the same and everything held has its stop."""
        books = venue.books
        known = {
            order.venue_id or books.names.get(order.client_id): order
            for name in books.brackets
            if (bracket := desk.ledger.bracket(name)) is not None
            for order in bracket.orders
        }
        for order in books.orders.values():
            ours = known.get(order.venue_id)
            self._promises.require("every order of the venue is in the ledger", ours is not None, order.venue_id)
            if ours is not None:
                same = (ours.filled, ours.cost, ours.fee) == (order.filled, order.cost, order.fee)
                claim = f"{order.venue_id}: {ours.state} {ours.filled}, at the venue {order.state} {order.filled}"
                self._promises.require("at rest the ledger is the venue", same, claim)
                self._promises.require(
                    "at rest the same orders are open", ours.is_live is (order.state is VenueState.OPEN), claim
                )
        # Where both legs have traded, Zyn may have seen more sold than bought before it saw all that was bought: that
        # is told, and wants the owner's eyes, whatever it came to in the end.
        both_traded = any(both_legs_traded(books, name) for name in books.brackets)
        takes_entries = desk.state is TradingState.ACTIVE or both_traded
        self._promises.require("at rest the desk takes entries", takes_entries, desk.state)
        for bracket in desk.ledger.unfinished():
            self._require_legs_at_rest(bracket)
            busy = bracket.leave is not None or any(one.role is Role.EXIT and one.is_live for one in bracket.orders)
            self._promises.require("at rest no sale is under way", not busy, bracket.id)
            bare = bracket.held - sum((one.remaining for one in bracket.of_role(Role.STOP) if one.is_live), ZERO)
            self._promises.require("at rest everything held is covered", bare < DUST, f"{bracket.id}: {bare} bare")
        oversold = any(books.bought_less_sold(name) < ZERO and both_legs_traded(books, name) for name in books.brackets)
        is_right = both_traded if desk.halted_because else not oversold
        self._promises.require("only what was oversold halts the desk", is_right, desk.halted_because)

    def _require_legs_at_rest(self, bracket: Bracket) -> None:
        """Each stop rests where it is wished, a target waits, and no level that was reached was slept through."""
        if bracket.held < DUST * 2:
            return
        last = self._promises.prices[-1][1]
        for stop in bracket.of_role(Role.STOP):
            placed = not stop.is_live or stop.trigger_price == bracket.stop_price
            self._promises.require(
                "at rest a stop is where it is wished", placed, f"{stop.client_id} {stop.trigger_price}"
            )
        waiting = [one for one in bracket.of_role(Role.TARGET) if one.is_live or one.state is OrderState.HELD]
        self._promises.require("at rest a target waits", waiting, bracket.id)
        for target in waiting:
            placed = target.limit_price == bracket.target_price
            self._promises.require(
                "at rest a target is where it is wished", placed, f"{target.client_id} {target.limit_price}"
            )
        reached = bracket.target_price is None or last >= bracket.target_price
        self._promises.require(
            "a target that is reached sells", not reached, f"{bracket.id}: {last} of {bracket.target_price}"
        )
        fallen = bracket.stop_price is None or last <= bracket.stop_price
        self._promises.require(
            "a stop that is reached sells", not fallen, f"{bracket.id}: {last} of {bracket.stop_price}"
        )

    def require_intents(self, asked: int) -> None:
        """No more brackets than orders to open one."""
        count = self._promises.rows.execute("SELECT COUNT(*) FROM bracket").fetchone()[0]
        self._promises.require(
            "one bracket for one command", count <= asked, f"{count} brackets, {asked} commands to buy"
        )

    def _require_told(self, kind: str, owing: str) -> None:
        """Each bracket that `owing` finds has an alert of this kind."""
        told = {name for (name,) in self._promises.rows.execute("SELECT bracket_id FROM alert WHERE kind = ?", [kind])}
        silent = {name for (name,) in self._promises.rows.execute(owing)} - told
        self._promises.require("what happened is told", not silent, f"no {kind} for {silent}")

    def require_alerts(self) -> None:
        """Each sale of a leg has one alert, and every alert was delivered."""
        told = Counter(
            row[0]
            for row in self._promises.rows.execute(
                "SELECT bracket_id FROM alert WHERE kind IN ('stop_filled', 'target_filled')"
                " OR (kind = 'late_fill' AND (text LIKE '%Stop sold%' OR text LIKE '%Target sold%'))"
            )
        )
        filled = Counter(
            row[0]
            for row in self._promises.rows.execute(
                "SELECT o.bracket_id FROM fill f JOIN orders o ON o.client_id = f.order_id"
                " WHERE o.role IN ('stop', 'target')"
            )
        )
        self._promises.require("each sale of a leg has its alert", told == filled, f"told {told}, filled {filled}")
        self._require_told(
            "closed", "SELECT id FROM bracket WHERE state = 'closed' AND close_reason IN ('stop', 'target')"
        )
        self._require_told(
            "order_lost", "SELECT bracket_id FROM orders WHERE state = 'lost' AND reason LIKE 'in neither%'"
        )
        waiting = self._promises.rows.execute("SELECT COUNT(*) FROM alert WHERE state = 'waiting'").fetchone()[0]
        self._promises.require("every alert is delivered", waiting == 0, f"{waiting} wait")
