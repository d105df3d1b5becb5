"""Which section of the documentation explains what: a line here is a topic of `difftem docs`.

Messages that want explaining end with ``see difftem docs TOPIC``.
"""

from typing import NamedTuple


class Topic(NamedTuple):
    """Where something is explained: file of a page, start of a heading in it, and a sentence."""

    page: str
    heading: str
    what: str


TASKS = {
    "Begin": {
        "start": Topic("start.md", "", "two commands, the first micrograph, your own structure"),
        "questions": Topic("questions.md", "", "what is asked most, answered in three lines"),
        "files": Topic("files.md", "", "every format that is read and written"),
    },
    "Conventions": {
        "units": Topic("conventions.md", "Units", "Å, rad and eV inside; the unit is in the name"),
        "axes": Topic("conventions.md", "Axes", "which way x, y, z, tilts and rotations go"),
        "signs": Topic("conventions.md", "Signs", "sign of defocus, phases and tilts"),
        "programs": Topic("conventions.md", "Other programs", "values from and for other programs"),
    },
    "Make images": {
        "structures": Topic("conventions.md", "Structure files", "what is read, and what is left"),
        "sampling": Topic(
            "physics.md", "Sampling advice", "what clips or aliases, and what would do"
        ),
        "potential": Topic("physics.md", "Potential", "from atoms to volts"),
        "ice": Topic("physics.md", "Ice", "solvent, absorption and structured ice"),
        "lens": Topic("physics.md", "Lens", "aberrations, apertures and envelopes"),
        "dose": Topic("physics.md", "Dose, counting, detector", "from a wave to counts"),
        "limits": Topic("physics.md", "Known limits", "what the physics leaves out"),
        "sets": Topic("cryo_em.md", "", "training sets and tilt series with their truth"),
        "exit-waves": Topic("conventions.md", "Exit waves", "files of waves, and who reads them"),
    },
    "Measure a detector": {
        "detector": Topic("conventions.md", "Detector", "MTF, NTF, DQE, gain: what each means"),
        "gain": Topic("estimation.md", "The detector", "what noise tells of gain, dose and MTF"),
        "mtf": Topic("estimation.md", "The fit", "how an MTF is fitted to noise"),
        "white-noise": Topic("detector.md", "White noise", "cameras whose noise tells no MTF"),
        "edge": Topic("estimation.md", "The knife edge", "MTF across an edge, and the DQE"),
    },
    "Denoise and analyze": {
        "noise": Topic("estimation.md", "The noise of a micrograph", "what a denoiser must know"),
        "frames": Topic("denoise.md", "What the images of a stack are", "exposures, movies, tilts"),
        "methods": Topic("denoise.md", "Methods", "the denoisers, and which one auto takes"),
        "weights": Topic("denoise.md", "Weights", "what each network was trained on"),
        "belief": Topic("denoise.md", "What to believe", "what a denoised image cannot say"),
        "metrics": Topic("metrics.md", "", "every score, with and without the truth"),
        "columns": Topic("nanoparticles.md", "Is the atom real?", "tests of atomic columns"),
    },
    "Volumes": {
        "tilt-axis": Topic("tomography.md", "Which way is up", "tilt axis, angles and their signs"),
        "axis-search": Topic("tomography.md", "Where is the tilt axis?", "the axis from images"),
        "phases": Topic("tomography.md", "Phases", "phase flipping of tilted samples"),
        "geometry": Topic("tomography.md", "Where the geometry comes from", "files that tell it"),
        "reconstruction": Topic("tomography.md", "Methods", "back-projection and SIRT"),
        "resolution": Topic("compare.md", "Correlation over frequency", "FRC, FSC and thresholds"),
        "rendering": Topic("render.md", "", "pictures, movies and pages of volumes"),
        "masks": Topic("compare.md", "What is looked at", "masks of a comparison"),
        "compare": Topic("compare.md", "", "FRC, FSC, errors: against a truth, or between halves"),
    },
    "Files and runs": {
        "memory": Topic("memory.md", "", "what a run needs, and what to do when it is too much"),
        "clusters": Topic("machine_learning.md", "Many processes", "several GPUs, SLURM, machines"),
        "kernels": Topic("kernels.md", "Which implementation runs", "CPU, GPU and Triton"),
    },
}
TOPICS = {name: topic for topics in TASKS.values() for name, topic in topics.items()}
# Commands and words that are asked for as well. The list of topics is without them.
COMMANDS = {
    "simulate": Topic("start.md", "", "one micrograph"),
    "generate": Topic("cryo_em.md", "", "sets"),
    "estimate-mtf": Topic("detector.md", "", "MTF and NTF"),
    "estimate-dqe": Topic("detector.md", "", "DQE"),
    "denoise": Topic("denoise.md", "", "denoising"),
    "analyze": Topic("nanoparticles.md", "Is the atom real?", "columns of atoms"),
    "reconstruct": Topic("tomography.md", "", "volumes"),
    "render": Topic("render.md", "", "pictures of volumes"),
    "dqe": Topic("detector.md", "Across a knife edge", "DQE of an edge and flat fields"),
    "ntf": Topic("detector.md", "", "MTF and NTF"),
    "fsc": Topic("compare.md", "Correlation over frequency", "FRC, FSC and thresholds"),
    "frc": Topic("compare.md", "Correlation over frequency", "FRC, FSC and thresholds"),
    "pickers": Topic("cryo_em.md", "The truth, and in whose files", "coordinates for pickers"),
    "tilt-series": Topic("cryo_em.md", "A tilt series", "a series and its volume"),
    "fit": Topic("machine_learning.md", "", "training"),
}


def topic_list() -> str:
    """List the topics by task, a line each."""
    width = max(map(len, TOPICS)) + 1
    lines = ["usage: difftem docs TOPIC [--page]"]
    for title, topics in TASKS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {name:<{width}} {topic.what}" for name, topic in topics.items()]
    return "\n".join(lines)
