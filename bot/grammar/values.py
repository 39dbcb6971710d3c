"""PURE. The values of a sentence: levels, order type and price, amount, days, order ids."""

from collections.abc import Mapping
from decimal import Decimal

from bot.grammar import words as lexicon
from bot.grammar.binding import Binding, bindings, spoken
from bot.grammar.lexer import Kind
from bot.grammar.reading import Word
from bot.grammar.sheet import MisfitError, Sheet
from core.commands.base import SlotKind
from core.domain.errors import Code
from core.domain.money import HUNDRED, ZERO, plain


def place_values(sheet: Sheet) -> None:
    """Fill every field that holds a number, and place the words that belong to it. Raises MisfitError."""
    bad = next((word for word in sheet.words if word.token.kind is Kind.BAD_NUMBER), None)
    if bad is not None:
        raise MisfitError(
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


def _binding(sheet: Sheet) -> Binding:
    found = bindings(sheet.words)
    for label, name in (("stop", "stops"), ("target", "targets"), ("limit", "limits")):
        if sum(1 for word in sheet.words if word.means("label") == label) > 1:
            raise MisfitError(Code.AMBIGUOUS, f"that names two {name}; say one")
    if not found:
        alone = next((word for word in sheet.words if word.means("label") in {"stop", "target", "risk"}), None)
        codes = {"stop": Code.STOP_LOSS, "target": Code.TAKE_PROFIT}
        code = codes.get(alone.means("label") or "", Code.AMOUNT) if alone else Code.AMBIGUOUS
        name = alone.text if alone else "a label"
        raise MisfitError(code, f"'{name}' has no value beside it; say it like 'SL 1%' or 'TP 3300'")
    if len(found) > 1:
        raise MisfitError(
            Code.AMBIGUOUS, "it is not clear which value is the stop and which the target; say 'SL 1% TP 2%'"
        )
    return found[0]


def _fill_levels(sheet: Sheet, given: Mapping[str, list[Word]]) -> None:
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


def _lone_break_even(sheet: Sheet) -> list[Word]:
    found = [(index, word) for index, word in sheet.unplaced() if "break_even" in word.meanings]
    sheet.placed.update(index for index, _ in found)
    return [word for _, word in found[:1]]


def _level(sheet: Sheet, word: Word, label: str, sign: int, code: Code) -> dict[str, str]:
    if "break_even" in word.meanings:
        if label == "target":
            raise MisfitError(code, "a target at break even is no target; give it in percent or as a price")
        return {"value": "0", "unit": "percent"}
    unit = {Kind.PERCENT: "percent", Kind.ATR: "atr", Kind.R: "r"}.get(word.token.kind, "price")
    if unit == "price" and word.token.signed == "-":
        raise MisfitError(code, f"'{word.text}' is not a price; give one above zero")
    spoken_sign = {"-": -1, "+": 1}.get(word.token.signed, 0) or _direction_near(sheet, word)
    if spoken_sign == -sign and unit != "price":
        side = "below" if label == "stop" else "above"
        raise MisfitError(code, f"the {label} of a buy lies {side} the entry; '{word.text}' says the opposite")
    value = word.value
    if value <= ZERO and not (unit == "percent" and sheet.slot(SlotKind.AMOUNT) is None and label == "stop"):
        raise MisfitError(code, f"'{word.text}' is not a {label}; give a value above zero")
    if label == "stop" and unit == "percent" and value >= HUNDRED:
        raise MisfitError(code, f"a stop {plain(value)}% below the entry is no price; give less than 100%")
    if label == "stop" and unit == "r":
        raise MisfitError(code, "the stop defines what 1 R is, so it cannot be given in R; use percent, a price or ATR")
    return {"value": format(value, "f"), "unit": unit}


def _direction_near(sheet: Sheet, word: Word) -> int:
    """The direction said right after the value ("1% below"), or right before it ("below at 1%")."""
    index = next(place for place, known in enumerate(sheet.words) if known is word)
    for step in (1, -1):
        position = index + step
        while 0 <= position < len(sheet.words):
            beside = sheet.words[position]
            direction = beside.means("direction")
            if direction is not None:
                return int(direction)
            if beside.is_separator or not beside.is_filler:
                break
            position += step
    return 0


def _place_directions(sheet: Sheet) -> None:
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


def _fill_order_type(sheet: Sheet, given: Mapping[str, list[Word]]) -> None:
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
        raise MisfitError(Code.AMBIGUOUS, "that names two prices to buy or sell at; say one")
    if "market" in named and ("limit" in named or prices):
        raise MisfitError(Code.ORDER_TYPE, "market and a price exclude each other; say 'market' or 'limit 3200'")
    if prices:
        if prices[0].value <= ZERO or prices[0].token.signed:
            raise MisfitError(Code.LIMIT_PRICE, f"'{prices[0].text}' is not a price; give one above zero")
        sheet.fields["order_type"] = "limit"
        sheet.fields[slot[0]] = format(prices[0].value, "f")
    elif "limit" in named:
        raise MisfitError(Code.LIMIT_PRICE, "a limit order needs its price; say 'limit 3200'")


def _fill_amount(sheet: Sheet, given: Mapping[str, list[Word]]) -> None:
    slot = sheet.slot(SlotKind.AMOUNT)
    if slot is None:
        return
    found = [("risk_percent", word.value, word.text) for word in given.get("risk", ())]
    for index, word in sheet.unplaced():
        amount = _amount_of(sheet, word)
        if amount is not None:
            found.append(amount)
            sheet.placed.add(index)
    found = _without_echo(found)
    if len(found) > 1:
        _two_symbols(sheet)
        raise MisfitError(
            Code.AMBIGUOUS, f"{' and '.join(text for _, _, text in found)}: it is not clear which is the amount"
        )
    if not found:
        return
    unit, value, text = found[0]
    if value <= ZERO:
        raise MisfitError(Code.AMOUNT, f"'{text}' is no amount; give one above zero")
    if unit in {"percent", "risk_percent"} and value > HUNDRED:
        raise MisfitError(Code.AMOUNT, f"'{text}' is more than everything; give at most 100%")
    sheet.fields[slot[0]] = {"value": format(value, "f"), "unit": unit}


def _amount_of(sheet: Sheet, word: Word) -> tuple[str, Decimal, str] | None:
    """(unit, value, words) if this word is an amount."""
    if word.token.kind in _AMOUNTS and word.is_value:
        if word.token.signed == "-":
            raise MisfitError(Code.AMOUNT, f"'{word.text}' is negative; give an amount above zero")
        return _AMOUNTS[word.token.kind], word.value, word.text
    if (fraction := word.means("fraction")) is not None:
        return "base", Decimal(fraction), word.text
    part = word.means("part")
    if part is None or word.means("label") is not None:
        return None
    _must_be_of_something(sheet, word)
    return "percent", Decimal(part), word.text


def _must_be_of_something(sheet: Sheet, word: Word) -> None:
    """To buy "half" needs to say of what; to sell it, only the holding can be meant."""
    named = any(one.text in lexicon.NOUNS_OF_MONEY or one.token.kind is Kind.CURRENCY for one in sheet.words)
    if sheet.command.declaration.name != "sell" and not named:
        raise MisfitError(Code.AMBIGUOUS, f"'{word.text}' of what? Say 'half of my balance', or an amount like 0.5 BTC")


def _two_symbols(sheet: Sheet) -> None:
    coins = {word.token.symbol.partition("/")[0] for word in sheet.words if word.token.kind is Kind.SYMBOL}
    if len(coins) > 1:
        raise MisfitError(Code.TWO_ORDERS, f"that names {' and '.join(sorted(coins))}; say one order at a time")


_AMOUNTS = {Kind.NUMBER: "base", Kind.MONEY: "quote", Kind.PERCENT: "percent"}


def _without_echo(found: list[tuple[str, Decimal, str]]) -> list[tuple[str, Decimal, str]]:
    """Saying "all of my entire bag" names one thing twice, not two things."""
    unique: list[tuple[str, Decimal, str]] = []
    for one in found:
        if not any(one[:2] == known[:2] and one[0] == "percent" for known in unique):
            unique.append(one)
    return unique


def _fill_days(sheet: Sheet) -> None:
    slot = sheet.slot(SlotKind.DAYS)
    if slot is None:
        return
    found = [
        (index, word)
        for index, word in sheet.unplaced()
        if word.token.kind in {Kind.DAYS, Kind.NUMBER} and word.is_value
    ]
    if len(found) > 1:
        raise MisfitError(Code.AMBIGUOUS, "that names two numbers of days; say one")
    for index, word in found:
        if word.value != word.value.to_integral_value() or not 1 <= word.value <= _MOST_DAYS:
            raise MisfitError(slot[1].code, f"'{word.text}' is not a number of days; give 1 to {_MOST_DAYS}")
        sheet.fields[slot[0]] = int(word.value)
        sheet.placed.add(index)


_MOST_DAYS = 3650


def _fill_target_of_cancel(sheet: Sheet) -> None:
    slot = sheet.slot(SlotKind.CANCEL_TARGET)
    if slot is None:
        return
    ids = [(index, word) for index, word in sheet.unplaced() if word.token.kind is Kind.ID]
    if len(ids) > 1:
        raise MisfitError(Code.TWO_ORDERS, "that names two orders; cancel one at a time, or 'cancel all'")
    for index, word in ids:
        sheet.fields[slot[0]] = word.token.raw
        sheet.placed.add(index)
