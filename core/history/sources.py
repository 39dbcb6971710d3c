"""The files that a path stands for: one CSV, a folder of them, or Kraken's zip bundle, whose members stay in it.

Every file is a stream that can be read again from its beginning; nothing is ever unpacked, to the disk or as a whole.
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, cast

from core.history.naming import SUFFIXES, FileName, read_name
from core.history.ohlcvt import read_candles
from core.history.rows import CandleRow, HistoryError

Parse = Callable[[Iterable[str], str, int], Iterator[CandleRow]]
"""Lines, the name of their file and the interval in seconds, as candles."""

LINE_LENGTH_MAX = 512
MEMBER_BYTES_MAX = 2 * 1024**3
"""Kraken's longest file, a decade of minutes, has a third of a gigabyte."""

RATIO_MAX = 100
"""Candles that hardly change shrink to a thirtieth."""

RATIO_COUNTS_FROM = 1_000_000
_ENCRYPTED = 0x1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NAMING_HINT = "name it like ETHUSD_5.csv, pair and minutes"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of one symbol and interval. `size_bytes` is what reading it once counts up to."""

    name: str
    symbol: str
    interval_s: int
    size_bytes: int
    opened: Callable[[], IO[bytes]]
    parse: Parse = read_candles


@dataclass(slots=True)
class Found:
    """What some paths hold: files to read, names that are not understood (name, why), and how many were not wanted."""

    sources: list[Source] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unwanted: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which symbols and intervals (seconds) to take; none named means all. `known` are the pairs that there are."""

    symbols: Collection[str] = ()
    intervals_s: Collection[int] = ()
    known: Collection[str] = ()

    def takes(self, symbol: str, interval_s: int) -> bool:
        """True for what was asked for."""
        return symbol in (self.symbols or (symbol,)) and interval_s in (self.intervals_s or (interval_s,))


@contextmanager
def find_sources(paths: Sequence[Path], wanted: Wanted) -> Iterator[Found]:
    """The files that `paths` stand for, readable until the end of the context. Raises HistoryError for a path itself.

    Within a folder or a bundle, what is no file of candles is skipped and told; a path that was named must be one.
    """
    found = Found()
    with ExitStack() as stack:
        for path in paths:
            if path.is_dir():
                for file in sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith(".")):
                    _add(stack, found, file, wanted, strict=False)
            elif path.exists():
                _add(stack, found, path, wanted, strict=True)
            else:
                raise HistoryError(f"there is no file or folder {path}")
        yield found


def file_source(path: Path, name: FileName, parse: Parse = read_candles) -> Source:
    """A plain or gzipped file as a source. Raises HistoryError where its name leaves symbol or interval open."""
    if name.symbol is None or name.interval_s is None:
        missing = "interval" if name.symbol else "symbol"
        raise HistoryError(f"cannot tell the {missing} of {path.name}; {_NAMING_HINT}")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise HistoryError(f"cannot read {path}: {error.strerror}") from error
    return Source(path.name, name.symbol, name.interval_s, size, partial(_open, path), parse)


@contextmanager
def rows_of(source: Source) -> Iterator[tuple[Iterator[CandleRow], Callable[[], int]]]:
    """The candles of a file, and how many of its `size_bytes` are read so far. Raises HistoryError while it is read."""
    try:
        with source.opened() as raw, _text(raw, source.name) as text:
            yield source.parse(_lines(text, source.name), source.name, source.interval_s), raw.tell
    except (OSError, EOFError, UnicodeDecodeError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise HistoryError(f"cannot read {source.name}: {error}") from error


def _add(stack: ExitStack, found: Found, path: Path, wanted: Wanted, *, strict: bool) -> None:
    if path.name.endswith(".zip"):
        _add_members(stack, found, path, wanted)
        return
    name = read_name(path.name, wanted.known)
    if strict and not path.name.endswith(SUFFIXES):
        raise HistoryError(f"{path.name} is no .csv, .csv.gz, .zip or folder")
    why = _why_not(path.name, name)
    if strict or not why:
        _take(found, file_source(path, name), wanted)
    else:
        found.skipped.append((path.name, why))


def _take(found: Found, source: Source, wanted: Wanted) -> None:
    if wanted.takes(source.symbol, source.interval_s):
        found.sources.append(source)
    else:
        found.unwanted += 1


def _why_not(file: str, name: FileName) -> str:
    """Why a file among others is none of candles, empty where it is one."""
    if not file.endswith(SUFFIXES):
        return "no .csv or .csv.gz"
    if name.symbol is None:
        return "its pair is not known"
    return "" if name.interval_s is not None else "no interval in its name"


def _add_members(stack: ExitStack, found: Found, path: Path, wanted: Wanted) -> None:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise HistoryError(f"cannot read {path.name}: {error}") from error
    seen: set[str] = set()
    for member in archive.infolist():
        if member.is_dir():
            continue
        name = read_name(member.filename, wanted.known)
        why = _why_not_member(member, name) or ("a second file of this name" if member.filename in seen else "")
        seen.add(member.filename)
        if why or name.symbol is None or name.interval_s is None:
            found.skipped.append((f"{path.name}: {member.filename}", why))
            continue
        opened = partial(archive.open, member)
        source = Source(f"{path.name}: {member.filename}", name.symbol, name.interval_s, member.file_size, opened)
        _take(found, source, wanted)


def _why_not_member(member: zipfile.ZipInfo, name: FileName) -> str:
    """Why a member is not read. What it says of its size is believed: no more than that is ever read of it."""
    base = member.filename.rpartition("/")[2]
    if base.startswith("."):
        return "a hidden file"
    if member.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if member.compress_type not in _PACKINGS:
        return "it is packed in a way that no file of Kraken's is"
    if member.file_size > MEMBER_BYTES_MAX:
        return f"it says that it has {member.file_size:,} bytes, more than any file of candles"
    if member.file_size > max(RATIO_COUNTS_FROM, RATIO_MAX * member.compress_size):
        return f"it is packed more than {RATIO_MAX} to 1, as no candles are"
    return _why_not(base, name)


def _text(raw: IO[bytes], name: str) -> io.TextIOWrapper:
    plain = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if name.endswith(".gz") else raw
    return io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    """Line by line, without ever holding one that does not end."""
    while line := text.readline(LINE_LENGTH_MAX + 1):
        if len(line) > LINE_LENGTH_MAX:
            raise HistoryError(f"{name} has a line of more than {LINE_LENGTH_MAX} letters; it is no file of rows")
        yield line
