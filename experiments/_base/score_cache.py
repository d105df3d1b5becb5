"""Scores that are computed once: a file of JSON lines, one for each method and input."""

import hashlib
import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any


class ScoreCache:
    """Dictionary of scores that is appended to a file as it grows, so that a run may be broken off.

    Parameters
    ----------
    path : Path
        File, made when there is something to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._scores: dict[str, Any] = {}
        text = path.read_text("utf-8") if path.is_file() else ""
        self._broken = bool(text) and not text.endswith("\n")
        for line in text.splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:  # a run was ended while it wrote
                continue
            self._scores[row["key"]] = row["scores"]

    def __contains__(self, key: str) -> bool:
        return key in self._scores

    def get(self, key: str) -> Any:
        """Return what is known under a key."""
        return self._scores[key]

    def put(self, key: str, scores: Any) -> None:
        """Keep scores, in the file too."""
        self._scores[key] = scores
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * self._broken + json.dumps({"key": key, "scores": scores}) + "\n")
        self._broken = False


def digest(*parts: Any) -> str:
    """Name for anything that JSON or bytes can say: 16 hexadecimal digits."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part if isinstance(part, bytes) else json.dumps(part, default=str).encode())
    return found.hexdigest()[:16]


def source_digest(*modules: str) -> str:
    """Name for the text of modules: scores by another text are other scores."""
    return digest(*(inspect.getsource(import_module(name)).encode() for name in modules))
