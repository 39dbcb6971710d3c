"""Tests of core risk."""
