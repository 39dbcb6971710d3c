"""Refusals, each with its own code and a message that says what would be right."""

import sys
from types import FrameType
from typing import Any

import pytest

from bot.grammar.parse import MAX_LENGTH, NotParsed, Parsed
from tests.bot.grammar.support import GRAMMAR, code_of, parsed

REFUSED: dict[str, tuple[str, ...]] = {
    "QUESTION": (
        "buy 0.1 ETH?", "should I buy 0.1 ETH", "should I sell all my DOGE?", "can you buy 0.1 ETH",
        "could you please sell ETH", "would you buy 0.1 ETH", "will you close ETH", "do I buy 0.1 ETH",
        "did you buy 0.1 ETH now", "is it time to buy 0.1 ETH", "what if I buy 0.1 ETH", "how do I buy 0.1 ETH",
        "how to buy 0.1 ETH", "where can I buy 0.1 ETH", "who would buy 0.1 ETH", "zyn, should I buy 0.1 ETH",
        "ok so should I buy 0.1 ETH", "please can you buy 0.1 ETH", "/buy 0.1 ETH?", "flatten?",
        "close all positions?", "paper buy 0.1 ETH?", "shall we go long ETH $50", "may I buy 0.1 ETH",
        "have we bought 0.1 ETH",
    ),
    "NEGATED": (
        "don't buy 0.1 ETH", "dont buy 0.1 ETH", "don’t buy 0.1 ETH", "do not buy 0.1 ETH", "never buy 0.1 ETH",
        "no buy 0.1 ETH", "not buy 0.1 ETH", "buy 0.1 ETH not", "buy 0.1 ETH no", "I don't want to buy 0.1 ETH",
        "please do not sell my 0.1 ETH", "avoid buy 0.1 ETH", "stop buying 0.1 ETH", "hold off on buy 0.1 ETH",
        "instead of buy 0.1 ETH", "don't close ETH", "do not flatten everything", "don't cancel all orders",
        "never go live", "don't move the stop of ETH to 3000", "buy 0.1 ETH without stop",
        "buy 0.1 ETH with no stop", "/buy 0.1 ETH never", "sell nothing ETH",
    ),
    "CONDITIONAL": (
        "if ETH drops buy 0.1 ETH", "buy 0.1 ETH if it drops to 3000", "buy 0.1 ETH when it hits 3000",
        "buy 0.1 ETH once BTC rises", "buy 0.1 ETH unless it falls", "buy 0.1 ETH as soon as BTC is up",
        "buy 0.1 ETH in case BTC rises", "maybe buy 0.1 ETH", "should ETH drop, buy 0.1 ETH",
        "were ETH to drop, buy 0.1 ETH", "buy 0.1 ETH after the dip", "I might buy 0.1 ETH",
        "perhaps buy 0.1 ETH", "buy 0.1 ETH provided BTC holds", "buy 0.1 ETH until 3000",
        "suppose I buy 0.1 ETH", "close ETH if BTC falls", "sell half my ETH when it doubles",
        "/buy maybe 0.1 ETH", "otherwise buy 0.1 ETH", "whenever it dips buy 0.1 ETH",
        "buy 0.1 ETH as long as BTC is up", "flatten if BTC falls", "go live if BTC rises",
    ),
    "DEFERRED": (
        "buy 0.1 ETH tomorrow", "tomorrow buy 0.1 ETH", "buy 0.1 ETH tonight", "buy 0.1 ETH later",
        "buy 0.1 ETH next week", "buy 0.1 ETH on Monday", "buy 0.1 ETH at 5pm", "buy 0.1 ETH at 17:00",
        "buy 0.1 ETH at noon", "buy 0.1 ETH in 5 minutes", "buy 0.1 ETH in 10 min", "buy ETH in 5m",
        "buy 0.1 ETH in an hour", "buy 0.1 ETH in two hours", "buy 0.1 ETH every day", "buy 0.1 ETH daily",
        "I'll buy 0.1 ETH", "I will buy 0.1 ETH", "I'm going to buy 0.1 ETH", "buy 0.1 ETH at the open",
        "sell all my ETH tomorrow", "close ETH this evening", "flatten at midnight", "/buy 0.1 ETH tomorrow",
        "wait, buy 0.1 ETH", "cancel all orders tonight", "buy 0.1 ETH in 2 hours", "buy 0.1 ETH in december",
        "schedule buy 0.1 ETH", "go live tomorrow",
    ),
    "REPORTED": (
        "I bought 0.1 ETH", "bought 0.1 ETH at 3200", "I have bought 0.1 ETH", "we sold 0.1 ETH",
        "sold half my ETH", "I closed ETH", "he said buy 0.1 ETH", "they told me to buy 0.1 ETH",
        "my friend says buy 0.1 ETH", "the article: buy 0.1 ETH", "news: buy 0.1 ETH", '"buy 0.1 ETH"',
        "“buy 0.1 ETH”", "buy 0.1 ETH yesterday", "buy 0.1 ETH an hour ago", "twitter says buy 0.1 ETH",
        "I was long 0.1 ETH", "executed: buy 0.1 ETH", "according to Bob buy 0.1 ETH", "dumped all my DOGE",
        "Zyn bought 0.1 ETH", "my wife told me: sell all my ETH", "elon tweeted buy 100 doge",
        "ETH stop was 3000",
    ),
    "TWO_ORDERS": (
        "buy 0.1 ETH and sell 1 SOL", "buy 0.1 ETH then sell it", "buy 0.1 ETH. buy 0.1 ETH.",
        "buy 0.1 ETH and 1 SOL", "buy 0.1 ETH and close SOL", "close ETH and SOL", "close ETH and buy 0.1 SOL",
        "cancel ETH and SOL", "buy or sell 0.1 ETH", "buy 0.1 ETH; flatten", "flatten and buy 0.1 ETH",
        "cancel all and flatten", "buy 0.1 ETH\nbuy 0.2 ETH", "buy 0.1 ETH, SOL", "sell ETH and buy BTC",
        "buy ETH/USD ETH/EUR 0.1", "cancel PX-000001 and PX-000002", "buy 0.1 ETH & sell 0.1 ETH",
        "buy 0.1 ETH and go live", "close ETH and go long",
    ),
    "AMBIGUOUS": (
        "buy 0.1 ETH SL 1% SL 2%", "buy 0.1 ETH stop 3000 stop 3100", "buy 0.1 ETH SL 1% stop loss 2%",
        "buy 0.1 ETH TP 2% target 3%", "paper and live buy 0.1 ETH", "live buy 0.1 ETH on paper",
        "buy 0.1 ETH paper live", "go live or stay paper", "buy 0,04 ZEC", "buy 1,5 ETH", "buy 1.000,50 ETH",
        "buy 0.1 ETH limit 3200,5", "buy 0.1 ETH stop 3.000,5", "buy 0.1.2 ETH", "buy 0.1 ETH 3200",
        "buy ETH 0.1 3200", "buy 0.1 0.2 ETH", "buy 0.1 ETH $300", "buy 0.1 ETH limit 3200 limit 3300",
        "buy 0.1 ETH @ 3200 @ 3300", "buy half ETH", "buy all ETH", "buy 0.1 ETH below 3000",
        "buy ETH 5% below", "cancel PX-000007 ETH", "buy limit ETH 0.1 3200", "buy 10% of my ETH",
        "sell ETH half or all",
    ),
    "SYMBOL": (
        "buy 0.1", "buy $50", "buy 0.1 XYZ", "buy 0.1 FOO/USD", "buy 0.1 ETH/ABC", "sell half", "close", "exit",
        "close the door", "protect stop 1%", "buy 50 notacoin", "price", "price of XYZ", "chart", "backtest",
        "buy 5 LTC/BNB", "buy €50 of ZEC/XYZ", "bracket 0.1 sl 1% tp 2%", "close XYZ", "buy 0.1 USD/ETH",
        "buy €5 of PEPE",
    ),
    "AMOUNT": (
        "buy ETH", "sell ETH stop 1%", "buy 0 ETH", "buy -0.1 ETH", "buy $0 of ETH", "buy -$50 of ETH",
        "buy ETH 0%", "buy 200% of my balance ETH", "sell 150% of my ETH", "buy ETH risk 0%",
        "buy ETH risk 101%", "buy €50 of ETH/USD", "buy $50 of ETH/EUR", "close half ETH",
        "bracket ETH sl 1% tp 2%", "buy ETH limit 3200", "buy some ETH", "/buy ETH", "sell ETH risk 1%",
    ),
    "ORDER_TYPE": (
        "buy 0.1 ETH market limit 3200", "buy 0.1 ETH limit 3200 market", "buy 0.1 ETH at market @ 3200",
        "market buy 0.1 ETH limit 3200", "sell 0.1 ETH at market limit 3300",
        "market order buy 0.1 ETH at 3200",
    ),
    "LIMIT_PRICE": (
        "buy 0.1 ETH limit", "limit buy 0.1 ETH", "buy 0.1 ETH limit 0",
        "buy 0.1 ETH @ 0", "buy 0.1 ETH limit -3200", "sell 0.1 ETH limit",
        "place a limit order to buy 0.1 ETH", "buy 0.1 ETH limit 5%",
    ),
    "STOP_LOSS": (
        "buy 0.1 ETH SL", "buy 0.1 ETH SL 0", "buy 0.1 ETH stop 0%", "buy 0.1 ETH SL 100%",
        "buy 0.1 ETH SL 150%", "buy 0.1 ETH stop 1% above", "buy 0.1 ETH SL +1%", "buy 0.1 ETH SL -3000",
        "buy 0.1 ETH SL 2R", "buy 0.1 ETH SL TP 2%", "bracket 0.1 ETH TP 2%", "protect ETH", "protect ETH SL",
        "move stop ETH", "protect ETH SL 100%",
    ),
    "TAKE_PROFIT": (
        "buy 0.1 ETH TP", "buy 0.1 ETH TP 0", "buy 0.1 ETH TP 0%", "buy 0.1 ETH TP 2% below",
        "buy 0.1 ETH TP -2%", "bracket 0.1 ETH SL 1%", "buy 0.1 ETH SL 1% TP", "move ETH target to break even",
        "buy 0.1 ETH TP -3400", "protect ETH TP 0",
    ),
    "TARGET": (
        "cancel", "cancel order", "cancel it", "mode to", "switch", "switch to", "/cancel", "cancel order 7",
        "switch mode",
    ),
    "DAYS": (
        "backtest ETH 0 days", "backtest ETH 1.5 days", "backtest ETH -3 days", "backtest ETH 100000 days",
        "backtest ETH 0",
    ),
    "ACTION": (
        "autopilot on and off", "risk show resume",
    ),
    "PERIOD": (
        "report day week", "daily report for the week",
    ),
    "NOT_A_COMMAND": (
        "", "   ", "\n", "hmm", "hello", "thanks", "ok", "yes", "gm", "lol", "🚀", "0.1", "ETH",
        "ETH 0.1", "$50 of SOL", "50", "1%", "order pizza", "good morning", "asdf qwer", "buy milk",
        "Saylor to buy 0.1 BTC", "> buy 0.1 ETH", "kaufe 0.1 ETH", "buy 0.1 ETH lol", "short 0.1 ETH",
        "transfer 0.1 ETH", "/foo", "/", "/stop", "/buyy 0.1 ETH", "buy 0.1 ETH 🤔", "i buy 0.1 ETH",
        "buy 0.1 ETH perp", "cancel my subscription", "the quick brown fox jumps over the lazy dog", "{}",
        "buy 5x ETH", "....", "---", "<b>buy</b> 0.1 ETH", "buying 0.1 ETH",
        "sell wall BTC", "ETH to the moon",
    ),
}  # fmt: skip
ROWS = [(text, code) for code, texts in REFUSED.items() for text in texts]


@pytest.mark.parametrize(("text", "code"), ROWS)
def test_a_refusal_carries_the_code_of_its_reason(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(("text", "code"), ROWS[::5])
def test_a_refusal_reads_as_the_line_of_the_log_and_says_what_would_be_right(text: str, code: str) -> None:
    error = parsed(text)["error"]
    prefix = f"[EXEC-ERR] {error['code']}: "
    assert error["message"].startswith(prefix)
    assert len(error["message"]) > len(prefix) + 15


def test_a_message_too_long_for_an_order_is_refused_and_the_longest_is_not() -> None:
    order = "buy 0.1 ETH"
    padded = order + " " * (MAX_LENGTH - len(order) - 1) + "."
    assert code_of(padded) == ""
    assert code_of(padded + ".") == "NOT_A_COMMAND"
    assert str(MAX_LENGTH + 1) in parsed(padded + ".")["error"]["message"]


@pytest.mark.parametrize("unit", [" @ 1", " limit 1", " at 1 limit 2", " sl 1", " sl 1 tp 2", " risk 1%", " 1 sl"])
def test_many_labels_in_one_message_are_answered_at_once(unit: str) -> None:
    """What one label costs must not multiply: a message is answered while the bot's other work waits."""
    order = "buy 0.1 ETH"
    text = order + unit * ((MAX_LENGTH - len(order)) // len(unit))
    assert isinstance(_parsed_within(text, calls=200_000), NotParsed)


def _parsed_within(text: str, *, calls: int) -> Parsed | NotParsed:
    """The answer to `text`. Raises AssertionError when it takes more than so many function calls."""
    left = calls

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        left -= event == "call"
        if left < 0:
            raise AssertionError(f"more than {calls} calls for {len(text)} characters")

    sys.setprofile(count)
    try:
        return GRAMMAR.parse(text)
    finally:
        sys.setprofile(None)


def test_the_message_of_a_refusal_names_the_word_that_was_in_the_way() -> None:
    assert "'moon'" in parsed("buy 0.1 ETH to the moon")["error"]["message"]
    assert "'0,04'" in parsed("buy 0,04 ZEC")["error"]["message"]
    assert "XYZ" in parsed("buy 0.1 XYZ")["error"]["message"]
    assert "/foo" in parsed("/foo")["error"]["message"]
