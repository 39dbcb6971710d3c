"""How alerts arrive."""

import pytest

from bot.loudness import ALWAYS_TOLD, Loudness, Topic, read_loudness, topic_of
from core.domain.events import EventKind


def test_every_kind_of_event_has_a_topic_and_every_topic_a_kind() -> None:
    assert {topic_of(kind.value) for kind in EventKind} == set(Topic)
    assert topic_of("a kind of another version") is Topic.STATE


def test_topics_are_set_one_by_one() -> None:
    assert read_loudness("") == {}
    assert read_loudness(" Partial = OFF, entry=silent,") == {
        Topic.PARTIAL: Loudness.OFF,
        Topic.ENTRY: Loudness.SILENT,
    }


@pytest.mark.parametrize("text", ["partial", "partial=loud", "weather=off", "=off"])
def test_what_cannot_be_read_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="topics are entry, protected"):
        read_loudness(text)


def test_danger_cannot_be_switched_off() -> None:
    for topic in ALWAYS_TOLD:
        assert read_loudness(f"{topic}=silent") == {topic: Loudness.SILENT}
        with pytest.raises(ValueError, match="cannot be off"):
            read_loudness(f"{topic}=off")
