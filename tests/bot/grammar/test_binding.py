"""Which value belongs to which label, and how the tokens of a sentence are read as one command's words."""

import pytest

from bot.grammar.binding import bindings, spoken
from bot.grammar.reading import Word, read
from bot.grammar.vocabulary import vocabulary
from tests.bot.grammar.support import code_of, meaning, parsed, tokens


def words(text: str, command: str = "buy") -> list[Word]:
    return read(tokens(text), vocabulary(command))


def bound(text: str, command: str = "buy") -> dict[str, list[str]]:
    """Label to the texts that the one cheapest binding gave it."""
    found = words(text, command)
    (binding,) = bindings(found)
    return {label: [word.text for word in given] for label, given in spoken(binding, found).items()}


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("SL 1% TP 2%", {"stop": ["1%"], "target": ["2%"]}),
        ("TP 2% SL 1%", {"stop": ["1%"], "target": ["2%"]}),
        ("1% SL 2% TP", {"stop": ["1%"], "target": ["2%"]}),
        ("1% stop loss, 2% take profit", {"stop": ["1%"], "target": ["2%"]}),
        ("stop at 3000 and target at 3500", {"stop": ["3000"], "target": ["3500"]}),
        ("with a 1% stop and a target of 3500", {"stop": ["1%"], "target": ["3500"]}),
        ("SL: 1% / TP: 2%", {"stop": ["1%"], "target": ["2%"]}),
        ("stop = 2 atr , target = 3r", {"stop": ["2 atr"], "target": ["3r"]}),
        ("limit 3200 SL 3100 TP 3400", {"limit": ["3200"], "stop": ["3100"], "target": ["3400"]}),
        ("@ 3200 SL 3100", {"at": ["3200"], "stop": ["3100"]}),
        ("risk 1% SL 2%", {"risk": ["1%"], "stop": ["2%"]}),
        ("1% risk 2% stop", {"risk": ["1%"], "stop": ["2%"]}),
        ("0.1 ETH SL 3000", {"stop": ["3000"]}),
        ("0.1 ETH 3000 stop 3500 target", {"stop": ["3000"], "target": ["3500"]}),
        ("stop 1% below entry, target 2% above entry", {"stop": ["1%"], "target": ["2%"]}),
    ],
)
def test_each_label_takes_the_value_beside_it(text: str, given: dict[str, list[str]]) -> None:
    assert bound(text) == given


def test_a_levels_value_may_stand_behind_its_coin() -> None:
    assert bound("move the stop of ETH to 3000", "protect") == {"stop": ["3000"]}
    assert bound("set target on SOL at 160", "protect") == {"target": ["160"]}


def test_break_even_is_a_value_where_levels_are_moved_and_nowhere_else() -> None:
    assert bound("stop to break even", "protect") == {"stop": ["break even"]}
    assert all(word.means("break_even") is None for word in words("stop to break even", "buy"))


@pytest.mark.parametrize("text", ["SL", "SL TP 2%", "SL and TP", "0.1 ETH SL", "SL 30d"])
def test_a_label_without_a_value_leaves_no_complete_binding(text: str) -> None:
    assert bindings(words(text)) == []


def test_a_number_right_before_a_coin_is_no_price_unless_it_stands_right_behind_its_label() -> None:
    assert bindings(words("buy 0.1 ETH stop")) == []
    assert parsed("buy $50 stop 100 SOL") == meaning("buy SOL/USD $50 sl=100")
    assert code_of("buy stop 0.1 ETH") == "AMOUNT"
    assert code_of("buy 2 stop 100 SOL") == "AMBIGUOUS"


def test_no_value_belongs_to_two_labels() -> None:
    for text in ("SL 1% TP 2%", "1% SL 2% TP", "limit 3200 SL 3100 TP 3400"):
        (binding,) = bindings(words(text))
        taken = [value for _, _, value in binding.pairs if value is not None]
        assert len(taken) == len(set(taken)) == len(binding.values)


def test_a_sentence_without_labels_has_one_empty_binding() -> None:
    (binding,) = bindings(words("buy 0.1 ETH"))
    assert binding.pairs == ()
    assert binding.cost == 0


@pytest.mark.parametrize(
    ("text", "command", "meaning"),
    [
        ("stop loss", "buy", "label"),
        ("take profit", "buy", "label"),
        ("at market", "buy", "label"),
        ("half of", "sell", "part"),
        ("half a", "buy", "fraction"),
        ("open positions", "open", "call"),
        ("run full system diagnostic", "diagnostic", "call"),
        ("thank you", "buy", "courtesy"),
        ("below", "buy", "direction"),
        ("paper", "buy", "mode"),
        ("turn on", "autopilot", "choice"),
    ],
)
def test_the_longest_phrase_is_one_word_with_its_meaning(text: str, command: str, meaning: str) -> None:
    (word,) = words(text, command)
    assert word.text == text
    assert word.means(meaning) is not None
    assert word.phrase_length == len(text.split())


def test_an_unknown_word_has_no_meaning_and_is_no_filler() -> None:
    (word,) = words("banana")
    assert not word.meanings
    assert not word.is_filler
    assert not word.is_value
    assert not word.is_separator


def test_reading_loses_no_token() -> None:
    text = "Zyn, please buy 0.1 ETH at market with a stop loss of 1% below entry banana"
    assert " ".join(word.text for word in words(text)) == " ".join(token.text for token in tokens(text))


def test_a_coin_is_never_read_as_a_word_of_the_command() -> None:
    (word,) = words("$OPEN", "open")
    assert not word.meanings
