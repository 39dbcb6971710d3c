"""Approvals: between a wish and its execution stands a person, wherever `must_ask` says so. No model gets past it."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from loguru import logger

from core.commands.base import Command, Danger, Preview, registry
from core.domain.errors import Code
from core.domain.modes import Mode
from core.domain.money import HUNDRED, ZERO, divide, plain
from core.ledger.proposals import Answer, Proposal, Proposals, Unclaimed
from core.market.clocks import Clock
from core.trading.consent import EXPIRES_S, Author, ConsentPolicy, must_ask
from core.trading.execute import execute_trading_command, preview_trading_command
from core.trading.reply import Question, Reply, refusal
from core.trading.service import TradingService

_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without the signs that look alike."""
_CODE_LENGTH = 6
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Wish:
    """A command that somebody wants done. `mode` None means the active one; `named` as in `must_ask`."""

    user: str
    command: Command
    mode: Mode | None
    author: Author
    named: bool = False


def new_code() -> str:
    """A name for a question that nobody can guess within its life."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))


class Approvals:
    """The only way from words to `execute_trading_command`. Time is the wall's: it is people who are waited for."""

    def __init__(
        self,
        service: TradingService,
        proposals: Proposals,
        policy: ConsentPolicy,
        clock: Clock,
        new_code: Callable[[], str] = new_code,
    ) -> None:
        self.service = service
        self._proposals = proposals
        self._policy = policy
        self._clock = clock
        self._new_code = new_code

    async def submit(self, wish: Wish) -> Reply:
        """Do what is wished, or ask first. Refusals come back as replies with their code."""
        mode = wish.mode or self.service.active_mode
        if not must_ask(wish.command, mode, wish.author, self._policy, named=wish.named):
            return await execute_trading_command(self.service, wish.command, wish.mode)
        shown = await preview_trading_command(self.service, wish.command, wish.mode)
        return shown if isinstance(shown, Reply) else self._ask(wish.user, mode, wish.author, shown)

    async def answer(self, user: str, code: str, *, yes: bool) -> Reply:
        """Take a person's answer to a question: once, his own, in time, and at the price that he was shown."""
        wanted = Answer.CONFIRMED if yes else Answer.REJECTED
        found = self._proposals.answer(code, user, wanted, self._clock())
        if isinstance(found, Unclaimed):
            logger.warning("an answer of {} to question {} does not count: {}", user, code, found.name)
            return refusal(Code.CONFIRMATION, found.value)
        command = registry()[found.command].command.model_validate(found.arguments)
        if not yes:
            return Reply((f"Dropped, nothing was done: {found.command}.",), mode=_mode_shown(command, found.mode))
        again = await self._look_again(found, command)
        if again is not None:
            return again
        return await execute_trading_command(self.service, command, found.mode)

    async def _look_again(self, old: Proposal, command: Command) -> Reply | None:
        """None where everything is as it was shown; else the refusal, or the same question as things are now."""
        if not old.prices and not old.about:
            return None
        shown = await preview_trading_command(self.service, command, old.mode)
        if isinstance(shown, Reply):
            return shown
        why = _moved(old.prices, shown.prices, self._policy.price_move_pct)
        if why is None and dict(old.about) != dict(shown.about):
            why = "What it is about has changed since you were asked, so you are asked again."
        return None if why is None else self._ask(old.user, old.mode, Author(old.author), shown, why)

    def _ask(self, user: str, mode: Mode, author: Author, shown: Preview, why: str = "") -> Reply:
        now = self._clock()
        name = shown.command.declaration.name
        expires_at = now + timedelta(seconds=EXPIRES_S)
        proposal = Proposal(
            code=self._new_code(),
            user=user,
            mode=mode,
            command=name,
            arguments=shown.command.arguments(),
            prices=shown.prices,
            about=shown.about,
            author=author.value,
            asked_at=now,
            expires_at=expires_at,
        )
        self._proposals.ask(proposal)
        logger.info("[ASK] user={}, mode={}, command={}, author={}, code={}", user, mode, name, author, proposal.code)
        code = proposal.code
        how = f"Nothing is done yet. 'confirm {code}' within {EXPIRES_S} s does it, 'reject {code}' drops it."
        lines = (*((why,) if why else ()), *shown.lines, how)
        question = Question(code, expires_at)
        return Reply(lines, mode=mode, ok=False, code=Code.UNCONFIRMED, question=question)


def _moved(before: Mapping[str, Decimal], now: Mapping[str, Decimal], limit_pct: Decimal) -> str | None:
    """Why the prices are not those that were shown, None while they are near enough."""
    for symbol, price in before.items():
        other = now.get(symbol)
        if other is None or price <= ZERO:
            return f"There is no price of {symbol} just now."
        share = divide((other - price) * HUNDRED, price)
        if abs(share) > limit_pct:
            return (
                f"The price of {symbol} moved {plain(share.quantize(_HUNDREDTH))}% since you were asked "
                f"(from {plain(price)} to {plain(other)}), so you are asked again."
            )
    return None


def _mode_shown(command: Command, mode: Mode) -> Mode | None:
    return mode if command.declaration.danger is Danger.TRADE else None
