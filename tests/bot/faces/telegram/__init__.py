"""Tests of the Telegram face."""
