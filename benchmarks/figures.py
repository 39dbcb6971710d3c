"""A figure and the limit that it should keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `detail` says how it was spread or made."""

    name: str
    value: float
    unit: str
    limit: float
    detail: str = ""

    @property
    def holds(self) -> bool:
        """True when the measured value keeps its limit."""
        return self.value <= self.limit

    @property
    def shown(self) -> str:
        """The number as the table shows it."""
        return f"{self.value:.2f} {self.unit}{f' ({self.detail})' if self.detail else ''}"
