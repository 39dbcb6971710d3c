"""PURE. What fits next to an answer, for faces that have buttons."""

from collections.abc import Iterable

from core.domain.modes import Mode
from core.trading.reply import Offer, OfferKind

SYMBOLS_MAX = 8


def refresh(words: str, mode: Mode) -> Offer:
    """The same again, in the same place."""
    return Offer("↻ Refresh", words, mode, OfferKind.REFRESH)


def show_open(mode: Mode) -> Offer:
    """The list of what is open."""
    return Offer("Open list", "open", mode)


def position_offers(symbol: str, mode: Mode) -> list[Offer]:
    """What can be done with the positions of a symbol."""
    base = symbol.partition("/")[0]
    return [
        Offer(f"Close {base}", f"close {symbol}", mode),
        Offer(f"Protect {base}", f"protect {symbol}", mode, OfferKind.LEVELS),
    ]


def open_offers(words: str, held: Iterable[str], waiting: Iterable[str], mode: Mode) -> tuple[Offer, ...]:
    """Below a list of what is open: `held` are symbols, `waiting` the names of entries. Not more than fit a phone."""
    offers = [refresh(words, mode)]
    offers += [Offer(f"Cancel {name}", f"cancel {name}", mode) for name in list(dict.fromkeys(waiting))[:SYMBOLS_MAX]]
    for symbol in list(dict.fromkeys(held))[:SYMBOLS_MAX]:
        offers += position_offers(symbol, mode)
    return tuple(offers)
