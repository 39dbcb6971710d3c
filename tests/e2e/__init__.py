"""The real process, driven from outside: its command line, its sockets, its signals, its database file."""
