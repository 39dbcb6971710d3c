"""What a planted fault is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """In `path`, the text `old` becomes `new`. `old` must be there exactly once."""

    path: str
    old: str
    new: str

    def of(self, root: Path) -> str:
        """The file after it. Raises LookupError where it does not fit."""
        text = (root / self.path).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise LookupError(f"the patch fits {text.count(self.old)} places of {self.path}, not one: {self.old!r}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault planted, in one place and, where it takes more, in others."""

    name: str
    path: str
    old: str
    new: str
    more: tuple[Edit, ...] = ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All of it."""
        return (Edit(self.path, self.old, self.new), *self.more)

    def apply(self, root: Path) -> None:
        """Plant it. Raises LookupError where a patch does not fit."""
        for edit in self.edits:
            (root / edit.path).write_text(edit.of(root), encoding="utf-8")
