"""What the grammar takes: every form of the contract by its exact JSON, and the ways in which people say it."""

import pytest

from bot.grammar.parse import Grammar
from core.market.builtin import builtin_instruments
from tests.bot.grammar.said_buys import BUYS
from tests.bot.grammar.said_exits import EXITS
from tests.bot.grammar.said_queries import QUERIES
from tests.bot.grammar.support import does, meaning, parsed

SENTENCES = (*BUYS, *EXITS, *QUERIES)


@pytest.mark.parametrize(("text", "line"), BUYS)
def test_a_buy_is_understood_as_the_buyer_meant_it(text: str, line: str) -> None:
    assert parsed(text) == meaning(line)


@pytest.mark.parametrize(("text", "line"), EXITS)
def test_an_exit_is_understood_as_the_holder_meant_it(text: str, line: str) -> None:
    assert parsed(text) == meaning(line)


@pytest.mark.parametrize(("text", "line"), QUERIES)
def test_a_question_about_the_house_becomes_its_command(text: str, line: str) -> None:
    assert parsed(text) == meaning(line)


def test_there_are_enough_sentences_and_no_two_are_the_same() -> None:
    texts = [text for text, _ in SENTENCES]
    assert len(texts) == len(set(texts))
    assert len(texts) >= 500


def test_the_sentence_of_the_main_job_gives_the_whole_contract() -> None:
    text = "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute."
    assert parsed(text) == {
        "ok": True,
        "command": "buy",
        "mode": "PAPER",
        "arguments": {
            "symbol": "ZEC/USD",
            "amount": {"value": "0.04", "unit": "base"},
            "order_type": "market",
            "limit_price": None,
            "stop_loss": {"value": "1", "unit": "percent"},
            "take_profit": {"value": "2", "unit": "percent"},
        },
    }


def test_a_limit_with_all_units_of_levels_gives_the_whole_contract() -> None:
    assert parsed("LIVE: long ETH risking 1.5% limit 3,200.50 stop 2 ATR target 3R") == {
        "ok": True,
        "command": "buy",
        "mode": "LIVE",
        "arguments": {
            "symbol": "ETH/USD",
            "amount": {"value": "1.5", "unit": "risk_percent"},
            "order_type": "limit",
            "limit_price": "3200.50",
            "stop_loss": {"value": "2", "unit": "atr"},
            "take_profit": {"value": "3", "unit": "r"},
        },
    }


def test_a_refusal_gives_the_whole_contract() -> None:
    answer = parsed("don't buy 0.1 ETH")
    assert answer.keys() == {"ok", "error"}
    assert answer["ok"] is False
    assert answer["error"].keys() == {"code", "message"}
    assert answer["error"]["code"] == "NEGATED"
    assert answer["error"]["message"].startswith("[EXEC-ERR] NEGATED: ")


SPELLINGS = {
    "ZEC/USD": "ZEC/USD, zec/usd, ZECUSD, zecusd, zec-usd, ZEC_USD, ZEC USD, $ZEC, $zec/usd, zec, Zec, zcash, XZECZUSD",
    "ZEC/EUR": "zec/eur, ZECEUR, zec eur",
    "BTC/USD": "XBT, xbt/usd, XBTUSD, XXBTZUSD, BTC, $BTC, bitcoin, BITCOIN",
    "BTC/EUR": "btc/eur, btc eur, XBT-EUR",
    "ETH/USD": "eth, ether, ethereum, ETH:USD",
    "ETH/BTC": "eth/btc, ETHXBT, ETH/XBT, ethbtc",
    "SOL/USD": "solana, sol, $SOL",
    "SOL/EUR": "SOL-EUR",
    "DOGE/USD": "dogecoin, doge, XDG, XDGUSD",
    "XRP/USD": "ripple",
    "ADA/USD": "cardano",
    "LTC/USD": "litecoin",
    "DOT/USD": "polkadot",
    "AVAX/USD": "avalanche",
    "LINK/USD": "chainlink",
    "XMR/USD": "monero",
    "NOT/USD": "$NOT, NOT/USD",
    "OPEN/USD": "$OPEN, open/usd",
    "ME/USD": "$ME",
    "S/USD": "$S",
    "A/USD": "A/USD",
    "ORDER/USD": "$ORDER",
    "STEP/USD": "STEP/USD",
}
SPELLED = [(spelling, symbol) for symbol, line in SPELLINGS.items() for spelling in line.split(", ")]


@pytest.mark.parametrize(("spelling", "symbol"), SPELLED)
def test_a_symbol_may_be_spelled_in_every_usual_way(spelling: str, symbol: str) -> None:
    assert parsed(f"buy 2 {spelling} stop 1%") == meaning(f"buy {symbol} 2 sl=1%")
    if " " not in spelling:  # in "ZEC USD 2" the currency belongs to the number
        assert parsed(f"/buy {spelling} 2") == meaning(f"buy {symbol} 2")
    assert parsed(f"price {spelling}") == meaning(f"price symbol={symbol}")


AMOUNTS = {
    "0.04": ("0.04 ZEC", "ZEC 0.04", "0.04ZEC"),
    "0.5": ("half a ZEC",),
    "1000": ("1,000 ZEC", "1000 ZEC", "1k ZEC"),
    "1234567.5": ("1,234,567.5 ZEC",),
    "$50": (
        "$50 of ZEC", "50 USD of ZEC", "50 dollars of ZEC", "50 bucks of ZEC", "$50 worth of ZEC", "ZEC for $50",
        "ZEC with 50 usd", "$ 50 of ZEC",
    ),
    "$1500": ("$1.5k of ZEC", "1.5k USD of ZEC", "$1,500 of ZEC", "ZEC for 1.5k dollars"),
    "$1500.25": ("$1,500.25 of ZEC",),
    "10%": ("10% of my balance in ZEC", "ZEC with 10 percent of my cash", "ZEC 10%"),
    "50%": ("ZEC with half my balance", "ZEC with half of my cash"),
    "risk:1%": ("ZEC risk 1%", "ZEC risking 1%", "ZEC risk=1%", "ZEC 1% risk", "ZEC with 1% risk"),
}  # fmt: skip
PARTS = {
    "100%": (
        "all my DOGE",
        "all of my DOGE",
        "my entire DOGE bag",
        "my whole DOGE position",
        "100% of DOGE",
        "all DOGE",
    ),
    "75%": ("three quarters of my DOGE", "75% of my DOGE"),
    "50%": ("half my DOGE", "half of my DOGE", "50% of my DOGE", "DOGE 50%"),
    "25%": ("a quarter of my DOGE", "DOGE 25 percent"),
}


@pytest.mark.parametrize(("said", "amount"), [(said, key) for key, group in AMOUNTS.items() for said in group])
def test_an_amount_keeps_its_value_and_its_unit(said: str, amount: str) -> None:
    assert parsed(f"buy {said}") == meaning(f"buy ZEC/USD {amount}")


@pytest.mark.parametrize(("said", "amount"), [(said, key) for key, group in PARTS.items() for said in group])
def test_a_part_of_a_holding_is_a_percentage(said: str, amount: str) -> None:
    assert parsed(f"sell {said}") == meaning(f"sell DOGE/USD {amount}")


LEVELS = {
    "1%": ("1%", "1 %", "1 percent", "1 pct"),
    "2atr": ("2 ATR", "2atr", "2x ATR", "2 x ATR", "2xatr"),
    "490": ("490", "$490", "$ 490"),
    "1490.25": ("1,490.25", "$1490.25"),
}
SAID_LEVELS = [(said, level) for level, group in LEVELS.items() for said in group]
STOP_LABELS = (
    "SL",
    "sl:",
    "sl=",
    "stop",
    "stop at",
    "stop loss",
    "stop-loss",
    "stoploss",
    "Stop Loss:",
    "s/l",
    "with a stop of",
)
TARGET_LABELS = (
    "TP",
    "tp:",
    "tp=",
    "target",
    "target at",
    "take profit",
    "take-profit",
    "takeprofit",
    "t/p",
    "profit target",
)


@pytest.mark.parametrize(("said", "level"), SAID_LEVELS)
def test_a_stop_is_read_under_every_label_and_unit(said: str, level: str) -> None:
    for label in STOP_LABELS:
        assert parsed(f"buy 0.04 ZEC {label} {said}") == meaning(f"buy ZEC/USD 0.04 sl={level}"), label


@pytest.mark.parametrize(("said", "level"), [*SAID_LEVELS, ("3R", "3r"), ("2.5 r", "2.5r")])
def test_a_target_is_read_under_every_label_and_unit(said: str, level: str) -> None:
    for label in TARGET_LABELS:
        assert parsed(f"buy 0.04 ZEC {label} {said}") == meaning(f"buy ZEC/USD 0.04 tp={level}"), label


@pytest.mark.parametrize(
    "text",
    [
        "buy 0.04 ZEC SL 1% TP 2%",
        "buy 0.04 ZEC TP 2% SL 1%",
        "SL 1% TP 2% buy 0.04 ZEC",
        "buy 0.04 ZEC 1% SL 2% TP",
        "with SL 1% and TP 2% buy 0.04 ZEC",
        "buy ZEC SL 1% TP 2% 0.04",
        "buy SL 1% TP 2% ZEC 0.04",
        "buy SL 1% 0.04 ZEC TP 2%",
        "/buy sl=1% tp=2% 0.04 ZEC",
        "/buy sl=1% ZEC tp=2% 0.04",
        "buy 0.04 ZEC, stop 1% below, target 2% above",
    ],
)
def test_the_order_of_the_parts_does_not_matter(text: str) -> None:
    assert parsed(text) == meaning("buy ZEC/USD 0.04 sl=1% tp=2%")


@pytest.mark.parametrize(
    "phrase", ["limit 3200", "@ 3200", "@3200", "at 3200", "lmt 3200", "limit=3200", "limit: $3,200"]
)
def test_a_price_makes_a_limit_order_and_its_absence_a_market_order(phrase: str) -> None:
    assert parsed(f"buy 0.1 ETH {phrase}") == meaning("buy ETH/USD 0.1 limit=3200")
    assert parsed(f"sell 0.1 ETH {phrase}") == meaning("sell ETH/USD 0.1 limit=3200")
    assert parsed("buy 0.1 ETH") == meaning("buy ETH/USD 0.1")


@pytest.mark.parametrize("word", ["paper", "live"])
def test_a_mode_may_stand_in_front_behind_or_between(word: str) -> None:
    wanted = meaning(f"buy ETH/USD 0.1 {word.upper()}")
    for text in (
        f"{word} buy 0.1 ETH",
        f"buy 0.1 ETH {word}",
        f"buy 0.1 ETH on {word} at market",
        f"{word}: buy 0.1 ETH",
    ):
        assert parsed(text) == wanted


def test_a_coin_alone_is_bought_for_the_owners_quote_currency() -> None:
    grammar = Grammar(builtin_instruments(), quote="EUR")
    answer = grammar.parse("buy 0.1 ETH").as_json()
    assert answer["arguments"]["symbol"] == "ETH/EUR"
    assert grammar.parse("buy 0.1 ETH/USD").as_json()["arguments"]["symbol"] == "ETH/USD"


def test_spoken_euros_choose_the_euro_pair() -> None:
    assert parsed("buy €50 of BTC") == meaning("buy BTC/EUR $50")
    assert parsed("buy 50 euros of ETH") == meaning("buy ETH/EUR $50")


def test_the_same_text_always_gives_the_same_answer() -> None:
    for text, _ in SENTENCES[::7]:
        assert parsed(text) == parsed(text)


def test_case_blanks_and_courtesy_change_nothing() -> None:
    wanted = meaning("buy ZEC/USD 0.04 sl=1%")
    for text in (
        "buy 0.04 zec sl 1%",
        "BUY 0.04 ZEC SL 1%",
        "  buy   0.04\tZEC \n SL   1%  ",
        "Zyn, please buy 0.04 ZEC, SL 1%. Thanks! Execute.",
        "Hey zyn, I'd like to buy 0.04 ZEC with SL 1% now please",
        "ｂｕｙ 0.04 ＺＥＣ ＳＬ 1％",
    ):
        assert parsed(text) == wanted


def test_a_query_that_speaks_of_trading_trades_nothing() -> None:
    for text in ("why did you buy ETH?", "what did you sell today?", "did you buy ETH", "any open buy orders?"):
        assert does(text) == ""
