"""What Zyn knows and says when the venue shows things late, in part, or not at all."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.domain.brackets import BracketState, ExitReason
from core.domain.errors import Code
from core.domain.modes import Mode, TargetMode, TradingState
from core.domain.orders import OrderState, OrderType, Role, Side
from core.domain.venue import EVERYTHING, Action, Amend, Cancel, Outcome, Reach, Refused, Snapshot, Submit, Unknown
from core.exchange.errors import VenueUnreadableError
from core.exchange.port import Abilities
from core.lifecycle.decide import Decision
from core.trading.reply import NEVER
from core.trading.tick import _take_up_strays, act
from core.trading.wanted import WATCHED
from tests.core.trading.faults import FaultyExchange
from tests.rig import Rig, Wiring, open_rig

D = Decimal


@dataclass
class Mirror(FaultyExchange):
    """Shows some orders without their fills, others not at all, and fewer coins than there are."""

    fills_hidden: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    coins: dict[str, Decimal] = field(default_factory=dict)

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        shown = await super().snapshot(wanted, reach)
        orders = {
            name: replace(order, filled=D(0), cost=D(0), fee=D(0)) if name in self.fills_hidden else order
            for name, order in shown.orders.items()
            if name not in self.hidden
        }
        balances = dict(shown.balances)
        for asset, total in self.coins.items():
            balances[asset] = replace(balances[asset], total=total)
        return replace(shown, orders=orders, balances=balances)


@dataclass
class Slow(Mirror):
    """A LIVE venue that does not answer until it is let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def mode(self) -> Mode:
        return Mode.LIVE

    async def advance(self, base: str | None = None) -> None:
        await self.let.wait()


def _mirror(rig: Rig) -> Mirror:
    assert isinstance(rig.exchange, Mirror)
    return rig.exchange


MIRROR = Wiring(wrap=Mirror)


async def test_a_fill_that_the_venue_shows_after_the_bracket_was_closed_is_taken_up_and_protected() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        name = rig.desk.ledger.unfinished()[0].orders[0].client_id
        rig.hand.trade("ZEC/USD", "499", "1")
        _mirror(rig).fills_hidden = {name}
        await rig.tell("cancel ZEC")
        assert rig.desk.ledger.unfinished() == ()
        _mirror(rig).fills_hidden = set()
        rig.time.pass_s(20)
        rig.hand.price("ZEC/USD", "499")
        await rig.tick()
        [bracket] = rig.desk.ledger.unfinished()
        assert (bracket.state, bracket.held) == (BracketState.OPEN, D(1))
        stops = [order for order in bracket.of_role(Role.STOP) if order.state is OrderState.OPEN]
        assert [stop.quantity for stop in stops] == [D(1)]
        assert "late_fill" in {alert.kind for alert in rig.store.waiting_alerts()}


async def test_a_closed_bracket_is_watched_after_a_restart_too_and_not_for_ever() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        await rig.tell("cancel ZEC")
        again = await rig.reopen()
        assert len(again.desk.ledger.ended_since(rig.clock() - WATCHED)) == 1
        rig.time.pass_s(WATCHED.total_seconds() + 1)
        assert again.desk.ledger.ended_since(rig.clock() - WATCHED) == []
        assert (await rig.reopen()).desk.ledger.ended_since(rig.clock() - WATCHED) == []


async def test_an_order_whose_deadline_has_passed_is_not_sent_and_counts_as_lost() -> None:
    async with open_rig(Wiring(wrap=FaultyExchange)) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        exchange = rig.exchange
        assert isinstance(exchange, FaultyExchange)
        bracket = rig.desk.ledger.unfinished()[0]
        late = replace(bracket.orders[0], client_id=f"{bracket.id}-9", state=OrderState.SUBMITTING, venue_id=None)
        after = replace(bracket, orders=(*bracket.orders, late))
        rig.desk.ledger.save([Decision(bracket, after, (), (), ())])
        sent = len(exchange.performed)
        rig.time.pass_s(8.5)
        outcome = await act(rig.desk, Submit(late, "ZEC/USD"))
        assert isinstance(outcome, Unknown)
        assert len(exchange.performed) == sent
        known = rig.desk.ledger.unfinished()[0].order(late.client_id)
        assert (known.state, known.reason) == (OrderState.LOST, "not sent: its deadline came first")


async def test_an_answer_about_orders_says_how_old_it_is_when_the_venue_cannot_be_read() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        read_at = rig.desk.read_at["ZEC"]
        rig.time.pass_s(30)
        _mirror(rig).unreadable = True
        reply = await rig.tell("cancel ZEC")
        assert reply.as_of == read_at
        assert f"since {read_at:%H:%M:%S} UTC" in reply.text
        rig.time.pass_s(5)
        _mirror(rig).unreadable = False
        assert (await rig.tell("cancel ZEC")).as_of is None


async def test_before_the_first_reading_of_a_process_an_answer_says_that_nothing_was_read() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        again = await rig.reopen(start=False)
        again.desk.ready = True
        again.desk.compared.set()
        assert isinstance(again.exchange, Mirror)
        again.exchange.unreadable = True
        reply = await again.tell("cancel ZEC")
        assert reply.as_of == NEVER
        assert "since Zyn started" in reply.text


async def test_a_sale_is_not_refused_for_want_of_a_position_that_nobody_could_look_for() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        assert "still wait for their entry" in (await rig.tell("sell 0.1 ZEC")).text
        _mirror(rig).unreadable = True
        reply = await rig.tell("sell 0.1 ZEC")
        assert reply.code is Code.VENUE_UNREADABLE
        assert "UNKNOWN" in reply.text


async def test_a_list_that_came_in_part_says_so_and_an_order_it_lacks_is_still_listed() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        stop = rig.desk.ledger.unfinished()[0].of_role(Role.STOP)[0]
        _mirror(rig).hidden = {stop.client_id}
        text = (await rig.tell("open")).text
        assert "only in part" not in text
        assert f"taken by the venue, not in its list just now · {stop.venue_id}" in text
        _mirror(rig).incomplete = True
        assert "came only in part" in (await rig.tell("open")).text


async def test_a_market_entry_that_no_list_shows_yet_is_not_told_as_waiting_at_a_price() -> None:
    async with open_rig(MIRROR) as rig:
        rig.desk.new_bracket_id = lambda: "zyhidden01"
        _mirror(rig).hidden = {"zyhidden01-1"}
        text = (await rig.tell("buy 1 ZEC SL 2% TP 3%")).text
        assert "Accepted, but no fill seen yet: buy 1 ZEC (ZEC/USD) at market" in text
        assert "Bought" not in text


async def test_coins_that_left_by_hand_are_written_off_after_two_looks_and_the_stop_is_taken_back() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        _mirror(rig).coins = {"ZEC": D(0)}
        await rig.tick()
        rig.time.pass_s(60)
        await rig.tick()
        assert rig.desk.ledger.unfinished()[0].held == 1
        rig.time.pass_s(61)
        rig.hand.price("ZEC/USD", "512")
        await rig.tick()
        assert rig.desk.ledger.unfinished() == ()
        assert await rig.exchange.fetch_open_orders() == []
        [ended] = rig.desk.ledger.ended_since(rig.clock())
        assert ended.bracket.close_reason is ExitReason.SOLD_ELSEWHERE
        told = [alert.text for alert in rig.store.waiting_alerts() if alert.kind == "sold_elsewhere"]
        assert len(told) == 2
        assert told[0].startswith("The account has 1 ZEC less than Zyn's positions count on")
        assert "1 of 1 ZEC are no longer on the account" in told[1]


async def test_a_venue_that_does_not_answer_does_not_keep_the_other_desk_waiting() -> None:
    async with open_rig() as plain:
        wiring = Wiring(live=Slow(plain.exchange))
        async with open_rig(wiring, start=False) as rig:
            live = rig.service.desk(Mode.LIVE)
            for desk in (live, rig.desk):
                desk.ready = True
                desk.compared.set()
            both = asyncio.create_task(rig.service.tick_all())
            for _ in range(20):
                await asyncio.sleep(0)
            assert rig.desk.last_tick_at is not None
            assert live.last_tick_at is None
            assert isinstance(live.exchange, Slow)
            live.exchange.let.set()
            assert len(await both) == 2
            assert live.last_tick_at is not None


async def test_a_leg_is_refused_where_its_group_has_sold_more_than_its_sender_knew() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        bracket = rig.desk.ledger.unfinished()[0]
        stop = bracket.of_role(Role.STOP)[0]
        await rig.exchange.perform(Cancel(stop, "ZEC/USD"))
        leg = replace(stop, client_id="zyleg00001-1", venue_id=None, quantity=D("0.1"), state=OrderState.SUBMITTING)
        first = await rig.exchange.perform(Submit(leg, "ZEC/USD", group="one"))
        assert type(first).__name__ == "Accepted"
        sale = replace(leg, client_id="zyleg00001-2", type=OrderType.MARKET, side=Side.SELL, trigger_price=None)
        assert type(await rig.exchange.perform(Submit(sale, "ZEC/USD", group="one"))).__name__ == "Accepted"
        late = replace(leg, client_id="zyleg00001-3")
        refused = await rig.exchange.perform(Submit(late, "ZEC/USD", group="one"))
        assert refused.reason == "EOrder:Linked order traded"  # type: ignore[union-attr]
        known = Submit(replace(leg, client_id="zyleg00001-4"), "ZEC/USD", group="one", group_sold=D("0.1"))
        assert type(await rig.exchange.perform(known)).__name__ == "Accepted"


def test_a_venue_declares_nothing_that_it_was_not_asked_for() -> None:
    assert Abilities() == Abilities(links_legs=False, attaches_stops=False)


@dataclass
class Unlinked(Mirror):
    """A venue that links nothing."""

    @property
    def abilities(self) -> Abilities:
        return Abilities()


async def test_where_the_venue_links_no_legs_the_target_is_held_and_the_status_says_why() -> None:
    async with open_rig(Wiring(wrap=Unlinked, target_mode=TargetMode.RESTING)) as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        [bracket] = rig.desk.ledger.unfinished()
        assert [order.state for order in bracket.of_role(Role.TARGET)] == [OrderState.HELD]
        assert len(await rig.exchange.fetch_open_orders()) == 1
        assert "Targets: held by Zyn" in (await rig.tell("status")).text


async def test_coins_that_come_back_in_time_are_counted_on_as_before() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        _mirror(rig).coins = {"ZEC": D(0)}
        await rig.tick()
        rig.time.pass_s(100)
        _mirror(rig).coins = {}
        await rig.tick()
        _mirror(rig).coins = {"ZEC": D(0)}
        rig.time.pass_s(100)
        rig.hand.price("ZEC/USD", "512")
        await rig.tick()
        [bracket] = rig.desk.ledger.unfinished()
        assert (bracket.held, bracket.gone) == (D(1), D(0))
        assert len(await rig.exchange.fetch_open_orders()) == 1


async def test_nothing_is_denied_that_nobody_could_look_for() -> None:
    async with open_rig(MIRROR) as rig:
        for text in ("flatten", "close all", "close ZEC", "cancel all orders", "cancel ZEC", "protect ZEC sl 1%"):
            _mirror(rig).unreadable = False
            _mirror(rig).incomplete = True
            partial = await rig.tell(text)
            assert partial.code is Code.VENUE_UNREADABLE, text
            assert "UNKNOWN" in partial.text
            _mirror(rig).incomplete = False
            _mirror(rig).unreadable = True
            assert (await rig.tell(text)).code is Code.VENUE_UNREADABLE, text


async def test_flatten_finds_what_the_venue_shows_only_after_the_bracket_was_closed() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        name = rig.desk.ledger.unfinished()[0].orders[0].client_id
        rig.hand.trade("ZEC/USD", "499", "1")
        _mirror(rig).fills_hidden = {name}
        await rig.tell("cancel ZEC")
        _mirror(rig).fills_hidden = set()
        rig.time.pass_s(1)
        reply = await rig.tell("flatten")
        assert "Sold 1 of 1 ZEC" in reply.text


async def test_a_sale_is_told_with_its_receipts_though_the_list_after_it_cannot_be_read() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        mirror = _mirror(rig)
        snapshot = Mirror.snapshot

        async def breaks_after_the_sale(wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
            if any(bracket.held > 0 for bracket in rig.desk.ledger.unfinished()):
                return await snapshot(mirror, wanted, reach)
            raise VenueUnreadableError("the venue of this test does not answer")

        mirror.snapshot = breaks_after_the_sale  # type: ignore[method-assign]
        reply = await rig.tell("flatten")
        assert "Sold 1 of 1 ZEC" in reply.text
        assert "NOT VERIFIED: the venue cannot be read just now" in reply.text
        assert [receipt.state for receipt in reply.receipts] == ["filled"]


async def test_a_stop_is_told_where_it_rests_and_a_refused_move_does_not_stop_entries_for_ever() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC SL 2% TP 3%")
        mirror = _mirror(rig)
        perform = Mirror.perform
        sent: list[str] = []

        async def no_amends(action: Action) -> Outcome:
            sent.append(type(action).__name__)
            return Refused("EOrder:Rate limit exceeded") if isinstance(action, Amend) else await perform(mirror, action)

        mirror.perform = no_amends  # type: ignore[method-assign]
        reply = await rig.tell("protect ZEC sl 1%")
        assert sent == ["Amend"]
        assert "501.76" in reply.text
        [told] = [alert.text for alert in rig.store.waiting_alerts() if alert.kind == "protection_refused"]
        assert "It rests at 501.76 for 1 ZEC; Zyn tries again." in told
        assert rig.desk.state.value == TradingState.REDUCING.value
        del mirror.perform
        rig.time.pass_s(3)
        rig.hand.price("ZEC/USD", "512")
        await rig.tick()
        await rig.tick()
        [stop] = [order for order in await rig.exchange.fetch_open_orders() if order.type is OrderType.STOP_LOSS]
        assert stop.trigger_price == D("506.88")
        assert rig.desk.state.value == TradingState.ACTIVE.value


async def test_a_closed_bracket_is_not_taken_up_on_a_reading_from_before_its_end() -> None:
    async with open_rig(MIRROR) as rig:
        await rig.tell("buy 1 ZEC limit 500 SL 2% TP 3%")
        before = await rig.desk.snapshot()
        rig.time.pass_s(1)
        await rig.tell("cancel ZEC")
        _take_up_strays(rig.desk, before)
        assert rig.desk.ledger.unfinished() == ()
        [ended] = rig.desk.ledger.ended_since(rig.clock() - WATCHED)
        rig.desk.ledger.take_up(ended.bracket)
        await rig.tick()
        assert rig.desk.ledger.unfinished() == ()


async def test_an_answer_names_the_desk_that_was_asked_though_the_mode_has_changed_meanwhile() -> None:
    async with open_rig() as plain:
        live = Slow(plain.exchange)
        async with open_rig(Wiring(live=live, first_mode=Mode.LIVE), start=False) as rig:
            for desk in rig.service.desks:
                desk.ready = True
                desk.compared.set()
            asked = asyncio.create_task(rig.tell("sell half my ZEC"))
            for _ in range(10):
                await asyncio.sleep(0)
            await rig.tell("mode paper")
            live.let.set()
            reply = await asked
            assert reply.code is Code.NO_POSITION
            assert reply.mode is Mode.LIVE
