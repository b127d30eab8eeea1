"""A pair made of plain values, to be read, acted on and broken at will. No network, no sleeping."""
