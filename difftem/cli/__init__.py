"""The command line: one subpackage per subcommand."""
