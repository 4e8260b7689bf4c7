"""The implementations under test: a folder each, with implementation.toml, requirements.txt, expectations.toml."""
