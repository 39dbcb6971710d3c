"""Tests of the past: files, trades, names."""
