"""Our values as Kraken's fields and back: what we send word by word, and rows that no recording has."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_UP, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.instruments import Instrument
from core.domain.market import Quote
from core.domain.money import ZERO
from core.domain.orders import Order, OrderState, OrderType, Role, Side, TimeInForce
from core.domain.venue import Amend, Balance, Cancel, OrderNews, Submit, VenueState
from core.exchange import key_rights, stream_words, translate
from core.exchange.errors import VenueUnreadableError

D = Decimal
NOW = datetime(2026, 11, 20, 12, 0, 30, 123456, tzinfo=UTC)
ZEC = Instrument("ZEC/USD", D("0.01"), D("1E-8"), D("0.01"), D("0.5"), "XZECZUSD")
BTC = Instrument("BTC/USD", D("0.1"), D("1E-8"), D("0.00005"), D("0.5"), "XXBTZUSD")
PAIRS = translate.Pairs([ZEC, BTC])


def order(kind: OrderType = OrderType.MARKET, **given: Any) -> Order:
    values: dict[str, Any] = {
        "client_id": "zyabcd123456-1", "bracket_id": "zyabcd123456", "role": Role.ENTRY, "side": Side.BUY,
        "type": kind, "quantity": D("0.04"), "state": OrderState.SUBMITTING, "created_at": NOW, "deadline": NOW,
    }  # fmt: skip
    return Order(**values | given)


def form(action: Submit, **given: Any) -> translate.Form:
    return translate.add_order(action, ZEC, NOW, **given)


# -- what we send ------------------------------------------------------------------------------------------------


def test_a_market_buy_says_only_what_it_is_and_pays_its_fee_in_quote() -> None:
    assert form(Submit(order(), "ZEC/USD")) == {
        "pair": "XZECZUSD", "type": "buy", "ordertype": "market", "volume": "0.04", "cl_ord_id": "zyabcd123456-1",
        "oflags": "fciq", "deadline": "2026-11-20T12:00:30.123Z",
    }  # fmt: skip


def test_a_stop_is_sent_with_its_trigger_as_the_price_and_nothing_beside_it() -> None:
    stop = order(OrderType.STOP_LOSS, side=Side.SELL, trigger_price=D("495.50"), limit_price=D(1))
    sent = form(Submit(stop, "ZEC/USD"))
    assert (sent["ordertype"], sent["price"]) == ("stop-loss", "495.5")
    assert not {"price2", "trigger", "stopprice", "triggerPrice", "close[price]"} & sent.keys()


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (OrderType.LIMIT, {}),
        (OrderType.LIMIT, {"trigger_price": D(5)}),
        (OrderType.STOP_LOSS, {"limit_price": D(5)}),
        (OrderType.STOP_LOSS, {"trigger_price": ZERO}),
        (OrderType.LIMIT, {"limit_price": D(-1)}),
    ],
)
def test_an_order_without_the_price_that_it_needs_is_never_sent(kind: OrderType, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="without a price"):
        form(Submit(order(kind, **given), "ZEC/USD"))


def test_an_attached_stop_is_on_the_tick_whatever_rounding_somebody_else_has_set() -> None:
    with localcontext() as context:
        context.prec, context.rounding = 3, ROUND_UP
        sent = form(Submit(order(), "ZEC/USD", attached_stop=D("495.123456")))
    assert (sent["close[ordertype]"], sent["close[price]"]) == ("stop-loss", "495.12")


def test_only_a_validation_says_validate_and_in_the_word_that_kraken_reads() -> None:
    action = Submit(order(), "ZEC/USD")
    assert "validate" not in form(action)
    assert form(action, validate=True)["validate"] == "true"


def test_an_immediate_order_says_so_and_one_that_waits_says_nothing() -> None:
    limit = order(OrderType.LIMIT, limit_price=D(500))
    assert "timeinforce" not in form(Submit(limit, "ZEC/USD"))
    ioc = order(OrderType.LIMIT, limit_price=D(500), time_in_force=TimeInForce.IOC)
    assert form(Submit(ioc, "ZEC/USD"))["timeinforce"] == "IOC"


@given(
    st.decimals(min_value="0.00000001", max_value=10**9, places=8),
    st.decimals(min_value="0.0000001", max_value=10**7, places=7),
)
def test_quantities_and_prices_travel_with_every_digit_and_without_exponents(volume: Decimal, price: Decimal) -> None:
    sent = form(Submit(order(OrderType.LIMIT, quantity=volume, limit_price=price), "ZEC/USD"))
    for name, value in (("volume", volume), ("price", price)):
        assert Decimal(sent[name]) == value
        assert not set(sent[name]) - set("0123456789.")


def test_an_amend_names_one_price_and_the_whole_quantity() -> None:
    resting = order(OrderType.STOP_LOSS, venue_id="OABC")
    stop = translate.amend_order(Amend(resting, "ZEC/USD", D("0.5"), D(1), D("490.10")), NOW)
    assert stop == {
        "txid": "OABC", "order_qty": "0.5", "trigger_price": "490.1", "deadline": "2026-11-20T12:00:30.123Z",
    }  # fmt: skip
    limit = translate.amend_order(Amend(resting, "ZEC/USD", D(2), D(510), None), NOW)
    assert (limit["limit_price"], "trigger_price" in limit) == ("510", False)


def test_an_order_is_named_as_kraken_named_it_and_by_our_name_only_until_then() -> None:
    assert translate.cancel_order(Cancel(order(venue_id="OABC"), "ZEC/USD")) == {"txid": "OABC"}
    assert translate.cancel_order(Cancel(order(), "ZEC/USD")) == {"cl_ord_id": "zyabcd123456-1"}


def test_a_deadline_is_told_in_utc_to_the_millisecond() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert translate.rfc3339(local) == "2026-11-20T12:00:30.123Z"


# -- what comes --------------------------------------------------------------------------------------------------

ROW: dict[str, Any] = {
    "refid": None, "userref": None, "status": "open", "opentm": 1795176030.5, "cl_ord_id": "zyabcd123456-2",
    "descr": {"pair": "ZECUSD", "type": "sell", "ordertype": "stop-loss", "price": "495.50", "price2": "0"},
    "vol": "0.04000000", "vol_exec": "0.00000000", "cost": "0.00000", "fee": "0.00000", "price": "0.00000",
    "stopprice": "0.00000", "limitprice": "0.00000", "misc": "", "oflags": "fciq",
}  # fmt: skip


def row(**given: Any) -> dict[str, Any]:
    described = {**ROW["descr"], **given.pop("descr", {})}
    return {**ROW, "descr": described, **given}


def test_a_resting_stop_is_ours_by_name_and_waits_at_its_trigger() -> None:
    shown = translate.order("OABC", ROW, PAIRS)
    assert (shown.client_id, shown.symbol, shown.trigger_price) == ("zyabcd123456-2", "ZEC/USD", D("495.50"))
    assert (shown.state, shown.triggered, shown.filled_at) == (VenueState.OPEN, False, None)


def test_a_stop_that_kraken_calls_pending_is_open() -> None:
    assert translate.order("OABC", row(status="pending"), PAIRS).state is VenueState.OPEN


def test_a_child_is_nobodys_by_name_even_when_it_shows_its_parents() -> None:
    child = translate.order("OCHILD", row(refid="OPARENT"), PAIRS)
    assert (child.client_id, child.parent_id) == (None, "OPARENT")


def test_an_expired_order_is_a_canceled_one() -> None:
    assert translate.order("OABC", row(status="expired"), PAIRS).state is VenueState.CANCELED


def test_a_distance_in_percent_is_no_price_and_the_price_beside_it_counts() -> None:
    trailing = row(descr={"ordertype": "trailing-stop", "price": "+1.5%"}, stopprice="480.00")
    assert translate.order("OABC", trailing, PAIRS).trigger_price == D("480.00")
    assert translate.order("OABC", {**trailing, "stopprice": "0.00"}, PAIRS).trigger_price is None


def test_a_fee_paid_in_coins_is_told_in_coins_for_a_purchase_only() -> None:
    paid = {"vol_exec": "1", "cost": "500", "fee": "2", "price": "500", "oflags": "fcib"}
    bought = translate.order("O1", row(descr={"type": "buy", "ordertype": "market", "price": "0"}, **paid), PAIRS)
    assert bought.base_fee == D("0.004")
    assert translate.order("O1", row(**paid), PAIRS).base_fee == ZERO
    in_quote = row(descr={"type": "buy", "ordertype": "market"}, **{**paid, "oflags": "fciq"})
    assert translate.order("O1", in_quote, PAIRS).base_fee == ZERO


def test_balances_with_holds_are_read_and_two_codes_of_one_coin_are_added() -> None:
    result = {
        "XXBT": {"balance": "1.5", "hold_trade": "0.5"}, "XBT": {"balance": "0.25"}, "ZUSD": {"balance": "0.0000"},
        "ETH2.S": {"balance": "3"},
    }  # fmt: skip
    assert translate.balances(result) == {
        "BTC": Balance("BTC", D("1.75"), D("0.5")), "ETH2.S": Balance("ETH2.S", D(3)),
    }  # fmt: skip


def test_a_number_that_came_as_a_float_is_refused_because_digits_are_lost() -> None:
    for name in ("vol", "vol_exec", "cost", "fee", "price"):
        with pytest.raises(VenueUnreadableError, match="is no number"):
            translate.order("OABC", row(**{name: 0.1}), PAIRS)
    with pytest.raises(VenueUnreadableError):
        translate.balances({"ZUSD": 100.5})


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "resting"}, {"status": None}, {"vol": "NaN"}, {"vol": "Infinity"}, {"vol": ""}, {"cost": None},
        {"opentm": "yesterday"}, {"opentm": None}, {"opentm": "NaN"}, {"opentm": 10**30}, {"descr": None},
        {"descr": "buy"}, {"price": "a lot"},
    ],
)  # fmt: skip
def test_a_row_that_is_not_what_kraken_documents_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(VenueUnreadableError):
        translate.order("OABC", {**ROW, **wrong}, PAIRS)


def test_a_right_that_a_key_lacks_is_named_as_krakens_page_of_keys_calls_it() -> None:
    full = ["query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades"]
    assert key_rights.key_rights({"permissions": full}).missing == ()
    assert key_rights.key_rights({"permissions": ["Query Funds", "query-open-trades"]}).missing == (
        "Query closed orders & trades", "Create & modify orders", "Cancel/close orders",
    )  # fmt: skip
    assert key_rights.key_rights({"permissions": [*full, "withdraw-funds"]}).may_withdraw
    assert not key_rights.key_rights({"permissions": full}).may_withdraw
    for wrong in ({}, {"permissions": "all"}, {"permissions": None}):
        with pytest.raises(VenueUnreadableError):
            key_rights.key_rights(wrong)


# -- streams -----------------------------------------------------------------------------------------------------


def test_a_streamed_price_keeps_the_shortest_text_of_its_number_and_half_prices_are_left_out() -> None:
    rows = [{"symbol": "BTC/USD", "bid": 105944.2, "ask": 105944.3, "last": 105899.4}, {"symbol": "ZEC/USD", "bid": 1}]
    found = stream_words.streamed_quotes({"data": [*rows, "x", None]}, PAIRS, NOW)
    assert found == [Quote("BTC/USD", D("105944.2"), D("105944.3"), D("105899.4"), NOW, "kraken")]


@pytest.mark.parametrize("kind", ["pending_new", "new", "amended", "restated", "iceberg_refill", "status"])
def test_the_echo_of_what_was_sent_is_no_news(kind: str) -> None:
    assert stream_words.streamed_news({"data": [{"exec_type": kind, "order_id": "O1"}]}, PAIRS) == []


def test_a_trade_and_an_end_are_news_and_an_end_may_come_without_its_symbol() -> None:
    rows = [
        {"exec_type": "trade", "order_id": "O1", "symbol": "XBT/USD", "cum_qty": 0.1},
        {"exec_type": "canceled", "order_id": "O2", "cum_qty": 0.0},
        {"exec_type": "filled", "order_id": "O3", "cum_qty": 1e-8},
    ]
    assert stream_words.streamed_news({"data": rows}, PAIRS) == [
        OrderNews("O1", "BTC/USD", D("0.1"), is_over=False),
        OrderNews("O2", None, D("0.0"), is_over=True),
        OrderNews("O3", None, D("1e-8"), is_over=True),
    ]


# -- anything at all ---------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["", "0", "-1", "1e9", "+1.5%", ".", "NaN", "open", "buy", "stop-loss", "ZECUSD", "None"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet="ab01. -+%", max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | WORDS, inner, max_size=3),
    max_leaves=6,
)
HASHABLE = ANYTHING.filter(lambda value: not isinstance(value, list | dict))
READERS: list[Callable[[Any], object]] = [
    lambda one: translate.orders(one, "open", PAIRS),
    lambda one: translate.venue_fills(one, PAIRS),
    translate.balances,
    translate.fees,
    key_rights.key_rights,
    translate.stream_token,
    translate.server_time,
    translate.system_status,
    translate.accepted_name,
    translate.count,
]


@given(st.sampled_from([name for name in ROW if name != "descr"]), ANYTHING)
def test_a_mangled_field_of_an_order_raises_nothing_but_that_it_cannot_be_read(name: str, value: Any) -> None:
    _read_or_refused(lambda: translate.order("OABC", {**ROW, name: value}, PAIRS))


@given(st.sampled_from(list(ROW["descr"])), HASHABLE)
def test_a_mangled_description_of_an_order_raises_nothing_but_that(name: str, value: Any) -> None:
    mangled = copy.deepcopy(ROW)
    mangled["descr"][name] = value
    _read_or_refused(lambda: translate.order("OABC", mangled, PAIRS))


@given(ANYTHING, st.sampled_from(["open", "trades", "fees", "fees_maker", "permissions", "txid", "token", "unixtime"]))
@settings(max_examples=200)
def test_whatever_an_answer_is_reading_it_raises_nothing_but_that(value: Any, name: str) -> None:
    for answer in (value, {name: value}, {name: {"a": value}}):
        for read in READERS:
            _read_or_refused(lambda read=read, answer=answer: read(answer))  # type: ignore[misc]


@given(ANYTHING)
def test_whatever_a_stream_says_is_heard_without_an_error(value: Any) -> None:
    for message in ({"data": value}, {"data": [value]}, {"data": [{"exec_type": "trade", "cum_qty": value}]}):
        stream_words.streamed_news(message, PAIRS)
        stream_words.streamed_quotes(message, PAIRS, NOW)


def _read_or_refused(read: Callable[[], object]) -> None:
    said = "Kraken sent a "
    try:
        read()
    except VenueUnreadableError as error:
        said = error.message
    assert said.startswith("Kraken sent a ")


def test_an_order_for_an_amount_of_quote_may_show_more_executed_than_ordered() -> None:
    shown = translate.order("O1", ROW | {"vol": "1", "vol_exec": "1.5", "oflags": "viqc"}, PAIRS)
    assert (shown.quantity, shown.filled) == (Decimal(1), Decimal("1.5"))


def test_a_side_that_is_a_list_is_refused() -> None:
    _read_or_refused(lambda: translate.order("OABC", row(descr={"type": ["buy"]}), PAIRS))


def test_a_price_in_superscript_is_refused() -> None:
    _read_or_refused(lambda: translate.order("OABC", row(descr={"price": "²"}), PAIRS))


def test_a_time_beyond_all_numbers_is_refused() -> None:
    _read_or_refused(lambda: translate.order("OABC", row(opentm="1e1000000"), PAIRS))


def test_a_time_at_the_edge_of_the_calendar_is_refused() -> None:
    edge = row(opentm="-62135596800")
    _read_or_refused(lambda: translate.order("OABC", edge, PAIRS, timedelta(seconds=1)))


def test_an_answer_without_its_list_is_refused_not_taken_for_an_empty_one() -> None:
    for read in (lambda: translate.orders({}, "open", PAIRS), lambda: translate.venue_fills({}, PAIRS)):
        with pytest.raises(VenueUnreadableError):
            read()


def test_an_order_of_somebody_elses_that_nobody_can_read_does_not_hide_ours() -> None:
    strange, ours = row(status="brand_new", cl_ord_id=""), row(cl_ord_id="zyabcd123456-1")
    listed = {"open": {"OSTRANGE": strange, "OOURS": ours}}
    assert [one.venue_id for one in translate.orders(listed, "open", PAIRS)] == ["OOURS"]


@pytest.mark.parametrize("given", [{"cl_ord_id": "zyabcd123456-1"}, {"cl_ord_id": "", "refid": "OPARENT"}])
def test_an_order_that_may_be_ours_and_cannot_be_read_is_not_passed_over(given: dict[str, str]) -> None:
    with pytest.raises(VenueUnreadableError, match="brand_new"):
        translate.orders({"open": {"OOURS": row(status="brand_new", **given)}}, "open", PAIRS)


def test_a_maker_may_be_paid_for_an_order() -> None:
    assert translate.order("O1", row(fee="-0.001"), PAIRS).fee == D("-0.001")
