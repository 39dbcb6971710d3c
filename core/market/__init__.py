"""Where prices come from: a generated market, a recording, or (in core/exchange) Kraken itself."""
