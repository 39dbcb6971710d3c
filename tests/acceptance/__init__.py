"""Tests that the owner asked for by name."""
