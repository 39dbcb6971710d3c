"""The past, as files and Kraken tell it: what is in it, what is missing from it, and nothing made up."""
