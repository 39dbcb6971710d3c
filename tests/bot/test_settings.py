"""Settings: all of them checked, all problems at once, no secret in any text."""

from decimal import Decimal
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load_settings
from core.domain.modes import Mode, TargetMode


def _load(tmp_path: Path, env: dict[str, str] | None = None, file: str | None = None) -> Settings:
    path = tmp_path / ".env"
    if file is not None:
        path.write_text(file, encoding="utf-8")
    return load_settings(env or {}, path)


def test_without_anything_set_the_bot_is_on_paper(tmp_path: Path) -> None:
    settings = _load(tmp_path)
    assert (settings.mode, settings.market, settings.target_mode) == (Mode.PAPER, "kraken", TargetMode.EMULATED)
    assert (settings.database_url, settings.quote_currency, settings.owner_name) == (
        "sqlite:///data/zyn.db",
        "USD",
        "jimmy",
    )
    assert settings.paper_balance == Decimal(10000)
    assert settings.bracket_check_seconds == pytest.approx(5)
    assert settings.openai_model == "gpt-4o"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = _load(tmp_path, {"OWNER_NAME": "ada"}, "OWNER_NAME=bob\nMODE=paper\n")
    assert settings.owner_name == "ada"


def test_empty_means_not_set(tmp_path: Path) -> None:
    settings = _load(tmp_path, {"OPENAI_BASE_URL": "", "TELEGRAM_BOT_TOKEN": " ", "PAPER_BALANCE": ""})
    assert (settings.openai_base_url, settings.telegram_bot_token) == (None, None)
    assert settings.paper_balance == Decimal(10000)


def test_every_problem_is_reported_at_once_by_name_with_what_would_be_right(tmp_path: Path) -> None:
    env = {
        "MODE": "REAL", "PAPER_BALANCE": "lots", "BRACKET_CHECK_SECONDS": "0", "MARKET": "replay:", "TARGET_MODE": "x",
        "TELEGRAM_ALLOWED_USERS": "12,bob", "KRAKEN_API_URL": "api.kraken.com", "KRAKEN_WS_URL": "http://x",
        "TELEGRAM_BOT_TOKEN": "very-secret-token", "QUOTE_CURRENCY": "DOLLARS",
    }  # fmt: skip
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, env)
    problems = caught.value.problems
    assert {problem.partition(":")[0] for problem in problems} == set(env)
    text = str(caught.value)
    assert "kraken, generated, or replay:PATH" in text
    assert "numbers separated by commas" in text
    assert "'lots'" in text
    assert "very-secret-token" not in text


def test_broken_lines_of_the_file_are_named_by_number(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, file="MODE=PAPER\nthis is no setting\nOWNER_NAME='unclosed\n")
    assert "line 2" in str(caught.value)


def test_a_misspelled_name_is_pointed_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, file="TELEGRAM_BOT_TOKN=1:abc\n")
    assert "did you mean TELEGRAM_BOT_TOKEN?" in str(caught.value)


def test_a_file_that_is_no_text_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00\x00")
    with pytest.raises(SettingsError) as caught:
        load_settings({}, tmp_path / ".env")
    assert "cannot be read" in str(caught.value)


def test_a_secret_does_not_print(tmp_path: Path) -> None:
    settings = _load(tmp_path, {"KRAKEN_API_SECRET": "hunter2hunter2", "OPENAI_API_KEY": "sk-hunter3"})
    for text in (repr(settings), str(settings), f"{settings.kraken_api_secret}", settings.model_dump_json()):
        assert "hunter" not in text
    assert settings.secrets() == ["sk-hunter3", "hunter2hunter2"]


@pytest.mark.parametrize("name", ["KRAKEN_API_URL", "KRAKEN_WS_URL", "KRAKEN_WS_AUTH_URL"])
@pytest.mark.parametrize(
    ("host", "is_fine"),
    [
        ("127.0.0.1:8080", True), ("localhost:1", True), ("[::1]:9", True), ("kraken.example", False),
        ("127.evil.example", False), ("127.0.0.1.evil.example", False), ("localhost.evil.example", False),
    ],
)  # fmt: skip
def test_what_is_signed_travels_unencrypted_on_this_machine_only(
    tmp_path: Path, name: str, host: str, *, is_fine: bool
) -> None:
    scheme = "http" if name == "KRAKEN_API_URL" else "ws"
    assert getattr(_load(tmp_path, {name: f"{scheme}s://{host}"}), name.lower()) == f"{scheme}s://{host}"
    if is_fine:
        assert _load(tmp_path, {name: f"{scheme}://{host}"})
    else:
        with pytest.raises(SettingsError, match=f"{name}.*without encryption only on this machine"):
            _load(tmp_path, {name: f"{scheme}://{host}"})


def test_ids_of_users_are_numbers_in_any_spacing(tmp_path: Path) -> None:
    assert _load(tmp_path, {"TELEGRAM_ALLOWED_USERS": " 12, 34 ,"}).telegram_allowed_users == {12, 34}


def test_the_example_file_explains_every_setting_and_loads() -> None:
    example = Path(__file__).parents[2] / ".env.example"
    text = example.read_text(encoding="utf-8")
    for name, info in Settings.model_fields.items():
        assert f"\n#{name.upper()}=" in text or f"\n{name.upper()}=" in text, name.upper()
        assert info.description
        assert info.description in text.replace("\n# ", " "), name
    assert load_settings({}, example) == load_settings({}, Path("/nonexistent/.env"))
