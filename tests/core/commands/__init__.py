"""Tests of core commands."""
