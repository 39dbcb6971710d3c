"""The main job through Telegram: orders, answers, alerts, and silence for everybody else."""

from datetime import UTC, datetime, timedelta

import pytest

from core.commands.base import registry
from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import Home, eventually
from tests.e2e.recording import moving, write_closes
from tests.e2e.telegram_kit import (
    OWNER,
    SECOND,
    STRANGER,
    answer,
    is_alert,
    on_telegram,
    polling_bot,
    tell,
    texts_to,
)
from tests.standins.telegram import TEXT_MAX, Telegram

pytestmark = pytest.mark.e2e

BUY = "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute."
OPEN = "Show open positions and open orders."


async def test_the_main_job_through_telegram(home: Home, telegram: Telegram) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    bought = await tell(telegram, BUY)
    shown = await tell(telegram, OPEN)
    assert bought.startswith("Mode: PAPER.\nBought 0.04 ZEC (ZEC/USD) at ")
    assert shown.startswith("Mode: PAPER.\nPositions (1):\n• ZEC/USD 0.04 bought at ")
    assert "Open orders (2):" in shown
    assert disagreements(read_books(home.database)) == []


async def test_a_stop_that_fires_is_told_once_and_its_target_is_gone(home: Home, telegram: Telegram) -> None:
    path = write_closes(home.path / "ETHUSD_1.csv", moving("3000", "-0.05", 3000))
    home.environment = {"MARKET": f"replay:{path}", "MARKET_SPEED": "600"}
    await polling_bot(on_telegram(home, telegram), telegram)
    assert "Bought 0.1 ETH" in await tell(telegram, "buy 0.1 ETH/USD sl 1% tp 2%")
    alert = await telegram.wait_for(lambda one: "closed: stop hit" in one.text, 20.0)
    assert alert.chat_id == OWNER
    shown = await tell(telegram, OPEN)
    assert "No positions." in shown
    assert "No open orders." in shown
    await telegram.wait_until_read(telegram.say(OWNER, "status"))
    alerts = [one.text for one in telegram.sent if is_alert(one)]
    assert sum(text.startswith("[PAPER] Stop sold 0.1 ETH at ") for text in alerts) == 1
    assert sum("closed: stop hit" in text for text in alerts) == 1
    assert disagreements(read_books(home.database)) == []


async def test_strangers_get_silence_and_a_line_in_the_log(home: Home, telegram: Telegram) -> None:
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    for text in ("/start", BUY, "help"):
        telegram.say(STRANGER, text)
    assert "No positions." in await tell(telegram, OPEN)
    assert texts_to(telegram, STRANGER) == []
    assert "message of user 666 ignored" in await bot.log.wait_for("TELEGRAM_ALLOWED_USERS", 5.0)
    assert read_books(home.database).brackets == []


async def test_without_allowed_users_everybody_hears_his_own_number_once_and_nothing_else(
    home: Home, telegram: Telegram
) -> None:
    on_telegram(home, telegram).environment["TELEGRAM_ALLOWED_USERS"] = ""
    bot = await polling_bot(home, telegram)
    for text in (BUY, OPEN, "/start"):
        await telegram.wait_until_read(telegram.say(OWNER, text))
    telegram.say(OWNER, "open", chat_id=-77)
    await bot.log.wait_for("message of user 4242 ignored", 5.0)
    assert "4242" in (await telegram.wait_for(lambda _: True)).text
    await telegram.wait_until_read(telegram.say(SECOND, "hello"))
    await telegram.wait_for(lambda one: one.chat_id == SECOND)
    assert [(one.chat_id, one.text) for one in telegram.sent] == [
        (OWNER, "Your Telegram id is 4242."),
        (SECOND, "Your Telegram id is 5151."),
    ]
    assert read_books(home.database).brackets == []


async def test_what_was_said_long_ago_never_trades(home: Home, telegram: Telegram) -> None:
    on_telegram(home, telegram)
    old = telegram.say(OWNER, BUY, datetime.now(UTC) - timedelta(seconds=75))
    await polling_bot(home, telegram)
    assert "was not executed" in await answer(telegram, old)
    older = telegram.say(OWNER, BUY, datetime.now(UTC) - timedelta(days=2))
    assert "was not executed" in await answer(telegram, older)
    assert read_books(home.database).brackets == []
    assert "Bought 0.04 ZEC" in await tell(telegram, BUY)


async def test_the_slash_menu_is_the_registry_and_each_entry_is_understood(home: Home, telegram: Telegram) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    built = [entry.command for entry in registry().values() if entry.command.declaration.built]
    menu = {one["command"]: one["description"] for one in telegram.commands}
    assert menu == {command.declaration.name: command.summary()[:256] for command in built}
    for name in menu:
        if name not in {"force_trade_test", "diagnostic"}:
            told = await tell(telegram, f"/{name}")
            assert "NOT_A_COMMAND" not in told, f"/{name}: {told}"
    assert (await tell(telegram, f"/open@{telegram.username}")).startswith("Mode: PAPER.")
    assert "Bought 0.04 ZEC" in await tell(telegram, "/buy 0.04 zec sl=1% tp=2%")


async def test_the_token_is_never_written_anywhere(home: Home, telegram: Telegram) -> None:
    on_telegram(home, telegram).environment |= {"LOG_LEVEL": "TRACE", "LOG_FILE": "zyn.log"}
    bot = await polling_bot(home, telegram)
    await tell(telegram, OPEN)
    await telegram.go_down()
    await telegram.come_back()
    await tell(telegram, "diagnostic", timeout=20.0)
    assert await bot.stop() == 0
    secret = telegram.token.partition(":")[2]
    written = bot.out.text + bot.log.text + (home.path / "zyn.log").read_text()
    assert "Zyn is up" in written
    assert secret not in written
    assert all(secret not in one.text for one in telegram.sent)
    assert secret.encode() not in home.database.read_bytes()


async def test_a_long_answer_comes_in_parts_that_telegram_takes_and_lacks_nothing(
    home: Home, telegram: Telegram
) -> None:
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    wire = await bot.wire()
    for _ in range(30):
        await wire.send("buy 0.01 ZEC/USD sl 1% tp 2%")
        assert (await wire.answer())["ok"]
    whole = (await bot.done("open")).splitlines()
    await wire.close()
    telegram.say(OWNER, "open")
    telegram.say(OWNER, "status")
    await telegram.wait_for(lambda one: "Active mode: PAPER." in one.text)
    parts = texts_to(telegram, OWNER)[:-1]
    assert len(parts) >= 2
    assert all(len(part.encode("utf-16-le")) // 2 <= TEXT_MAX for part in parts)
    told = [line for part in parts for line in part.splitlines()]
    assert [line for line in told if line.startswith("•")] == [line for line in whole if line.startswith("•")]


async def test_an_allowed_user_who_never_wrote_to_the_bot_holds_up_nobody(home: Home, telegram: Telegram) -> None:
    telegram.strangers.add(SECOND)
    bot = await polling_bot(on_telegram(home, telegram, OWNER, SECOND), telegram)
    await bot.done(BUY)
    await bot.kill()
    before = len(telegram.requests)
    await polling_bot(home, telegram)
    await telegram.wait_for(lambda one: "Zyn is back" in one.text)
    await eventually(lambda: len(_sends(telegram, before)) >= 4 or _all_delivered(home), "the outbox goes on")
    assert sum("Zyn is back" in text for text in texts_to(telegram, OWNER)) == 1, "the same alert again and again"
    await eventually(lambda: _all_delivered(home), "the alert leaves the outbox")


async def test_a_user_who_blocked_the_bot_holds_up_nobody(home: Home, telegram: Telegram) -> None:
    telegram.blocked_by.add(OWNER)
    bot = await polling_bot(on_telegram(home, telegram, OWNER, SECOND), telegram)
    await bot.done(BUY)
    await bot.kill()
    await polling_bot(home, telegram)
    await telegram.wait_for(lambda one: one.chat_id == SECOND and "Zyn is back" in one.text)
    await eventually(lambda: _all_delivered(home), "the alert leaves the outbox")
    assert sum("Zyn is back" in text for text in texts_to(telegram, SECOND)) == 1


def _sends(telegram: Telegram, since: int) -> list[str]:
    return [method for method, _ in telegram.requests[since:] if method == "sendmessage"]


def _all_delivered(home: Home) -> bool:
    alerts = read_books(home.database).alerts
    return bool(alerts) and all(row["state"] != "waiting" for row in alerts)
