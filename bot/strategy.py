"""The strategy's configuration: a profile that comes with Zyn, or a file of the owner's."""

from importlib import resources
from pathlib import Path

from core.strategy.config import ConfigError, TradingConfig, from_toml

PROFILES = ("aggressive", "balanced")


def load_strategy(name: str) -> TradingConfig:
    """The profile of this name, or the TOML file at this path. Raises ConfigError."""
    if name.lower() in PROFILES:
        text = resources.files("core.strategy.profiles").joinpath(f"{name.lower()}.toml").read_text(encoding="utf-8")
        return from_toml(text, name.lower())
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = " or ".join(PROFILES)
        raise ConfigError(f"STRATEGY={name}: it is neither {known}, nor a file that can be read ({error})") from error
    return from_toml(text, path.name)
