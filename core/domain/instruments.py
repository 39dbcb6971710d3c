"""What can be traded: the instrument and its grid."""

from dataclasses import dataclass
from decimal import Decimal

from core.domain.money import ceil_to, divide, floor_to, nearest_to, times


@dataclass(frozen=True, slots=True)
class Instrument:
    """A spot pair. `order_min` is in base, `cost_min` in quote; prices lie on `tick_size`, quantities on `lot_size`.

    `venue_name` is the venue's own key for the pair ("XZECZUSD"). `status` is the venue's word; only "online"
    takes every kind of order.
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    order_min: Decimal
    cost_min: Decimal
    venue_name: str = ""
    status: str = "online"

    @property
    def base(self) -> str:
        """The coin that is bought and sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The currency that pays for it."""
        return self.symbol.partition("/")[2]

    def price(self, value: Decimal) -> Decimal:
        """`value` on the nearest tick."""
        return nearest_to(value, self.tick_size)

    def quantity(self, value: Decimal) -> Decimal:
        """`value` rounded down to the lot: never more than was asked or is there."""
        return floor_to(value, self.lot_size)

    def minimum_quantity(self, price: Decimal) -> Decimal:
        """The smallest quantity that the venue takes at `price`: both minimums, rounded up to the lot."""
        return max(self.order_min, ceil_to(divide(self.cost_min, price), self.lot_size))

    def is_dust(self, quantity: Decimal, price: Decimal) -> bool:
        """True when `quantity` is too small to be sold alone at `price`."""
        return quantity < self.order_min or times(quantity, price) < self.cost_min
