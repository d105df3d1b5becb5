"""`difftem simulate`: atoms to micrographs."""

from pathlib import Path

COMPONENT = b"=== simulation ==="


def main(arguments: list[str]) -> None:
    """Run the command on an input file of TEM-simulator or on a configuration of our own.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem simulate``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    # Each way loads only what it needs: libraries take longer than a small simulation.
    if arguments and _is_tem_simulator(arguments[0]):
        from difftem.cli.tem_simulator import main as run
    else:
        from difftem.cli.simulate_command import main as run
    run(arguments)


def _is_tem_simulator(argument: str) -> bool:
    """Tell an input file of TEM-simulator, by its name or its content, from other arguments."""
    path = Path(argument)
    if argument.startswith("-") or path.suffix.lower() in (".yaml", ".yml"):
        return False
    if path.suffix.lower() == ".txt":
        return True
    try:
        with path.open("rb") as file:
            return COMPONENT in file.read(100_000)
    except OSError:
        return False
