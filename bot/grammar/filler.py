"""PURE. Places every word of a sentence into exactly one slot of one command, or says what it could not place."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.grammar import words as lexicon
from bot.grammar.lexer import Kind, Token
from bot.grammar.reading import Word, read
from bot.grammar.sheet import Misfit, MisfitError, Sheet
from bot.grammar.symbols import SymbolBook
from bot.grammar.values import place_values
from bot.grammar.vocabulary import Vocabulary
from core.commands.base import Command, Danger, SlotKind
from core.domain.errors import Code


@dataclass(frozen=True, slots=True)
class Filled:
    """A command with its mode. `call_length` is how many words called it, to prefer the more specific one."""

    command: Command
    mode: str | None
    call_length: int


def fill(
    tokens: Sequence[Token], vocabulary: Vocabulary, book: SymbolBook, *, implied: bool = False
) -> Filled | Misfit:
    """Read `tokens` as the command of `vocabulary`. `implied` lets it do without the word that calls it."""
    sheet = Sheet(vocabulary, book, read(tokens, vocabulary))
    try:
        _place_call(sheet, implied=implied)
        mode = _place_mode(sheet)
        _place_choices(sheet)
        place_values(sheet)
        _place_symbol(sheet)
        _check_currencies(sheet)
        _place_small_words(sheet)
        _check_end(sheet)
        _require(sheet)
        command = sheet.command.model_validate({**sheet.presets, **sheet.fields})
    except MisfitError as error:
        return error.misfit
    return Filled(command, mode, sheet.call_length)


def _place_call(sheet: Sheet, *, implied: bool) -> None:
    calls = [(index, word) for index, word in enumerate(sheet.words) if word.means("call") is not None]
    if not calls:
        if not implied:
            raise MisfitError(Code.NOT_A_COMMAND, "no word of it calls a command")
        return
    # The longest call is the one meant; the others may still be nouns ("open … orders", "buy … long").
    index, word = max(calls, key=lambda call: call[1].phrase_length)
    others = [other for position, other in calls if position != index]
    is_query = sheet.command.declaration.danger is Danger.QUERY
    for position, other in calls:
        joined = position > index and sheet.words[position - 1].text in {"and", "then", ",", "&"}
        small = not other.meanings.keys().isdisjoint(_ALSO) and not (joined and other.means("glue") is None)
        if position != index and not is_query and not small:
            raise MisfitError(Code.TWO_ORDERS, f"'{word.text}' and '{other.text}' are two orders; say one at a time")
    sheet.placed.add(index)
    sheet.call_at, sheet.call, sheet.call_length = index, word.text, word.phrase_length
    sheet.presets = sheet.command.declaration.presets.get(word.text, {})
    if is_query:
        sheet.placed.update(position for position, other in calls if other in others)


_ALSO = frozenset({"noun", "glue", "label", "choice", "plural"})
"""What a second call may be instead."""


def _place_mode(sheet: Sheet) -> str | None:
    found = [(index, mode) for index, word in enumerate(sheet.words) if (mode := word.means("mode")) is not None]
    modes = {mode for _, mode in found}
    if len(modes) > 1:
        raise MisfitError(Code.AMBIGUOUS, "that names both PAPER and LIVE; say one of them")
    sheet.placed.update(index for index, _ in found)
    for index, _ in found:
        for beside in (index + 1, index + 2):
            if beside < len(sheet.words) and sheet.words[beside].text in {
                "mode",
                "trading",
                "account",
                "desk",
                "trade",
                "order",
            }:
                sheet.placed.add(beside)
    mode = modes.pop() if modes else None
    slot = sheet.slot(SlotKind.MODE)
    if slot is None:
        return mode
    if mode is not None:
        sheet.fields[slot[0]] = mode
    return None


_MODE_NOUNS = frozenset({"mode", "trading", "account", "desk", "trade", "order"})


def _place_choices(sheet: Sheet) -> None:
    slot = sheet.slot(SlotKind.CHOICE)
    if slot is None:
        return
    found: dict[str, list[int]] = {}
    for index, word in enumerate(sheet.words):
        choice = word.means("choice")
        if choice is not None and index not in sheet.placed:
            found.setdefault(choice.partition(":")[2], []).append(index)
    if len(found) > 1:
        raise MisfitError(slot[1].code, f"{' and '.join(sorted(found))} at once; say one of them")
    preset = sheet.presets.get(slot[0])
    if preset is not None and found and preset not in found:
        raise MisfitError(slot[1].code, f"{preset} and {next(iter(found))} at once; say one of them")
    for value, places in found.items():
        sheet.fields[slot[0]] = value
        sheet.placed.update(places)


def _place_symbol(sheet: Sheet) -> None:
    slot = sheet.slot(SlotKind.SYMBOL) or sheet.slot(SlotKind.SYMBOL_OR_ALL) or sheet.slot(SlotKind.CANCEL_TARGET)
    found = [
        (index, word.token) for index, word in sheet.unplaced() if word.token.kind is Kind.SYMBOL and not word.meanings
    ]
    if slot is None:
        return
    symbol = _one_symbol(sheet, [token for _, token in found])
    sheet.placed.update(index for index, _ in found)
    if slot[1].kind is not SlotKind.SYMBOL:
        parts = [(index, word) for index, word in sheet.unplaced() if word.means("part") == "100"]
        sheet.placed.update(index for index, _ in parts)
        plural = any(word.means("plural") is not None for word in sheet.words)
        symbol = symbol or ("all" if parts or (plural and slot[0] not in sheet.fields) else None)
        _check_sold_for(sheet)
    if symbol is not None:
        if slot[0] in sheet.fields:
            raise MisfitError(Code.AMBIGUOUS, "that names an order and a symbol; say one of them")
        sheet.fields[slot[0]] = symbol


def _check_sold_for(sheet: Sheet) -> None:
    """In "close everything for BTC" the coin is what somebody wants, not what he leaves."""
    for word, after in pairwise(sheet.words):
        if word.text in {"for", "into"} and after.token.kind is Kind.SYMBOL:
            raise MisfitError(Code.AMBIGUOUS, f"'{word.text} {after.text}': to be left or to be bought? Say one order")


def _check_currencies(sheet: Sheet) -> None:
    """A price in another currency than the pair's would be read as one in the pair's."""
    symbol = str(sheet.fields.get("symbol") or "")
    for word, code in sheet.prices:
        currency = word.token.currency
        if currency and "/" in symbol and not symbol.endswith("/" + currency):
            quote = symbol.partition("/")[2]
            raise MisfitError(code, f"'{word.text}' is in {currency}, and {symbol} is priced in {quote}")
    if sheet.command.declaration.name == "sell":
        _check_sold_for(sheet)


def _one_symbol(sheet: Sheet, tokens: Sequence[Token]) -> str | None:
    if not tokens:
        return None
    pairs = {token.symbol for token in tokens if token.is_pair}
    coins = {token.symbol for token in tokens if not token.is_pair}
    currency = next((word.token.currency for word in sheet.words if word.token.kind is Kind.MONEY), "")
    amount = sheet.fields.get("amount", {})
    spoken_currency = currency if isinstance(amount, dict) and amount.get("unit") == "quote" else ""
    chosen = {
        sheet.book.choose(coin, spoken_currency) or coin
        for coin in coins
        if not any(p.startswith(coin + "/") for p in pairs)
    }
    every = pairs | chosen
    if len(every) > 1:
        raise MisfitError(Code.TWO_ORDERS, f"that names {' and '.join(sorted(every))}; say one symbol at a time")
    symbol = every.pop()
    if "/" not in symbol:
        against = spoken_currency or sheet.book.quote
        raise MisfitError(Code.SYMBOL, f"there is no {symbol}/{against}; name a pair that exists, like ZEC/USD")
    if spoken_currency and not symbol.endswith("/" + spoken_currency):
        raise MisfitError(
            Code.AMOUNT,
            f"an amount in {spoken_currency} does not pay for {symbol}; give it in {symbol.partition('/')[2]}",
        )
    return symbol


def _place_small_words(sheet: Sheet) -> None:
    is_trade = sheet.command.declaration.danger is Danger.TRADE
    for index, word in sheet.unplaced():
        small = not word.meanings.keys().isdisjoint({"glue", "noun", "plural", "courtesy"})
        if is_trade and index < sheet.call_at:
            small = _may_lead(sheet, index, word)
        if is_trade and index == sheet.call_at + 1 and word.text in {"of", "is"}:
            small = False  # "the purchase of", "my buy is": a description
        currency = word.token.kind is Kind.CURRENCY and _is_percent_of(sheet)
        if small or currency:
            sheet.placed.add(index)
    rest = [word for _, word in sheet.unplaced()]
    if rest:
        raise _misplaced(sheet, rest)


def _may_lead(sheet: Sheet, index: int, word: Word) -> bool:
    """Whether a small word may stand before the verb of an order: "use $50 to buy", but not "my order to buy"."""
    if word.means("courtesy") is not None:
        return True
    before = sheet.words[:index]
    if word.text == "my":
        return bool(before) and (before[-1].means("part") is not None or before[-1].text == "of")
    valued = any(one.is_value or one.means("part") is not None for one in before)
    if word.text == "to":
        return valued or (bool(before) and not before[-1].meanings.keys().isdisjoint({"courtesy", "label"}))
    if word.text == "for":
        return valued or sheet.words[index + 1].is_value
    if word.text == "of" or word.text in lexicon.NOUNS_OF_CASH:
        return valued
    return word.text in lexicon.BEFORE_A_CALL


def _check_end(sheet: Sheet) -> None:
    """An order whose last word waits for another one has lost its end."""
    if sheet.command.declaration.danger is not Danger.TRADE:
        return
    spoken = [word for word in sheet.words if word.text not in {".", "!", ",", ";", ")"}]
    if spoken and spoken[-1].text in lexicon.DANGLING and not spoken[-1].is_value:
        raise MisfitError(Code.NOT_A_COMMAND, f"the order ends with '{spoken[-1].text}'; say the rest of it as well")


def _is_percent_of(sheet: Sheet) -> bool:
    """In "10% of my usd" the currency names what the percentage is of."""
    amount = sheet.fields.get("amount", {})
    return sheet.command.declaration.danger is Danger.QUERY or (
        isinstance(amount, dict) and amount.get("unit") == "percent"
    )


def _misplaced(sheet: Sheet, rest: Sequence[Word]) -> MisfitError:
    slot = sheet.slot(SlotKind.SYMBOL) or sheet.slot(SlotKind.SYMBOL_OR_ALL)
    has_symbol = slot is None or slot[0] in sheet.fields
    amount = sheet.slot(SlotKind.AMOUNT)
    has_amount = amount is None or amount[0] in sheet.fields
    if any(word.means("direction") for word in rest):
        return MisfitError(
            Code.AMBIGUOUS, f"'{rest[0].text}' belongs to no level; use a limit price, or say 'SL 1% below'"
        )
    if amount is None and any(word.means("part") for word in rest):
        return MisfitError(
            Code.AMOUNT, f"'{sheet.command.declaration.name}' takes all of it; for a part say 'sell half my ETH'"
        )
    if has_amount and not has_symbol and len(rest) == 1 and rest[0].token.kind is Kind.WORD:
        return MisfitError(Code.SYMBOL, f"'{rest[0].token.raw}' is no instrument that I know; name a pair like ZEC/USD")
    listed = ", ".join(f"'{word.token.raw}'" for word in rest[:3])
    return MisfitError(
        Code.NOT_A_COMMAND, f"I understand '{sheet.command.declaration.name}', but could not place {listed}"
    )


def _require(sheet: Sheet) -> None:
    for name, slot in sheet.command.slots().items():
        info = sheet.command.model_fields[name]
        if info.is_required() and name not in sheet.fields and name not in sheet.presets:
            raise MisfitError(
                slot.code, f"{sheet.command.declaration.name} needs its {name.replace('_', ' ')}: {slot.hint}"
            )

    for choice, needed in sheet.command.declaration.goes_with.items():
        chosen = (*sheet.fields.values(), *sheet.presets.values()) if needed not in sheet.fields else ()
        if choice in chosen:
            slot = sheet.command.slots()[needed]
            raise MisfitError(slot.code, f"'{choice}' needs a {needed}: {slot.hint}")
    wanted = sheet.command.declaration.any_of
    if wanted and not any(name in sheet.fields or name in sheet.presets for name in wanted):
        first = sheet.command.slots()[wanted[0]]
        raise MisfitError(
            first.code, f"{sheet.command.declaration.name} needs {' or '.join(wanted).replace('_', ' ')}: {first.hint}"
        )


def is_about_levels(tokens: Sequence[Token]) -> bool:
    """True when the sentence speaks of a stop, a target or break even at all."""
    single = {phrase for label in ("stop", "target") for phrase in lexicon.LABELS[label] if " " not in phrase} | {
        "break",
        "breakeven",
    }
    return any(token.text in single for token in tokens)
