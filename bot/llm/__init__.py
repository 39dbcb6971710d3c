"""The model behind the grammar: the registry's commands as tools, and a check on what it claims."""
