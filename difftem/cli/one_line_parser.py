"""An argument parser whose errors are one line."""

import argparse
from typing import NoReturn


class OneLineArgumentParser(argparse.ArgumentParser):
    """Report a bad command line as one `ValueError`."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing usage and exiting."""
        raise ValueError(f"{message}; see {self.prog} --help")
