"""Settings from the environment and `.env`: all of them checked at start, all errors told at once."""

import difflib
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from io import StringIO
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from pydantic import (
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from bot.loudness import read_loudness
from core.domain.modes import Mode, TargetMode
from core.exchange.budget import Tier

DEFAULT_ENV_FILE = Path(".env")
_TELEGRAM_IDS_HINT = "numbers separated by commas, like 12345678,87654321"


class SettingsError(Exception):
    """The settings are wrong; `problems` has one line each, by name, with what would be right."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _help(text: str) -> Any:
    return Field(description=text)


class Settings(BaseModel):
    """Everything the owner can set. Secrets are a type that does not print."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        alias_generator=AliasGenerator(validation_alias=str.upper),
        populate_by_name=True,
    )

    mode: Annotated[Mode, _help("First mode of a new database: PAPER or LIVE. Later the stored one counts.")] = (
        Mode.PAPER
    )
    telegram_bot_token: Annotated[
        SecretStr | None, _help("Token of your bot, from @BotFather. Empty: no Telegram.")
    ] = None
    telegram_allowed_users: Annotated[
        frozenset[int], _help(f"Telegram ids that may talk to Zyn: {_TELEGRAM_IDS_HINT}.")
    ] = frozenset()
    alerts: Annotated[
        str,
        _help("How alerts arrive: TOPIC=on, silent or off, with commas, like partial=off,entry=silent. Empty: all on."),
    ] = ""
    telegram_api_url: Annotated[
        str | None, _help("Root of a self-hosted Bot API server, http://host:port. Empty: Telegram's own.")
    ] = None
    openai_api_key: Annotated[
        SecretStr | None, _help("Key of the language model. Empty: the grammar alone understands you.")
    ] = None
    openai_base_url: Annotated[
        str | None,
        Field(repr=False),
        _help("Base URL of an OpenAI-compatible server. Empty: OpenAI's own."),
    ] = None
    openai_model: Annotated[str, _help("Name of the model.")] = "gpt-4o"
    model_budget_s: Annotated[
        float, Field(ge=1, le=300), _help("Seconds that the model may take for one message, all rounds together.")
    ] = 30.0
    confirm_paper: Annotated[
        Literal["named", "always"],
        _help(
            "When a PAPER order that the model proposes asks you first: named (unless your sentence names side, "
            "amount, symbol and levels exactly so) or always."
        ),
    ] = "named"
    confirm_live: Annotated[
        Literal["model", "always"],
        _help("Which LIVE orders ask you first: model (those that the model proposes) or always (your own as well)."),
    ] = "model"
    confirm_move_pct: Annotated[
        Decimal, Field(gt=0, le=50), _help("A price that moved further than this, in percent, is asked about again.")
    ] = Decimal(1)
    kraken_api_key: Annotated[
        SecretStr | None, _help("Kraken API key, for LIVE. It must not be allowed to withdraw.")
    ] = None
    kraken_api_secret: Annotated[SecretStr | None, _help("Secret of that key.")] = None
    kraken_tier: Annotated[
        Tier, _help("Your verification level at Kraken, which decides its limits: starter, intermediate or pro.")
    ] = Tier.STARTER
    kraken_allow_withdrawal_key: Annotated[
        bool, _help("true: trade even with a key that may withdraw. Better make a key that may not.")
    ] = False
    entry_stop: Annotated[
        Literal["attached", "after"],
        _help("LIVE entries carry their stop to Kraken (attached), or it is sent after the fill (after)."),
    ] = "attached"
    child_grace_s: Annotated[
        float, Field(ge=1, le=60), _help("How long an attached stop may take to show up at Kraken, in seconds.")
    ] = 5.0
    validate_only: Annotated[
        bool, _help("true: Kraken checks LIVE entries and places none; replies say 'validated, not executed'.")
    ] = False
    target_slippage_pct: Annotated[
        Decimal, Field(ge=0, le=5), _help("How far below the target an emulated one may sell, in percent.")
    ] = Decimal("0.1")
    dead_man_url: Annotated[
        SecretStr | None,
        _help("URL asked once a minute while all is well, for a dead-man switch. Empty: none."),
    ] = None
    kraken_api_url: Annotated[
        str | None, _help("Root of the Kraken REST API, public and private. Empty: Kraken's own.")
    ] = None
    kraken_ws_url: Annotated[str | None, _help("Full URL of the public WebSocket v2. Empty: Kraken's own.")] = None
    kraken_ws_auth_url: Annotated[str | None, _help("Full URL of the private WebSocket v2. Empty: Kraken's own.")] = (
        None
    )
    database_url: Annotated[
        str,
        Field(repr=False),
        _help("sqlite:///path or postgresql://user:password@host/name."),
    ] = "sqlite:///data/zyn.db"
    market: Annotated[
        str, _help("Where prices come from: kraken, replay:PATH (CSV, parquet or folder), or generated.")
    ] = "kraken"
    market_speed: Annotated[
        float, Field(gt=0, le=100_000), _help("How fast a replayed or generated market runs; 1 is real time.")
    ] = 1.0
    market_seed: Annotated[int, Field(ge=0), _help("Seed of the generated market.")] = 7
    target_mode: Annotated[
        TargetMode,
        _help(
            "Where targets wait: emulated (held by Zyn), resting (at the venue), or auto (held by Zyn, and what it "
            "learns of the account is shown)."
        ),
    ] = TargetMode.EMULATED
    autopilot: Annotated[
        bool, _help("true: the autopilot trades on PAPER until you choose otherwise; LIVE is off until you turn it on.")
    ] = True
    strategy: Annotated[
        str, Field(min_length=1), _help("The strategy's numbers: aggressive, balanced, or the path of a TOML file.")
    ] = "aggressive"
    evaluations_days: Annotated[
        int, Field(ge=1, le=3650), _help("Evaluations that led to no trade are kept for so many days.")
    ] = 30
    quote_currency: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,5}$"), _help("Currency of a coin named alone.")] = "USD"
    owner_name: Annotated[str, Field(min_length=1, max_length=40), _help("What Zyn calls you.")] = "jimmy"
    paper_balance: Annotated[
        Decimal, Field(gt=0, le=10**12), _help("What a new paper account starts with, in QUOTE_CURRENCY.")
    ] = Decimal(10000)
    bracket_check_seconds: Annotated[float, Field(ge=0.2, le=300), _help("Seconds between two ticks.")] = 5.0
    risk_pct_max: Annotated[Decimal, Field(gt=0, le=100), _help("Most that a stop may lose, in percent of equity.")] = (
        Decimal(2)
    )
    exposure_pct_max: Annotated[
        Decimal, Field(gt=0, le=100), _help("Most that positions may be worth, in percent of equity.")
    ] = Decimal(90)
    max_order_quote: Annotated[Decimal, Field(gt=0), _help("Most that one order may cost, in quote currency.")] = (
        Decimal(5000)
    )
    price_collar_pct: Annotated[
        Decimal, Field(gt=0, le=100), _help("How far above the ask a limit may be, in percent.")
    ] = Decimal(10)
    risk_reduce: Annotated[bool, _help("true: reduce an order that is too large, and say so; false: deny it.")] = False
    price_max_age_s: Annotated[
        float, Field(gt=0, le=3600), _help("Prices older than this refuse new entries, in seconds.")
    ] = 30.0
    stop_atr: Annotated[Decimal, Field(gt=0, le=50), _help("Default stop, in multiples of ATR.")] = Decimal(2)
    target_atr: Annotated[Decimal, Field(gt=0, le=50), _help("Default target, in multiples of ATR.")] = Decimal(3)
    stop_pct: Annotated[Decimal, Field(gt=0, lt=100), _help("Default stop without history for an ATR, in percent.")] = (
        Decimal(2)
    )
    target_pct: Annotated[
        Decimal, Field(gt=0, le=1000), _help("Default target without history for an ATR, in percent.")
    ] = Decimal(3)
    unprotected_limit_s: Annotated[
        float, Field(ge=5, le=3600), _help("A position whose stop is refused for longer than this is sold, in seconds.")
    ] = 60.0
    close_unprotected: Annotated[bool, _help("true: sell a position whose stop cannot rest for too long.")] = True
    standstill_max_s: Annotated[
        float,
        Field(ge=2, le=600),
        _help("A machine that stood still for longer, or whose clock jumped so far, takes no entries for a minute."),
    ] = 5.0
    paper_half_spread_pct: Annotated[
        Decimal, Field(ge=0, le=10), _help("Half the spread where only candles are known, in percent.")
    ] = Decimal("0.02")
    log_level: Annotated[
        Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"],
        _help("How much the log tells: DEBUG, INFO, WARNING or ERROR."),
    ] = "INFO"
    log_file: Annotated[str | None, _help("A file that gets the log too. Empty: none.")] = None

    @field_validator("mode", "quote_currency", "log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("target_mode", "confirm_paper", "confirm_live", "kraken_tier", "entry_stop", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("telegram_allowed_users", mode="before")
    @classmethod
    def _ids(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() for part in parts):
            raise ValueError(_TELEGRAM_IDS_HINT)
        return frozenset(int(part) for part in parts)

    @field_validator("telegram_api_url", "openai_base_url", "kraken_api_url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("a URL that starts with http:// or https://")
        return value.rstrip("/") if value else value

    @field_validator("kraken_api_url", "kraken_ws_url", "kraken_ws_auth_url")
    @classmethod
    def _secret_on_the_way(cls, value: str | None) -> str | None:
        """What goes to Kraken is signed with the key's secret and answered with what the account has."""
        if value is not None and value.startswith(("http://", "ws://")) and not _is_loopback(value):
            raise ValueError("a URL with https:// or wss://; without encryption only on this machine")
        return value

    @field_validator("alerts")
    @classmethod
    def _alerts(cls, value: str) -> str:
        read_loudness(value)
        return value

    @field_validator("kraken_ws_url", "kraken_ws_auth_url")
    @classmethod
    def _websocket(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("ws://", "wss://")):
            raise ValueError("a URL that starts with ws:// or wss://")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if re.match(r"(sqlite://|postgres(ql)?(\+psycopg)?://)", value) is None:
            raise ValueError("sqlite:///path or postgresql://user:password@host/name")
        return value

    @field_validator("market")
    @classmethod
    def _market(cls, value: str) -> str:
        kind, _, path = value.partition(":")
        if value.lower() in {"kraken", "generated"}:
            return value.lower()
        if kind.lower() == "replay" and path:
            return f"replay:{path}"
        raise ValueError("kraken, generated, or replay:PATH")

    @field_validator("telegram_bot_token")
    @classmethod
    def _token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            number, _, rest = value.get_secret_value().partition(":")
            if not (number.isdigit() and rest):
                raise ValueError("a token like 123456:ABC…, as @BotFather gives it")
        return value

    @field_validator("dead_man_url")
    @classmethod
    def _dead_man(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("a URL that starts with http:// or https://")
        return value

    def secrets(self) -> list[str]:
        """Every secret in clear, for the log's mask and for nothing else."""
        kept = (
            self.telegram_bot_token, self.openai_api_key, self.kraken_api_key, self.kraken_api_secret,
            self.dead_man_url,
        )  # fmt: skip
        urls = (self.database_url, self.openai_base_url or "")
        passwords = [match[1] for url in urls if (match := re.search(r"://[^/@:]*:([^@]+)@", url))]
        return [secret.get_secret_value() for secret in kept if secret is not None] + passwords


def load_settings(
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Read `.env`, then the environment over it, then `overrides`. Raises SettingsError with every problem."""
    environ = os.environ if environ is None else environ
    values, problems = _read_env_file(env_file or DEFAULT_ENV_FILE)
    known = {name.upper() for name in Settings.model_fields}
    values |= {key: environ[key] for key in known if key in environ}
    # Set but empty means not set: an empty OPENAI_BASE_URL would otherwise break the client.
    given: dict[str, object] = {key: value.strip() for key, value in values.items() if key in known and value.strip()}
    given |= {key.upper(): value for key, value in (overrides or {}).items()}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [_problem(one, given) for one in error.errors(include_url=False)]
        raise SettingsError(problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _read_env_file(path: Path) -> tuple[dict[str, str], list[str]]:
    """The file's values, and a line for each thing in it that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{path}: cannot be read ({error}); it must be a text file of NAME=value lines"]
    values, problems = {}, []
    known = {name.upper() for name in Settings.model_fields}
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            line = binding.original.string.strip().partition("=")[0][:40]
            problems.append(f"{path}, line {binding.original.line}: {line!r}… is not NAME=value")
        elif binding.key is not None:
            values[binding.key] = binding.value or ""
            near = difflib.get_close_matches(binding.key, known, n=1, cutoff=0.85)
            if binding.key not in known and near:
                problems.append(
                    f"{path}, line {binding.original.line}: {binding.key} is unknown; did you mean {near[0]}?"
                )
    return values, problems


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _problem(error: Any, given: Mapping[str, object]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    field = Settings.model_fields.get(name.lower())
    right = field.description if field else ""
    is_secret = name == "DATABASE_URL" or (field is not None and "SecretStr" in str(field.annotation))
    found = "" if is_secret else f" (found {given.get(name)!r})"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}{found}. {right}"
