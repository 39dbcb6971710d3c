"""Speed and memory. `make bench` prints the table; nothing here is a test."""
