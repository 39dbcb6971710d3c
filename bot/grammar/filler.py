"""PURE. Places every word of a sentence into exactly one slot of one command, or says what it could not place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bot.grammar import words as lexicon
from bot.grammar.binding import Binding, bindings, spoken
from bot.grammar.lexer import Kind, Token
from bot.grammar.reading import Word, read
from bot.grammar.symbols import SymbolBook
from bot.grammar.vocabulary import Vocabulary
from core.commands.base import Command, Danger, Slot, SlotKind
from core.domain.errors import Code
from core.domain.money import HUNDRED, ZERO, plain


@dataclass(frozen=True, slots=True)
class Filled:
    """A command with its mode. `call_length` is how many words called it, to prefer the more specific one."""

    command: Command
    mode: str | None
    call_length: int


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why the sentence is not this command."""

    code: Code
    message: str


class _MisfitError(Exception):
    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.misfit = Misfit(code, message)


@dataclass(slots=True)
class _Sheet:
    """What is known so far of one attempt."""

    vocabulary: Vocabulary
    book: SymbolBook
    words: list[Word]
    placed: set[int] = field(default_factory=set)
    fields: dict[str, Any] = field(default_factory=dict)
    call_length: int = 0
    presets: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> type[Command]:
        return self.vocabulary.command

    def slot(self, kind: SlotKind) -> tuple[str, Slot] | None:
        """The field of this kind, if the command has one."""
        return next(((name, slot) for name, slot in self.command.slots().items() if slot.kind is kind), None)

    def unplaced(self) -> list[tuple[int, Word]]:
        return [(index, word) for index, word in enumerate(self.words) if index not in self.placed]


def fill(
    tokens: Sequence[Token], vocabulary: Vocabulary, book: SymbolBook, *, implied: bool = False
) -> Filled | Misfit:
    """Read `tokens` as the command of `vocabulary`. `implied` lets it do without the word that calls it."""
    sheet = _Sheet(vocabulary, book, read(tokens, vocabulary))
    try:
        _place_call(sheet, implied=implied)
        mode = _place_mode(sheet)
        _place_choices(sheet)
        _place_values(sheet)
        _place_symbol(sheet)
        _place_small_words(sheet)
        _require(sheet)
        command = sheet.command.model_validate({**sheet.presets, **sheet.fields})
    except _MisfitError as error:
        return error.misfit
    return Filled(command, mode, sheet.call_length)


def _place_call(sheet: _Sheet, *, implied: bool) -> None:
    calls = [(index, word) for index, word in enumerate(sheet.words) if word.means("call") is not None]
    if not calls:
        if not implied:
            raise _MisfitError(Code.NOT_A_COMMAND, "no word of it calls a command")
        return
    # The longest call is the one meant; the others may still be nouns ("open … orders", "buy … long").
    index, word = max(calls, key=lambda call: call[1].phrase_length)
    others = [other for position, other in calls if position != index]
    for other in others:
        if (
            other.means("noun") is None
            and other.means("glue") is None
            and other.means("label") is None
            and other.means("choice") is None
        ):
            if sheet.command.declaration.danger is Danger.QUERY:
                continue
            raise _MisfitError(Code.TWO_ORDERS, f"'{word.text}' and '{other.text}' are two orders; say one at a time")
    sheet.placed.add(index)
    sheet.call_length = word.phrase_length
    sheet.presets = sheet.command.declaration.presets.get(word.text, {})
    if sheet.command.declaration.danger is Danger.QUERY:
        sheet.placed.update(position for position, other in calls if other in others)


def _place_mode(sheet: _Sheet) -> str | None:
    found = [(index, mode) for index, word in enumerate(sheet.words) if (mode := word.means("mode")) is not None]
    modes = {mode for _, mode in found}
    if len(modes) > 1:
        raise _MisfitError(Code.AMBIGUOUS, "that names both PAPER and LIVE; say one of them")
    sheet.placed.update(index for index, _ in found)
    for index, _ in found:
        for beside in (index + 1, index + 2):
            if beside < len(sheet.words) and sheet.words[beside].text in {"mode", "trading", "account", "desk"}:
                sheet.placed.add(beside)
    mode = modes.pop() if modes else None
    slot = sheet.slot(SlotKind.MODE)
    if slot is None:
        return mode
    if mode is not None:
        sheet.fields[slot[0]] = mode
    return None


def _place_choices(sheet: _Sheet) -> None:
    slot = sheet.slot(SlotKind.CHOICE)
    if slot is None:
        return
    found: dict[str, list[int]] = {}
    for index, word in enumerate(sheet.words):
        choice = word.means("choice")
        if choice is not None and index not in sheet.placed:
            found.setdefault(choice.partition(":")[2], []).append(index)
    if len(found) > 1:
        raise _MisfitError(slot[1].code, f"{' and '.join(sorted(found))} at once; say one of them")
    for value, places in found.items():
        sheet.fields[slot[0]] = value
        sheet.placed.update(places)


# -- values --------------------------------------------------------------------------------------------------------


def _place_values(sheet: _Sheet) -> None:
    bad = next((word for word in sheet.words if word.token.kind is Kind.BAD_NUMBER), None)
    if bad is not None:
        raise _MisfitError(
            Code.AMBIGUOUS, f"'{bad.text}' can be read in two ways; write decimals with a point, like 0.04 or 3,200.50"
        )
    chosen = _binding(sheet)
    given = spoken(chosen, sheet.words)
    for index, _, value in chosen.pairs:
        sheet.placed.add(index)
        if value is not None:
            sheet.placed.add(value)
    _fill_levels(sheet, given)
    _fill_order_type(sheet, given)
    _fill_amount(sheet, given)
    _fill_days(sheet)
    _fill_target_of_cancel(sheet)


def _binding(sheet: _Sheet) -> Binding:
    found = bindings(sheet.words)
    for label, name in (("stop", "stops"), ("target", "targets"), ("limit", "limits")):
        if sum(1 for word in sheet.words if word.means("label") == label) > 1:
            raise _MisfitError(Code.AMBIGUOUS, f"that names two {name}; say one")
    if not found:
        label = next((word for word in sheet.words if word.means("label") in {"stop", "target", "risk"}), None)
        codes = {"stop": Code.STOP_LOSS, "target": Code.TAKE_PROFIT}
        code = codes.get(label.means("label") or "", Code.AMOUNT) if label else Code.AMBIGUOUS
        raise _MisfitError(
            code, f"'{label.text if label else ''}' has no value beside it; say it like 'SL 1%' or 'TP 3300'"
        )
    if len(found) > 1:
        raise _MisfitError(
            Code.AMBIGUOUS, "it is not clear which value is the stop and which the target; say 'SL 1% TP 2%'"
        )
    return found[0]


def _fill_levels(sheet: _Sheet, given: Mapping[str, list[Word]]) -> None:
    for kind, label, sign in ((SlotKind.STOP, "stop", -1), (SlotKind.TARGET, "target", 1)):
        slot = sheet.slot(kind)
        if slot is None:
            continue
        values = list(given.get(label, ()))
        if label == "stop" and not values:
            values = _lone_break_even(sheet)
        if values:
            sheet.fields[slot[0]] = _level(sheet, values[0], label, sign, slot[1].code)
    _place_directions(sheet)


def _lone_break_even(sheet: _Sheet) -> list[Word]:
    found = [(index, word) for index, word in sheet.unplaced() if "break_even" in word.meanings]
    sheet.placed.update(index for index, _ in found)
    return [word for _, word in found[:1]]


def _level(sheet: _Sheet, word: Word, label: str, sign: int, code: Code) -> dict[str, str]:
    if "break_even" in word.meanings:
        if label == "target":
            raise _MisfitError(code, "a target at break even is no target; give it in percent or as a price")
        return {"value": "0", "unit": "percent"}
    unit = {Kind.PERCENT: "percent", Kind.ATR: "atr", Kind.R: "r"}.get(word.token.kind, "price")
    if unit == "price" and word.token.signed == "-":
        raise _MisfitError(code, f"'{word.text}' is not a price; give one above zero")
    spoken_sign = {"-": -1, "+": 1}.get(word.token.signed, 0) or _direction_near(sheet, word)
    if spoken_sign == -sign and unit != "price":
        side = "below" if label == "stop" else "above"
        raise _MisfitError(code, f"the {label} of a buy lies {side} the entry; '{word.text}' says the opposite")
    value = word.value
    if value <= ZERO and not (unit == "percent" and sheet.slot(SlotKind.AMOUNT) is None and label == "stop"):
        raise _MisfitError(code, f"'{word.text}' is not a {label}; give a value above zero")
    if label == "stop" and unit == "percent" and value >= HUNDRED:
        raise _MisfitError(code, f"a stop {plain(value)}% below the entry is no price; give less than 100%")
    if label == "stop" and unit == "r":
        raise _MisfitError(
            code, "the stop defines what 1 R is, so it cannot be given in R; use percent, a price or ATR"
        )
    return {"value": format(value, "f"), "unit": unit}


def _direction_near(sheet: _Sheet, word: Word) -> int:
    """The direction said right after the value ("1% below"), or right before it ("below at 1%")."""
    index = next(place for place, known in enumerate(sheet.words) if known is word)
    for step in (1, -1):
        position = index + step
        while 0 <= position < len(sheet.words) and position not in {index}:
            beside = sheet.words[position]
            direction = beside.means("direction")
            if direction is not None:
                return int(direction)
            if beside.is_separator or not beside.is_filler:
                break
            position += step
    return 0


def _place_directions(sheet: _Sheet) -> None:
    """Directions beside a level belong to it; one that stands elsewhere is not understood."""
    if not ({"stop_loss", "take_profit"} & sheet.fields.keys()):
        return
    levels = [
        index
        for index in sheet.placed
        if sheet.words[index].is_value or sheet.words[index].means("label") in {"stop", "target"}
    ]
    for index, word in sheet.unplaced():
        if word.means("direction") is not None and any(abs(index - level) <= _NEAR for level in levels):
            sheet.placed.add(index)


_NEAR = 3


def _fill_order_type(sheet: _Sheet, given: Mapping[str, list[Word]]) -> None:
    slot = sheet.slot(SlotKind.LIMIT_PRICE)
    if slot is None:
        return
    prices = [*given.get("limit", ()), *given.get("at", ())]
    named = {
        word.means("label") for index, word in enumerate(sheet.words) if word.means("label") in {"limit", "market"}
    }
    for index, word in enumerate(sheet.words):
        if word.means("label") in {"limit", "market", "at"}:
            sheet.placed.add(index)
    if len(prices) > 1:
        raise _MisfitError(Code.AMBIGUOUS, "that names two prices to buy or sell at; say one")
    if "market" in named and ("limit" in named or prices):
        raise _MisfitError(Code.ORDER_TYPE, "market and a price exclude each other; say 'market' or 'limit 3200'")
    if prices:
        if prices[0].value <= ZERO or prices[0].token.signed:
            raise _MisfitError(Code.LIMIT_PRICE, f"'{prices[0].text}' is not a price; give one above zero")
        sheet.fields["order_type"] = "limit"
        sheet.fields[slot[0]] = format(prices[0].value, "f")
    elif "limit" in named:
        raise _MisfitError(Code.LIMIT_PRICE, "a limit order needs its price; say 'limit 3200'")


def _fill_amount(sheet: _Sheet, given: Mapping[str, list[Word]]) -> None:
    slot = sheet.slot(SlotKind.AMOUNT)
    if slot is None:
        return
    found: list[tuple[str, Decimal, str]] = [("risk_percent", word.value, word.text) for word in given.get("risk", ())]
    for index, word in sheet.unplaced():
        if word.token.kind in _AMOUNTS and word.is_value:
            if word.token.signed == "-":
                raise _MisfitError(Code.AMOUNT, f"'{word.text}' is negative; give an amount above zero")
            found.append((_AMOUNTS[word.token.kind], word.value, word.text))
            sheet.placed.add(index)
        elif (fraction := word.means("fraction")) is not None:
            found.append(("base", Decimal(fraction), word.text))
            sheet.placed.add(index)
        elif (part := word.means("part")) is not None and word.means("label") is None:
            _must_be_of_something(sheet, word)
            found.append(("percent", Decimal(part), word.text))
            sheet.placed.add(index)
    found = _without_echo(found)
    if len(found) > 1:
        _two_symbols(sheet)
        raise _MisfitError(
            Code.AMBIGUOUS, f"{' and '.join(text for _, _, text in found)}: it is not clear which is the amount"
        )
    if not found:
        return
    unit, value, text = found[0]
    if value <= ZERO:
        raise _MisfitError(Code.AMOUNT, f"'{text}' is no amount; give one above zero")
    if unit in {"percent", "risk_percent"} and value > HUNDRED:
        raise _MisfitError(Code.AMOUNT, f"'{text}' is more than everything; give at most 100%")
    sheet.fields[slot[0]] = {"value": format(value, "f"), "unit": unit}


def _must_be_of_something(sheet: _Sheet, word: Word) -> None:
    """To buy "half" needs to say of what; to sell it, only the holding can be meant."""
    named = any(one.text in lexicon.NOUNS_OF_MONEY or one.token.kind is Kind.CURRENCY for one in sheet.words)
    if sheet.command.declaration.name != "sell" and not named:
        raise _MisfitError(
            Code.AMBIGUOUS, f"'{word.text}' of what? Say 'half of my balance', or an amount like 0.5 BTC"
        )


def _two_symbols(sheet: _Sheet) -> None:
    coins = {word.token.symbol.partition("/")[0] for word in sheet.words if word.token.kind is Kind.SYMBOL}
    if len(coins) > 1:
        raise _MisfitError(Code.TWO_ORDERS, f"that names {' and '.join(sorted(coins))}; say one order at a time")


_AMOUNTS = {Kind.NUMBER: "base", Kind.MONEY: "quote", Kind.PERCENT: "percent"}


def _without_echo(found: list[tuple[str, Decimal, str]]) -> list[tuple[str, Decimal, str]]:
    """ "all of my entire bag" says one thing twice, not two things."""
    unique: list[tuple[str, Decimal, str]] = []
    for one in found:
        if not any(one[:2] == known[:2] and one[0] == "percent" for known in unique):
            unique.append(one)
    return unique


def _fill_days(sheet: _Sheet) -> None:
    slot = sheet.slot(SlotKind.DAYS)
    if slot is None:
        return
    found = [
        (index, word)
        for index, word in sheet.unplaced()
        if word.token.kind in {Kind.DAYS, Kind.NUMBER} and word.is_value
    ]
    if len(found) > 1:
        raise _MisfitError(Code.AMBIGUOUS, "that names two numbers of days; say one")
    for index, word in found:
        if word.value != word.value.to_integral_value() or not 1 <= word.value <= _MOST_DAYS:
            raise _MisfitError(slot[1].code, f"'{word.text}' is not a number of days; give 1 to {_MOST_DAYS}")
        sheet.fields[slot[0]] = int(word.value)
        sheet.placed.add(index)


_MOST_DAYS = 3650


def _fill_target_of_cancel(sheet: _Sheet) -> None:
    slot = sheet.slot(SlotKind.CANCEL_TARGET)
    if slot is None:
        return
    ids = [(index, word) for index, word in sheet.unplaced() if word.token.kind is Kind.ID]
    if len(ids) > 1:
        raise _MisfitError(Code.TWO_ORDERS, "that names two orders; cancel one at a time, or 'cancel all'")
    for index, word in ids:
        sheet.fields[slot[0]] = word.token.raw
        sheet.placed.add(index)


# -- symbols and the rest ------------------------------------------------------------------------------------------


def _place_symbol(sheet: _Sheet) -> None:
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
        symbol = symbol or ("all" if parts else None)
    if symbol is not None:
        if slot[0] in sheet.fields:
            raise _MisfitError(Code.AMBIGUOUS, "that names an order and a symbol; say one of them")
        sheet.fields[slot[0]] = symbol


def _one_symbol(sheet: _Sheet, tokens: Sequence[Token]) -> str | None:
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
        raise _MisfitError(Code.TWO_ORDERS, f"that names {' and '.join(sorted(every))}; say one symbol at a time")
    symbol = every.pop()
    if "/" not in symbol:
        against = spoken_currency or sheet.book.quote
        raise _MisfitError(Code.SYMBOL, f"there is no {symbol}/{against}; name a pair that exists, like ZEC/USD")
    if spoken_currency and not symbol.endswith("/" + spoken_currency):
        raise _MisfitError(
            Code.AMOUNT,
            f"an amount in {spoken_currency} does not pay for {symbol}; give it in {symbol.partition('/')[2]}",
        )
    return symbol


def _place_small_words(sheet: _Sheet) -> None:
    money = any(word.token.kind is Kind.CURRENCY for word in sheet.words)
    for index, word in sheet.unplaced():
        small = word.means("glue") is not None or word.means("noun") is not None
        currency = word.token.kind is Kind.CURRENCY and money and _is_percent_of(sheet)
        if small or currency:
            sheet.placed.add(index)
    rest = [word for _, word in sheet.unplaced()]
    if not rest:
        return
    raise _misplaced(sheet, rest)


def _is_percent_of(sheet: _Sheet) -> bool:
    """ "10% of my usd", "balance in usd": the currency names what the percentage is of."""
    amount = sheet.fields.get("amount", {})
    return sheet.command.declaration.danger is Danger.QUERY or (
        isinstance(amount, dict) and amount.get("unit") == "percent"
    )


def _misplaced(sheet: _Sheet, rest: Sequence[Word]) -> _MisfitError:
    slot = sheet.slot(SlotKind.SYMBOL) or sheet.slot(SlotKind.SYMBOL_OR_ALL)
    has_symbol = slot is None or slot[0] in sheet.fields
    amount = sheet.slot(SlotKind.AMOUNT)
    has_amount = amount is None or amount[0] in sheet.fields
    if any(word.means("direction") for word in rest):
        return _MisfitError(
            Code.AMBIGUOUS, f"'{rest[0].text}' belongs to no level; use a limit price, or say 'SL 1% below'"
        )
    if amount is None and any(word.means("part") for word in rest):
        return _MisfitError(
            Code.AMOUNT, f"'{sheet.command.declaration.name}' takes all of it; for a part say 'sell half my ETH'"
        )
    if has_amount and not has_symbol and len(rest) == 1 and rest[0].token.kind is Kind.WORD:
        return _MisfitError(
            Code.SYMBOL, f"'{rest[0].token.raw}' is no instrument that I know; name a pair like ZEC/USD"
        )
    listed = ", ".join(f"'{word.token.raw}'" for word in rest[:3])
    return _MisfitError(
        Code.NOT_A_COMMAND, f"I understand '{sheet.command.declaration.name}', but could not place {listed}"
    )


def _require(sheet: _Sheet) -> None:
    for name, slot in sheet.command.slots().items():
        info = sheet.command.model_fields[name]
        if info.is_required() and name not in sheet.fields and name not in sheet.presets:
            raise _MisfitError(
                slot.code, f"{sheet.command.declaration.name} needs its {name.replace('_', ' ')}: {slot.hint}"
            )

    wanted = sheet.command.declaration.any_of
    if wanted and not any(name in sheet.fields or name in sheet.presets for name in wanted):
        first = sheet.command.slots()[wanted[0]]
        raise _MisfitError(
            first.code, f"{sheet.command.declaration.name} needs {' or '.join(wanted).replace('_', ' ')}: {first.hint}"
        )


def is_about_levels(tokens: Sequence[Token]) -> bool:
    """True when the sentence speaks of a stop, a target or break even at all."""
    single = {phrase for label in ("stop", "target") for phrase in lexicon.LABELS[label] if " " not in phrase} | {
        "break",
        "breakeven",
    }
    return any(token.text in single for token in tokens)
