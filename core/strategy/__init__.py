"""PURE. What the autopilot thinks of closed candles, and why."""
