"""PURE: what an order may become, and what a bracket wants next."""
