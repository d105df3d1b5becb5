"""The documentation's pages, for the command line: by topic, a section at a time."""
