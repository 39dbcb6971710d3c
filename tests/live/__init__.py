"""LIVE on a Kraken of our own: what an owner would see."""
