"""Whether a run logged what the workspace in W&B shows of its kind."""

import csv

from experiments._base.dashboard_sections import SECTIONS


def missing_keys(folder, tag):
    """Keys of a section that the files of a run with LogReport and a CSV logger lack.

    LogReport gives loggers what it writes: ``fit/NAME`` is NAME.csv of tables, fit_NAME.png of
    pictures.
    """
    (section,) = (each for each in SECTIONS if each.tag == tag)
    with (folder / "metrics.csv").open() as file:
        logged = {k for row in csv.DictReader(file) for k, value in row.items() if value}
    numbers = {*section.numbers, *section.lines} - logged
    pictures = {
        key for key in section.pictures if not (folder / f"{key.replace('/', '_')}.png").is_file()
    }
    tables = {section.table}
    if (folder / f"{section.table.removeprefix('fit/')}.csv").is_file():
        tables.clear()
    return numbers | pictures | tables
