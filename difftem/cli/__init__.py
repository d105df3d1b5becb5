"""The command line: ``difftem simulate|generate|fit|validate|test|predict|...``."""
