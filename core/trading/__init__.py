"""Desks and the service over them: the thin shells that act on what the pure rules decide."""
