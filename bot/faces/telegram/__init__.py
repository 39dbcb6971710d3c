"""Telegram: what comes in is committed before it is acknowledged, what goes out is kept until it is delivered."""
