"""The comparison of the two books would notice: each kind of harm, done to a healthy file, is found."""

import shutil
import sqlite3

import pytest

from tests.e2e.books import disagreements, read_books
from tests.e2e.chaos import Memory, broken_promises
from tests.e2e.kit import Home

pytestmark = pytest.mark.e2e

HARMS = {
    "a fill is lost": "DELETE FROM fill WHERE id LIKE 'PX-000001:%'",
    "a fill of the venue is lost": "DELETE FROM paper_fill",
    "an order is lost": "DELETE FROM orders WHERE role = 'stop'",
    "the venue lost an order": "DELETE FROM paper_order WHERE type = 'stop-loss'",
    "an order was sent twice": (
        "UPDATE paper_order SET client_id = (SELECT client_id FROM paper_order WHERE venue_id = 'PX-000001')"
    ),
    "nobody intended it": "UPDATE paper_order SET client_id = 'zyffffffff-1' WHERE venue_id = 'PX-000001'",
    "money is missing": "UPDATE paper_balance SET total = '9000.01' WHERE asset = 'USD'",
    "coins are missing": "UPDATE paper_balance SET total = '0.03' WHERE asset = 'ZEC'",
    "a stop is too small": "UPDATE paper_order SET quantity = '0.02' WHERE type = 'stop-loss'",
    "a stop does not rest": "UPDATE paper_order SET state = 'canceled' WHERE type = 'stop-loss'",
    "an order hangs": "UPDATE orders SET state = 'submitting' WHERE role = 'stop'",
    "a closed bracket holds": "UPDATE bracket SET state = 'closed'",
    "a target is too small": "UPDATE orders SET quantity = '0.01' WHERE role = 'target'",
    "two entries": "UPDATE orders SET role = 'entry' WHERE role = 'stop'",
    "a state differs": "UPDATE orders SET state = 'canceled' WHERE role = 'entry'",
}


async def test_each_kind_of_harm_to_the_books_is_found(home: Home) -> None:
    bot = await home.bot()
    await bot.done("buy 0.04 ZEC/USD sl 1% tp 2%")
    assert await bot.stop() == 0
    assert disagreements(read_books(home.database)) == []
    unseen = []
    for name, sql in HARMS.items():
        file = home.path / "harmed.db"
        shutil.copy(home.database, file)
        with sqlite3.connect(file) as connection:
            assert connection.execute(sql).rowcount > 0, name
        connection.close()
        if not disagreements(read_books(file)):
            unseen.append(name)
    assert unseen == []


async def test_each_broken_promise_to_the_owner_is_found(home: Home) -> None:
    bot = await home.bot()
    reply = await bot.ask("buy 0.04 ZEC/USD sl 1% tp 2%")
    other = await bot.ask("buy 0.02 ZEC/USD sl 1% tp 2%")
    assert await bot.stop() == 0
    books = read_books(home.database)
    honest = Memory()
    honest.hear(reply)
    assert broken_promises(books, honest), "a second bracket that nobody asked for"
    honest.hear(other)
    assert broken_promises(books, honest) == []
    entry = next(receipt for receipt in reply["receipts"] if receipt["role"] == "entry")
    for wrong in ({"filled": "0.05"}, {"state": "rejected", "filled": "0"}, {"client_id": "zy00000000-1"}):
        told = Memory(receipts=[entry | wrong], brackets=set(honest.brackets))
        assert broken_promises(books, told), wrong
    vanished = Memory(brackets=honest.brackets | {"zy00000000"})
    assert broken_promises(books, vanished)
