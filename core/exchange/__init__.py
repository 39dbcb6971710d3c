"""Venues behind one port: the paper venue, and Kraken."""
