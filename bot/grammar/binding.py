"""PURE. Which value belongs to which label: "SL 1%", "1% stop", "stop at 3000", in any order.

Each label takes one value beside it, after it or before it; the cheapest way in which all labels get one wins. Two
equally cheap ways mean that the sentence is ambiguous.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.grammar.lexer import Kind
from bot.grammar.reading import Word

LABELS = ("stop", "target", "limit", "risk", "at", "entry")
PRICES = frozenset({"limit", "at", "entry"})
MOST_LABELS = 8
_LINKS = frozenset({"at", "to", "=", ":", "@", "price", "of"})
_BEFORE_COST = 2
_SEPARATOR_COST = 3
_SYMBOL_COST = 3
_NO_VALUE_COST = 9


@dataclass(frozen=True, slots=True)
class Binding:
    """Labels by position, each with the position of its value, or None for an optional label without one."""

    pairs: tuple[tuple[int, str, int | None], ...]
    cost: int

    @property
    def values(self) -> frozenset[int]:
        """Positions of the values that are taken."""
        return frozenset(value for _, _, value in self.pairs if value is not None)


def bindings(words: Sequence[Word]) -> list[Binding]:
    """The cheapest complete bindings; empty when some label finds no value, several when nothing tells them apart."""
    complete = list(_bind(words, labels(words), frozenset()))
    if not complete:
        return []
    best = min(binding.cost for binding in complete)
    unique = {_meaning(binding): binding for binding in complete if binding.cost == best}
    return list(unique.values())


def _meaning(binding: Binding) -> tuple[tuple[str, int | None], ...]:
    return tuple((label, value) for _, label, value in binding.pairs)


def labels(words: Sequence[Word]) -> list[tuple[int, str]]:
    """Positions and names of the labels that may take a value."""
    return list(_labels(words))


def _labels(words: Sequence[Word]) -> Iterator[tuple[int, str]]:
    for index, word in enumerate(words):
        label = word.means("label")
        if label in LABELS:
            # "at" before another label, or between a label and its value, is only a small word.
            if label == "at" and not _is_price_mark(words, index):
                continue
            yield index, label


def _is_price_mark(words: Sequence[Word], index: int) -> bool:
    after = words[index + 1] if index + 1 < len(words) else None
    if after is None or after.token.kind not in {Kind.NUMBER, Kind.MONEY} or not after.is_value:
        return False
    for before in reversed(words[:index]):
        label = before.means("label")
        if label in {"stop", "target", "limit"}:
            return False
        if not before.is_filler or before.is_separator:
            return True
    return True


def without_value(words: Sequence[Word]) -> str | None:
    """The label that keeps all of them from having a value each, None when it is none alone."""
    every = labels(words)
    for culprit in reversed(every):
        others = [one for one in every if one != culprit]
        if next(_bind(words, others, frozenset()), None) is not None:
            return culprit[1]
    return None


def _bind(words: Sequence[Word], left: Sequence[tuple[int, str]], taken: frozenset[int]) -> Iterator[Binding]:
    if not left:
        yield Binding((), 0)
        return
    (index, label), rest = left[0], left[1:]
    for value, cost in _candidates(words, index, label):
        if value is not None and value in taken:
            continue
        now = taken if value is None else taken | {value}
        for tail in _bind(words, rest, now):
            yield Binding(((index, label, value), *tail.pairs), cost + tail.cost)


def _candidates(words: Sequence[Word], index: int, label: str) -> Iterator[tuple[int | None, int]]:
    for step in (1, -1):
        found = _beside(words, index, step)
        if found is None or not _fits(words[found[0]], label):
            continue
        behind = step > 0 and all(word.text in _LINKS for word in words[index + 1 : found[0]])
        if counts_coins(words, found[0]) and not behind:
            # "0.1 ETH" is an amount; only right behind its label may it be anything else.
            continue
        yield found[0], found[1] + (_BEFORE_COST if step < 0 else 0)
    if label in PRICES:
        yield None, _NO_VALUE_COST


def _beside(words: Sequence[Word], index: int, step: int) -> tuple[int, int] | None:
    """The nearest value on one side with nothing but fillers (and, for a coin's own level, the coin) between."""
    cost = 0
    position = index + step
    while 0 <= position < len(words):
        word = words[position]
        if word.is_value:
            return position, cost
        if word.is_separator:
            cost += _SEPARATOR_COST
        elif word.token.kind is Kind.SYMBOL and not word.meanings:
            cost += _SYMBOL_COST
        elif not (word.is_filler or word.means("label") == "at"):
            return None
        position += step
    return None


def counts_coins(words: Sequence[Word], index: int) -> bool:
    """True for a bare number right before a coin ("0.1 ETH"), which is an amount where nothing says otherwise."""
    after = words[index + 1] if index + 1 < len(words) else None
    if words[index].token.kind is not Kind.NUMBER or after is None:
        return False
    return after.token.kind is Kind.SYMBOL and not after.meanings


def _fits(word: Word, label: str) -> bool:
    kind = word.token.kind
    if "break_even" in word.meanings:
        return label in {"stop", "target"}
    if label in PRICES:
        return kind in {Kind.NUMBER, Kind.MONEY}
    if label == "risk":
        return kind is Kind.PERCENT
    return kind is not Kind.DAYS


def spoken(binding: Binding, words: Sequence[Word]) -> Mapping[str, list[Word]]:
    """Label to the values that it was given, in the order of the sentence."""
    found: dict[str, list[Word]] = {}
    for _, label, value in binding.pairs:
        if value is not None:
            found.setdefault(label, []).append(words[value])
    return found
