"""Tests, in the shape of the house: each folder mirrors the one that it tests."""
