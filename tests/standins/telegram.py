"""A stand-in for Telegram's Bot API: one bot, its users, long polling, and the refusals that the real one makes.

`telegram.url` is the root for TELEGRAM_API_URL. Users write with `say`, and what the bot sends is in `sent`.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from aiohttp import web

from tests.standins.telegram_messages import (
    PHOTO_MAX,
    TEXT_MAX,
    Down,
    Json,
    Line,
    LostError,
    Refusal,
    Said,
    Sent,
    buttons_of,
    chat_of,
    check_caption,
    check_commands,
    check_keyboard,
    check_text,
    labels_of,
    message_of,
    parameters_of,
    person,
    photo_of,
    refused,
    visible_of,
)

UPDATES_MAX = 100
UNUSED_POWERS = (
    "can_read_all_group_messages", "supports_inline_queries", "has_main_web_app", "can_connect_to_business",
)  # fmt: skip

_T = TypeVar("_T")
__all__ = ["TEXT_MAX", "Down", "Refusal", "Said", "Sent", "Telegram"]


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
        self.pressed: dict[str, str | None] = {}
        """Presses that the bot answered, by their id, with the words of the answer."""
        self.actions: list[int] = []
        """Chats in which the bot was seen typing."""
        self.takes_markup = True
        self.photo_trouble: Refusal | None = None
        """How every photo is refused."""
        self.taken_at: list[float] = []
        """When each message was taken, in the loop's time."""
        self._seen: dict[int, Sent] = {}
        self._lost = 0
        self._line = Line()
        self._delivered: dict[int, Json] = {}
        self._message_id = 0
        self._floods: list[int] = []
        self._changed = asyncio.Event()
        self._gateway = False
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2 * PHOTO_MAX)
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

    def lose_answers(self, times: int) -> None:
        """Take the next `times` messages and break the line before the bot hears that they were taken."""
        self._lost += times

    def say(self, user_id: int, text: str, date: datetime | None = None, *, chat_id: int = 0, **fields: Any) -> Said:
        """A user writes `text` in the private chat with the bot, or in a group, at `date` (now when None)."""
        self._message_id += 1
        message = {
            "message_id": self._message_id,
            "date": int((date or datetime.now(UTC)).timestamp()),
            "chat": chat_of(chat_id or user_id),
            "from": person(user_id),
            "text": text,
        } | fields
        command = re.match(r"/[A-Za-z0-9_]+(@\w+)?", text)
        if command is not None:
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": command.end()}]
        return self._push("message", message, Said(0, user_id, text, len(self.sent), chat_id, self._message_id))

    def edit(self, said: Said, text: str) -> Said:
        """The user edits what he wrote."""
        now = int(datetime.now(UTC).timestamp())
        chat = chat_of(said.chat_id or said.user_id)
        message = {"message_id": said.message_id, "date": now, "edit_date": now, "chat": chat, "text": text}
        message["from"] = person(said.user_id)
        return self._push("edited_message", message, replace(said, text=text, heard=len(self.sent)))

    def press(self, user_id: int, sent: Sent, label: str, *, data: str | None = None) -> Said:
        """A user presses a button of a message, by its label. `data` instead, as only a forger could send it."""
        chosen = data if data is not None else sent.buttons[label]
        press_id = str(900_000 + self._line.next_id)
        chat = chat_of(sent.chat_id)
        carrier = {"message_id": sent.message_id, "date": 1_700_000_000, "chat": chat, "from": self._me(), "text": "…"}
        query = {
            "id": press_id, "from": person(user_id), "chat_instance": "1", "message": carrier, "data": chosen,
        }  # fmt: skip
        said = Said(0, user_id, chosen, len(self.sent), sent.chat_id, sent.message_id, press_id)
        return self._push("callback_query", query, said)

    def push(self, **update: Any) -> Said:
        """Any other update."""
        kind, content = next(iter(update.items()))
        return self._push(kind, content, Said(0, 0, "", len(self.sent)))

    def _push(self, kind: str, content: Json, said: Said) -> Said:
        self._line.next_id += 1
        update = {"update_id": self._line.next_id, kind: content}
        self._delivered[self._line.next_id] = update
        self._line.updates.append(update)
        self._wake()
        return replace(said, update_id=self._line.next_id)

    def press_again(self, said: Said) -> Said:
        """The same press under a new update id, as a double tap or a bad network makes it."""
        return self._push("callback_query", self._delivered[said.update_id]["callback_query"], said)

    def latest(self, message_id: int) -> Sent:
        """A message of the bot as the user sees it now."""
        return self._seen[message_id]

    def deliver_again(self, said: Said) -> None:
        """The same update once more, as when the bot's acknowledgement of it never arrived."""
        self._line.updates.insert(0, self._delivered[said.update_id])
        self._wake()

    async def wait_for(self, predicate: Callable[[Sent], bool], timeout: float = 30.0, *, after: int = 0) -> Sent:
        """The first message of the bot, from number `after` on, that fits. Raises TimeoutError with what came."""
        found = await self._until(lambda: next((one for one in self.sent[after:] if predicate(one)), None), timeout)
        if found is None:
            texts = "\n---\n".join(one.text for one in self.sent[after:])
            raise TimeoutError(f"no such message within {timeout:g} s; what came: {texts or 'nothing'}")
        return found

    async def reply_to(
        self, said: Said, timeout: float = 30.0, *, where: Callable[[Sent], bool] = lambda _: True
    ) -> Sent:
        """The first message in the chat of `said` since it was said, of those that fit."""
        return await self.wait_for(
            lambda one: one.chat_id == (said.chat_id or said.user_id) and where(one),
            timeout,
            after=min(said.heard, len(self.sent)),
        )

    async def toast(self, said: Said, timeout: float = 30.0) -> str:
        """The words with which the bot answered a press; empty for an answer without words. Raises TimeoutError."""
        found = await self._until(lambda: said.press_id in self.pressed or None, timeout)
        if found is None:
            raise TimeoutError(f"the press {said.text!r} was not answered within {timeout:g} s")
        return self.pressed[said.press_id] or ""

    async def wait_until_read(self, said: Said, timeout: float = 30.0) -> None:
        """Until the bot has taken `said` and asked for what comes after it. Raises TimeoutError."""
        if await self._until(lambda: None if self._waiting(said) else said, timeout) is None:
            raise TimeoutError(f"the bot did not take {said.text!r} within {timeout:g} s")

    async def wait_for_poll(self, timeout: float = 30.0) -> None:
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
            return refused(Refusal(404, "Not Found"))
        if request.match_info["token"] != self.token:
            return refused(Refusal(401, "Unauthorized"))
        parameters = await parameters_of(request)
        method = request.match_info["method"].lower()
        self.requests.append((method, parameters))
        try:
            answer = getattr(self, f"_do_{method}", None)
            if answer is None:
                raise Refusal(404, "Not Found")
            return web.json_response({"ok": True, "result": await answer(parameters)})
        except Refusal as refusal:
            return refused(refusal)
        except LostError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)

    async def _do_getme(self, _: Json) -> Json:
        return self._me() | {"can_join_groups": True} | dict.fromkeys(UNUSED_POWERS, False)

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
        self._message_id += 1
        return self._take(self._read(parameters, self._message_id))

    async def _do_sendphoto(self, parameters: Json) -> Json:
        self._message_id += 1
        if self.photo_trouble is not None:
            raise self.photo_trouble
        sent = self._read(parameters, self._message_id, "caption", check_caption)
        return self._take(replace(sent, photo=photo_of(parameters)))

    async def _do_editmessagetext(self, parameters: Json) -> Json:
        message_id = int(parameters.get("message_id", 0))
        if message_id not in self._seen:
            raise Refusal(400, "Bad Request: message to edit not found")
        if self._seen[message_id].photo is not None:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        sent = replace(self._read(parameters, message_id), edited=True)
        before = self._seen[message_id]
        if (sent.text, sent.buttons, sent.html) == (before.text, before.buttons, before.html):
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        return self._take(sent)

    async def _do_editmessagereplymarkup(self, parameters: Json) -> Json:
        before = self._seen.get(int(parameters.get("message_id", 0)))
        if before is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        markup = parameters.get("reply_markup")
        check_keyboard(markup)
        return self._take(replace(before, buttons=buttons_of(markup), edited=True))

    async def _do_answercallbackquery(self, parameters: Json) -> bool:
        press = str(parameters.get("callback_query_id", ""))
        if len(str(parameters.get("text") or "")) > 200:
            raise Refusal(400, "Bad Request: MESSAGE_TOO_LONG")
        self.pressed[press] = parameters.get("text")
        self._wake()
        return True

    def _read(
        self, parameters: Json, message_id: int, field: str = "text", check: Callable[[str], None] = check_text
    ) -> Sent:
        """A message as the user would see it. Raises Refusal for what Telegram refuses."""
        chat_id, text = int(parameters.get("chat_id", 0)), str(parameters.get(field, ""))
        if self._floods:
            seconds = self._floods.pop(0)
            raise Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        self._check_chat(chat_id)
        seen = text
        if parameters.get("parse_mode"):
            seen = self._visible(text)
        check(seen)
        markup = parameters.get("reply_markup")
        check_keyboard(markup)
        common = labels_of(markup.get("keyboard", [])) if isinstance(markup, dict) else ()
        silent = str(parameters.get("disable_notification", False)).lower() == "true"
        # Telegram strips a text; what the user sees is this.
        return Sent(message_id, chat_id, seen.strip(), text, buttons_of(markup), common, silent)

    def _visible(self, text: str) -> str:
        if not self.takes_markup:
            raise Refusal(400, "Bad Request: can't parse entities: byte offset 0 is not what it was")
        return visible_of(text)

    def _take(self, sent: Sent) -> Json:
        self.sent.append(sent)
        self._seen[sent.message_id] = sent
        self.taken_at.append(asyncio.get_running_loop().time())
        self._wake()
        if self._lost:
            self._lost -= 1
            raise LostError
        return message_of(sent, self._me(), int(datetime.now(UTC).timestamp()))

    async def _do_setmycommands(self, parameters: Json) -> bool:
        commands = parameters.get("commands", [])
        check_commands(commands)
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
        self.actions.append(int(parameters.get("chat_id", 0)))
        return True

    def _check_chat(self, chat_id: int) -> None:
        if chat_id in self.blocked_by:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if chat_id in self.strangers or chat_id == 0:
            raise Refusal(400, "Bad Request: chat not found")

    def _me(self) -> Json:
        return {"id": int(self.token.partition(":")[0]), "is_bot": True, "first_name": "Zyn", "username": self.username}
