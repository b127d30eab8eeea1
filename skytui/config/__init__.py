"""TOML to frozen structs: pairs, secrets, and the profile language."""
