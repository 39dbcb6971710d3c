"""The LIVE ledger of a bot held against the account at the stand-in for Kraken: every way in which they can disagree."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from core.domain.money import ZERO, plain
from core.domain.orders import OrderType, Side
from core.domain.venue import VenueState
from tests.e2e.books import Books, Row, count, read_books, read_rows
from tests.standins.kraken import KrakenStandIn, audit
from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_audit import is_ours
from tests.standins.kraken_records import Record

_NEVER_THERE = frozenset({"lost", "rejected", "held"})
"""States of an order of ours that the account must not know."""
_AT_ACCOUNT = {"open": VenueState.OPEN, "filled": VenueState.CLOSED, "canceled": VenueState.CANCELED}
_LIVE = frozenset({"open", "submitting", "held"})
