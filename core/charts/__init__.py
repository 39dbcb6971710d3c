"""Pictures of a market: candles, indicators, what was traded, and what protects it."""
