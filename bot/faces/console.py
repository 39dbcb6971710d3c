"""The console: lines from a person or a pipe, replies in colour or plain."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from bot.faces.pictures import keep_picture

Ask = Callable[[str], Awaitable[dict[str, Any]]]
_MODE_STYLES = {"Mode: PAPER.": "bold black on cyan", "Mode: LIVE.": "bold white on red"}
_QUIT = frozenset({"quit", "exit", "bye", "q", ":q"})


class ConsoleFace:
    """Prints replies and alerts; remembers whether everything that was asked went well.

    A picture is written into a file in the folder `pictures`, and its path is printed.
    """

    def __init__(self, pictures: Path, *, as_json: bool = False) -> None:
        self._pictures = pictures
        self._console = Console(highlight=False, soft_wrap=True)
        self._as_json = as_json
        self.all_ok = True

    def show(self, reply: dict[str, Any]) -> None:
        """Print one reply, and remember if it was a refusal."""
        self.all_ok = self.all_ok and bool(reply.get("ok"))
        kept = self._keep(reply["picture"]) if reply.get("picture") else None
        if self._as_json:
            shown = {key: value for key, value in reply.items() if key != "kind"} | ({"picture": kept} if kept else {})
            print(json.dumps(shown, ensure_ascii=False), flush=True)
            return
        for line in str(reply.get("text", "")).splitlines():
            self._console.print(_styled(line))
        if kept is not None:
            path, error = kept["path"], kept["error"]
            self._console.print(
                f"Picture: {path}" if path else f"The picture could not be written: {error}", markup=False
            )

    def _keep(self, picture: dict[str, Any]) -> dict[str, str | None]:
        """Write a picture down. Returns its name and path, or why there is none."""
        try:
            path = keep_picture(self._pictures, picture)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return {"name": str(picture.get("name")), "path": None, "error": str(error)}
        return {"name": path.name, "path": str(path), "error": None}

    def show_alert(self, text: str) -> None:
        """Print one alert, marked as such."""
        if self._as_json:
            print(json.dumps({"alert": text}, ensure_ascii=False), flush=True)
        else:
            self._console.print(Text(f"🔔 {text}", style="yellow"))

    def say(self, text: str, style: str = "dim") -> None:
        """Print a line of the console's own, not of the house's."""
        if not self._as_json:
            self._console.print(Text(text, style=style))

    async def talk(self, ask: Ask, lines: AsyncIterator[str], *, echo: bool) -> None:
        """Ask every line in turn until they end. A line that only quits ends an interactive talk."""
        async for line in lines:
            text = line.strip()
            if not text:
                continue
            if not echo and text.lower() in _QUIT:
                return
            if echo:
                self.say(f"> {text}", "bold")
            self.show(await ask(text))


def _styled(line: str) -> Text:
    style = _MODE_STYLES.get(line)
    if style is not None:
        return Text(line, style=style)
    if line.startswith("[EXEC-ERR]"):
        return Text(line, style="red")
    return Text(line, style="green" if line.startswith("✓") else "red" if line.startswith("✗") else "")


async def piped_lines() -> AsyncIterator[str]:
    """The lines of standard input to its end, without blocking the loop."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line


async def typed_lines(mode: Callable[[], str], history: str) -> AsyncIterator[str]:
    """Lines that a person types, with history and the mode in the prompt's colour."""
    from prompt_toolkit import PromptSession  # noqa: PLC0415 - only a terminal needs it
    from prompt_toolkit.formatted_text import FormattedText  # noqa: PLC0415
    from prompt_toolkit.history import FileHistory  # noqa: PLC0415
    from prompt_toolkit.patch_stdout import patch_stdout  # noqa: PLC0415

    session: PromptSession[str] = PromptSession(history=FileHistory(history))
    while True:
        now = mode()
        colour = "ansired" if now == "LIVE" else "ansicyan"
        prompt = FormattedText([(f"bold {colour}", f"{now} "), ("", "zyn> ")])
        try:
            with patch_stdout(raw=True):
                yield await session.prompt_async(prompt)
        except (EOFError, KeyboardInterrupt):
            return
