"""Tests of the ledgers and the store."""
