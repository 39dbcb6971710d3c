"""Tests of words in, words out."""
