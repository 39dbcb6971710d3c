"""The commands, one file each. `registry` finds them; `handle` runs one at a desk."""
