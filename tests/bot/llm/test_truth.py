"""Whether a text claims that something was traded."""

import pytest

from bot.llm.truth import TradeResultValidator

CLAIMS = [
    "I bought 0.04 ZEC for you.",
    "Done! Your order has been placed.",
    "Your position is now protected with a stop.",
    "Order executed at 512.3.",
    "I've sold your ETH.",
    "Successfully closed the trade.",
    "The stop was moved to 500.",
    "✅ 0.04 ZEC",
    "We have opened a long in SOL.",
    "Canceled the order.",
    "Trade is live.",
    "Bought 0.1 BTC at market",
]
HARMLESS = [
    "I cannot trade by myself; say it as an order.",
    "Nothing was bought.",
    "ETH trades near 3000 today.",
    "You could buy when you like; the choice is yours.",
    "No order was placed.",
    "What would you like to do, jimmy?",
    "The market looks quiet.",
]


@pytest.mark.parametrize("text", CLAIMS)
def test_a_claim_is_seen(text: str) -> None:
    assert TradeResultValidator.claims_execution(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_claims_nothing_is_let_through(text: str) -> None:
    assert not TradeResultValidator.claims_execution(text)


def test_one_claim_among_harmless_sentences_is_enough() -> None:
    assert TradeResultValidator.claims_execution("Nothing to worry about. I sold everything.")
