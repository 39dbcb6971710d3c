"""Tests of core trading."""
