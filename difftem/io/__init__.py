"""File formats in and out, one a file, with errors that name the file."""
