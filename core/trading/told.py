"""What the owner was told of a desk last, so that he hears of changes only."""

from dataclasses import dataclass, field

from core.domain.modes import TradingState


@dataclass(slots=True)
class Told:
    """Its state with the reasons, why it is not ready, and what he is to see to himself."""

    state: TradingState = TradingState.ACTIVE
    because: tuple[str, ...] = ()
    strangers: set[str] = field(default_factory=set)
    """Orders that bear our name and that the ledger does not know."""
    not_ready: tuple[bool, ...] = ()
    """That it is not ready, whether for good, and whether its books were compared; empty while it is."""
