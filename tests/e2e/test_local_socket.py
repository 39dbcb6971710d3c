"""Beside a running bot: `zyn do` and `zyn shell` talk to it, strangers and second bots stay out."""

import asyncio
import json
import stat
from pathlib import Path

import pytest

from bot.faces.socket import socket_path
from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import GENERATED, STANDS_STILL, Home, Wire

pytestmark = pytest.mark.e2e

BUY = "buy 0.04 ZEC/USD sl 1% tp 2%"
OPEN = "show open positions"


async def test_do_and_shell_beside_a_bot_talk_to_it_and_see_one_position(home: Home) -> None:
    bot = await home.bot()
    done = await home.run("do", BUY)
    shown = await home.run("do", "--json", OPEN)
    shell = await home.run("shell", stdin=f"{OPEN}\nprice zec\n")
    assert (done.status, done.err, shell.status, shell.err) == (0, "", 0, "")
    assert "Bought 0.04 ZEC (ZEC/USD) at " in done.out
    data = json.loads(shown.out)["data"]
    assert [position["quantity"] for position in data["positions"]] == ["0.04"]
    assert "Talking to the running Zyn." in shell.out
    assert "Positions (1):" in shell.out
    assert "ZEC/USD: bid " in shell.out
    assert (await bot.ask(OPEN))["data"] == data
    assert len(read_books(home.database).brackets) == 1


async def test_do_without_a_bot_opens_the_house_itself_and_leaves_nothing_behind(home: Home) -> None:
    bought = await home.run("do", BUY)
    shown = await home.run("do", OPEN)
    refused = await home.run("do", "--json", "buy 1000 BTC/USD")
    assert (bought.status, shown.status, refused.status) == (0, 0, 1)
    assert "Positions (1):" in shown.out
    answer = json.loads(refused.out.splitlines()[0])
    assert not answer["ok"]
    assert answer["text"].splitlines()[-1].startswith(f"[EXEC-ERR] {answer['code']}: ")
    assert not socket_path(home.database_url).exists()
    assert disagreements(read_books(home.database)) == []


async def test_only_its_owner_may_open_the_socket(home: Home) -> None:
    bot = await home.bot()
    assert bot.socket.is_socket()
    assert stat.S_IMODE(bot.socket.stat().st_mode) == 0o600


async def test_a_second_bot_on_the_database_is_refused_and_told_whom_to_ask(home: Home) -> None:
    bot = await home.bot()
    second = await home.run("run")
    assert second.status != 0
    assert f"another Zyn (process {bot.pid}) trades on this database" in second.err
    assert "zyn shell" in second.err
    assert "Traceback" not in second.err
    assert (await bot.done(BUY)).startswith("Mode: PAPER.")


async def test_a_second_name_of_the_same_database_file_lets_no_second_bot_in(home: Home) -> None:
    first = await home.bot()
    other = home.path / "other" / "zyn.db"
    other.parent.mkdir()
    other.symlink_to(home.database)
    second = await home.process(DATABASE_URL=f"sqlite:///{other}")
    try:
        status = await second.wait(5.0)
    except AssertionError:
        pytest.fail(f"two bots run on {home.database} now: {first.pid} and {second.pid}")
    assert status != 0
    assert "another Zyn" in second.log.text


async def test_after_a_kill_neither_lock_nor_socket_blocks_the_next_start(home: Home) -> None:
    first = await home.bot()
    await first.done(BUY)
    await first.kill()
    assert first.socket.exists()
    second = await home.bot()
    assert len((await second.ask(OPEN))["data"]["positions"]) == 1
    assert disagreements(read_books(home.database)) == []


async def test_a_stale_socket_alone_does_not_fool_do(home: Home) -> None:
    bot = await home.bot()
    await bot.kill()
    ran = await home.run("do", OPEN)
    assert (ran.status, ran.err) == (0, "")
    assert "No positions." in ran.out


async def test_bots_in_deep_folders_with_the_default_database_do_not_share_a_socket(tmp_path: Path) -> None:
    deep = "a folder with a long name that somebody made " * 2
    homes = [Home(tmp_path / deep / name, GENERATED | {"MARKET_SPEED": STANDS_STILL}) for name in ("one", "two")]
    for home in homes:
        home.path.mkdir(parents=True)
    one, two = homes
    try:
        bot = await one.process("run", DATABASE_URL="sqlite:///data/zyn.db")
        await bot.log.wait_for("Zyn is up", 20.0)
        ran = await two.run("do", BUY, DATABASE_URL="sqlite:///data/zyn.db")
    finally:
        await one.close()
    assert ran.status == 0
    assert read_books(one.database).brackets == [], "the order given in folder two was taken by the bot of folder one"
    assert len(read_books(two.database).brackets) == 1


async def test_do_calls_the_outcome_unknown_when_the_bot_dies_before_it_answers(home: Home) -> None:
    path = socket_path(home.database_url)
    path.parent.mkdir()

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_unix_server(die, path=path)
    try:
        ran = await home.run("do", BUY)
    finally:
        server.close()
        await server.wait_closed()
    assert ran.status != 0
    assert "UNKNOWN" in ran.err + ran.out
    assert "cannot start" not in ran.err, "nothing was started: the command was asked, and its outcome is not known"
    assert "Traceback" not in ran.err


async def test_noise_on_the_socket_harms_nobody(home: Home) -> None:
    bot = await home.bot()
    for noise in (b"\xff\xfe\n", b"[]\n", b'{"text": 5}\n', b'{"text": null}\n', b"{" * 2000 + b"\n", b"null\n"):
        reader, writer = await asyncio.open_unix_connection(bot.socket)
        writer.write(noise)
        answer = json.loads(await asyncio.wait_for(reader.readline(), 5.0))
        assert (answer["ok"], answer["code"]) == (False, "NOT_A_COMMAND"), noise
        writer.close()
        await writer.wait_closed()
    reader, writer = await asyncio.open_unix_connection(bot.socket)
    writer.write(b'{"text": "' + b"x" * 200_000)
    writer.close()
    assert (await bot.done(OPEN)).startswith("Mode: PAPER.")
    assert "Traceback" not in bot.log.text


async def test_orders_given_at_the_same_moment_are_each_done_once(home: Home) -> None:
    bot = await home.bot()
    wires = [await bot.wire() for _ in range(20)]
    await asyncio.gather(*(wire.send("buy 0.02 ZEC/USD sl 1% tp 2%") for wire in wires))
    replies = await asyncio.gather(*(wire.answer() for wire in wires))
    for wire in wires:
        await wire.close()
    assert [reply["text"] for reply in replies if not reply["ok"]] == []
    books = read_books(home.database)
    assert {reply["data"]["bracket"] for reply in replies} == {row["id"] for row in books.brackets}
    assert len(books.brackets) == 20
    assert disagreements(books) == []


async def test_single_commands_given_at_once_without_a_bot_are_done_once_or_refused_in_words(home: Home) -> None:
    ran = await asyncio.gather(*(home.run("do", BUY) for _ in range(4)))
    done = sum(one.status == 0 for one in ran)
    unknown = sum("UNKNOWN" in one.err + one.out for one in ran)
    assert "Traceback" not in "".join(one.err for one in ran)
    assert all(one.status == 0 or "UNKNOWN" in one.err or "another Zyn" in one.err for one in ran), ran
    await home.run("do", OPEN)
    books = read_books(home.database)
    assert done >= 1
    assert done <= len(books.brackets) <= done + unknown
    assert disagreements(books) == []


async def test_a_client_that_leaves_before_its_answer_has_still_ordered_once(home: Home) -> None:
    bot = await home.bot()
    wire = await Wire.connect(bot.socket)
    await wire.send(BUY)
    await wire.close()
    reply = await bot.ask(OPEN)
    async with asyncio.timeout(30.0):
        while not reply["data"]["positions"]:
            reply = await bot.ask(OPEN)
    assert [position["quantity"] for position in reply["data"]["positions"]] == ["0.04"]
    assert disagreements(read_books(home.database)) == []
