"""Tests of the venues and of how their words become ours."""
