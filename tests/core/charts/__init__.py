"""Tests of charts: what is painted where, by its pixels."""
