"""PURE: prices of brackets, sizes of orders, and the gate that every request passes."""
