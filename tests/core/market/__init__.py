"""Tests of the markets of our own: generated, replayed, clocks, ATR."""
