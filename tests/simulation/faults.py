"""What may go wrong, how often, and the dice that decide it. One set is drawn for each life."""

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from random import Random


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances from 0 to 1 that each thing happens where it can."""

    request_lost: float = 0.03
    answer_lost: float = 0.04
    arrives_late: float = 0.03
    refused: float = 0.03
    hidden_at_first: float = 0.12
    unreadable: float = 0.03
    partial_snapshot: float = 0.05
    balances_empty: float = 0.03
    partial_fill: float = 0.35
    entry_placed_though_refused: float = 0.015
    entry_placed_past_its_deadline: float = 0.015
    fill_crosses_cancel: float = 0.15
    fill_shown_late: float = 0.50
    child_appears_late: float = 0.30
    quotes_missing: float = 0.02
    chat_down: float = 0.10

    def times(self, factor: float) -> "Faults":
        """All chances multiplied; none above four in five."""
        return replace(self, **{one.name: min(0.8, getattr(self, one.name) * factor) for one in fields(self)})


CALM = Faults().times(0)


@dataclass
class Dice:
    """Draws faults and counts those that struck. Everything random in a life comes from the one `random`."""

    random: Random
    faults: Faults
    struck: Counter[str] = field(default_factory=Counter)

    def strikes(self, fault: str) -> bool:
        """Whether this fault happens now."""
        chance: float = getattr(self.faults, fault)
        if chance <= 0 or self.random.random() >= chance:
            return False
        self.struck[fault] += 1
        return True

    def travel_s(self) -> float:
        """How long a message is under way: mostly a blink, sometimes a second."""
        return self.random.uniform(0.01, 0.12) if self.random.random() < 0.85 else self.random.uniform(0.2, 1.2)
