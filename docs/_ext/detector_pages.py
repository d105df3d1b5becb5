"""A page of the detectors that come along, from their files."""

from sphinx.application import Sphinx
from sphinx.config import Config
from written import write_page

from difftem.presets import detector_preset, detector_presets

WORDS = """# Detectors

Presets for `detector.preset` (`difftem simulate --detector.preset k2_300kv`) and
`Detector.from_preset("k2_300kv")`. `ntf: ideal` is white noise: each electron is one count in
one pixel; `mtf` is noise that the MTF colours. What each word means is in
[Conventions](../explanation/conventions.md#detector), how the curves were fitted in
[an experiment](../../experiments/detector_presets/README.md).
"""


def write_pages(app: Sphinx, config: Config) -> None:
    """Write the table and the sources below it."""
    head = "| preset | camera | NTF | DQE(0) | gain | our curve is off by |"
    rows, sources = [head, "| --- | --- | --- | --- | --- | --- |"], []
    for name in detector_presets():
        preset = detector_preset(name)
        assumed = " (assumed)" if preset["dqe_assumed"] else ""
        rows.append(
            f"| `{name}` | {preset['description']} | {preset['ntf']} | {preset['dqe']}{assumed} | "
            f"{preset['gain']:g} | at most {preset['mtf']['max_error']:.4f} |"
        )
        said = [f"{key}: {preset[f'{key}_source']}." for key in ("ntf", "dqe")]
        sources.append(f"`{name}`\n: MTF: {preset['mtf']['source']}. {' '.join(said)}\n")
    text = "\n".join([WORDS, *rows, "", "## Sources", "", *sources])
    write_page("reference/detectors.md", text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write before the pages are looked for."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
