"""``python -m difftem`` is the command ``difftem``."""

import sys

from difftem.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
