"""`difftem simulate`: atoms to micrographs."""

from pathlib import Path

from difftem.cli.parsing import YAML, OneLineParser, configuration_parser, parse

COMPONENT = b"=== simulation ==="
FIRST = "STRUCTURE | CONFIG.yaml"

DESCRIPTION = """Simulate micrographs of a structure.

The first word is a structure file (mmCIF, PDB, XYZ, also .gz), a YAML configuration, or an input
file of TEM-simulator, which is simulated as that program does (difftem simulate input.txt --help
says more). Without it the bundled example, apoferritin in ice, is imaged. Instead of a structure,
'vacuum' gives the camera's flat fields and 'edge' the shadow of a slanted knife edge on it (its
direction: --edge.angle_deg, in degrees); --copies.count 0 leaves the ice empty.

  difftem simulate --output apoferritin
  difftem simulate vacuum --exposure.exposures 8 --output flat_fields
  difftem simulate edge --edge.angle_deg 5 --exposure.dose_e_per_a2 400 --output edge
  difftem simulate 1dpx.pdb --microscope.defocus_um 2 --output lysozyme
  difftem simulate run.yaml --output first

--print_config writes a complete configuration to start from, and every field can be overridden on
the command line. Lengths are Å and angles rad unless a name says otherwise (_kv, _um, _deg).

Writes micrograph.mrc and noise_free.mrc (float32 stacks), where every copy is (labels.mrc,
particles.csv, RELION's particles.star and micrographs.star), preview.png and run.json into the
output folder; for a tilt series stacks are .mrcs, with micrograph.rawtlt and tomograms.star."""


def main(arguments: list[str]) -> None:
    """Run the command on a structure, a configuration, or an input file of TEM-simulator.

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

        run(arguments)
        return
    from difftem.io.examples import example_config
    from difftem.io.staged_folder import reserved_folder
    from difftem.simulation.simulate_config import SimulateConfig
    from difftem.workflows.simulate import simulate

    first = arguments[0] if arguments else "-"
    if not first.startswith("-") and Path(first).suffix.lower() not in YAML:
        arguments = [*arguments[1:], "--structure.source", first]
    elif first.startswith("-") and not any(
        each.startswith(("--structure", "--config")) for each in arguments
    ):
        arguments = [str(example_config()), *arguments]
    config, options = parse("difftem simulate", DESCRIPTION, SimulateConfig, arguments, first=FIRST)
    with reserved_folder(options.output, options.overwrite):
        simulate(config=config).save(options.output, options.overwrite)
    print(f"wrote {options.output}")


def _parser() -> OneLineParser:
    """Make the parser of structures and configurations."""
    from difftem.simulation.simulate_config import SimulateConfig

    return configuration_parser("difftem simulate", DESCRIPTION, SimulateConfig, FIRST)


def _is_tem_simulator(argument: str) -> bool:
    """Tell an input file of TEM-simulator, by its name or its content, from other arguments."""
    path = Path(argument)
    if argument.startswith("-") or path.suffix.lower() in YAML:
        return False
    if path.suffix.lower() == ".txt":
        return True
    if not path.is_file():  # a pipe would give its bytes only once, or never
        return False
    try:
        with path.open("rb") as file:
            return COMPONENT in file.read(100_000)
    except OSError:
        return False
