"""What Zyn intended, sent, learned and protects, one ledger a mode; and the only place that turns rows into values."""
