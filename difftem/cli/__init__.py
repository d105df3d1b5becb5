"""The command line: one file per subcommand; it parses, calls a workflow and prints."""
