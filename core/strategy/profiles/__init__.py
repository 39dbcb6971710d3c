"""The profiles that come with Zyn, as TOML."""
