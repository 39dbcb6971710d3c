"""Tests of storage: types, transactions, migrations, locks."""
