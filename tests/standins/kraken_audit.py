"""What must never have happened at the account, whatever went wrong around it."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from core.domain.money import ZERO
from core.domain.orders import Side
from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_records import Record

OUR_PREFIX = "zy"


def audit(account: KrakenAccount, prefix: str = OUR_PREFIX) -> list[str]:
    """One sentence for each thing that must not be: doubled orders, coins sold that were not ours, forbidden calls."""
    return [*_doubled(account), *_oversold(account, prefix), *_forbidden(account)]


def is_ours(account: KrakenAccount, record: Record, prefix: str = OUR_PREFIX) -> bool:
    """True for an order of the bot's, and for what its fills have spawned."""
    parent = account.records.get(record.order.shown.parent_id or "")
    if parent is not None:
        return is_ours(account, parent, prefix)
    return (record.order.shown.client_id or "").startswith(prefix)


def _doubled(account: KrakenAccount) -> Iterator[str]:
    for name, times in Counter(name for name, _ in account.accepted).items():
        if times > 1:
            ids = ", ".join(txid for one, txid in account.accepted if one == name)
            yield f"The order {name} was accepted {times} times: {ids}."


def _oversold(account: KrakenAccount, prefix: str) -> Iterator[str]:
    """Execution by execution: at no moment may more be sold than was bought until then."""
    bought: dict[str, Decimal] = {}
    sold: dict[str, Decimal] = {}
    told: set[str] = set()
    for trade in account.trades:
        record = account.records[trade.order_id]
        if not is_ours(account, record, prefix):
            continue
        symbol = record.order.shown.symbol
        side = bought if record.order.shown.side is Side.BUY else sold
        side[symbol] = side.get(symbol, ZERO) + trade.quantity - trade.base_fee
        if sold.get(symbol, ZERO) > bought.get(symbol, ZERO) and symbol not in told:
            told.add(symbol)
            yield (
                f"{symbol}: {sold[symbol]} sold of {bought.get(symbol, ZERO)} bought, "
                f"first with {trade.id} of order {trade.order_id}."
            )


def _forbidden(account: KrakenAccount) -> Iterator[str]:
    for endpoint in account.forbidden:
        yield f"{endpoint} was called."
