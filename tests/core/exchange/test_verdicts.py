"""What Kraken's error strings prove."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.venue import Accepted, Outcome, Refused, Unknown
from core.exchange.kraken_private import outcome_of
from core.exchange.kraken_wire import failure_of
from core.exchange.verdicts import Proof, meaning_of


@pytest.mark.parametrize(
    ("failure", "proof"),
    [
        ('kraken {"error":["EOrder:Insufficient funds"]}', Proof.REFUSED),
        ("EGeneral:Invalid arguments:volume minimum not met", Proof.REFUSED),
        ("EGeneral:Invalid arguments:cl_ord_id not unique", Proof.LANDED),
        ("EOrder:Unknown order", Proof.GONE),
        ("EService:Unavailable", Proof.NOTHING),
        ("EService:Busy", Proof.NOTHING),
        ("EGeneral:Internal error", Proof.NOTHING),
        ("kraken POST https://api.kraken.com/0/private/AddOrder 502 Bad Gateway", Proof.NOTHING),
        ("", Proof.NOTHING),
    ],
)
def test_a_failure_proves_no_more_than_its_string_says(failure: str, proof: Proof) -> None:
    meant = meaning_of(failure)
    assert meant.proof is proof
    assert meant.is_known
    assert meant.words


def _judged(text: str) -> Outcome:
    return outcome_of(failure_of(text, "AddOrder", "ExchangeError"))


def test_a_string_that_was_never_seen_proves_nothing_and_is_marked() -> None:
    meant = meaning_of("EOrder:Something quite new")
    assert (meant.proof, meant.is_known) == (Proof.NOTHING, False)
    assert isinstance(_judged('kraken {"error":["EOrder:Something quite new"]}'), Unknown)


def test_a_refusal_keeps_krakens_own_words_by_which_the_lifecycle_knows_it() -> None:
    for text in ("EOrder:Cost minimum not met", "EOrder:Unknown order"):
        assert _judged(f'kraken {{"error":["{text}"]}}') == Refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "kraken POST https://127.0.0.1/0/private/AddOrder 502 Bad Gateway EOrder:Insufficient funds",
        '<html>{"error":["EOrder:Insufficient funds"]}</html>',
        'kraken {"error":["EOrder:Insufficient funds"],"result"',
        'kraken {"error":"EOrder:Insufficient funds"}',
        'kraken {"error":[]}',
        "kraken [1]",
        "",
    ],
)
def test_krakens_words_outside_of_krakens_own_envelope_prove_nothing(text: str) -> None:
    assert isinstance(_judged(text), Unknown)


def test_a_warning_beside_an_order_id_is_an_order_that_was_placed() -> None:
    assert _judged('kraken {"error":["WGeneral:Danger"],"result":{"txid":["OABC"]}}') == Accepted("OABC")
    assert isinstance(_judged('kraken {"error":["WGeneral:Danger"]}'), Unknown)


def test_every_string_of_trading_that_was_seen_in_the_wild_is_known(recording: Callable[[str], Path]) -> None:
    rows = recording("kraken/error_strings.tsv").read_text(encoding="utf-8").splitlines()[1:]
    seen = [row.split("\t")[0] for row in rows]
    other = ("EEarnings:", "EFunding:")
    new = [text for text in seen if not text.startswith(other) and not meaning_of(text).is_known]
    margin = {"EOrder:Margin allowance exceeded", "EOrder:Margin level too low", "EOrder:Margin position size exceeded"}
    not_ours = {"EOrder:Batch failed", "EOrder:Cancel all failed", "EOrder:Unknown position", "EGeneral:Permission"}
    assert set(new) - margin - not_ours == {
        "EGeneral:Invalid User:auction owned by someone else",
        "EService:Totally unmapped error",
    }


@pytest.mark.parametrize(
    "answer",
    [
        '{"error":["EOrder:Insufficient funds","EService:Timeout"]}',
        '{"error":["EOrder:Insufficient funds"],"result":{"txid":["OAAAAA-BBBBB-CCCCCC"]}}',
    ],
)
def test_a_refusal_beside_something_that_proves_nothing_proves_nothing(answer: str) -> None:
    assert isinstance(_judged(f"kraken {answer}"), Unknown)
