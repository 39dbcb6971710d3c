"""Proposals outlive the process and are taken once, on either engine."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.domain.modes import Mode
from core.ledger.proposals import Answer, Proposal, Proposals, Unclaimed
from storage.database import Database
from tests.core.ledger.samples import AT, later

ASKED = Proposal(
    code="K7QPAB",
    user="telegram:1",
    mode=Mode.LIVE,
    command="buy",
    arguments={"symbol": "ZEC/USD", "amount": {"value": "0.04", "unit": "base"}},
    prices={"ZEC/USD": Decimal("512.10")},
    about={"zy00000001": "sell 1 of 1"},
    author="model",
    asked_at=AT,
    expires_at=AT + timedelta(seconds=120),
)


def test_a_proposal_comes_back_as_it_was_asked(database: Database) -> None:
    Proposals(database).ask(ASKED)
    found = Proposals(database).answer("K7QPAB", "telegram:1", Answer.CONFIRMED, later(1))
    assert found == replace(ASKED, prices={"ZEC/USD": Decimal("512.1")})


def test_of_two_who_answer_at_once_one_gets_it(database: Database) -> None:
    Proposals(database).ask(ASKED)
    answers = [Proposals(database).answer("K7QPAB", "telegram:1", Answer.CONFIRMED, later(1)) for _ in range(5)]
    assert sum(isinstance(one, Proposal) for one in answers) == 1
    assert answers[1:] == [Unclaimed.USED] * 4


def test_an_unknown_code_a_stranger_and_a_late_answer_get_their_reasons(database: Database) -> None:
    proposals = Proposals(database)
    proposals.ask(ASKED)
    assert proposals.answer("XXXXXX", "telegram:1", Answer.CONFIRMED, later(1)) is Unclaimed.NOT_FOUND
    assert proposals.answer("K7QPAB", "telegram:2", Answer.CONFIRMED, later(1)) is Unclaimed.FOREIGN
    assert proposals.answer("K7QPAB", "telegram:1", Answer.CONFIRMED, later(120)) is Unclaimed.EXPIRED
    assert isinstance(proposals.answer("K7QPAB", "telegram:1", Answer.REJECTED, later(2)), Proposal)


def test_the_same_question_asked_again_replaces_the_older_and_another_one_does_not(database: Database) -> None:
    proposals = Proposals(database)
    proposals.ask(ASKED)
    proposals.ask(replace(ASKED, code="SECOND"))
    proposals.ask(replace(ASKED, code="OTHERS", user="telegram:2"))
    proposals.ask(replace(ASKED, code="CLOSES", command="close"))
    proposals.ask(replace(ASKED, code="THIRDS", command="close", arguments={"symbol": "ETH/USD"}))
    assert proposals.answer("K7QPAB", "telegram:1", Answer.CONFIRMED, later(1)) is Unclaimed.REPLACED
    for code, user in (
        ("SECOND", "telegram:1"),
        ("OTHERS", "telegram:2"),
        ("CLOSES", "telegram:1"),
        ("THIRDS", "telegram:1"),
    ):
        assert isinstance(proposals.answer(code, user, Answer.CONFIRMED, later(1)), Proposal), code
