"""The record of a run: what made it, how long it took, how much memory."""

import json
import platform
from pathlib import Path
from typing import Any

import torch

import difftem


def write_record(path: Path, content: dict[str, Any]) -> None:
    """Write a record as JSON; what JSON does not know becomes text."""
    text = json.dumps(content, indent=2, allow_nan=False, default=str)
    path.write_text(text + "\n", "utf-8")


def versions() -> dict[str, str]:
    """Versions of what numbers depend on."""
    return {
        "difftem": difftem.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
