"""What `difftem generate` leaves in a folder."""

from pathlib import Path

import yaml

ITEM = {
    "run.json",
    "labels.mrc",
    "micrograph_000000.mrc",
    "micrographs.star",
    "noise_free.mrc",
    "particles.csv",
    "particles.star",
    "preview.png",
}
SET = {
    "generate.yaml",
    "micrographs.star",
    "particles.star",
    "preview.png",
    "summary.csv",
    "templates",
}


def contents(folder: Path) -> dict[str, object]:
    """Bytes of all files below a folder, hidden ones too; the number of devices may differ."""
    files: dict[str, object] = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    settings = yaml.safe_load((folder / "generate.yaml").read_text())
    return files | {"generate.yaml": {**settings, "devices": None}}
