"""The gate that every entry passes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.errors import Code, Denied
from core.domain.instruments import Instrument
from core.domain.modes import Mode, Source
from core.domain.orders import OrderType
from core.risk.limits import Account, Approved, OrderRequest, RiskLimits, assess
from core.risk.prices import BracketPrices

D = Decimal

ZEC = Instrument("ZEC/USD", D("0.01"), D("0.00000001"), D("0.01"), D("0.5"))
ACCOUNT = Account(available=D(10_000), equity=D(10_000), exposure=D(0), taker_pct=D("0.4"))
REQUEST = OrderRequest(
    Mode.PAPER, Source.COMMAND, ZEC, D("0.4"), OrderType.MARKET, D(500), None, BracketPrices(D(495), D(510), D(5))
)


def _denied(request: OrderRequest = REQUEST, account: Account = ACCOUNT, limits: RiskLimits | None = None) -> Denied:
    verdict = assess(request, account, limits or RiskLimits(), D(500))
    assert isinstance(verdict, Denied), verdict
    return verdict


def test_a_request_within_every_limit_is_approved_as_it_is() -> None:
    verdict = assess(REQUEST, ACCOUNT, RiskLimits(), D(500))
    assert verdict == Approved(REQUEST)


@pytest.mark.parametrize(
    ("request_", "account", "limits", "code", "numbers"),
    [
        (replace(REQUEST, quantity=D(11)), ACCOUNT, RiskLimits(), Code.MAX_ORDER, ("5,500.00", "5,000.00")),
        (REQUEST, replace(ACCOUNT, available=D(150)), RiskLimits(), Code.BALANCE, ("200.80", "150.00")),
        (REQUEST, ACCOUNT, RiskLimits(risk_pct_max=D("0.01")), Code.RISK_PER_TRADE, ("2.00", "1.00")),
        (REQUEST, replace(ACCOUNT, exposure=D(8950)), RiskLimits(), Code.EXPOSURE, ("9,150.00", "9,000.00")),
        (replace(REQUEST, quantity=D("0.009")), ACCOUNT, RiskLimits(), Code.MINIMUM, ("0.009", "0.01")),
        (replace(REQUEST, limit_price=D(551)), ACCOUNT, RiskLimits(), Code.PRICE_COLLAR, ("551", "550")),
        (replace(REQUEST, instrument=replace(ZEC, status="cancel_only")), ACCOUNT, RiskLimits(),
         Code.INSTRUMENT_CLOSED, ("cancel_only",)),
    ],
)  # fmt: skip
def test_each_limit_denies_with_its_code_and_both_numbers(
    request_: OrderRequest, account: Account, limits: RiskLimits, code: Code, numbers: tuple[str, ...]
) -> None:
    denied = _denied(request_, account, limits)
    assert denied.code is code
    for number in numbers:
        assert number in denied.message


def test_where_the_owner_allows_it_a_large_order_is_reduced_and_says_so() -> None:
    limits = RiskLimits(max_order_quote=D(100), reduce_to_fit=True)
    verdict = assess(REQUEST, ACCOUNT, limits, D(500))
    assert isinstance(verdict, Approved)
    assert verdict.request.quantity == D("0.2")
    assert len(verdict.notes) == 1
    assert "reduced from 0.4 to 0.2" in verdict.notes[0]


def test_an_order_that_would_have_to_shrink_below_the_minimum_is_denied_instead() -> None:
    limits = RiskLimits(max_order_quote=D(4), reduce_to_fit=True)
    assert _denied(limits=limits).code is Code.MAX_ORDER


def test_reducing_meets_every_limit_at_once() -> None:
    limits = RiskLimits(D("0.005"), D(1), D(150), D(10), reduce_to_fit=True)
    verdict = assess(REQUEST, replace(ACCOUNT, available=D(90)), limits, D(500))
    assert isinstance(verdict, Approved)
    assert verdict.request.quantity * 5 <= D("0.5")
    assert verdict.request.quantity * D(502) <= D(90)
