"""The words of each command, compiled from its declaration."""

import pytest

from bot.grammar import words
from bot.grammar.vocabulary import Meanings, call_index, reserved_words, slash_names, vocabulary
from core.commands.base import Danger, SlotKind, registry

NAMES = sorted(registry())


def meanings(name: str) -> dict[str, Meanings]:
    return {" ".join(phrase): known for rows in vocabulary(name).phrases.values() for phrase, known in rows}


@pytest.mark.parametrize("name", NAMES)
def test_a_vocabulary_holds_every_call_of_its_command(name: str) -> None:
    known = meanings(name)
    assert all("call" in known[call] for call in registry()[name].command.declaration.calls)


@pytest.mark.parametrize("name", NAMES)
def test_a_vocabulary_tries_longer_phrases_first(name: str) -> None:
    for rows in vocabulary(name).phrases.values():
        lengths = [len(phrase) for phrase, _ in rows]
        assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_no_word_chooses_two_values_of_one_argument(name: str) -> None:
    for slot in registry()[name].command.slots().values():
        spoken = [word for group in slot.choices.values() for word in group]
        assert len(spoken) == len(set(spoken))


def test_no_word_belongs_to_two_parts_directions_or_currencies() -> None:
    assert not set(words.PARTS) & set(words.FRACTIONS)
    assert not set(words.DIRECTIONS) & set(words.MODES)
    assert not set(words.CURRENCIES) & set(words.PARTS)


def test_labels_are_known_to_commands_with_levels_and_to_no_others() -> None:
    for name in NAMES:
        kinds = {slot.kind for slot in registry()[name].command.slots().values()}
        labels = {known["label"] for known in meanings(name).values() if "label" in known}
        assert ("stop" in labels) == (SlotKind.STOP in kinds)
        assert ("target" in labels) == (SlotKind.TARGET in kinds)
        assert ("limit" in labels) == (SlotKind.AMOUNT in kinds)


def test_a_command_that_trades_knows_no_pronoun_that_asks_or_tells() -> None:
    for name in NAMES:
        if registry()[name].command.declaration.danger is Danger.TRADE:
            assert not {"i", "we", "you", "he", "she", "they", "do", "did", "have", "has", "?"} & meanings(name).keys()


def test_no_word_that_decides_for_the_sentence_is_glue_in_an_order() -> None:
    deciding = words.NEGATIONS | words.CONDITIONS | words.DEFERRALS | words.SPEECH | words.PAST
    assert not deciding & words.GLUE
    assert not deciding & set(words.COURTESY)
    assert not deciding & words.NOUNS_OF_MONEY


def test_the_call_index_leads_each_phrase_to_one_command() -> None:
    owner: dict[tuple[str, ...], str] = {}
    for rows in call_index().values():
        for phrase, name in rows:
            assert owner.setdefault(phrase, name) == name, phrase


def test_every_command_has_a_slash_name_of_its_own_that_telegram_takes() -> None:
    names = slash_names()
    for name in NAMES:
        assert names[name] == name
        assert name.islower()
        assert len(name) <= 32
        assert name.replace("_", "").isalnum()


def test_reserved_words_hold_the_words_of_every_phrase() -> None:
    reserved = reserved_words()
    for name in NAMES:
        assert {word for phrase in meanings(name) for word in phrase.split()} <= reserved


def test_a_label_is_written_in_lower_case_and_belongs_to_one_value() -> None:
    everything = [phrase for group in words.LABELS.values() for phrase in group]
    assert len(everything) == len(set(everything))
    assert all(phrase == phrase.lower() for phrase in everything)
