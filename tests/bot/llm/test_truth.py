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
    "Your stop is at 580.",
    "You're long 0.04 ZEC now.",
    "You now own 0.04 ZEC.",
    "Never better, I sold everything.",
    "No problem, I bought 0.04 ZEC.",
    "Filled: 0.04 ZEC @ 589",
    "Position opened at 589.",
    "All good, your position is open.",
    "I have entered a long for you",
    "I **b o u g h t** it",
    "I bo\u200bught it for you",
    "We b\u043eught it",
    "\uff22\uff4f\uff55\uff47\uff48\uff54 0.04 ZEC",
    "Gekauft!",
    "He comprado 0.04 ZEC.",
    "Ordre exécuté.",
    "Я купил 0.04 ZEC.",
    "已买 0.04 ZEC",
    "Taken care of, jimmy.",
    "It went through.",
    "Your ZEC purchase is complete.",
    "ZEC is now in your wallet.",
    "0.04 ZEC added to your portfolio at 777.77.",
    "Got you 0.04 ZEC at 777.77.",
    "Filled.",
    "Order complete.",
    "Status: FILLED @ 777.77",
    "Fill price: 777.77.",
    "Receipt: buy 0.04 ZEC at 777.77, fee 0.08 USD.",
    "Long 0.04 ZEC @ 777.77, SL 770",
    "Your stop now sits at 770.",
    "Stop: 770 (active).",
    "There is no longer any open order.",
    "I got rid of all your ZEC.",
    "Swapped 40 USD for ZEC.",
    "Der Kauf ist durch.",
    "Kupiłem 0.04 ZEC.",
    "Jag har köpt 0.04 ZEC.",
    "매수했습니다.",
    "已经帮你买了",
]
HARMLESS = [
    "I cannot trade by myself; say it as an order.",
    "Nothing was bought.",
    "ETH trades near 3000 today.",
    "You could buy when you like; the choice is yours.",
    "No order was placed.",
    "What would you like to do, jimmy?",
    "The market looks quiet.",
    "ETH opened at 3000 and closed at 3100 today.",
    "ETH moved 3% higher.",
    "BTC hit a new high.",
    "Shall I set a stop?",
    "Which position do you want to close?",
    "Je n'ai rien acheté.",
    "Say 'buy 0.04 ZEC' if you want it.",
    "A stop 1% below would be near 583.",
]


@pytest.mark.parametrize("text", CLAIMS)
def test_a_claim_is_seen(text: str) -> None:
    assert TradeResultValidator.claims_execution(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_claims_nothing_is_let_through(text: str) -> None:
    assert not TradeResultValidator.claims_execution(text)


def test_one_claim_among_harmless_sentences_is_enough() -> None:
    assert TradeResultValidator.claims_execution("Nothing to worry about. I sold everything.")


def test_an_order_id_that_no_receipt_of_the_turn_has_is_made_up() -> None:
    known = "Positions (1):\n• stop ZEC/USD sell 0.04 at 583 · resting · PX-000002"
    assert TradeResultValidator.names_unknown_order("See PX-000777.", known)
    assert TradeResultValidator.names_unknown_order("See OABCDE-FGHIJ-KLMNOP.", known)
    assert not TradeResultValidator.names_unknown_order("See px-000002.", known)
    assert not TradeResultValidator.names_unknown_order("Nothing to see.", "")


def test_either_makes_a_text_unproven() -> None:
    assert TradeResultValidator.is_unproven("I bought it.", "")
    assert TradeResultValidator.is_unproven("Look at PX-000001.", "")
    assert not TradeResultValidator.is_unproven("Hello jimmy.", "")
