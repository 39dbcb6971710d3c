"""The jobs run on the JobQueue without a token, survive failures, and say so to the diagnostic."""

import asyncio
from pathlib import Path

from bot.jobs import Jobs, build_application
from bot.outbox import Outbox
from bot.settings import load_settings
from bot.wiring import open_house
from core.domain.modes import Mode
from core.trading.desk import Desk


async def test_without_a_token_the_same_jobs_run_on_the_same_queue(tmp_path: Path) -> None:
    given = {"market": "generated", "database_url": f"sqlite:///{tmp_path}/z.db", "bracket_check_seconds": 0.2}
    house = await open_house(load_settings({}, tmp_path / "none", given))
    try:
        await house.service.start()
        application = build_application(None, None)
        queue = application.job_queue
        assert queue is not None
        jobs = Jobs(house, Outbox(house.store))
        jobs.schedule(queue)
        await queue.start()
        async with asyncio.timeout(10):
            while "tick PAPER ran" not in (await jobs.check()).text or "outbox ran" not in (await jobs.check()).text:
                await asyncio.sleep(0.05)
        await jobs.stop(queue)
        assert (await jobs.check()).ok
        assert (await jobs.check()).text.count(" ran ") >= 2
    finally:
        await house.close()


async def test_a_job_that_fails_comes_again_and_the_diagnostic_tells(tmp_path: Path) -> None:
    given = {"market": "generated", "database_url": f"sqlite:///{tmp_path}/z.db", "bracket_check_seconds": 0.2}
    house = await open_house(load_settings({}, tmp_path / "none", given))
    try:
        await house.service.start()
        application = build_application(None, None)
        queue = application.job_queue
        assert queue is not None
        jobs = Jobs(house, Outbox(house.store))
        broken = [True]
        tick = jobs.tick

        async def sometimes(desk: Desk) -> None:
            if broken[0]:
                raise RuntimeError("the sky fell")
            await tick(desk)

        jobs.tick = sometimes  # type: ignore[method-assign]
        jobs.schedule(queue)
        await queue.start()
        async with asyncio.timeout(10):
            while (await jobs.check()).ok:
                await asyncio.sleep(0.05)
        assert "the sky fell" in (await jobs.check()).text
        broken[0] = False
        async with asyncio.timeout(10):
            while not (await jobs.check()).ok:
                await asyncio.sleep(0.05)
        await jobs.stop(queue)
        assert house.service.desk(Mode.PAPER).ready
    finally:
        await house.close()
