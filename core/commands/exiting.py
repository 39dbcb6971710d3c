"""What sell, close and flatten share: the answer, read back from the ledger."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from core.domain.brackets import BracketState
from core.domain.errors import Code
from core.domain.money import ZERO, plain
from core.domain.orders import OrderState
from core.lifecycle.news import resting_stop
from core.trading import say
from core.trading.desk import Desk
from core.trading.foreign import untouched_lines
from core.trading.leaving import Left
from core.trading.reply import ExecFacts, Reply, receipt_of


async def exit_reply(
    desk: Desk, left: Sequence[Left], *, skipped: Decimal = ZERO, title: str = "", took_all: bool = False
) -> Reply:
    """Tell of each bracket what was sold, what is left and what is still under way.

    `took_all`: everything was meant; what of it is not ours, and was not touched, is named.
    """
    quotes = await desk.quotes({one.after.symbol for one in left})
    # Read last and told at once: while the market was asked, the tick went on.
    left = [replace(one, after=desk.ledger.bracket(one.before.id) or one.after) for one in left]
    lines = [title] if title else []
    for one in left:
        lines += _not_sold(one) if one.unpriced else _of_one(one)
    if skipped > ZERO:
        lines.append(f"{plain(skipped)} was left out: too small to be sold from the next bracket alone.")
    if took_all:
        symbols = {one.after.symbol for one in left}
        lines += await untouched_lines(desk, symbols.pop() if len(symbols) == 1 else None)
    lines += say.sources(quotes.values(), desk.clock())
    incomplete = [one for one in left if _is_unfinished(one)]
    unpriced = any(one.unpriced for one in left)
    receipts = [receipt_of(order, one.after, desk.exchange.name) for one in left for order in one.orders]
    return Reply(
        tuple(lines),
        mode=desk.mode,
        ok=not incomplete and not unpriced,
        code=Code.UNKNOWN if incomplete else Code.NO_PRICES if unpriced else None,
        receipts=tuple(receipts),
        facts=_facts(left),
    )


def _is_unfinished(one: Left) -> bool:
    wanted = one.after.leave is not None
    refused = any(order.state is OrderState.REJECTED for order in one.after.orders[len(one.before.orders) :])
    return one.after.state is not BracketState.CLOSED and (wanted or refused)


def _not_sold(one: Left) -> list[str]:
    """What stays because nobody knows its price, and what became of the part that was still to be bought."""
    after, entry = one.after, one.after.entry
    lines = [
        f"NOT SOLD, for want of a fresh price: {plain(after.held)} {after.symbol}. It stays; {resting_stop(after)}."
    ]
    if after.cancel_entry and not one.before.cancel_entry and entry is not None:
        name = entry.venue_id or entry.client_id
        done = "is canceled" if entry.is_terminal else "is being canceled; 'open' will tell"
        lines.append(f"The rest of its entry ({name}) {done}.")
    return lines


def _of_one(one: Left) -> list[str]:
    before, after = one.before, one.after
    lines = []
    if one.sold > ZERO:
        # What was bought while it was being sold belongs to it, also where its stop was seen to sell before that.
        there = max(before.held + after.bought - before.bought, one.sold)
        lines.append(say.sold_line(after.symbol, one.sales, there))
    if after.bought == ZERO:
        entry = after.entry
        name = entry.venue_id or entry.client_id if entry else after.id
        done = after.state is BracketState.CLOSED
        lines.append(
            f"The entry for {plain(after.quantity)} {after.symbol} ({name}) "
            + ("is canceled; nothing was bought." if done else "is being canceled; 'open' will tell.")
        )
    elif after.state is BracketState.CLOSED:
        lines.append(say.closed_line(after))
    elif after.held < ZERO:
        lines.append(f"Not all that {after.symbol} bought is seen yet; 'open' will tell what remains.")
    elif _is_unfinished(one) and after.leave is None:
        refused = [order.reason for order in after.orders if order.state is OrderState.REJECTED][-1:]
        why = f" ({refused[0]})" if refused else ""
        lines.append(f"{plain(after.held)} {after.symbol} was not sold{why}. It stays; {resting_stop(after)}.")
    elif sales := after.sales_under_way:
        lines += [say.sale_line(after.symbol, order) for order in sales]
    elif _is_unfinished(one):
        lines.append(f"{plain(after.held)} {after.symbol} could not be sold yet. Zyn keeps at it; 'open' will tell.")
    else:
        stop = plain(after.stop_price) if after.stop_price else "N/A"
        target = plain(after.target_price) if after.target_price else "N/A"
        lines.append(f"{plain(after.held)} {after.symbol} stays, stop {stop}, target {target}.")
    return lines


def _facts(left: Sequence[Left]) -> ExecFacts:
    symbols = sorted({one.after.symbol for one in left})
    sold = sum((one.sold for one in left), ZERO)
    first = left[0].after if left else None
    return ExecFacts(
        symbol=",".join(symbols) or "all",
        side="sell",
        size=plain(sold),
        entry="market",
        stop=plain(first.stop_price) if first and first.stop_price else "none",
        target=plain(first.target_price) if first and first.target_price else "none",
        outcome=f"sold:{plain(sold)}",
    )
