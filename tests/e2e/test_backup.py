"""`zyn backup`, as a process of its own beside a bot that trades."""

import re
import stat
from pathlib import Path

import pytest

from storage.migrate import HEAD
from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import ON_A_FULL_DISK, Home, Ran

pytestmark = pytest.mark.e2e

BUY = "buy 0.04 ZEC/USD sl 1% tp 2%"
OPEN = "show open positions and open orders"
WITHOUT_WORLD = {
    "MODE": "LIVE",
    "MARKET": "kraken",
    "KRAKEN_API_URL": "http://127.0.0.1:1",
    "TELEGRAM_BOT_TOKEN": "123:of-nobody",
    "TELEGRAM_API_URL": "http://127.0.0.1:1",
    "LOG_FILE": "/proc/nowhere/zyn.log",
}
"""LIVE without keys, and nobody there: what no bot could start with."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_refused(ran: Ran, words: str) -> None:
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("Zyn makes no backup: "), ran.err
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1, ran.err


async def test_a_bot_on_the_copy_shows_the_same_open_as_the_bot_that_was_copied(home: Home, tmp_path: Path) -> None:
    bot = await home.bot()
    await bot.done(BUY)
    await bot.done("buy 0.1 ETH/USD limit 1000")
    other = Home(tmp_path / "other", home.environment)
    other.database.parent.mkdir(parents=True)
    ran = await home.run("backup", str(other.database))
    assert (ran.status, ran.err) == (0, "")
    try:
        copied = await other.bot()
        ours, theirs = await bot.ask(OPEN), await copied.ask(OPEN)
        assert theirs["data"] == ours["data"]
        assert [position["quantity"] for position in ours["data"]["positions"]] == ["0.04"]
        assert disagreements(read_books(other.database)) == []
        await copied.done("close zec")
        assert len(read_books(home.database).unfinished) == 2, "the copied bot lives on its own"
    finally:
        await other.close()


async def test_one_line_tells_where_the_copy_is_how_large_and_what_it_holds(home: Home) -> None:
    bot = await home.bot()
    await bot.done(BUY)
    home.database.chmod(0o600)
    ran = await home.run("backup")
    books = read_books(home.database)
    copies = list(home.database.parent.glob("*.backup"))
    assert (ran.status, ran.err, len(copies)) == (0, "", 1)
    assert re.fullmatch(r"zyn\.db\.\d{8}T\d{6}Z\.backup", copies[0].name)
    size = copies[0].stat().st_size
    assert ran.out == (
        f"{copies[0]}: {size:,} bytes, schema {HEAD}, brackets: {len(books.brackets)}, orders: {len(books.orders)}\n"
    )
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o600


async def test_it_needs_no_bot_no_keys_no_network_and_no_log(home: Home) -> None:
    assert (await home.run("do", BUY)).status == 0
    before = names(home.database.parent)
    ran = await home.run("backup", "mine.db", **WITHOUT_WORLD)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("mine.db: ")
    assert read_books(home.path / "mine.db").brackets == read_books(home.database).brackets
    assert names(home.database.parent) == before


async def test_a_terminal_that_knows_only_ascii_gets_its_line(home: Home) -> None:
    assert (await home.run("do", "balance")).status == 0
    ran = await home.run("backup", "für später.db", PYTHONIOENCODING="ascii", PYTHONUTF8="1")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("f?r sp?ter.db: ")


async def test_a_full_disk_is_said_and_the_bot_trades_on(home: Home) -> None:
    bot = await home.bot()
    await bot.done(BUY)
    before = names(home.database.parent)
    home.launch = ON_A_FULL_DISK
    assert_refused(await home.run("backup"), "check that the disk has room")
    assert names(home.database.parent) == before
    await bot.done("close zec")
    assert disagreements(read_books(home.database)) == []


async def test_what_cannot_be_copied_is_refused_in_one_sentence(home: Home) -> None:
    assert_refused(await home.run("backup"), "there is no database")
    assert not home.database.exists()
    assert (await home.run("do", "balance")).status == 0
    assert_refused(await home.run("backup", "data/zyn.db"), "exists already")
    assert_refused(await home.run("backup", "nowhere/copy.db"), "there is no folder nowhere")


async def test_postgresql_is_left_to_pg_dump_without_a_password_and_without_a_connection(home: Home) -> None:
    ran = await home.run("backup", DATABASE_URL="postgresql://zyn:pass-word-of-nobody@127.0.0.1:1/books")
    assert_refused(ran, "pg_dump --format=custom --file=zyn.backup --host=127.0.0.1 --dbname=books")
    assert "pass-word-of-nobody" not in ran.err
