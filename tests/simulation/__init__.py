"""Seeded simulations: many steps, one claim about all of them."""
