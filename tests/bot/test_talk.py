"""Grammar first, answers to questions before it, the model last and never for a button."""

from collections.abc import Callable

from bot.grammar.parse import NotParsed
from bot.talk import Talk
from core.domain.errors import Code
from core.domain.modes import Mode
from core.trading.consent import Author
from core.trading.reply import Reply
from tests.rig import open_rig


class Ear:
    """A model that only listens."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Code]] = []
        self.noted: list[tuple[str, str]] = []

    async def answer(
        self, user: str, text: str, why_not: NotParsed, is_wanted: Callable[[], bool] = lambda: True
    ) -> Reply:
        self.heard.append((text, why_not.code))
        return Reply(("I heard you.",))

    def note(self, user: str, text: str, reply: str) -> None:
        self.noted.append((text, reply[:12]))


async def test_a_command_never_meets_the_model_and_what_is_none_does_with_its_reason() -> None:
    async with open_rig() as rig:
        ear = Ear()
        talk = Talk(rig.approvals, rig.grammar, ear)
        assert (await talk.answer("u", "buy 0.04 ZEC")).ok
        await talk.answer("u", "don't buy ETH")
        await talk.answer("u", "sing me a song")
        assert [code for _, code in ear.heard] == [Code.NEGATED, Code.NOT_A_COMMAND]
        assert ear.noted == [("buy 0.04 ZEC", "Mode: PAPER.")], "it hears of what was done without it"


async def test_a_button_that_says_nothing_known_is_refused_and_not_told_to_the_model() -> None:
    async with open_rig() as rig:
        ear = Ear()
        reply = await Talk(rig.approvals, rig.grammar, ear).answer("u", "sing me a song", Author.BUTTON)
        assert (reply.code, ear.heard) == (Code.NOT_A_COMMAND, [])


async def test_confirm_and_reject_answer_the_question_of_their_code_whatever_their_case() -> None:
    async with open_rig() as rig:
        talk = Talk(rig.approvals, rig.grammar)
        await talk.answer("u", "buy 0.04 ZEC")
        first = await talk.answer("u", "flatten", Author.PERSON)
        assert first.question is not None
        dropped = await talk.answer("u", f"reject {first.question.code}")
        assert "nothing was done" in dropped.text
        second = await talk.answer("u", "flatten", Author.PERSON)
        assert second.question is not None
        assert (await talk.answer("other", f"confirm {second.question.code}")).code is Code.CONFIRMATION
        assert (await talk.answer("u", f" Confirm {second.question.code.lower()}. ")).ok
        assert rig.desk.ledger.unfinished() == ()


async def test_a_script_is_not_asked_where_a_person_is() -> None:
    async with open_rig() as rig:
        talk = Talk(rig.approvals, rig.grammar)
        await talk.answer("u", "buy 0.04 ZEC")
        assert (await talk.answer("u", "flatten")).ok
        assert rig.desk.ledger.unfinished() == ()


async def test_the_mode_of_a_button_counts_where_its_words_name_none() -> None:
    async with open_rig() as rig:
        talk = Talk(rig.approvals, rig.grammar)
        reply = await talk.answer("u", "buy 0.04 ZEC", Author.BUTTON, Mode.LIVE)
        assert reply.code is Code.WRONG_MODE
        assert (await talk.answer("u", "paper open", Author.BUTTON, Mode.LIVE)).mode is Mode.PAPER
