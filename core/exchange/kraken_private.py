"""A Kraken account as an exchange: orders out, answers judged, and whether it may be traded on."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from loguru import logger

from core.domain.errors import Code
from core.domain.modes import Mode
from core.domain.orders import Role, Side, TimeInForce
from core.domain.venue import (
    NOT_SENT,
    Accepted,
    Action,
    Cancel,
    Outcome,
    Refused,
    Submit,
    Unknown,
)
from core.exchange import budget, key_rights, translate
from core.exchange.errors import MarketDownError, VenueUnreadableError
from core.exchange.kraken_books import REMEMBERED, AccountBooks, met
from core.exchange.kraken_wire import AccountWire, CallFailedError, Endpoint
from core.exchange.port import Abilities, MarketData, Readiness
from core.exchange.verdicts import Proof, meaning_of
from core.market.clocks import Clock

SKEW_MAX = timedelta(seconds=30)
"""Our clock may be so far off; further, and days and ages that we tell would be wrong."""
AMEND_DEADLINE = timedelta(seconds=10)
WRONG_KEY = " Copy KRAKEN_API_KEY and KRAKEN_API_SECRET again, or make a new key."


@dataclass(frozen=True, slots=True)
class AccountOptions:
    """What the owner chose about this account."""

    attaches_stops: bool = True
    tier: budget.Tier = budget.Tier.STARTER
    may_withdraw: bool = False
    """True where the owner insists on a key that could send coins away."""


class KrakenExchangeWrapper(AccountBooks):
    """An `Exchange` whose venue is a Kraken account."""

    mode = Mode.LIVE

    def __init__(
        self,
        wire: AccountWire,
        market: MarketData,
        clock: Clock,
        options: AccountOptions,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(wire, market, clock, monotonic)
        self.abilities = Abilities(attaches_stops=options.attaches_stops, rests_unlinked=True)
        self._options = options
        self._touched: dict[str, datetime] = {}
        self._trading = budget.TradingBudget(options.tier, monotonic=monotonic)

    @property
    def name(self) -> str:
        """As logs and replies show it."""
        return type(self).__name__

    async def advance(self, base: str | None = None) -> None:
        """A real venue lives by itself."""

    # -- orders ------------------------------------------------------------------------------------------------

    def room(self, symbol: str) -> float:
        """What the trading counter of this pair still has room for."""
        return self._trading.of(symbol).room

    async def perform(self, action: Action) -> Outcome:
        """Send once. Whatever comes back that proves nothing is Unknown, and the next snapshot decides."""
        counter = self._trading.of(action.symbol)
        if isinstance(action, Submit) and action.order.side is Side.BUY and counter.room < budget.ENTRY_RESERVE:
            return Refused(
                f"{NOT_SENT}so many orders of {action.symbol} went out lately that Kraken may refuse its stops "
                f"({counter.level:.0f} of {counter.maximum:.0f}); try again in a minute"
            )
        try:
            endpoint, form, cost = await self._request(action)
        except (MarketDownError, ValueError) as error:
            return Refused(f"{NOT_SENT}{error}")
        counter.add(cost)
        self._moves += 1
        return await self._judged(action, endpoint, form)

    async def validate(self, action: Submit) -> Outcome:
        """Ask Kraken whether it would take this order; nothing is placed."""
        try:
            form = translate.add_order(
                action, await self._instrument(action.symbol), self._theirs(action), validate=True
            )
        except (MarketDownError, ValueError) as error:
            return Refused(f"{NOT_SENT}{error}")
        return await self._judged(action, Endpoint.ADD, form)

    async def _request(self, action: Action) -> tuple[Endpoint, translate.Form, float]:
        """The call, its fields, and what it adds to the pair's trading counter."""
        now = self._clock()
        if isinstance(action, Submit):
            form = translate.add_order(action, await self._instrument(action.symbol), self._theirs(action))
            return Endpoint.ADD, form, budget.ADD_COST
        if isinstance(action, Cancel):
            return Endpoint.CANCEL, translate.cancel_order(action), budget.cancel_cost(self._touched_at(action), now)
        deadline = now + AMEND_DEADLINE + self._skew
        cost = budget.amend_cost(self._touched_at(action), now)
        self._touched[action.order.client_id] = now
        while len(self._touched) > REMEMBERED:
            del self._touched[next(iter(self._touched))]
        return Endpoint.AMEND, translate.amend_order(action, deadline), cost

    def _touched_at(self, action: Action) -> datetime:
        """When an order was placed or changed last: by that its changes are counted."""
        return self._touched.get(action.order.client_id, action.order.created_at)

    def _theirs(self, action: Submit) -> datetime:
        """The order's deadline on Kraken's clock."""
        return action.order.deadline + self._skew

    async def _judged(self, action: Action, endpoint: Endpoint, form: translate.Form) -> Outcome:
        try:
            result = await self.wire.send(endpoint, form)
            name = translate.accepted_name(result) if isinstance(action, Submit) else None
        except CallFailedError as error:
            outcome = outcome_of(error)
            if isinstance(outcome, Unknown):
                self._failed(error)
            else:
                self._note_nonce(error)
                self._answered()
            self._after(action, outcome)
            return outcome
        except VenueUnreadableError as error:
            return Unknown(error.message)
        self._answered()
        return Accepted(name if name is not None else action.order.venue_id)

    def _after(self, action: Action, outcome: Outcome) -> None:
        """What a refusal teaches about the account."""
        if not isinstance(outcome, Refused):
            return
        order = action.order
        if outcome.reason.startswith("EOrder:Rate limit"):
            self._trading.of(action.symbol).fill()
        second_leg = isinstance(action, Submit) and order.role is Role.TARGET and order.time_in_force is TimeInForce.GTC
        if second_leg and outcome.reason.startswith("EOrder:Insufficient funds"):
            self.learn(met(self._clock(), "it refused a target beside a resting stop"))

    # -- whether it may trade ----------------------------------------------------------------------------------

    async def readiness(self) -> Readiness:
        """Whether this account may be traded on: Kraken's clock and state, and what the key may do."""
        try:
            await self.measure()
            rights = key_rights.key_rights(await self._read(Endpoint.KEY_INFO, {}))
        except (VenueUnreadableError, CallFailedError) as error:
            is_final = _is_final(error.message)
            return Readiness(error.message + (WRONG_KEY if is_final else ""), is_final=is_final)
        if rights.may_withdraw and not self._options.may_withdraw:
            return Readiness(
                "the Kraken key may withdraw; make one that may not (or set KRAKEN_ALLOW_WITHDRAWAL_KEY=true)",
                is_final=True,
            )
        if rights.missing:
            return Readiness(f"the Kraken key lacks the right to: {', '.join(rights.missing)}", is_final=True)
        if abs(self._skew) > SKEW_MAX:
            return Readiness(f"this machine's clock is {-self._skew.total_seconds():+.0f} s off Kraken's; set it right")
        if self.pulse.status != "online":
            return Readiness(f"Kraken is in {self.pulse.status} mode")
        return Readiness()

    async def close(self) -> None:
        """Close the client."""
        await self.wire.close()


def _is_final(message: str) -> bool:
    """True for a failure that no waiting mends: the key itself is wrong."""
    return any(sign in message for sign in ("EAPI:Invalid key", "EAPI:Invalid signature", "EGeneral:Permission denied"))


def outcome_of(error: CallFailedError) -> Outcome:
    """Only a refusal that Kraken is known to send, in its own envelope, proves that nothing was placed.

    A warning beside a result is no refusal: the order is there. A string that was never seen is Unknown, loudly.
    """
    refusals = [one for one in error.strings if one.startswith("E")]
    if not refusals:
        name = translate.accepted_name(error.answer) if isinstance(error.answer, Mapping) else None
        return Accepted(name) if error.strings and name else Unknown(error.message)
    meanings = [meaning_of(one) for one in refusals]
    for meant in meanings:
        if not meant.is_known:
            logger.error("[EXEC-ERR] {}: Kraken answers with a string that is not known: {}", Code.UNKNOWN, meant.text)
    proves_nothing = [one for one in meanings if one.proof in {Proof.NOTHING, Proof.LANDED}]
    named = isinstance(error.answer, Mapping) and translate.accepted_name(error.answer) is not None
    if proves_nothing or named:
        # One string that proves nothing, or an id beside a refusal, and the order may be there.
        meant = (proves_nothing or meanings)[0]
        return Unknown(f"{meant.text} ({meant.words})")
    return Refused(meanings[0].text, meanings[0].words)
