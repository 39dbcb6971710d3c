"""kill -9 of the real process at random moments: nothing lost, nothing doubled, nothing unprotected."""

import asyncio
import os
import secrets
from collections import Counter
from random import Random

import pytest

from tests.e2e.books import disagreements, read_books
from tests.e2e.chaos import Memory, Owner, broken_promises, settled
from tests.e2e.kit import Home

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

KILLS = int(os.environ.get("ZYN_KILLS", "10"))
SEED = int(os.environ.get("ZYN_SEED") or secrets.randbelow(10**9))
LIVELY = {
    "MARKET": "generated",
    "MARKET_SPEED": "300",
    "BRACKET_CHECK_SECONDS": "0.2",
    "RISK_PCT_MAX": "50",
    "EXPOSURE_PCT_MAX": "100",
}


@pytest.mark.parametrize(("target_mode", "kills"), [("emulated", (KILLS + 1) // 2), ("resting", KILLS // 2)])
async def test_a_bot_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    home: Home, target_mode: str, kills: int
) -> None:
    print(f"\nZYN_SEED={SEED} ZYN_KILLS={KILLS} target mode {target_mode}")
    random, memory = Random(f"{SEED} {target_mode}"), Memory()
    home.environment = {**LIVELY, "TARGET_MODE": target_mode}
    owner = Owner(random, memory)
    for number in range(kills):
        if random.random() < 0.2:
            await die_while_starting(home, random)
        bot = await home.bot()
        await settled(home, memory)
        await owner.look(bot)
        await owner.talk_until_killed(bot, random.choice((0.1, 0.4, 0.4)) * random.random())
        print(f"kill {number + 1}: {memory.asked} asked, {memory.answered} answered")
    bot = await home.bot()
    await settled(home, memory)
    assert await bot.stop() == 0
    books = read_books(home.database)
    assert disagreements(books) + broken_promises(books, memory) == []
    assert "Traceback" not in bot.log.text
    assert books.paper_fills, "nothing was ever bought: these lives prove nothing"
    states = dict(Counter(order["state"] for order in books.orders))
    print(
        f"{len(books.brackets)} brackets, {len(books.paper_fills)} fills, orders {states}, refusals {memory.refusals}"
    )


async def die_while_starting(home: Home, random: Random) -> None:
    """Recovery itself is killed as well."""
    process = await home.process("run")
    await asyncio.sleep(0.4 + random.random() * 0.6)
    await process.kill()
