"""`difftem simulate input.txt`: what TEM-simulator does with its input file."""

from pathlib import Path

from difftem.cli.one_line_parser import OneLineArgumentParser, number
from difftem.io.claimed import claimed
from difftem.io.errors import InputError
from difftem.tem_simulator.files.reader import read_input
from difftem.tem_simulator.outputs import check_outputs, output_folder, wanted_outputs
from difftem.tem_simulator.run import simulate, with_seed

DESCRIPTION = """Simulate an input file of TEM-simulator 1.3 and write the files it names: images
of every detector, maps, coordinates, doses and the log; beside them preview.png and run.json.
What is done differently from that program is said on standard error and in the log."""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem simulate``; the input file first.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    parser = OneLineArgumentParser("difftem simulate input.txt", DESCRIPTION)
    parser.usage = (
        "difftem simulate input.txt [--output DIR] [--overwrite] [--seed N] [--memory-limit GB]"
    )
    parser.add_argument("input", type=Path, help="input file of TEM-simulator")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder of all output files (default: where the input file says)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="seed of all random numbers (default: rand_seed of the input file)",
    )
    parser.add_argument(
        "--memory-limit",
        type=number("a positive number", lambda x: x > 0),
        metavar="GB",
        help="memory that the run may take in GB (default: what the machine has free)",
    )
    options = parser.parse_args(arguments)
    with output_folder(options.output):
        simulation = read_input(options.input, output_folder=options.output)
        folder = options.input.parent if options.output is None else options.output
        simulation = with_seed(simulation, options.seed)
        if simulation.simulation.generate_volumes:
            raise InputError(
                f"{simulation.simulation.origin}: generate_volumes = yes is not supported; "
                "set it to no"
            )
        outputs = wanted_outputs(simulation, folder)
        check_outputs(outputs, options.overwrite, options.output is None)
        with claimed(folder):
            simulate(simulation, folder, options.memory_limit)
    print(f"wrote {', '.join(path.name for path in outputs)} in {folder}")
