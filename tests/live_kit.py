"""A house that trades LIVE on the stand-in for Kraken."""

from pathlib import Path

from bot.settings import Settings, load_settings
from tests.standins.kraken import KrakenStandIn


def live_settings(folder: Path, kraken: KrakenStandIn, **overrides: object) -> Settings:
    """Settings of a bot whose Kraken is the stand-in, in LIVE mode."""
    given = {
        "mode": "LIVE",
        "market": "kraken",
        "database_url": f"sqlite:///{folder}/zyn.db",
        "kraken_api_key": kraken.key,
        "kraken_api_secret": kraken.secret,
        "kraken_api_url": kraken.url,
        "kraken_ws_url": kraken.ws_url,
        "kraken_ws_auth_url": kraken.ws_auth_url,
        "risk_pct_max": "100",
        "exposure_pct_max": "100",
        "max_order_quote": "1000000",
    }
    return load_settings({}, folder / "no.env", given | overrides)
