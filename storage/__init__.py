"""Zyn's memory: tables, transactions and migrations over one database."""
