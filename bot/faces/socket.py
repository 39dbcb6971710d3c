"""A local socket for its owner only: `zyn shell` and `zyn do` talk to the running bot instead of trading next to it.

One JSON object a line. Question: {"text": …}, with "person": true where somebody sits there who can be asked.
Answers: {"kind": "reply", …the reply, its picture in base64…} and {"kind": "alert", "text": …}.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import struct
import tempfile
from pathlib import Path
from typing import Any

from loguru import logger

from bot.outbox import Outbox, alert_text
from bot.talk import Talk
from core.ledger.store import Alert
from core.trading.consent import Author

_PATH_MAX = 100
_LINE_MAX = 64 * 1024
"""Bytes of a question. An answer, which may carry a picture, can be longer."""
_ANSWER_MAX = 8 * 1024 * 1024
_USER = "console"


def socket_path(database_url: str) -> Path:
    """Where the bot of this database listens: beside a SQLite file, else in a private folder of this user."""
    if database_url.startswith("sqlite:///"):
        path = Path(database_url.removeprefix("sqlite:///")).absolute()
        beside = path.with_name(path.name + ".sock")
        if len(str(beside)) <= _PATH_MAX:
            return beside
        database_url = str(path.resolve())
    name = hashlib.sha256(database_url.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"zyn-{os.getuid()}" / f"{name}.sock"


class SocketFace:
    """The listening side."""

    def __init__(self, path: Path, talk: Talk, outbox: Outbox) -> None:
        self._path = path
        self._talk = talk
        self._outbox = outbox
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. The process lock is held, so a socket file that is there was left by a dead process."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._path.parent.name.startswith("zyn-") and self._path.parent.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._path.parent} belongs to somebody else")
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path=self._path, limit=_LINE_MAX)
        finally:
            os.umask(before)
        self._outbox.listeners.add(self._on_alert)

    async def stop(self) -> None:
        """Stop listening and remove the socket."""
        self._outbox.listeners.discard(self._on_alert)
        if self._server is not None:
            self._server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        # Canceled only by `stop`; the stream's own callback would report it as a fault.
        with contextlib.suppress(asyncio.CancelledError):
            await self._converse(reader, writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not _is_owner(writer):
            logger.warning("somebody else knocked at the local socket and was turned away")
            writer.close()
            return
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                reply = await self._answer(line)
                writer.write(_line({"kind": "reply", **reply}))
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.LimitOverrunError) as error:
            logger.debug("local socket: {}", error)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            text = asked["text"]
            if not isinstance(text, str):
                raise TypeError
            author = Author.PERSON if asked.get("person") is True else Author.SCRIPT
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "code": "NOT_A_COMMAND", "text": 'send one JSON object a line: {"text": "..."}'}
        return (await self._talk.answer(_USER, text, author)).as_json()

    def _on_alert(self, alert: Alert) -> bool:
        for writer in self._writers:
            with contextlib.suppress(ConnectionError, RuntimeError):
                writer.write(_line({"kind": "alert", "text": alert_text(alert)}))
        return bool(self._writers)


def _is_owner(writer: asyncio.StreamWriter) -> bool:
    peer: socket.socket = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # The file's mode alone guards it where the kernel cannot tell who knocks.
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return bool(user in {os.getuid(), 0})


def _line(message: dict[str, Any]) -> bytes:
    return (json.dumps(message, ensure_ascii=False) + "\n").encode()


class SocketClient:
    """The asking side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.alerts: list[str] = []

    @classmethod
    async def connect(cls, path: Path) -> "SocketClient | None":
        """A connection to the bot that listens there, None when nobody does."""
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=_ANSWER_MAX)
        except (FileNotFoundError, ConnectionRefusedError, OSError):
            return None
        return cls(reader, writer)

    async def ask(self, text: str, author: Author = Author.SCRIPT) -> dict[str, Any]:
        """The reply to `text`; alerts that arrive meanwhile are kept in `alerts`. Raises ConnectionError."""
        self._writer.write(_line({"text": text, "person": author is Author.PERSON}))
        await self._writer.drain()
        while True:
            line = await self._reader.readline()
            if not line:
                raise ConnectionError("the bot went away; whether it did what you asked is UNKNOWN until 'open' tells")
            message: dict[str, Any] = json.loads(line)
            if message.get("kind") == "reply":
                return message
            self.alerts.append(str(message.get("text", "")))

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
