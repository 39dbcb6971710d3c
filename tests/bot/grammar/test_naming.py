"""When a model's order passes as the user's own: only where his sentence names the very same order."""

import json
from typing import Any

import pytest

from bot.grammar.parse import Grammar
from bot.llm.tools import command_of
from core.commands.base import Command, Danger
from core.domain.modes import Mode
from core.market.builtin import builtin_instruments

GRAMMAR = Grammar(builtin_instruments(), "USD")
LEVELS: dict[str, Any] = {
    "stop_loss": {"value": "1", "unit": "percent"},
    "take_profit": {"value": "2", "unit": "percent"},
}


def order(name: str = "buy", **fields: Any) -> Command:
    given = {"symbol": "ZEC/USD", "amount": {"value": "0.04", "unit": "base"}} | fields
    return command_of(name, json.dumps(given), frozenset(Danger)).command


def percent(value: str) -> dict[str, str]:
    return {"value": value, "unit": "percent"}


def coins(value: str) -> dict[str, str]:
    return {"value": value, "unit": "base"}


DOUBTS = (
    "不要 buy 0.04 zec",
    "не надо buy 0.04 zec",
    "لا buy 0.04 zec",
    "Петя: buy 0.04 zec",
    "❌ buy 0.04 zec",
    "buy 0.04 zec 👎",
    "~~buy 0.04 zec~~",
    "> buy 0.04 zec",
    "«buy 0.04 zec»",
    "my boss wants to buy 0.04 zec",
    "some folks like to buy 0.04 zec",
    "I feel little need to buy 0.04 zec",
    "put away the buy 0.04 zec",
    "I'm long 0.04 zec",
    "great buy, 0.04 zec",
    "pockets buy 0.04 zec then some more",
    "pockets buy 0.04 zec and more",
)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("our pockets want to buy 0.04 zcash", order()),
        ("Our pockets want to buy 0.04 zcash, stop 1% and target 2% sort of thing.", order(**LEVELS)),
        ("so well, we want to buy 0.04 zec", order()),
        ("pockets buy 0.04 ZEC/USD, 1% stop, 2% target", order(**LEVELS)),
        ("pockets buy 0.04 zec, 1% stop, 2% target", order("bracket", **LEVELS)),
        ("pockets buy $50 worth of zec", order(amount={"value": "50", "unit": "quote"})),
        ("pockets sell 0.04 zec", order("sell")),
        ("pockets buy 0.04 zec at 480", order(order_type="limit", limit_price="480")),
        ("pockets buy 0.040 zec", order()),
    ],
)
def test_the_same_side_amount_symbol_and_levels_are_the_same_order(text: str, command: Command) -> None:
    assert GRAMMAR.names(text, command, Mode.PAPER, Mode.PAPER)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("our pockets want some zcash, about four hundredths", order()),
        ("pockets buy 0.4 zec", order()),
        ("pockets sell 0.04 zec", order()),
        ("pockets buy or sell 0.04 zec", order()),
        ("pockets buy 0.04 eth", order()),
        ("pockets buy 0.04 zec or eth", order()),
        ("pockets buy 0.04", order()),
        ("pockets buy $0.04 of zec", order()),
        ("pockets buy 0.04% zec", order()),
        ("pockets buy 0.04 zec 1% 2%", order()),
        ("pockets buy 0.04 zec 1% 2%", order(**LEVELS)),
        ("pockets buy 0.04 zec", order(**LEVELS)),
        ("pockets buy 0.04 zec 1% 3%", order(**LEVELS)),
        ("pockets buy 0.04 zec", order(order_type="limit", limit_price="480")),
        ("pockets buy 0.04 zec and 0.04 zec", order()),
        ("pockets buy 2% zec with a stop of 50%", order(amount=percent("50"), stop_loss=percent("2"))),
        (
            "pockets buy 2 zec limit 4",
            order(amount={"value": "4", "unit": "base"}, order_type="limit", limit_price="2"),
        ),
        ("pockets buy 2 zec, target 600", order(amount=coins("2"), order_type="limit", limit_price="600")),
        ("pockets buy 2 zec stop 100", order(amount=coins("100"), stop_loss={"value": "2", "unit": "price"})),
        ("pockets buy 0.04 zec 1% stop 2% target", order(stop_loss=percent("2"), take_profit=percent("1"))),
        ("pockets buy zec, risk 1%", order(amount=percent("1"))),
        *[(text, order()) for text in DOUBTS],
        *[
            (text, order(amount=coins("50")))
            for text in ("buy £50 zec", "buy 50£ of zec", "¥50 zec buy", "buy 50¢ zec")
        ],
        *[(text, order(amount=coins("2"))) for text in ("buy 2½ zec", "buy <2 zec", "buy ₿2 zec", "buy ≠2 zec")],
        *[(text, order("sell")) for text in ("trim our zec to 0.04 guys", "reduce my zec to about 0.04")],
        ("nobody should buy 0.04 zec", order()),
        ("my uncle: buy 0.04 ZEC", order()),
        ("I regret that I buy 0.04 ZEC", order()),
        ("kauf bloss keine 0.04 ZEC, kein buy", order()),
        ("ne jamais buy 0.04 zec", order()),
        ("h\u00e4tte ich doch buy 0.04 zec", order()),
        ("pockets live buy 0.04 zec", order()),
        ("pockets flatten 0.04 zec", command_of("flatten", "{}", frozenset(Danger)).command),
        ("", order()),
        ("buy 0.04 zec " * 60, order()),
    ],
)
def test_any_difference_or_doubt_is_not_the_same_order(text: str, command: Command) -> None:
    assert not GRAMMAR.names(text, command, Mode.PAPER, Mode.PAPER)


def test_the_desk_must_be_the_one_that_was_said_or_where_none_was_the_active_one() -> None:
    paper, live = Mode.PAPER, Mode.LIVE
    assert GRAMMAR.names("pockets paper buy 0.04 zec", order(), paper, live)
    assert GRAMMAR.names("pockets paper buy 0.04 zec", order(), paper, paper)
    assert GRAMMAR.names("pockets buy 0.04 zec", order(), live, live)
    assert not GRAMMAR.names("pockets buy 0.04 zec", order(), paper, live)
    assert not GRAMMAR.names("pockets paper buy 0.04 zec", order(), live, live)
    assert not GRAMMAR.names("pockets live buy 0.04 zec", order(), paper, paper)
