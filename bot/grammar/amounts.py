"""PURE. How much: the one amount of a sentence, and the ways in which a number is not clearly one."""

from collections.abc import Mapping
from decimal import Decimal

from bot.grammar import words as lexicon
from bot.grammar.binding import PRICES, Binding, counts_coins
from bot.grammar.lexer import Kind
from bot.grammar.reading import Word
from bot.grammar.sheet import MisfitError, Sheet
from core.commands.base import SlotKind
from core.domain.errors import Code
from core.domain.money import HUNDRED, ZERO

Amount = tuple[str, Decimal, Word, int]
"""Unit, value, the word, and its position."""
_UNITS = {Kind.NUMBER: "base", Kind.MONEY: "quote", Kind.PERCENT: "percent"}
_PAYS = frozenset({"for", "with", "use", "using", "worth", "spend", "invest", "put", "ape"})
"""A bare number behind one of these pays; in which currency, it does not say."""


def fill_amount(sheet: Sheet, binding: Binding, given: Mapping[str, list[Word]]) -> None:
    """Fill the amount from what no label has taken. Raises MisfitError where it is not clear."""
    slot = sheet.slot(SlotKind.AMOUNT)
    if slot is None:
        return
    found = [*_risked(sheet, given), *_free(sheet)]
    found = _without_echo(found)
    if len(found) > 1:
        _two_symbols(sheet)
        listed = " and ".join(word.text for _, _, word, _ in found)
        raise MisfitError(Code.AMBIGUOUS, f"{listed}: it is not clear which is the amount")
    if not found:
        found = _all_of_mine(sheet)
        if not found:
            return
    unit, value, word, index = found[0]
    if value <= ZERO:
        raise MisfitError(Code.AMOUNT, f"'{word.text}' is no amount; give one above zero")
    if unit in {"percent", "risk_percent"} and value > HUNDRED:
        raise MisfitError(Code.AMOUNT, f"'{word.text}' is more than everything; give at most 100%")
    if unit == "base" and word.token.kind is Kind.NUMBER:
        unit = _of_bare_number(sheet, binding, given, word, index)
    if unit == "percent":
        _check_percent(sheet, word, index)
    sheet.fields[slot[0]] = {"value": format(value, "f"), "unit": unit}


def _risked(sheet: Sheet, given: Mapping[str, list[Word]]) -> list[Amount]:
    risked = given.get("risk", [])
    if risked and _sells(sheet):
        raise MisfitError(Code.AMOUNT, "a sale has no risk to size it by; give an amount, a percentage or 'all'")
    return [("risk_percent", word.value, word, -1) for word in risked]


def _free(sheet: Sheet) -> list[Amount]:
    found: list[Amount] = []
    for index, word in sheet.unplaced():
        amount = _amount_of(sheet, word, index)
        if amount is not None:
            found.append(amount)
            sheet.placed.add(index)
    return found


def _amount_of(sheet: Sheet, word: Word, index: int) -> Amount | None:
    if word.token.kind in _UNITS and word.is_value:
        if word.token.signed:
            raise MisfitError(Code.AMOUNT, f"'{word.text}' has a sign; give an amount without one, above zero")
        return _UNITS[word.token.kind], word.value, word, index
    if (fraction := word.means("fraction")) is not None:
        after = sheet.words[index + 1] if index + 1 < len(sheet.words) else None
        if after is None or after.token.kind is not Kind.SYMBOL:
            raise MisfitError(Code.AMBIGUOUS, f"'{word.text}' of what? Say 'half of my ETH', or an amount like 0.5 BTC")
        return "base", Decimal(fraction), word, index
    part = word.means("part")
    if part is None or word.means("label") is not None:
        return None
    _must_be_of_something(sheet, word)
    return "percent", Decimal(part), word, index


def _must_be_of_something(sheet: Sheet, word: Word) -> None:
    """To buy "half" needs to say of what; to sell it, only the holding can be meant."""
    cash = any(one.text in lexicon.NOUNS_OF_CASH or one.token.kind is Kind.CURRENCY for one in sheet.words)
    if not _sells(sheet) and not cash:
        raise MisfitError(Code.AMBIGUOUS, f"'{word.text}' of what? Say 'half of my balance', or an amount like 0.5 BTC")


def _of_bare_number(sheet: Sheet, binding: Binding, given: Mapping[str, list[Word]], word: Word, index: int) -> str:
    """The unit of a number that names none: coins, unless something else about the sentence speaks against it."""
    before = sheet.words[index - 1].text if index else ""
    after = sheet.words[index + 1].text if index + 1 < len(sheet.words) else ""
    is_coins = counts_coins(sheet.words, index)
    if word.text.endswith(("k", "grand")) and after in {"of", "worth"}:
        return "quote"
    unclear = f"'{word.text}' of what? Say 0.1 ETH, or $50 of ETH"
    if after == "worth" or (before in _PAYS and not is_coins) or sheet.call in _PAYS:
        raise MisfitError(Code.AMBIGUOUS, unclear)
    if index < sheet.call_at and not is_coins:
        raise MisfitError(Code.AMBIGUOUS, unclear)
    taken_before = any(
        value is not None and value < label_at and sheet.words[value].token.kind is Kind.NUMBER
        for label_at, label, value in binding.pairs
        if label != "risk"
    )
    priced = any(value is not None and sheet.words[value].token.kind is Kind.NUMBER for _, _, value in binding.pairs)
    if not is_coins and (taken_before or (priced and not _beside_its_coin(sheet, index))):
        raise MisfitError(Code.AMBIGUOUS, unclear)
    swapped = any(
        value is not None and (counts_coins(sheet.words, value) or _across_a_coin(sheet, label_at, value))
        for label_at, label, value in binding.pairs
        if label != "risk"
    )
    if swapped or _between_levels(given, word.value):
        raise MisfitError(
            Code.AMBIGUOUS, f"it is not clear whether '{word.text}' is the amount or a price; say '0.1 ETH'"
        )
    return "base"


def _beside_its_coin(sheet: Sheet, index: int) -> bool:
    """A number counts coins beside the coin ("ETH 0.1", "0.1 of ETH"), right behind the verb, or where it is named."""
    before = sheet.words[index - 1] if index else None
    after = [word for word in sheet.words[index + 1 : index + 3] if word.text not in {"of", "the", "my", "worth"}]
    if before is not None and (
        index - 1 == sheet.call_at or before.token.kind is Kind.SYMBOL or before.text in _COUNTS
    ):
        return True
    return bool(after) and after[0].token.kind is Kind.SYMBOL


_COUNTS = frozenset({"size", "amount", "qty", "quantity", "=", ":", "by"})


def _across_a_coin(sheet: Sheet, label_at: int, value: int) -> bool:
    low, high = sorted((label_at, value))
    return any(word.token.kind is Kind.SYMBOL and not word.meanings for word in sheet.words[low + 1 : high])


def _between_levels(given: Mapping[str, list[Word]], amount: Decimal) -> bool:
    """A number of coins that lies between the prices of stop and target is rather the price in between."""
    stop, target = (given.get(label, []) for label in ("stop", "target"))
    priced = [word for word in (*stop, *target) if word.token.kind in {Kind.NUMBER, Kind.MONEY}]
    has_price = any(given.get(label) for label in PRICES)
    return len(priced) > 1 and not has_price and priced[0].value < amount < priced[1].value


def _check_percent(sheet: Sheet, word: Word, index: int) -> None:
    before = sheet.words[index - 1] if index else None
    if before is not None and before.means("label") == "at":
        raise MisfitError(
            Code.AMBIGUOUS, f"'{before.text} {word.text}' is no price; say 'limit 3200', or 'TP {word.text}'"
        )
    cash = any(one.text in lexicon.NOUNS_OF_CASH for one in sheet.words)
    if _sells(sheet) and cash:
        raise MisfitError(Code.AMBIGUOUS, "one sells coins, not cash; say 'sell half of my ETH', or 'buy $50 of ETH'")
    if not _sells(sheet) and _of_my_coins(sheet):
        raise MisfitError(Code.AMBIGUOUS, "part of a coin that you hold is for selling; to buy say '10% of my balance'")


def _of_my_coins(sheet: Sheet) -> bool:
    return any(
        word.text == "my" and index + 1 < len(sheet.words) and sheet.words[index + 1].token.kind is Kind.SYMBOL
        for index, word in enumerate(sheet.words)
    )


def _all_of_mine(sheet: Sheet) -> list[Amount]:
    """To sell "my ETH" is to sell all of it."""
    place = next((index for index, word in enumerate(sheet.words) if word.text == "my"), None)
    if place is None or not _sells(sheet) or not _of_my_coins(sheet):
        return []
    return [("percent", HUNDRED, sheet.words[place], place)]


def _sells(sheet: Sheet) -> bool:
    return sheet.command.declaration.name == "sell"


def _two_symbols(sheet: Sheet) -> None:
    coins = {word.token.symbol.partition("/")[0] for word in sheet.words if word.token.kind is Kind.SYMBOL}
    if len(coins) > 1:
        raise MisfitError(Code.TWO_ORDERS, f"that names {' and '.join(sorted(coins))}; say one order at a time")


def _without_echo(found: list[Amount]) -> list[Amount]:
    """Saying "all of my entire bag" names one part twice, not two parts; a number that is typed twice is two."""
    unique: list[Amount] = []
    for one in found:
        is_part = one[2].means("part") is not None
        if not (is_part and any(known[:2] == one[:2] and known[2].means("part") is not None for known in unique)):
            unique.append(one)
    return unique
