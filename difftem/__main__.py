"""``python -m difftem`` is the command ``difftem``."""

from difftem.cli.main import main

if __name__ == "__main__":
    main()
