"""The autopilot as its owner sees it on Telegram: alerts of what it does, and screens that say why."""

import asyncio

import pytest

from tests.e2e.kit import Home
from tests.e2e.recording import COINS, recorded
from tests.e2e.telegram_kit import OWNER, is_alert, on_telegram, polling_bot, tell
from tests.standins.telegram import TEXT_MAX, Telegram

pytestmark = pytest.mark.e2e

STRATEGY = """
profile = "shown"
[universe]
symbols = ["ETH/USD", "SOL/USD", "XRP/USD", "DOGE/USD"]
"""


async def test_its_trades_are_told_and_its_screens_say_why(home: Home, telegram: Telegram) -> None:
    folder = recorded(home.path / "candles", 400)
    (home.path / "mine.toml").write_text(STRATEGY)
    home.environment |= {
        "MARKET": f"replay:{folder}", "MARKET_SPEED": "3000", "AUTOPILOT": "true", "STRATEGY": "mine.toml",
    }  # fmt: skip
    await polling_bot(on_telegram(home, telegram), telegram)
    bought = await telegram.wait_for(lambda one: is_alert(one) and "Bought " in one.text, 60)
    symbol = next(f"{coin}/USD" for coin in COINS if f" {coin} at " in bought.text)
    await telegram.wait_for(lambda one: is_alert(one) and "protected: stop" in one.text, 30)

    market = await tell(telegram, "market")
    assert all(f"• {coin}/USD " in market for coin in COINS)
    assert "Strategy: shown, candles of 5 min." in market
    async with asyncio.timeout(60):
        # At this speed a machine that is busy for a moment misses candles; that is told too, and asked about again.
        while "It was missed" in (why := await tell(telegram, f"explain {symbol}")):
            await asyncio.sleep(0.3)
    assert "Decision: " in why
    assert why.count("\n• ") >= 6, "one line for each filter's vote"
    story = await tell(telegram, f"debug {symbol}")
    assert "LONG (" in story
    assert "entry filled" in story
    assert "no stop could be placed" not in story, "a clock that jumps from candle to candle left nobody bare"
    risk = await tell(telegram, "risk")
    assert "Autopilot trades today: " in risk
    assert "Kill switch: " in risk
    assert all(len(text.encode("utf-16-le")) // 2 <= TEXT_MAX for text in (market, why, story, risk))

    said = telegram.say(OWNER, f"chart {symbol}")
    picture = await telegram.reply_to(said, 30, where=lambda one: not is_alert(one))
    assert picture.photo is not None
    assert picture.photo.content.startswith(b"\x89PNG")
    assert picture.text.splitlines()[1].startswith(f"{symbol} 5 min, close ")
    for title, text in (("market", market), ("explain", why), ("debug", story), ("risk", risk)):
        print(f"--- {title}\n{text}")
    (home.path / "chart.png").write_bytes(picture.photo.content)
