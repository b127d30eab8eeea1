"""The pages of `docs/` that are generated, in part, from the code."""
