"""What must not be forked from a process that has run other tests: their threads may hold locks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def in_fresh_process(module: str, expression: str) -> Any:
    """Work out an expression of a module's names in a Python of its own, by way of JSON."""
    code = f"import json; from {module} import *; print(json.dumps({expression}))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
