"""The rules of Zyn: commands, desks, exchanges, order lifecycle and risk."""
