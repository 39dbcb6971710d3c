"""A stand-in for Telegram's Bot API: one bot, its users, long polling, and the refusals that the real one makes.

`telegram.url` is the root for TELEGRAM_API_URL. Users write with `say`, and what the bot sends is in `sent`.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

from aiohttp import web

TEXT_MAX = 4096
"""UTF-16 units."""
UPDATES_MAX = 100
CALLBACK_DATA_MAX = 64
COMMANDS_MAX = 100
_COMMAND = re.compile(r"[a-z0-9_]{1,32}$")

Json = dict[str, Any]
_T = TypeVar("_T")


class Down(StrEnum):
    """How Telegram can be away."""

    REFUSING = "connections are refused"
    GATEWAY = "502 Bad Gateway"


class Refusal(Exception):  # noqa: N818 - what Telegram does, in its own words
    """An answer with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


@dataclass(frozen=True, slots=True)
class Said:
    """What a user wrote. `heard` is how many messages the bot had sent by then."""

    update_id: int
    user_id: int
    text: str
    heard: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What the bot sent and Telegram took."""

    message_id: int
    chat_id: int
    text: str


@dataclass(slots=True)
class _Line:
    """The queue of updates that wait for the bot."""

    updates: list[Json] = field(default_factory=list)
    next_id: int = 1000
    poll: int = 0
    """The number of the newest getUpdates; an older one that still waits is told to go."""


class Telegram:
    """The server: `async with Telegram() as telegram`. A private chat has the id of its user, as in life."""

    def __init__(self, token: str = "123456789:AAStandInTokenOfNobody", username: str = "zyn_stand_in_bot") -> None:
        self.token = token
        self.username = username
        self.url = ""
        self.sent: list[Sent] = []
        self.commands: list[Json] = []
        self.requests: list[tuple[str, Json]] = []
        """(method, parameters) of every call with the right token, refused ones included."""
        self.strangers: set[int] = set()
        """Users who never wrote to the bot: it cannot write to them."""
        self.blocked_by: set[int] = set()
        """Users who blocked the bot."""
        self._line = _Line()
        self._delivered: dict[int, Json] = {}
        self._message_id = 0
        self._floods: list[int] = []
        self._changed = asyncio.Event()
        self._gateway = False
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            self._drop_connections()
            await self._runner.cleanup()

    async def _listen(self) -> None:
        if self._runner is None:
            raise RuntimeError("enter the stand-in first")
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()
        self._port = self._runner.addresses[-1][1]
        self.url = f"http://127.0.0.1:{self._port}"

    # -- the world around ------------------------------------------------------------------------------------------

    async def go_down(self, how: Down = Down.REFUSING) -> None:
        """Be away until `come_back`; calls that wait are cut off."""
        self._gateway = how is Down.GATEWAY
        if how is Down.REFUSING and self._site is not None:
            await self._site.stop()
            self._site = None
        self._drop_connections()

    async def come_back(self) -> None:
        """Answer again, at the same address, with everything that was said meanwhile."""
        self._gateway = False
        if self._site is None:
            await self._listen()

    def _drop_connections(self) -> None:
        server = self._runner.server if self._runner is not None else None
        for connection in list(server.connections) if server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()

    def flood(self, times: int, retry_after: int = 1) -> None:
        """Refuse the next `times` messages of the bot with 429."""
        self._floods += [retry_after] * times

    def say(self, user_id: int, text: str, date: datetime | None = None) -> Said:
        """A user writes `text` in the private chat with the bot, at `date` (now when None)."""
        self._message_id += 1
        self._line.next_id += 1
        message = {
            "message_id": self._message_id,
            "date": int((date or datetime.now(UTC)).timestamp()),
            "chat": _chat(user_id),
            "from": {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"},
            "text": text,
        }
        command = re.match(r"/[A-Za-z0-9_]+(@\w+)?", text)
        if command is not None:
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": command.end()}]
        self._delivered[self._line.next_id] = {"update_id": self._line.next_id, "message": message}
        self._line.updates.append(self._delivered[self._line.next_id])
        self._wake()
        return Said(self._line.next_id, user_id, text, len(self.sent))

    def deliver_again(self, said: Said) -> None:
        """The same update once more, as when the bot's acknowledgement of it never arrived."""
        self._line.updates.insert(0, self._delivered[said.update_id])
        self._wake()

    async def wait_for(self, predicate: Callable[[Sent], bool], timeout: float = 10.0, *, after: int = 0) -> Sent:
        """The first message of the bot, from number `after` on, that fits. Raises TimeoutError with what came."""
        found = await self._until(lambda: next((one for one in self.sent[after:] if predicate(one)), None), timeout)
        if found is None:
            texts = "\n---\n".join(one.text for one in self.sent[after:])
            raise TimeoutError(f"no such message within {timeout:g} s; what came: {texts or 'nothing'}")
        return found

    async def reply_to(
        self, said: Said, timeout: float = 10.0, *, where: Callable[[Sent], bool] = lambda _: True
    ) -> Sent:
        """The first message in the chat of `said` since it was said, of those that fit."""
        return await self.wait_for(
            lambda one: one.chat_id == said.user_id and where(one), timeout, after=min(said.heard, len(self.sent))
        )

    async def wait_until_read(self, said: Said, timeout: float = 10.0) -> None:
        """Until the bot has taken `said` and asked for what comes after it. Raises TimeoutError."""
        if await self._until(lambda: None if self._waiting(said) else said, timeout) is None:
            raise TimeoutError(f"the bot did not take {said.text!r} within {timeout:g} s")

    async def wait_for_poll(self, timeout: float = 10.0) -> None:
        """Until the bot polls. Raises TimeoutError."""
        if await self._until(lambda: self._line.poll or None, timeout) is None:
            raise TimeoutError(f"the bot did not poll within {timeout:g} s")

    def _waiting(self, said: Said) -> bool:
        return any(update["update_id"] == said.update_id for update in self._line.updates)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, look: Callable[[], _T | None], timeout: float) -> _T | None:
        """What `look` finds, now or after any change; None when the time is over."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout
        while (found := look()) is None and loop.time() < ends_at:
            changed = self._changed
            try:
                async with asyncio.timeout_at(ends_at):
                    await changed.wait()
            except TimeoutError:
                return look()
        return found

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._gateway:
            return web.Response(status=502, text="<html><body>Bad Gateway</body></html>", content_type="text/html")
        if not re.fullmatch(r"\d+:[\w-]+", request.match_info["token"]):
            return _refused(Refusal(404, "Not Found"))
        if request.match_info["token"] != self.token:
            return _refused(Refusal(401, "Unauthorized"))
        parameters = await _parameters(request)
        method = request.match_info["method"].lower()
        self.requests.append((method, parameters))
        try:
            answer = getattr(self, f"_do_{method}", None)
            if answer is None:
                raise Refusal(404, "Not Found")
            return web.json_response({"ok": True, "result": await answer(parameters)})
        except Refusal as refusal:
            return _refused(refusal)

    async def _do_getme(self, _: Json) -> Json:
        flags = (
            "can_read_all_group_messages",
            "supports_inline_queries",
            "has_main_web_app",
            "can_connect_to_business",
        )
        return self._me() | {"can_join_groups": True} | dict.fromkeys(flags, False)

    async def _do_getupdates(self, parameters: Json) -> list[Json]:
        line, offset = self._line, int(parameters.get("offset", 0))
        line.poll += 1
        mine = line.poll
        line.updates = [one for one in line.updates if one["update_id"] >= offset]
        self._wake()
        kinds = parameters.get("allowed_updates") or ["message"]
        line.updates = [one for one in line.updates if set(one) & set(kinds)]
        await self._until(lambda: bool(line.updates) or line.poll != mine or None, float(parameters.get("timeout", 0)))
        if line.poll != mine:
            raise Refusal(409, "Conflict: terminated by other getUpdates request")
        return line.updates[: min(int(parameters.get("limit", UPDATES_MAX)), UPDATES_MAX)]

    async def _do_sendmessage(self, parameters: Json) -> Json:
        chat_id, text = int(parameters.get("chat_id", 0)), str(parameters.get("text", ""))
        if self._floods:
            seconds = self._floods.pop(0)
            raise Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        self._check_chat(chat_id)
        _check_text(text)
        _check_keyboard(parameters.get("reply_markup"))
        self._message_id += 1
        # Telegram strips a text; what the user sees is this.
        self.sent.append(Sent(self._message_id, chat_id, text.strip()))
        self._wake()
        date = int(datetime.now(UTC).timestamp())
        return {"message_id": self._message_id, "date": date, "chat": _chat(chat_id), "from": self._me(), "text": text}

    async def _do_setmycommands(self, parameters: Json) -> bool:
        commands = parameters.get("commands", [])
        if len(commands) > COMMANDS_MAX:
            raise Refusal(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for one in commands:
            if not _COMMAND.match(one["command"]):
                raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(one["description"]) <= 256:
                raise Refusal(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands = commands
        return True

    async def _do_getmycommands(self, _: Json) -> list[Json]:
        return self.commands

    async def _do_deletewebhook(self, parameters: Json) -> bool:
        if parameters.get("drop_pending_updates"):
            self._line.updates.clear()
        return True

    async def _do_getwebhookinfo(self, _: Json) -> Json:
        return {"url": "", "has_custom_certificate": False, "pending_update_count": len(self._line.updates)}

    async def _do_sendchataction(self, parameters: Json) -> bool:
        self._check_chat(int(parameters.get("chat_id", 0)))
        return True

    def _check_chat(self, chat_id: int) -> None:
        if chat_id in self.blocked_by:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if chat_id in self.strangers or chat_id == 0:
            raise Refusal(400, "Bad Request: chat not found")

    def _me(self) -> Json:
        return {"id": int(self.token.partition(":")[0]), "is_bot": True, "first_name": "Zyn", "username": self.username}


def _chat(user_id: int) -> Json:
    return {"id": user_id, "type": "private", "first_name": f"User {user_id}"}


def _check_text(text: str) -> None:
    if not text.strip():
        raise Refusal(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > TEXT_MAX:
        raise Refusal(400, "Bad Request: message is too long")


def _check_keyboard(markup: Any) -> None:
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    for button in (button for row in rows for button in row):
        if len(str(button.get("callback_data", "")).encode()) > CALLBACK_DATA_MAX:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")


def _refused(refusal: Refusal) -> web.Response:
    body: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return web.json_response(body, status=refusal.code)


async def _parameters(request: web.Request) -> Json:
    """Query, form or JSON; in the first two, values that are no strings come as JSON."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        body: Json = await request.json()
        return given | body
    for name, value in (await request.post()).items():
        given[name] = value
    return {name: _plain(name, value) for name, value in given.items()}


def _plain(name: str, value: Any) -> Any:
    if name == "text" or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
