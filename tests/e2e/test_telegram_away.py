"""Telegram is down, slow, or says no: trading goes on, and nothing that had to be told is lost or told twice."""

import pytest

from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import STANDS_STILL, Home
from tests.e2e.recording import moving, write_closes
from tests.e2e.telegram_kit import OWNER, answer, is_alert, on_telegram, polling_bot, tell, texts_to
from tests.standins.telegram import Down, Telegram

pytestmark = pytest.mark.e2e

BUY = "buy 0.04 ZEC/USD sl 1% tp 2%"


@pytest.mark.parametrize("how", list(Down), ids=lambda how: str(how.name).lower())
async def test_telegram_down_at_the_start_stops_nothing_and_is_met_later(
    home: Home, telegram: Telegram, how: Down
) -> None:
    await telegram.go_down(how)
    bot = await on_telegram(home, telegram).bot()
    await bot.log.wait_for("Telegram cannot be reached", 10.0)
    assert "Bought 0.04 ZEC" in await bot.done(BUY)
    waiting = telegram.say(OWNER, "open")
    await telegram.come_back()
    await bot.log.wait_for(f"Telegram: polling as @{telegram.username}", 20.0)
    assert "Positions (1):" in await answer(telegram, waiting, 20.0)


async def test_a_wrong_token_is_said_and_stops_nothing(home: Home, telegram: Telegram) -> None:
    on_telegram(home, telegram).environment["TELEGRAM_BOT_TOKEN"] = "987654321:AAWrongTokenOfSomebodyElse"
    bot = await home.bot()
    assert "TELEGRAM_BOT_TOKEN" in await bot.log.wait_for("refuses the token", 10.0)
    assert "Bought 0.04 ZEC" in await bot.done(BUY)
    assert "AAWrongTokenOfSomebodyElse" not in bot.log.text
    assert await bot.stop() == 0


async def test_what_fires_while_telegram_is_down_is_told_once_when_it_is_back(home: Home, telegram: Telegram) -> None:
    path = write_closes(home.path / "ETHUSD_1.csv", moving("3000", "-0.05", 3000))
    home.environment = {"MARKET": f"replay:{path}", "MARKET_SPEED": STANDS_STILL}
    first = await on_telegram(home, telegram).bot()
    await first.done("buy 0.1 ETH/USD sl 1% tp 2%")
    assert await first.stop() == 0
    await telegram.go_down()
    home.environment["MARKET_SPEED"] = "1200"
    bot = await home.bot()
    while (await bot.ask("open"))["data"]["positions"]:
        pass
    await bot.log.wait_for("Telegram cannot be reached", 10.0)
    await telegram.come_back()
    await telegram.wait_for(lambda one: "closed: stop hit" in one.text, 20.0)
    await tell(telegram, "status", timeout=20.0)
    alerts = [line for one in telegram.sent if is_alert(one) for line in one.text.splitlines()]
    # The market runs from the first moment on, so the stop may fire before or after the house says that it is back.
    assert sorted(text.split(".")[0].split(",")[0] for text in alerts if text.startswith("[")) == [
        "[PAPER] ETH/USD closed: stop hit",
        "[PAPER] Stop sold 0",
        "[PAPER] Zyn is back",
        "[PAPER] Zyn stops",
    ]
    assert disagreements(read_books(home.database)) == []


async def test_a_message_said_while_telegram_was_away_is_done_once(home: Home, telegram: Telegram) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    assert "No positions." in await tell(telegram, "open")
    await telegram.go_down()
    said = telegram.say(OWNER, BUY)
    await telegram.come_back()
    assert "Bought 0.04 ZEC" in await answer(telegram, said, 20.0)
    await telegram.wait_until_read(said, 20.0)
    assert "Positions (1):" in await tell(telegram, "open")
    assert len(read_books(home.database).brackets) == 1


async def test_a_message_that_is_delivered_again_after_a_kill_is_not_done_again(home: Home, telegram: Telegram) -> None:
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    said = telegram.say(OWNER, BUY)
    assert "Bought 0.04 ZEC" in await answer(telegram, said)
    await bot.kill()
    telegram.deliver_again(said)
    await home.bot()
    shown = await telegram.reply_to(telegram.say(OWNER, "open"), where=lambda one: "Positions (" in one.text)
    assert "Positions (1):" in shown.text
    assert len(read_books(home.database).brackets) == 1


async def test_a_flooded_answer_arrives_after_the_wait_that_telegram_asks_for(home: Home, telegram: Telegram) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    telegram.flood(1, retry_after=1)
    told = await tell(telegram, BUY)
    assert "Bought 0.04 ZEC" in told
    assert len(read_books(home.database).brackets) == 1
    assert sum("Bought" in text for text in texts_to(telegram, OWNER)) == 1


async def test_sigterm_while_telegram_is_down_ends_the_bot_at_once(home: Home, telegram: Telegram) -> None:
    await telegram.go_down()
    bot = await on_telegram(home, telegram).bot()
    await bot.log.wait_for("Telegram cannot be reached", 10.0)
    assert await bot.stop(5.0) == 0


@pytest.mark.parametrize("how", list(Down), ids=lambda how: str(how.name).lower())
async def test_an_outage_is_told_in_plain_lines_without_a_traceback(home: Home, telegram: Telegram, how: Down) -> None:
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    assert "No positions." in await tell(telegram, "open")
    await telegram.go_down(how)
    waiting = telegram.say(OWNER, "open")
    await telegram.come_back()
    assert "No positions." in await answer(telegram, waiting, 20.0)
    assert "Traceback" not in bot.log.text
