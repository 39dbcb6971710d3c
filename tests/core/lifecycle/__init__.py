"""Tests of core lifecycle."""
