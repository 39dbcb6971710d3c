"""Broken variants of what stands between the lifecycle and Kraken: the wrapper, its readings, its translation."""

from tests.simulation.mutant import Mutant

_BOOKS, _WRAPPER = "core/exchange/kraken_books.py", "core/exchange/kraken_private.py"
_TRANSLATE = "core/exchange/translate.py"

LIVE_MUTANTS = (
    Mutant(
        "a lost answer counts as a refusal",
        _WRAPPER,
        "return Accepted(name) if error.strings and name else Unknown(error.message)",
        "return Accepted(name) if error.strings and name else Refused(error.message)",
    ),
    Mutant(
        "a busy Kraken counts as a refusal",
        "core/exchange/verdicts.py",
        '("EService:Busy", _NOTHING,',
        '("EService:Busy", _REFUSED,',
    ),
    Mutant(
        "a stop goes out as a limit",
        _TRANSLATE,
        '"ordertype": order.type.value,',
        '"ordertype": "limit" if order.type is OrderType.STOP_LOSS else order.type.value,',
    ),
    Mutant("a sale at once rests", _TRANSLATE, '        form["timeinforce"] = "IOC"', "        pass"),
    Mutant(
        "an order has no deadline",
        _TRANSLATE,
        '"deadline": rfc3339(deadline),\n    }\n    price',
        '"deadline": rfc3339(deadline + timedelta(hours=1)),\n    }\n    price',
    ),
    Mutant(
        "an amend keeps the old quantity",
        _TRANSLATE,
        '"order_qty": plain(action.quantity)',
        '"order_qty": plain(action.order.quantity)',
    ),
    Mutant("closed orders are never looked for", _BOOKS, "if not left and not looks_for_more:", "if True:"),
    Mutant(
        "a fill is as old as its order",
        "core/lifecycle/absorb.py",
        "at = shown.filled_at or seen_at",
        "at = shown.filled_at or shown.opened_at",
    ),
    Mutant(
        "no balances while something is under way",
        "core/trading/desk.py",
        "since >= BALANCES_EVERY",
        "(since >= BALANCES_EVERY and not urgent)",
    ),
    Mutant(
        "the stop's name is used twice",
        "core/lifecycle/absorb.py",
        "return max((number_of(order.client_id) for order in bracket.orders), default=0) + 1",
        "return max((number_of(one.client_id) for one in bracket.orders if one.is_live), default=0) + 1",
    ),
)
