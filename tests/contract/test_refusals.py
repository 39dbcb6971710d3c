"""What no venue takes: it says so in Kraken's words, and nothing is there afterwards."""

from dataclasses import dataclass
from decimal import Decimal

from core.domain.orders import Order, Side
from core.domain.venue import Snapshot, Submit
from core.exchange.verdicts import Proof, meaning_of
from tests.contract.subject import ZEC, Hand, Lack, on_every_venue, reason_of

D = Decimal


@dataclass
class Before:
    """The account before something is refused."""

    balances: dict[str, tuple[Decimal, Decimal]]
    resting: set[str]


def _state(snapshot: Snapshot) -> Before:
    balances = {name: (one.total, one.held) for name, one in snapshot.balances.items()}
    return Before(balances, {one.venue_id for one in snapshot.open_orders})


async def _is_refused(hand: Hand, order: Order, symbol: str = ZEC) -> str:
    """The words with which this order is refused, the account being as it was before."""
    before = _state(await hand.look())
    reason = reason_of(await hand.exchange.perform(Submit(order, symbol)))
    after = await hand.look(order.client_id)
    assert order.client_id not in after.orders
    assert _state(after) == before
    return reason


def _is_krakens_word(reason: str) -> bool:
    """True for a string that is known to prove that an order was not taken."""
    meant = meaning_of(reason)
    return reason == meant.text and meant.is_known and meant.proof is Proof.REFUSED


@on_every_venue
async def test_a_quantity_below_the_minimum_is_refused_in_krakens_words(hand: Hand) -> None:
    for order in (
        hand.order("zyc-1", Side.BUY, "0.009"),
        hand.order("zyc-2", Side.BUY, "0.009", limit="490"),
    ):
        reason = await _is_refused(hand, order)
        assert _is_krakens_word(reason)
        assert "minimum not met" in reason


@on_every_venue
async def test_a_stop_below_the_minimum_is_refused_in_krakens_words(hand: Hand) -> None:
    await hand.buy("0.04")
    reason = await _is_refused(hand, hand.order("zyc-2", Side.SELL, "0.005", stop="480"))
    assert _is_krakens_word(reason)
    assert "minimum not met" in reason


@on_every_venue
async def test_a_price_off_the_tick_is_refused_in_krakens_words(hand: Hand) -> None:
    hand.needs(Lack.TICKS)
    await hand.buy("0.04")
    for order in (
        hand.order("zyc-2", Side.BUY, "0.04", limit="490.005"),
        hand.order("zyc-3", Side.SELL, "0.04", stop="480.001"),
        hand.order("zyc-4", Side.SELL, "0.04", limit="499.999", ioc=True),
    ):
        assert await _is_refused(hand, order) == "EOrder:Tick size check failed"


@on_every_venue
async def test_an_unknown_pair_is_refused(hand: Hand) -> None:
    hand.needs(Lack.PAIRS)
    reason = await _is_refused(hand, hand.order("zyc-1", Side.BUY, "0.04"), "XYZ/USD")
    assert reason == "EQuery:Unknown asset pair" or reason.startswith("not sent:"), reason


@on_every_venue
async def test_a_purchase_for_more_than_there_is_is_refused_in_krakens_words(hand: Hand) -> None:
    hand.needs(Lack.MONEY)
    for order in (
        hand.order("zyc-1", Side.BUY, "20"),
        hand.order("zyc-2", Side.BUY, "21", limit="490"),
    ):
        assert await _is_refused(hand, order) == "EOrder:Insufficient funds"


@on_every_venue
async def test_the_fee_counts_when_the_whole_balance_is_spent(hand: Hand) -> None:
    hand.needs(Lack.MONEY)
    assert await _is_refused(hand, hand.order("zyc-1", Side.BUY, "20", limit="500")) == "EOrder:Insufficient funds"


@on_every_venue
async def test_a_sale_of_more_coins_than_there_are_is_refused_in_krakens_words(hand: Hand) -> None:
    await hand.buy("0.04")
    for order in (
        hand.order("zyc-2", Side.SELL, "0.05"),
        hand.order("zyc-3", Side.SELL, "0.05", limit="520"),
        hand.order("zyc-4", Side.SELL, "0.05", limit="499", ioc=True),
    ):
        assert await _is_refused(hand, order) == "EOrder:Insufficient funds"


@on_every_venue
async def test_a_stop_for_more_coins_than_there_are_is_refused_where_stops_hold(hand: Hand) -> None:
    await hand.buy("0.04")
    order = hand.order("zyc-2", Side.SELL, "0.05", stop="480")
    if hand.subject.holds:
        assert await _is_refused(hand, order) == "EOrder:Insufficient funds"
        return
    # Where a sleeping stop holds nothing, it may be larger than the pile: more than there is is never sold.
    outcome = await hand.send(order)
    await hand.subject.move("479")
    sold = (await hand.look("zyc-2")).orders.get("zyc-2")
    assert sold is None or sold.filled <= D("0.04"), outcome


@on_every_venue
async def test_a_second_sale_of_the_coins_of_a_resting_stop_is_refused_only_where_stops_hold(hand: Hand) -> None:
    await hand.buy("0.04")
    await hand.place(hand.order("zyc-2", Side.SELL, "0.04", stop="480"))
    second = hand.order("zyc-3", Side.SELL, "0.04", limit="520")
    if hand.subject.holds:
        assert await _is_refused(hand, second) == "EOrder:Insufficient funds"
    else:
        await hand.place(second)
        assert len(await hand.resting()) == 2
