"""What a command is: a pydantic model with one declaration, from which every face, the grammar and the help come."""

import functools
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer

from core.domain.brackets import Level, LevelUnit
from core.domain.errors import Code
from core.domain.money import plain
from core.risk.sizing import AmountUnit
from core.trading.desk import Desk
from core.trading.reply import Reply


class Danger(StrEnum):
    """What a command can do at worst: look, trade, or change how the house behaves."""

    QUERY = "query"
    TRADE = "trade"
    CONTROL = "control"


class SlotKind(StrEnum):
    """What kind of words fill a field."""

    SYMBOL = "symbol"
    SYMBOL_OR_ALL = "symbol_or_all"
    CANCEL_TARGET = "cancel_target"
    AMOUNT = "amount"
    STOP = "stop"
    TARGET = "target"
    ORDER_TYPE = "order_type"
    LIMIT_PRICE = "limit_price"
    CHOICE = "choice"
    MODE = "mode"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Slot:
    """How a field is spoken: its kind, the refusal when it is wrong, and, for a choice, the words of each value."""

    kind: SlotKind
    code: Code
    hint: str = ""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A command, declared once.

    `calls` are the words it is called by; `presets` fill fields for some of them. `nouns` may stand beside it and
    mean nothing more. `bare` names the command that is meant by this one's name alone. Of the fields in `any_of`
    at least one must be given. A word of `plurals` without a symbol means all. `goes_with` names the field that a
    choice needs. `acts` marks a control command that does something even when it is given nothing. `dangerous` lists
    the field values under which a person must confirm it first; an entry without any means always. `dangerous_live`
    lists those for which that holds where it is about real money.
    """

    name: str
    calls: tuple[str, ...]
    danger: Danger
    examples: tuple[str, ...]
    presets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    nouns: frozenset[str] = frozenset()
    bare: str | None = None
    any_of: tuple[str, ...] = ()
    plurals: frozenset[str] = frozenset()
    goes_with: Mapping[str, str] = field(default_factory=dict)
    acts: bool = False
    dangerous: tuple[Mapping[str, str], ...] = ()
    dangerous_live: tuple[Mapping[str, str], ...] = ()
    built: bool = True


class Command(BaseModel):
    """The base of all commands. The docstring of each is its line in the help."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    declaration: ClassVar[Declaration]

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def slots(cls) -> dict[str, Slot]:
        """The spoken fields, by name."""
        return _slots(cls)

    def arguments(self) -> dict[str, Any]:
        """The fields as the parse contract shows them."""
        return self.model_dump(mode="json")

    @property
    def is_dangerous(self) -> bool:
        """True when its declaration wants a person to confirm it, given what is in its fields."""
        return self._has_one_of(self.declaration.dangerous)

    @property
    def is_dangerous_live(self) -> bool:
        """The same where it is about real money."""
        return self._has_one_of(self.declaration.dangerous_live)

    def _has_one_of(self, wanted: tuple[Mapping[str, str], ...]) -> bool:
        given = self.arguments()
        return any(given | dict(one) == given for one in wanted)

    @property
    def only_shows(self) -> bool:
        """True for queries, and for a control command that was given nothing to change."""
        declaration = self.declaration
        if declaration.danger is not Danger.CONTROL or declaration.acts:
            return declaration.danger is Danger.QUERY
        bare = all(not info.is_required() for info in type(self).model_fields.values())
        return bare and self == type(self)()


@functools.cache
def _slots(command: type[Command]) -> dict[str, Slot]:
    found = {}
    for name, info in command.model_fields.items():
        for extra in info.metadata:
            if isinstance(extra, Slot):
                found[name] = extra
    return found


def _bounded(value: Decimal) -> Decimal:
    """Refuse numbers that no market has; written out, some would fill the memory."""
    if not value.is_finite() or abs(value.adjusted()) > DIGITS_MAX or len(value.as_tuple().digits) > DIGITS_MAX:
        raise ValueError(f"a number of at most {DIGITS_MAX} digits, please")
    return value


DIGITS_MAX = 30
ExactText = Annotated[
    Decimal, AfterValidator(_bounded), PlainSerializer(lambda value: format(value, "f"), return_type=str)
]


class Amount(BaseModel):
    """How much: base coins, quote currency, percent of balance or holding, or percent of equity at risk."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: ExactText
    unit: AmountUnit

    def __str__(self) -> str:
        return plain(self.value) + {"base": "", "quote": " quote", "percent": "%", "risk_percent": "% risk"}[self.unit]


class LevelArgument(BaseModel):
    """Where a stop or target goes: percent of the entry, a price, a multiple of ATR, or of the risk (R)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: ExactText
    unit: LevelUnit

    def level(self) -> Level:
        """The same as a value of the domain."""
        return Level(self.value, self.unit)

    def __str__(self) -> str:
        return plain(self.value) + {"percent": "%", "price": "", "atr": " ATR", "r": "R"}[self.unit]


Symbol = Annotated[str, Slot(SlotKind.SYMBOL, Code.SYMBOL, "a pair like ZEC/USD, or a coin like zec")]
OptionalSymbol = Annotated[str | None, Slot(SlotKind.SYMBOL, Code.SYMBOL, "a pair like ZEC/USD, or nothing")]
AmountArgument = Annotated[Amount, Slot(SlotKind.AMOUNT, Code.AMOUNT, "0.04 ZEC, $50, 10%, or risk 1%")]
OrderTypeArgument = Annotated[Literal["market", "limit"], Slot(SlotKind.ORDER_TYPE, Code.ORDER_TYPE, "market or limit")]
LimitPriceArgument = Annotated[ExactText | None, Slot(SlotKind.LIMIT_PRICE, Code.LIMIT_PRICE, "limit 3200")]
StopArgument = Annotated[LevelArgument | None, Slot(SlotKind.STOP, Code.STOP_LOSS, "SL 1%, SL 3100, SL 2 ATR")]
TargetArgument = Annotated[LevelArgument | None, Slot(SlotKind.TARGET, Code.TAKE_PROFIT, "TP 2%, TP 3300, TP 3R")]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a command would do, shown before it is done: the lines, and the exact command that stands for them.

    `prices` are the prices (quote per base, by symbol) that the lines were made with. `about` is what they are about,
    by name, in words that change when it does. Both are empty where neither matters.
    """

    lines: tuple[str, ...]
    command: Command
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Desk, Any], Awaitable[Reply]]
Previewer = Callable[[Desk, Any], Awaitable[Preview]]


@dataclass(frozen=True, slots=True)
class Registered:
    """A command class with its handler, and what shows it before it is done, where somebody may have to confirm it."""

    command: type[Command]
    handler: Handler
    previewer: Previewer | None = None

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command.declaration.name


@functools.cache
def registry() -> Mapping[str, Registered]:
    """Every command of the package `core.commands`, by name: one module each, found by looking."""
    package = importlib.import_module("core.commands")
    found: dict[str, Registered] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"core.commands.{info.name}")
        handler = getattr(module, "handle", None)
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Command) and value.__module__ == module.__name__
        ]
        for command in classes:
            if command is Command or handler is None:
                continue
            if command.declaration.name in found:
                raise ValueError(f"two commands are called {command.declaration.name}")
            previewer = cast("Previewer | None", getattr(module, "preview", None))
            found[command.declaration.name] = Registered(command, cast("Handler", handler), previewer)
    return found


async def handle(desk: Desk, command: Command) -> Reply:
    """Run the handler of `command` at `desk`. Raises ZynError for refusals."""
    return await registry()[command.declaration.name].handler(desk, command)


async def preview(desk: Desk, command: Command) -> Preview:
    """What `command` would do at `desk`, without doing any of it. Raises ZynError where it would be refused."""
    previewer = registry()[command.declaration.name].previewer
    if previewer is None:
        return Preview((command.summary(),), command)
    return await previewer(desk, command)
