"""Tests of the grammar: what is an order, what is not, and why."""
