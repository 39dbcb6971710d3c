"""From a sentence to exactly one command, or to the reason why it is none. PURE."""
