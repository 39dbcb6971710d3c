"""PURE. The values of a sentence: levels, order type and price, amount, days, order ids."""

from collections.abc import Mapping

from bot.grammar.amounts import fill_amount
from bot.grammar.binding import MOST_LABELS, Binding, bindings, labels, spoken, without_value
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
    for index, label, value in chosen.pairs:
        sheet.placed.add(index)
        if value is not None:
            sheet.placed.add(value)
            sheet.prices.append((sheet.words[value], _CODES.get(label, Code.LIMIT_PRICE)))
    _fill_levels(sheet, given)
    _fill_order_type(sheet, given)
    fill_amount(sheet, chosen, given)
    _fill_days(sheet)
    _fill_target_of_cancel(sheet)


_CODES = {"stop": Code.STOP_LOSS, "target": Code.TAKE_PROFIT, "risk": Code.AMOUNT}


def _binding(sheet: Sheet) -> Binding:
    named = [label for _, label in labels(sheet.words)]
    for label, name in (("stop", "stops"), ("target", "targets"), ("limit", "limits"), ("risk", "risks")):
        if named.count(label) > 1:
            raise MisfitError(Code.AMBIGUOUS, f"that names two {name}; say one")
    if len(named) > MOST_LABELS:
        raise MisfitError(Code.AMBIGUOUS, f"that names {len(named)} prices and levels; an order has three at the most")
    found = bindings(sheet.words)
    if not found:
        alone = without_value(sheet.words) or named[0]
        code = {"stop": Code.STOP_LOSS, "target": Code.TAKE_PROFIT}.get(alone, Code.AMOUNT)
        raise MisfitError(code, f"the {alone} has no value beside it; say it like 'SL 1%' or 'TP 3300'")
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
    _check_direction(sheet, word, label, sign, unit, code)
    value = word.value
    if value <= ZERO and not (unit == "percent" and sheet.slot(SlotKind.AMOUNT) is None and label == "stop"):
        raise MisfitError(code, f"'{word.text}' is not a {label}; give a value above zero")
    if label == "stop" and unit == "percent" and value >= HUNDRED:
        raise MisfitError(code, f"a stop {plain(value)}% below the entry is no price; give less than 100%")
    if label == "stop" and unit == "r":
        raise MisfitError(code, "the stop defines what 1 R is, so it cannot be given in R; use percent, a price or ATR")
    return {"value": format(value, "f"), "unit": unit}


def _check_direction(sheet: Sheet, word: Word, label: str, sign: int, unit: str, code: Code) -> None:
    """Refuse a level on the wrong side, and a price said like a distance ("stop up 50", "raise the stop 1%")."""
    index = _place_of(sheet, word)
    before = sheet.words[index - 1] if index else None
    after = sheet.words[index + 1] if index + 1 < len(sheet.words) else None
    beside = any(one is not None and one.means("direction") is not None for one in (before, after))
    pushed = sheet.call in _PUSHES and (before is None or before.text not in _TOWARDS)
    if unit == "price" and (beside or word.token.signed):
        raise MisfitError(code, f"is '{word.text}' a price or a distance? Say 'stop 3100', or the distance in percent")
    if pushed:
        raise MisfitError(Code.AMBIGUOUS, f"'{sheet.call}' to where? Say '{sheet.call} the {label} to 3100'")
    spoken_sign = {"-": -1, "+": 1}.get(word.token.signed, 0) or _direction_near(sheet, index)
    if spoken_sign == -sign and unit != "price":
        side = "below" if label == "stop" else "above"
        raise MisfitError(code, f"the {label} of a buy lies {side} the entry; '{word.text}' says the opposite")


_PUSHES = frozenset({"raise", "lower", "tighten"})
_TOWARDS = frozenset({"to", "at", "=", ":", "@"})


def _place_of(sheet: Sheet, word: Word) -> int:
    return next(place for place, known in enumerate(sheet.words) if known is word)


def _direction_near(sheet: Sheet, index: int) -> int:
    """The direction said right after the value ("1% below"), or right before it ("below at 1%")."""
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
    """A direction belongs to the value beside it; where that is no level, it is not understood."""
    levels = {id(word) for word, code in sheet.prices if code in {Code.STOP_LOSS, Code.TAKE_PROFIT}}
    for index, word in sheet.unplaced():
        if word.means("direction") is None:
            continue
        for step in (-1, 1):
            value = _value_beside(sheet, index, step)
            if value is not None:
                if id(value) in levels:
                    sheet.placed.add(index)
                break


def _value_beside(sheet: Sheet, index: int, step: int) -> Word | None:
    position = index + step
    while 0 <= position < len(sheet.words):
        word = sheet.words[position]
        if word.is_value:
            return word
        if word.is_separator or not (word.is_filler or word.means("label") == "at"):
            return None
        position += step
    return None


def _fill_order_type(sheet: Sheet, given: Mapping[str, list[Word]]) -> None:
    slot = sheet.slot(SlotKind.LIMIT_PRICE)
    if slot is None:
        return
    prices = [word for label in ("limit", "at", "entry") for word in given.get(label, ())]
    named = {
        word.means("label") for index, word in enumerate(sheet.words) if word.means("label") in {"limit", "market"}
    }
    for index, word in enumerate(sheet.words):
        if word.means("label") in {"limit", "market"} or word.text in {"@", "at"}:
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
        if word.token.signed or word.value != word.value.to_integral_value() or not 1 <= word.value <= _MOST_DAYS:
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
    number = next((word for _, word in sheet.unplaced() if word.is_value), None)
    if number is not None:
        raise MisfitError(slot[1].code, f"'{number.text}' is no order id; 'open' shows them, like PX-000007")
    for index, word in ids:
        sheet.fields[slot[0]] = word.token.raw
        sheet.placed.add(index)
