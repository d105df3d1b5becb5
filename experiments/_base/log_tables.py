"""Rows of an experiment as W&B tables, offline unless the environment says otherwise."""

import os
from typing import Any


def log_tables(name: str, tables: dict[str, list[dict[str, Any]]], config: dict[str, Any]) -> None:
    """Log rows as they are; project difftem."""
    import wandb

    os.environ.setdefault("WANDB_MODE", "offline")
    with wandb.init(project="difftem", name=name, config=config) as run:
        for title, rows in tables.items():
            if rows:
                columns = list(rows[0])
                data = [[row[column] for column in columns] for row in rows]
                run.log({title: wandb.Table(columns=columns, data=data)})
