"""PURE. Lines as Telegram takes them: HTML in parts of at most 4,096 UTF-16 units, tables as wide as a phone."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from bot.outbox import alert_text
from core.ledger.store import Alert
from core.trading.reply import Reply, Row

TEXT_MAX = 4096
"""UTF-16 units that Telegram takes in one message, counted without the markup."""
CAPTION_MAX = 1024
"""The same for what stands below a picture."""
PHONE_COLUMNS = 34
LATE_S = 60.0
"""After so many seconds an alert says when it was."""
_GAP = "  "
_ID = re.compile(r"(?:PX-\d+|zy[0-9a-f]{8}(?:-\d+)?|\b[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}\b)")
_CONFIRM = re.compile(r"&#x27;((?:confirm|reject) [A-Z0-9]{6})&#x27;")
_STRONG = re.compile(r"(?:\[EXEC-ERR\] \w+:|Mode: \w+\.$|\[(?:PAPER|LIVE)\])")


@dataclass(frozen=True, slots=True)
class Part:
    """One message: as HTML, and the same as plain text where Telegram does not take the markup."""

    html: str
    plain: str


@dataclass(frozen=True, slots=True)
class _Line:
    html: str
    plain: str
    is_table: bool = False


def render(reply: Reply) -> list[Part]:
    """A reply, its mode first where it has one. With a picture the first part is its caption, if only an empty one."""
    head = (f"Mode: {reply.mode}.",) if reply.mode is not None else ()
    if reply.picture is None:
        return render_lines((*head, *reply.lines))
    return _below_picture((*head, *reply.lines)) or [Part("", "")]


def _below_picture(lines: Sequence[str]) -> list[Part]:
    """A caption and what does not fit into it. The caption ends where a line ends, if its first line fits into it."""
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    rest = list(lines[start:])
    if rest and units(rest[0]) > CAPTION_MAX:
        pieces = [piece for whole in rest[0].splitlines() for piece in _pieces(whole, CAPTION_MAX)]
        rest[:1] = [piece for piece in pieces if piece.strip()]
    return list(_pack(_lines(rest), CAPTION_MAX))


def render_lines(lines: Sequence[str]) -> list[Part]:
    """Lines of plain text, some of which may be rows of tables."""
    return list(_pack(_lines(lines)))


def render_alerts(alerts: Sequence[Alert], now: datetime) -> tuple[list[Part], int]:
    """As many alerts as fit into one message, at least one, and how many those are. One that comes late is dated."""
    taken: list[_Line] = []
    for count, alert in enumerate(alerts):
        is_late = (now - alert.at).total_seconds() > LATE_S
        when = f" ({alert.at:%Y-%m-%d %H:%M:%S} UTC)" if is_late else ""
        whole = f"{alert_text(alert)}{when}".splitlines()
        lines = [_line(piece) for text in whole for piece in _pieces(text)]
        if taken and _length([*taken, *lines]) > TEXT_MAX:
            return list(_pack(taken)), count
        taken += lines
    return list(_pack(taken)), len(alerts)


def units(text: str) -> int:
    """The length of `text` as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _lines(lines: Sequence[str]) -> Iterator[_Line]:
    for width, group in groupby(lines, key=lambda line: len(line.cells) if isinstance(line, Row) else 0):
        block = list(group)
        table = _table([line.cells for line in block if isinstance(line, Row)]) if width else None
        for line in table or ():
            yield _Line(html.escape(line), line, is_table=True)
        if table is None:
            for text in block:
                yield from (_line(piece) for whole in (text.splitlines() or [""]) for piece in _pieces(whole))


def _line(text: str) -> _Line:
    """One line, with what matters set off: mode and refusal strong, ids and confirmations to be copied by a tap."""
    marked = _ID.sub(lambda found: f"<code>{found.group()}</code>", html.escape(text))
    marked = _CONFIRM.sub(r"<code>\1</code>", marked)
    strong = _STRONG.match(text)
    if strong is not None:
        head = html.escape(strong.group())
        marked = f"<b>{head}</b>{marked[len(head) :]}"
    return _Line(marked, text)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str] | None:
    """Columns side by side, the first to the left and the others to the right. None where a phone is too narrow."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > PHONE_COLUMNS:
        return None
    return [_GAP.join(_padded(cell, widths[place], place) for place, cell in enumerate(row)).rstrip() for row in rows]


def _padded(cell: str, width: int, place: int) -> str:
    return cell.rjust(width) if place else cell.ljust(width)


def _pieces(line: str, most: int = TEXT_MAX) -> Iterator[str]:
    """A line in pieces of at most so many units, never cut within a character."""
    while units(line) > most:
        cut = most // 2
        yield line[:cut]
        line = line[cut:]
    yield line


def _length(lines: Iterable[_Line]) -> int:
    return sum(units(line.plain) + 1 for line in lines) - 1


def _pack(lines: Iterable[_Line], first_most: int = TEXT_MAX) -> Iterator[Part]:
    """Parts that break where lines end, the first within `first_most` units; one that would be blank is left out."""
    taken: list[_Line] = []
    most = first_most
    for line in lines:
        if taken and _length([*taken, line]) > most:
            yield from _part(taken)
            taken, most = [], TEXT_MAX
        taken.append(line)
    yield from _part(taken)


def _part(lines: Sequence[_Line]) -> Iterator[Part]:
    plain = "\n".join(line.plain for line in lines)
    if not plain.strip():
        return
    blocks = []
    for is_table, group in groupby(lines, key=lambda line: line.is_table):
        text = "\n".join(line.html for line in group)
        blocks.append(f"<pre>{text}</pre>" if is_table else text)
    yield Part("\n".join(blocks), plain)
