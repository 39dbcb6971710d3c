"""Opening and closing a house with its faces: the bot, the shell, one command, the demo."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from bot.background import Background
from bot.faces.console import ConsoleFace, piped_lines, typed_lines
from bot.faces.pictures import pictures_folder
from bot.faces.socket import SocketClient, SocketFace, socket_path
from bot.jobs import Jobs, build_application
from bot.live import live_feed, require_care
from bot.loudness import read_loudness
from bot.outbox import Outbox, alert_text
from bot.settings import Settings
from bot.talk import Talk
from bot.watchdog import Watchdog, Watched
from bot.wiring import House, open_house
from core.domain.errors import Code
from core.ledger.chats import Chats
from core.ledger.inbox import Inbox
from core.ledger.store import Alert
from core.market.clocks import wall_clock
from core.trading import notice
from core.trading.consent import Author
from core.trading.house import Check
from core.trading.reply import refusal

FINISH_S = 5.0
"""How long the last ticks may take that put back a stop which is under way."""
START_WAIT_S = 5.0
"""How long the faces wait for the first comparison of the books."""
GOODBYE_S = 3.0
"""How long the last alert may take: a Telegram that is down must not keep the process from ending."""
DEMO_LINES = (
    "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute.",
    "Show open positions and open orders.",
)


async def _nothing() -> None:
    """Nothing runs by itself."""


@dataclass(slots=True)
class Open:
    """A house with its jobs running and its talk ready."""

    house: House
    talk: Talk
    outbox: Outbox
    model: Any = None
    quiet: Callable[[], Awaitable[None]] = _nothing
    """Ends what runs by itself; what somebody says is still answered, and alerts are still delivered."""

    async def ask(self, text: str) -> dict[str, Any]:
        """The reply to a line of a command line or pipe, as JSON values."""
        return (await self.talk.answer("console", text)).as_json()

    async def converse(self, text: str) -> dict[str, Any]:
        """The reply to a line that somebody typed who can be asked, as JSON values."""
        return (await self.talk.answer("console", text, _author())).as_json()


@asynccontextmanager
async def opened(settings: Settings, *, stays: bool = True, is_patient: bool = False) -> AsyncIterator[Open]:
    """Open the house, recover, run the jobs, listen on the socket; give everything back at the end.

    With `stays` it also listens to the venue and watches over itself; one command is over before that pays. With
    `is_patient` nothing is answered before the books were compared: a script is not asked to try again.
    """
    house = await open_house(settings)
    background = Background()
    outbox = Outbox(house.store)
    jobs = Jobs(house, outbox)
    model = _model(house)
    talk = Talk(house.approvals, house.grammar, model)
    token = settings.telegram_bot_token.get_secret_value() if settings.telegram_bot_token else None
    intake = _intake() if token is not None else None
    application = build_application(token, settings.telegram_api_url, intake)
    queue = application.job_queue
    socket = SocketFace(socket_path(settings.database_url), talk, outbox)
    telegram = None

    async def quiet() -> None:
        await background.stop()
        if queue is not None:
            await jobs.stop(queue)

    try:
        _probes(house, token, model)
        await _recover(house, background if stays and not is_patient else None)
        if stays:
            _watch(house, background)
        if queue is not None:
            jobs.schedule(queue)
            await queue.start()
        await socket.start()
        if intake is not None:
            telegram = await _telegram(application, intake, talk, outbox, house)
        yield Open(house, talk, outbox, model, quiet)
    finally:
        await quiet()
        await house.service.finish(FINISH_S)
        await socket.stop()
        outbox.close()
        if telegram is not None:
            await telegram.stop()
        await house.close()


async def _recover(house: House, background: Background | None) -> None:
    """Compare the books with the venues'. Who stays does not let a venue that hangs keep him from answering."""
    recovery = asyncio.ensure_future(house.service.start())
    if background is not None:
        background.keep("the first comparison of the books", recovery)
        await asyncio.wait({recovery}, timeout=START_WAIT_S)
        if not recovery.done():
            logger.warning("a venue is slow: Zyn answers already, and a desk takes orders once its books are compared")
            return
    await recovery
    for desk in house.service.desks:
        require_care(desk)


def _watch(house: House, background: Background) -> None:
    """Start what listens to Kraken for the LIVE desk, and what watches over all of them."""
    settings, feed = house.settings, None
    for desk in house.service.desks:
        feed = feed or live_feed(desk)
    if feed is not None:
        background.start("the waker", feed.waker.run)
        background.start("the streams", feed.listen)
    alive = feed.streams.is_alive if feed is not None else None
    watched = Watched(settings.bracket_check_seconds, settings.dead_man_url, alive, settings.standstill_max_s)
    background.start("the watchdog", Watchdog(house.service, watched, wall_clock).run)


def _intake() -> Any:
    from bot.faces.telegram.intake import Intake  # noqa: PLC0415 - only with a token

    return Intake()


async def _telegram(application: Any, intake: Any, talk: Talk, outbox: Outbox, house: House) -> Any:
    from bot.faces.telegram.face import Books, TelegramFace  # noqa: PLC0415 - only with a token
    from bot.faces.telegram.post import Clocks  # noqa: PLC0415 - the same

    books = Books(Inbox(house.database), Chats(house.database), house.store)
    loudness = read_loudness(house.settings.alerts)
    allowed = house.settings.telegram_allowed_users
    clocks = Clocks(wall_clock, house.clock)
    face = TelegramFace(application, intake, talk, books, allowed, loudness, clocks)
    outbox.channels += face.channels()
    house.service.probes["Telegram"] = face.check
    await face.start()
    return face


def _model(house: House) -> Any:
    """The model, if a key or a server is configured; its library is imported on the first question."""
    settings = house.settings
    if settings.openai_api_key is None and settings.openai_base_url is None:
        return None
    from bot.llm.lazy import LazyAgent  # noqa: PLC0415

    return LazyAgent(settings, house.approvals, house.grammar, house.store)


def _probes(house: House, token: str | None, model: Any) -> None:
    async def telegram() -> Check:
        return Check(
            "Telegram", ok=None if token is None else False, text="no token" if token is None else "not started"
        )

    async def no_model() -> Check:
        return Check("Model", ok=None, text="no key")

    house.service.probes["Telegram"] = telegram
    house.service.probes["Model"] = no_model if model is None else model.check


async def run_bot(settings: Settings) -> int:
    """The bot until SIGTERM or SIGINT. Returns the exit status."""
    stop, starting = asyncio.Event(), asyncio.current_task()
    started = False

    def on_signal() -> None:
        stop.set()
        if not started and starting is not None:
            starting.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        async with opened(settings) as one:
            started = True
            await _until_stopped(one, settings, stop)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        logger.info("Zyn stops before it was up.")
    return 0


async def _until_stopped(one: Open, settings: Settings, stop: asyncio.Event) -> None:
    service = one.house.service
    logger.info(
        "Zyn is up: mode {} ({} stored), market {}, database {}",
        service.active_mode,
        "as" if service.active_mode is settings.mode else "overruled by",
        settings.market,
        one.house.database,
    )
    preparing = asyncio.create_task(_prepare(one))
    await stop.wait()
    preparing.cancel()
    await say_goodbye(one)
    for desk in service.desks:
        text = notice.stopped(desk.mode, desk.exchange.name, desk.ledger.unfinished(), desk.clock())
        logger.info("{}", text.replace("\n", " "))


async def _prepare(one: Open) -> None:
    """Load what the first question and the first candle need, once the start is over."""
    if one.model is not None:
        await one.model.prepare()
    service = one.house.service
    if service.pilot.choices.is_on(service.active_mode):
        await service.pilot.prepare()


async def say_goodbye(one: Open) -> None:
    """Tell what rests and what sleeps. A database or a Telegram that fails must not keep the process from ending."""
    try:
        # First nothing begins any more, then what has begun is seen through, and only then it is told what rests.
        await one.quiet()
        await one.house.service.finish(FINISH_S)
        one.house.service.tell_stop()
        async with asyncio.timeout(GOODBYE_S):
            await one.outbox.deliver()
    except TimeoutError:
        logger.info("the goodbye waits in the outbox")
    except SQLAlchemyError as error:
        logger.error("the goodbye could not be told: {}", error)


async def run_shell(settings: Settings) -> int:
    """Talk on the console: to the running bot of this database, or to a house of our own."""
    face = ConsoleFace(pictures_folder(settings.database_url))
    client = await SocketClient.connect(socket_path(settings.database_url))
    if client is not None:
        return await _shell_beside(client, face, settings)
    async with opened(settings, is_patient=not sys.stdin.isatty()) as one:
        one.outbox.listeners.add(_shower(face))
        await face.talk(one.converse, _lines(one, settings), echo=False)
        await one.outbox.deliver()
    return _status(face)


async def _shell_beside(client: SocketClient, face: ConsoleFace, settings: Settings) -> int:
    face.say("Talking to the running Zyn.")

    async def ask(text: str) -> dict[str, Any]:
        reply = await client.ask(text, _author())
        for alert in client.alerts:
            face.show_alert(alert)
        client.alerts.clear()
        return reply

    lines = typed_lines(lambda: "zyn", _history(settings)) if sys.stdin.isatty() else piped_lines()
    try:
        await face.talk(ask, lines, echo=False)
    except ConnectionError as error:
        face.show(_went_away(error))
    finally:
        await client.close()
    return _status(face)


def _author() -> Author:
    """At a prompt sits a person; a pipe has nobody to ask."""
    return Author.PERSON if sys.stdin.isatty() else Author.SCRIPT


def _went_away(error: ConnectionError) -> dict[str, Any]:
    """The answer when the bot died before it answered."""
    return refusal(Code.UNKNOWN, str(error)).as_json()


async def run_do(settings: Settings, text: str, *, as_json: bool) -> int:
    """One command. Exit status 0 when it was done, 1 when it was refused."""
    face = ConsoleFace(pictures_folder(settings.database_url), as_json=as_json)
    client = await SocketClient.connect(socket_path(settings.database_url))
    if client is not None:
        try:
            face.show(await client.ask(text))
        except ConnectionError as error:
            face.show(_went_away(error))
        finally:
            await client.close()
        return _status(face, even_typed=True)
    async with opened(settings, stays=False) as one:
        one.outbox.listeners.add(_shower(face))
        face.show(await one.ask(text))
        await one.outbox.deliver()
    return _status(face, even_typed=True)


async def run_demo(settings: Settings) -> int:
    """The main job on a generated market: the lines of the pipe, or the demo's own and then a prompt."""
    face = ConsoleFace(pictures_folder(settings.database_url))
    async with opened(settings) as one:
        one.outbox.listeners.add(_shower(face))
        await one.outbox.deliver()
        asked = False
        if not sys.stdin.isatty():
            async for line in piped_lines():
                if line.strip():
                    asked = True
                    face.say(f"> {line.strip()}", "bold")
                    face.show(await one.ask(line.strip()))
        if not asked:
            for line in DEMO_LINES:
                face.say(f"> {line}", "bold")
                face.show(await one.ask(line))
        if sys.stdin.isatty():
            face.say("Your turn: 'help' lists the commands, Ctrl-D leaves.")
            await face.talk(
                one.converse, typed_lines(lambda: one.house.service.active_mode.value, _history(settings)), echo=False
            )
        await one.outbox.deliver()
    return _status(face)


def _lines(one: Open, settings: Settings) -> AsyncIterator[str]:
    if not sys.stdin.isatty():
        return piped_lines()
    return typed_lines(lambda: one.house.service.active_mode.value, _history(settings))


def _history(settings: Settings) -> str:
    path = (
        Path(settings.database_url.removeprefix("sqlite:///"))
        if "sqlite" in settings.database_url
        else Path("data/zyn")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path.with_name(path.name + ".history"))


def _shower(face: ConsoleFace) -> Any:
    def show(alert: Alert) -> bool:
        face.show_alert(alert_text(alert))
        return True

    return show


def _status(face: ConsoleFace, *, even_typed: bool = False) -> int:
    """A pipe or a single command ends with 1 when something was refused; a person at a prompt has seen it."""
    if sys.stdin.isatty() and not even_typed:
        return 0
    return 0 if face.all_ok else 1
