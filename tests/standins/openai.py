"""A stand-in for an OpenAI-compatible server: /v1/chat/completions answers what a test has scripted, in order.

`model.url` is the value for OPENAI_BASE_URL. What was asked is in `asked`, whole request bodies, oldest first.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer: a body with its status, after `delay_s` seconds; `drop` cuts the connection instead."""

    body: str
    status: int = 200
    content_type: str = "application/json"
    delay_s: float = 0.0
    drop: bool = False


class OpenAI:
    """The server: `async with OpenAI() as model`. When the script is over it answers 500."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Json] = []
        self.keys: list[str] = []
        """The Authorization header of each call."""
        self.improvise: Callable[[Json], None] | None = None
        """Asked with each request body when the script is over; it may put something on the script."""
        self._script: deque[Scripted] = deque()
        self._number = 0
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    # -- the script ------------------------------------------------------------------------------------------------

    def says(self, text: str) -> None:
        """Next: prose."""
        self._add({"role": "assistant", "content": text}, "stop")

    def calls(self, *tools: tuple[str, Json | str], text: str | None = None) -> None:
        """Next: calls of these tools, each (name, arguments); arguments given as a string go out as they are."""
        calls = []
        for name, arguments in tools:
            self._number += 1
            written = arguments if isinstance(arguments, str) else json.dumps(arguments)
            function = {"name": name, "arguments": written}
            calls.append({"id": f"call_{self._number:04d}", "type": "function", "function": function})
        self._add({"role": "assistant", "content": text, "tool_calls": calls}, "tool_calls")

    def forget(self) -> None:
        """The script is over, whatever was still to come."""
        self._script.clear()

    def fails(self, status: int = 500, message: str = "The server had an error") -> None:
        """Next: an error as OpenAI words it."""
        error = {"message": message, "type": "server_error", "param": None, "code": None}
        self._script.append(Scripted(json.dumps({"error": error}), status))

    def sends_html(self) -> None:
        """Next: a page of HTML with status 200, as a captive portal does."""
        self._script.append(Scripted("<html><body>Sign in</body></html>", content_type="text/html"))

    def drops(self) -> None:
        """Next: the connection breaks without an answer."""
        self._script.append(Scripted("", drop=True))

    def hangs(self, seconds: float) -> None:
        """Next: silence for so long, then an error."""
        self._script.append(Scripted("{}", 504, delay_s=seconds))

    def _add(self, message: Json, reason: str) -> None:
        body = {
            "id": f"chatcmpl-{len(self._script)}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "stand-in",
            "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        self._script.append(Scripted(json.dumps(body)))

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("Authorization", ""))
        if not self._script and self.improvise is not None:
            self.improvise(self.asked[-1])
        if not self._script:
            return web.json_response({"error": {"message": "the script is over"}}, status=500)
        answer = self._script.popleft()
        if answer.delay_s:
            await self._wait(answer.delay_s)
        if answer.drop and request.transport is not None:
            request.transport.abort()
        return web.Response(text=answer.body, status=answer.status, content_type=answer.content_type)

    async def _wait(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._closing.wait())
        await asyncio.wait({waiting}, timeout=seconds)
        waiting.cancel()
