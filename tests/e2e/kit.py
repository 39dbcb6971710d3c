"""A home for one Zyn, and the processes that run in it: started clean, talked to over sockets, killed at the end."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.faces.socket import socket_path

REPO = Path(__file__).resolve().parents[2]
START_S = 60.0
END_S = 30.0
RUN_S = 90.0
ANSWER_S = 60.0
"""Machines that run tests stand still at times; how fast Zyn is, the benchmarks say."""
GENERATED = {"MARKET": "generated"}
STANDS_STILL = "0.001"
"""A MARKET_SPEED at which the market does not move within a test."""

_NO_FILE_GROWS = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
ON_A_FULL_DISK = ("-c", f"{_NO_FILE_GROWS}; runpy.run_module('bot', run_name='__main__')")
"""A way to launch in which no file can grow: what a full or read-only disk looks like from inside."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that has ended: its exit status and what it wrote."""

    status: int
    out: str
    err: str


class Lines:
    """The lines of a pipe as they come, to be waited for."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self.seen: list[str] = []
        self.ended = False
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read(stream))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            async with self._changed:
                self.seen.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        async with self._changed:
            self.ended = True
            self._changed.notify_all()

    async def wait_for(self, text: str, timeout: float, *, after: int = 0) -> str:
        """The first line with `text`, from line number `after` on. Fails with everything that came instead."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: self.ended or self._found(text, after) is not None)
        except TimeoutError:
            pass
        found = self._found(text, after)
        if found is None:
            why = "the process ended" if self.ended else f"{timeout:g} s passed"
            raise AssertionError(f"{why} without a line with {text!r}; the lines are:\n{self.text}")
        return found

    def _found(self, text: str, after: int) -> str | None:
        return next((line for line in self.seen[after:] if text in line), None)

    async def end(self) -> None:
        """Read to the end."""
        await self._reading

    @property
    def text(self) -> str:
        """Everything so far."""
        return "\n".join(self.seen)


class Wire:
    """One connection to a bot's local socket. Questions may be sent without waiting for their answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.alerts: list[str] = []

    @classmethod
    async def connect(cls, path: Path) -> "Wire":
        """Raises OSError where nobody listens."""
        return cls(*await asyncio.open_unix_connection(path, limit=1 << 22))

    async def send(self, text: str) -> None:
        """Send a message and do not wait."""
        self._writer.write(json.dumps({"text": text}).encode() + b"\n")
        await self._writer.drain()

    async def answer(self, timeout: float = ANSWER_S) -> Json:
        """The next reply; alerts before it are kept. Raises ConnectionError when the bot goes away instead."""
        async with asyncio.timeout(timeout):
            while line := await self._reader.readline():
                message: Json = json.loads(line)
                if message.pop("kind") == "reply":
                    return message
                self.alerts.append(message["text"])
        raise ConnectionError("the bot hung up")

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Process:
    """A started `python -m bot ...` and everything that it writes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.process = process
        self.out = Lines(process.stdout)
        self.log = Lines(process.stderr)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def wait(self, timeout: float = END_S) -> int:
        """Its exit status, once it ends by itself within `timeout`."""
        try:
            async with asyncio.timeout(timeout):
                status = await self.process.wait()
        except TimeoutError:
            raise AssertionError(f"still running after {timeout:g} s; its log:\n{self.log.text}") from None
        await self.out.end()
        await self.log.end()
        return status

    async def stop(self, timeout: float = END_S) -> int:
        """SIGTERM, and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await self.wait(timeout)

    async def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self.process.returncode is None:
            self.process.kill()
        await self.wait()


class Bot(Process):
    """A running bot with its local socket."""

    def __init__(self, process: asyncio.subprocess.Process, socket: Path) -> None:
        super().__init__(process)
        self.socket = socket

    async def ask(self, text: str, timeout: float = ANSWER_S) -> Json:
        """One question over a connection of its own."""
        wire = await Wire.connect(self.socket)
        try:
            await wire.send(text)
            return await wire.answer(timeout)
        finally:
            await wire.close()

    async def done(self, text: str, timeout: float = ANSWER_S) -> str:
        """The text of a reply that must be a success."""
        reply = await self.ask(text, timeout)
        assert reply["ok"], f"{text!r} was refused: {reply['text']}"
        return str(reply["text"])

    async def refused(self, text: str, timeout: float = ANSWER_S) -> Json:
        """A reply that must be a refusal."""
        reply = await self.ask(text, timeout)
        assert not reply["ok"], f"{text!r} was not refused: {reply['text']}"
        return reply

    async def wire(self) -> Wire:
        """A connection to keep."""
        return await Wire.connect(self.socket)


@dataclass
class Home:
    """A folder of its own, with the environment that every process in it gets, and the processes started so far."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    started: list[Process] = field(default_factory=list)
    launch: tuple[str, ...] = ("-m", "bot")

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.path / "data" / "zyn.db"

    @property
    def database_url(self) -> str:
        """Its URL, absolute: the local socket's place depends on how it is written."""
        return f"sqlite:///{self.database}"

    async def bot(self, **environment: str) -> Bot:
        """A bot that is up. `environment` is added to the home's own, for this process only."""
        process = await self._spawn((), environment)
        bot = Bot(process, socket_path(self.database_url))
        self.started.append(bot)
        await bot.log.wait_for("Zyn is up", START_S)
        return bot

    async def process(self, *arguments: str, **environment: str) -> Process:
        """A process that was only started."""
        process = Process(await self._spawn(arguments, environment))
        self.started.append(process)
        return process

    async def run(self, *arguments: str, stdin: str = "", **environment: str) -> Ran:
        """Run `python -m bot ARGUMENTS` to its end with `stdin` as its input."""
        process = await self._spawn(arguments, environment, stdin=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(RUN_S):
                out, err = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            out, err = await process.communicate()
            raise AssertionError(f"{arguments} still ran after {RUN_S:g} s:\n{out!r}\n{err!r}") from None
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    async def _spawn(
        self, arguments: tuple[str, ...], environment: dict[str, str], stdin: int = asyncio.subprocess.DEVNULL
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *self.launch,
            *arguments,
            cwd=self.path,
            env=self._clean({**self.environment, **environment}),
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 22,
        )

    def _clean(self, given: dict[str, str]) -> dict[str, str]:
        """Nothing of the machine's own settings; a database here; ticks as often as they may be."""
        base = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.path), "PYTHONPATH": str(REPO)}
        calm = {
            "DATABASE_URL": self.database_url, "BRACKET_CHECK_SECONDS": "0.2", "AUTOPILOT": "false",
            "STANDSTILL_MAX_S": "60",
        }  # fmt: skip
        return base | calm | given

    async def close(self) -> None:
        """End whatever was started here and still runs."""
        for process in self.started:
            await process.kill()


async def eventually(look: Callable[[], bool], what: str, timeout: float = 30.0, pause_s: float = 0.05) -> None:
    """Look again and again until it holds: for what only another process's files can tell."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + timeout
    while not look():
        if loop.time() > ends_at:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        await asyncio.sleep(pause_s)
