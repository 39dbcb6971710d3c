"""The owner on Telegram: a home whose bot polls a stand-in, and what he says and hears there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from tests.e2e.kit import Bot, Home
from tests.standins.telegram import Said, Sent, Telegram

OWNER = 4242
SECOND = 5151
STRANGER = 666


def on_telegram(home: Home, telegram: Telegram, *users: int) -> Home:
    """The home, with this Telegram and these users (the owner alone when none is named)."""
    home.environment |= {
        "TELEGRAM_BOT_TOKEN": telegram.token,
        "TELEGRAM_ALLOWED_USERS": ",".join(str(user) for user in users or (OWNER,)),
        "TELEGRAM_API_URL": telegram.url,
    }
    return home


def is_alert(sent: Sent) -> bool:
    """Alerts begin with the mode in brackets, replies never do."""
    return sent.text.startswith(("[PAPER] ", "[LIVE] "))


async def polling_bot(home: Home, telegram: Telegram) -> Bot:
    """A bot that has begun to poll."""
    bot = await home.bot()
    await telegram.wait_for_poll()
    return bot


async def answer(telegram: Telegram, said: Said, timeout: float = 30.0) -> str:
    """The reply to what was said, alerts left out."""
    sent = await telegram.reply_to(said, timeout, where=lambda one: not is_alert(one))
    return sent.text


async def tell(telegram: Telegram, text: str, user: int = OWNER, timeout: float = 30.0) -> str:
    """Say it and hear the reply."""
    return await answer(telegram, telegram.say(user, text), timeout)


def texts_to(telegram: Telegram, user: int) -> list[str]:
    """Everything that this user was sent."""
    return [one.text for one in telegram.sent if one.chat_id == user]


@asynccontextmanager
async def rival(telegram: Telegram) -> AsyncIterator[None]:
    """Somebody else polls with the same token meanwhile."""

    async def poll() -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                async with session.post(f"{telegram.url}/bot{telegram.token}/getUpdates", json={"timeout": 0}) as one:
                    await one.read()
                await asyncio.sleep(0.02)

    polling = asyncio.create_task(poll())
    try:
        yield
    finally:
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling
