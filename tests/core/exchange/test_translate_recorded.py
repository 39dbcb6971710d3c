"""Every private reply that was recorded from Kraken: read with no digit lost, or refused in plain words."""

import gzip
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.domain.money import ZERO
from core.domain.orders import OrderType, Side
from core.domain.venue import Refused, Unknown, VenueOrder, VenueState
from core.exchange import key_rights, translate, translate_public
from core.exchange.errors import VenueUnreadableError
from core.exchange.kraken_private import outcome_of
from core.exchange.kraken_wire import envelope, failure_of

RECORDED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "kraken"
LISTING = "imranpollob__coins/AssetPairs_2026-01.json.gz"
KINDS = {
    "OpenOrders": "open", "http_open_orders": "open", "ClosedOrders": "closed", "http_closed_orders": "closed",
    "QueryOrders": "query", "Balance": "balance", "http_spot_balance": "balance", "TradesHistory": "trades",
    "http_trades_history": "trades", "TradeVolume": "fees", "GetWebSocketsToken": "token", "AddOrder": "add",
    "http_add_order_spot": "add", "CancelOrder": "cancel", "http_cancel_order_spot": "cancel", "Time": "time",
    "http_server_time": "time", "http_system_status": "status",
}  # fmt: skip
NO_PAIRS = translate.Pairs(())


def recordings(*kinds: str, refused: bool = False) -> list[str]:
    """The files with recorded replies of these kinds; one name that cannot be read when the index is absent."""
    index = RECORDED / "index.jsonl"
    if not index.exists():
        return ["index.jsonl"]
    lines = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines()]
    found = [line for line in lines if line["valid_json"] and KINDS.get(line["endpoint"]) in kinds]
    return [line["file"] for line in found if bool(line["errors"]) is refused]


def recorded(file: str, *, as_text: bool = False) -> Any:
    """A recorded body; with `as_text` its bare numbers are text, as some readers of JSON hand them over."""
    path = RECORDED / file
    if not path.exists():
        pytest.skip(f"recorded reply is absent: ../shared/data/kraken/{file}")
    raw = path.read_bytes()
    text = gzip.decompress(raw) if file.endswith(".gz") else raw
    return json.loads(text, parse_float=str, parse_int=str) if as_text else json.loads(text)


BOTH = pytest.mark.parametrize("as_text", [False, True], ids=["numbers", "text"])


def _moment(seconds: object) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(Decimal(str(seconds)) * 1_000_000))


def _must_say_the_same(shown: VenueOrder, name: str, row: Mapping[str, Any]) -> None:
    """Each number of the row stands in the order, digit by digit."""
    assert shown.venue_id == name
    for found, text in ((shown.quantity, "vol"), (shown.filled, "vol_exec"), (shown.cost, "cost"), (shown.fee, "fee")):
        assert format(found, "f") == row[text], (name, text)
    assert shown.side is Side(row["descr"]["type"])
    assert shown.opened_at == _moment(row["opentm"])
    assert shown.parent_id == row.get("refid")
    assert shown.reason == (row.get("reason") or "")
    states = {"open": VenueState.OPEN, "closed": VenueState.CLOSED, "canceled": VenueState.CANCELED}
    assert shown.state is states[row["status"]]
    ended = row.get("closetm")
    assert shown.filled_at == (_moment(ended) if ended and shown.filled else None)
    _must_name_its_price(shown, row["descr"], row)


def _must_name_its_price(shown: VenueOrder, described: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    kind, price = described["ordertype"], described["price"]
    if kind in {"market", "settle-position"}:
        assert (shown.type, shown.limit_price, shown.trigger_price) == (OrderType.MARKET, None, None)
    elif kind == "limit":
        assert (shown.type, shown.trigger_price) == (OrderType.LIMIT, None)
        assert shown.limit_price == Decimal(price)
    else:
        assert (shown.type, shown.limit_price) == (OrderType.STOP_LOSS, None)
        is_price = "%" not in price and Decimal(price) > 0
        assert shown.trigger_price == Decimal(price if is_price else row["stopprice"])


# -- orders ------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("file", recordings("open", "closed"))
def test_every_recorded_order_of_a_list_keeps_each_digit(file: str, *, as_text: bool) -> None:
    result = recorded(file, as_text=as_text)["result"]
    key = "open" if "open" in result else "closed"
    found = translate.orders(result, key, NO_PAIRS)
    assert [one.venue_id for one in found] == list(result[key])
    for one in found:
        _must_say_the_same(one, one.venue_id, result[key][one.venue_id])


@BOTH
@pytest.mark.parametrize("file", recordings("query"))
def test_every_recorded_order_that_was_asked_for_by_id_keeps_each_digit(file: str, *, as_text: bool) -> None:
    result = recorded(file, as_text=as_text)["result"]
    assert result
    for name, row in result.items():
        _must_say_the_same(translate.order(name, row, NO_PAIRS), name, row)


@pytest.mark.parametrize("file", recordings("closed"))
def test_the_total_of_a_recorded_list_is_known_as_a_number_or_as_text_and_never_guessed(file: str) -> None:
    result = recorded(file)["result"]
    total = result.get("count")
    assert translate.count(result) == (None if total is None else int(total))


def test_a_recorded_stop_that_sold_is_known_as_triggered_and_one_that_waits_is_not() -> None:
    closed = recorded("asmodehn__aiokraken/ClosedOrders__test_orders__0.json")["result"]
    sold = {one.venue_id: one for one in translate.orders(closed, "closed", NO_PAIRS)}["OREZPT-2FLTZ-L4EQ23"]
    assert (sold.type, sold.triggered, sold.trigger_price) == (OrderType.STOP_LOSS, True, Decimal("2.6000"))
    waiting = recorded("ccxt/OpenOrders_stop_loss_limit.json")["result"]
    [one] = translate.orders(waiting, "open", NO_PAIRS)
    assert (one.triggered, one.trigger_price) == (False, Decimal("55.00000"))


def test_times_are_told_on_our_clock_by_how_far_krakens_is_ahead() -> None:
    result = recorded("asmodehn__aiokraken/ClosedOrders__test_orders__0.json")["result"]
    ahead = timedelta(seconds=2.5)
    plainly = translate.orders(result, "closed", NO_PAIRS)
    skewed = translate.orders(result, "closed", NO_PAIRS, ahead)
    assert [one.opened_at - ahead for one in plainly] == [one.opened_at for one in skewed]
    assert [one.filled_at and one.filled_at - ahead for one in plainly] == [one.filled_at for one in skewed]


# -- balances, executions, fees, the rest ------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("file", recordings("balance"))
def test_every_recorded_balance_keeps_each_digit_and_empty_ones_are_left_out(file: str, *, as_text: bool) -> None:
    result = recorded(file, as_text=as_text)["result"]
    found = translate.balances(result)
    wanted = {translate.asset(code): text for code, text in result.items() if Decimal(text) != 0}
    assert {name: format(one.total, "f") for name, one in found.items()} == wanted
    assert all((name, one.held) == (one.asset, ZERO) for name, one in found.items())


@BOTH
@pytest.mark.parametrize("file", recordings("trades"))
def test_every_recorded_execution_keeps_each_digit(file: str, *, as_text: bool) -> None:
    listed = recorded(file, as_text=as_text)["result"]["trades"]
    found = translate.venue_fills({"trades": listed}, NO_PAIRS)
    assert [one.id for one in found] == list(listed)
    for one in found:
        row = listed[one.id]
        numbers = (one.price, one.quantity, one.cost, one.fee)
        assert [format(number, "f") for number in numbers] == [row[name] for name in ("price", "vol", "cost", "fee")]
        assert (one.venue_id, one.symbol, one.at) == (row["ordertxid"], row["pair"], _moment(row["time"]))


@BOTH
@pytest.mark.parametrize("file", recordings("fees"))
def test_every_recorded_fee_keeps_each_digit(file: str, *, as_text: bool) -> None:
    result = recorded(file, as_text=as_text)["result"]
    [taker], [maker] = result["fees"].values(), result["fees_maker"].values()
    found = translate.fees(result)
    assert (format(found.taker_pct, "f"), format(found.maker_pct, "f")) == (taker["fee"], maker["fee"])


@BOTH
@pytest.mark.parametrize("file", recordings("add"))
def test_every_recorded_answer_to_an_order_names_it_unless_it_was_only_checked(file: str, *, as_text: bool) -> None:
    result = recorded(file, as_text=as_text)["result"]
    names = result.get("txid")
    assert translate.accepted_name(result) == (names[0] if names else None)


@BOTH
@pytest.mark.parametrize("file", recordings("cancel", "token", "time", "status"))
def test_every_other_recorded_answer_is_read_as_it_stands(file: str, *, as_text: bool) -> None:
    result = recorded(file, as_text=as_text)["result"]
    read: dict[str, Callable[[], object]] = {
        "token": lambda: translate.stream_token(result) == result["token"],
        "unixtime": lambda: translate.server_time(result) == _moment(result["unixtime"]),
        "status": lambda: translate.system_status(result) == result["status"],
        "count": lambda: translate.accepted_name(result) is None and Decimal(result["count"]) == 1,
    }
    assert [name for name in read if name in result and read[name]()]


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", recordings(*set(KINDS.values()), refused=True))
def test_every_recorded_refusal_is_krakens_own_word_and_proves_that_nothing_was_placed(file: str) -> None:
    path = RECORDED / file
    if not path.exists():
        pytest.skip(f"recorded reply is absent: ../shared/data/kraken/{file}")
    text = f"kraken {path.read_text(encoding='utf-8')}"
    [said] = json.loads(path.read_text(encoding="utf-8"))["error"]
    assert envelope(text) == ((said,), None)
    failure = failure_of(text, "AddOrder", "ExchangeError")
    assert (failure.strings, failure.says(said)) == ((said,), True)
    assert outcome_of(failure) == Refused(said)


@pytest.mark.parametrize("file", recordings(*set(KINDS.values())))
def test_a_recorded_reply_without_an_error_is_no_failure_of_krakens(file: str) -> None:
    body = recorded(file)
    if body.get("error") is None:
        pytest.skip("this one is no envelope of the REST API")
    assert envelope(f"kraken {json.dumps(body)}")[0] == ()
    assert isinstance(outcome_of(failure_of(f"kraken {json.dumps(body)}", "AddOrder", "ExchangeError")), Unknown)


def test_no_recorded_private_reply_was_left_out() -> None:
    index = RECORDED / "index.jsonl"
    if not index.exists():
        pytest.skip("the index of recordings is absent")
    rows = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines()]
    private = {row["file"] for row in rows if row["endpoint"] in KINDS}
    read = {file for refused in (False, True) for file in recordings(*set(KINDS.values()), refused=refused)}
    assert private == read
    assert len(private) >= 45


@pytest.mark.parametrize("file", recordings("open", "closed", "balance", "trades", "fees", "token", "time"))
def test_a_reply_of_another_shape_is_refused_not_guessed(file: str) -> None:
    result = recorded(file)["result"]
    for wrong in (None, [result], json.dumps(result), 7):
        for read in (
            lambda one: translate.orders(one, "open", NO_PAIRS),
            translate.balances,
            lambda one: translate.venue_fills(one, NO_PAIRS),
            translate.fees,
            translate.stream_token,
            translate.server_time,
            translate.system_status,
            key_rights.key_rights,
            translate.accepted_name,
            translate.count,
        ):
            with pytest.raises(VenueUnreadableError):
                read(wrong)


# -- names -------------------------------------------------------------------------------------------------------


def test_all_pairs_of_january_2026_are_found_by_each_of_krakens_names() -> None:
    result = recorded(LISTING)["result"]
    instruments = translate_public.instruments(result)
    assert len(instruments) == 1434
    pairs = translate.Pairs(instruments.values())
    for one in instruments.values():
        row = result[one.venue_name]
        for name in (one.venue_name, row["altname"], row["wsname"], one.symbol):
            assert pairs.symbol(name) == one.symbol, (name, one.symbol)
    assert pairs.symbol("NOSUCHPAIR") == "NOSUCHPAIR"


def test_every_coin_of_the_recorded_pairs_has_one_name_for_balances_and_pairs() -> None:
    result = recorded(LISTING)["result"]
    instruments = translate_public.instruments(result)
    for one in instruments.values():
        row = result[one.venue_name]
        assert (translate.asset(row["base"]), translate.asset(row["quote"])) == (one.base, one.quote), row


def _codes(file: str) -> dict[str, str]:
    return {code: row["altname"] for code, row in recorded(file)["result"].items()}


ASSETS = [
    "asmodehn__aiokraken/Assets__test_assets__0.json",
    "asmodehn__aiokraken/Assets__test_ledger__0.json",
    "asmodehn__aiokraken/Assets__rest_test_asset_all__0.json",
    "shideneyu__kraken_client/Assets__assets__0.json",
]
NOT_TRADED_ANY_MORE = {"XICN", "XNMC", "XSTR", "XXVN", "ZKRW", "XDAO", "KFEE"}
OURS = {"XBT": "BTC", "XDG": "DOGE"}


@pytest.mark.parametrize("file", ASSETS)
def test_every_code_of_the_recorded_assets_has_the_name_that_everybody_uses(file: str) -> None:
    for code, altname in _codes(file).items():
        if code not in NOT_TRADED_ANY_MORE:
            name, dot, kind = altname.partition(".")
            assert translate.asset(code) == OURS.get(name, name) + dot + kind
