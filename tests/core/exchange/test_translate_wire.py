"""What ccxt's own methods put on the wire, case by case: ours means the same in the same fields, or is never sent."""

import json
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.domain.instruments import Instrument
from core.domain.orders import Order, OrderState, OrderType, Role, Side, TimeInForce
from core.domain.venue import Amend, Cancel, Reach, Submit
from core.exchange import translate
from core.exchange.budget import RestBudget, Tier
from core.exchange.kraken_private import AccountOptions, KrakenExchangeWrapper
from core.exchange.kraken_wire import AccountWire, CallFailedError, Endpoint
from tests.rig import HandMarket, SettableClock

D = Decimal
CASES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "kraken" / "wire.ccxt-4.5.90.json"
NOW = datetime(2026, 11, 20, 16, 40, tzinfo=UTC)
BTC = Instrument("BTC/USD", D("0.1"), D("1E-8"), D("0.00005"), D("0.5"), "XXBTZUSD")
NAME = "6d1b345e-2821-40e2-ad83-4ecb18a06876"
Form = Mapping[str, str]


def _order(kind: str = "limit", side: str = "buy", price: str | None = "50000", **given: Any) -> Order:
    kind_of, at = OrderType(kind), BTC.price(D(price)) if price is not None else None
    values: dict[str, Any] = {
        "client_id": NAME, "bracket_id": "b", "role": Role.ENTRY, "side": Side(side), "type": kind_of,
        "quantity": BTC.quantity(D(given.pop("quantity", "0.001"))), "state": OrderState.SUBMITTING,
        "created_at": NOW, "deadline": NOW, "limit_price": at if kind_of is OrderType.LIMIT else None,
        "trigger_price": at if kind_of is OrderType.STOP_LOSS else None,
    }  # fmt: skip
    return Order(**values | given)


def _add(kind: str = "limit", side: str = "buy", price: str | None = "50000", **given: Any) -> Form:
    close, validate = given.pop("close", None), given.pop("validate", False)
    action = Submit(_order(kind, side, price, **given), BTC.symbol, attached_stop=close)
    return translate.add_order(action, BTC, NOW, validate=validate)


def _amend(price: str, *, is_stop: bool = False, venue_id: str | None = "OID") -> Form:
    order = _order("stop-loss" if is_stop else "limit", "sell", venue_id=venue_id)
    at = BTC.price(D(price))
    action = Amend(order, BTC.symbol, D("0.002"), None if is_stop else at, at if is_stop else None)
    return translate.amend_order(action, NOW)


def _cancel(venue_id: str | None) -> Form:
    return translate.cancel_order(Cancel(_order(venue_id=venue_id), BTC.symbol))


ON_PURPOSE = {"AddOrder": {"oflags", "cl_ord_id", "deadline"}, "AmendOrder": {"order_qty", "deadline"}}
"""What ours has beyond the same call of ccxt: the fee in quote, our name, a deadline, an amend's whole quantity."""

SAME: dict[str, tuple[str, Callable[[], Form]]] = {
    "market": ("AddOrder", lambda: _add("market", price=None)),
    "limit rounds price, truncates amount": ("AddOrder", lambda: _add(price="50000.123", quantity="0.0012345678999")),
    "IOC": ("AddOrder", lambda: _add(time_in_force=TimeInForce.IOC)),
    "clientOrderId": ("AddOrder", _add),
    "stopLossPrice market": ("AddOrder", lambda: _add("stop-loss", "sell", "45000.55")),
    "type stop-loss + params.price": ("AddOrder", lambda: _add("stop-loss", "sell", "45000")),
    "close: price NOT rounded": ("AddOrder", lambda: _add(close=D("45000.557"))),
    "validate str": ("AddOrder", lambda: _add(validate=True)),
    "deadline": ("AddOrder", _add),
    "cancel txid": ("CancelOrder", lambda: _cancel("OID")),
    "cancel by cl_ord_id": ("CancelOrder", lambda: _cancel(None)),
    "edit (AmendOrder)": ("AmendOrder", lambda: _amend("51000.123")),
    "edit SL": ("AmendOrder", lambda: _amend("44000", is_stop=True)),
    "edit by cid": ("AmendOrder", lambda: _amend("51000", venue_id=None)),
}
"""The call that means the same."""
BETTER = {"close: price NOT rounded": ("close[price]", "45000.6"), "deadline": ("deadline", "2026-11-20T16:40:00.000Z")}
"""Where ours is more exact: the close's price lies on the tick, the deadline says its milliseconds."""


def _has(*names: str) -> Callable[[str, Form], bool]:
    return lambda _path, form: bool(set(names) & form.keys())


def _says(name: str, *words: str) -> Callable[[str, Form], bool]:
    return lambda _path, form: bool(set(words) & set(form.get(name, "").split(",")))


def _asks(path: str, *names: str) -> Callable[[str, Form], bool]:
    return lambda asked, form: asked == path and (not names or bool(set(names) & form.keys()))


def _nameless_stop(_path: str, form: Form) -> bool:
    return form.get("ordertype") == "stop-loss" and "price" not in form


NEVER: dict[str, tuple[str, Callable[[str, Form], bool]]] = {
    "postOnly": ("no order of ours must wait", _says("oflags", "post")),
    "FOK": ("an order trades what it can, or waits", _says("timeinforce", "FOK")),
    "PO": ("no order of ours must wait", _says("timeinforce", "PO")),
    "userref": ("orders have one name, cl_ord_id", _has("userref")),
    "both ids sent (Kraken: mutually exclusive)": ("orders have one name, cl_ord_id", _has("userref")),
    "stopLossPrice limit": ("a stop sells at market", _says("ordertype", "stop-loss-limit")),
    "takeProfitPrice market": ("targets are limits", _says("ordertype", "take-profit")),
    "takeProfitPrice limit": ("targets are limits", _says("ordertype", "take-profit-limit")),
    "HAZARD SL+TP: TP silently dropped": ("a form has one level", _has("takeProfitPrice", "stopLossPrice")),
    "SL trigger index": ("stops wake by the last price, Kraken's default", _has("trigger")),
    "HAZARD triggerPrice -> plain market order": ("Kraken knows no such field", _has("triggerPrice")),
    "HAZARD stopPrice -> plain market order": ("Kraken knows no such field", _has("stopPrice")),
    "HAZARD attached stopLoss/takeProfit ignored": (
        "the entry's stop is its close",
        lambda _path, form: any(name.startswith(("stopLoss", "takeProfit")) for name in form),
    ),
    "HAZARD type stop-loss drops positional price": ("a stop without a price is refused by us", _nameless_stop),
    "type stop-loss-limit + price2": ("one price is enough for each of our kinds", _has("price2")),
    "trailingAmount": ("Zyn moves its stop itself", _says("ordertype", "trailing-stop")),
    "trailingPercent (json body)": ("Zyn moves its stop itself", _says("ordertype", "trailing-stop")),
    "reduceOnly+leverage": ("spot without margin", _has("reduce_only", "leverage")),
    'validate bool -> "True"': ("Kraken reads 'true'", _says("validate", "True")),
    "cost": ("quantities are in coins", _says("oflags", "viqc")),
    "fciq+postOnly": ("no order of ours must wait", _says("oflags", "post")),
    "postOnly market": ("no order of ours must wait", _says("oflags", "post")),
    "HAZARD create_orders drops userref/leverage/trigger/validate": ("one order at a time", _asks("AddOrderBatch")),
    "open by cl_ord_id": ("open orders are read whole", _asks("OpenOrders", "cl_ord_id", "userref")),
    "closed by cl_ord_id": ("closed orders are read by page", _asks("ClosedOrders", "cl_ord_id", "userref")),
    "HAZARD fetch_order clientOrderId is sent as userref": ("the lists tell of each order", _asks("QueryOrders")),
    "after 60s": ("it would cancel the stops of the whole account", _asks("CancelAllOrdersAfter")),
    "HAZARD after 500ms -> timeout=0 disables": ("the same", _asks("CancelAllOrdersAfter")),
    "cancel all (symbol ignored)": ("it would cancel the stops of the whole account", _asks("CancelAll")),
    "cancel batch": ("one order at a time", _asks("CancelOrderBatch")),
}
"""Why no call of ours is such a one, and how one would look."""
BY_TYPE = {"params None"}
"""Our parameters are a mapping, always; see below."""


def _cases() -> list[dict[str, Any]]:
    if not CASES.exists():
        pytest.skip(f"the recording {CASES} is absent")
    found: list[dict[str, Any]] = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return found


def _case(label: str) -> dict[str, Any]:
    return next(case for case in _cases() if case["label"] == label)


class _Overhearing:
    """A wire that notes what would be asked and answers nothing."""

    def __init__(self) -> None:
        self.budget = RestBudget(Tier.STARTER)
        self.calls: list[tuple[str, Form]] = []

    async def read(self, endpoint: Endpoint, form: Mapping[str, str], *, urgent: bool = False) -> object:
        self.calls.append((endpoint.path, dict(form)))
        empty: dict[str, object] = {"open": {}, "closed": {}, "trades": {}, "permissions": []}
        return {} if endpoint is Endpoint.BALANCE else empty

    async def send(self, endpoint: Endpoint, form: Mapping[str, str]) -> object:
        self.calls.append((endpoint.path, dict(form)))
        raise CallFailedError("nobody is there")

    async def ask_public(self, name: str) -> object:
        return {"unixtime": int(NOW.timestamp()), "status": "online"}


async def _every_call() -> list[tuple[str, Form]]:
    """All the calls that the wrapper can make, with every kind of order in every way."""
    clock = SettableClock(NOW)
    wire = _Overhearing()
    market = HandMarket(clock, known={"BTC/USD": BTC})
    exchange = KrakenExchangeWrapper(typing.cast("AccountWire", wire), market, clock, AccountOptions())
    await exchange.readiness()
    await exchange.snapshot({"zy1-1"}, Reach(NOW, frozenset({"OPARENT"}), NOW))
    await exchange.fetch_open_orders()
    await exchange.fetch_fills(NOW, NOW)
    await exchange.fees("BTC/USD")
    for kind, price in (("market", None), ("limit", "50000"), ("stop-loss", "45000")):
        for tif in TimeInForce:
            for close in (None, D("44000.07")):
                for side in ("buy", "sell"):
                    action = Submit(_order(kind, side, price, time_in_force=tif), "BTC/USD", attached_stop=close)
                    await exchange.validate(action)
                    await exchange.perform(action)
        for venue_id in (None, "OID"):
            order = _order(kind, "sell", price, venue_id=venue_id)
            await exchange.perform(Cancel(order, "BTC/USD"))
            await exchange.perform(Amend(order, "BTC/USD", D(1), order.limit_price, order.trigger_price))
    return wire.calls


def test_no_case_of_the_recording_is_left_out_and_none_is_told_twice() -> None:
    labels = [case["label"] for case in _cases()]
    assert len(labels) == 45
    assert sorted(labels) == sorted([*SAME, *NEVER, *BY_TYPE])


@pytest.mark.parametrize("label", SAME)
def test_ours_puts_the_same_fields_on_the_wire(label: str) -> None:
    path, make = SAME[label]
    case, form = _case(label), dict(make())
    theirs = dict(case["form"])
    assert case["path"] == f"/0/private/{path}"
    if label in BETTER:
        name, value = BETTER[label]
        assert (name in theirs, form[name]) == (True, value)
        theirs[name] = value
    extra = form.keys() - theirs.keys()
    assert extra <= ON_PURPOSE.get(path, set())
    assert {name: value for name, value in form.items() if name not in extra} == theirs


@pytest.mark.parametrize("label", NEVER)
async def test_no_call_of_ours_is_such_a_one(label: str) -> None:
    _case(label)
    why, is_such = NEVER[label]
    found = [(path, form) for path, form in await _every_call() if is_such(path, form)]
    assert not found, why


async def test_each_sign_of_a_call_that_is_never_made_would_be_noticed() -> None:
    for label, (_why, is_such) in NEVER.items():
        case = _case(label)
        path = case.get("path", "").removeprefix("/0/private/")
        sent = dict(case.get("form") or case.get("json") or {})
        if label not in {"postOnly market", "HAZARD SL+TP: TP silently dropped"}:
            assert is_such(path, {name: str(value) for name, value in sent.items()}), label


async def test_every_endpoint_is_asked_and_none_but_those_of_the_table() -> None:
    asked = {path for path, _ in await _every_call()}
    assert asked == {one.path for one in Endpoint} - {"GetWebSocketsToken"}
    refused = {"CancelAll", "CancelAllOrdersAfter", "EditOrder", "AddOrderBatch", "CancelOrderBatch", "Withdraw"}
    assert not asked & refused


@pytest.mark.parametrize("method", ["read", "send"])
def test_no_call_can_be_made_without_parameters(method: str) -> None:
    form = typing.get_type_hints(getattr(AccountWire, method))["form"]
    assert typing.get_origin(form) is Mapping
    assert typing.get_args(form) == (str, str)


async def test_every_value_on_the_wire_is_text() -> None:
    for path, form in await _every_call():
        assert all(isinstance(value, str) and value for value in form.values()), (path, form)
