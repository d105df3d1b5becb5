"""Where the coordinates of a file come from: what its B column holds, and what its models are."""

import re

import gemmi

# Programs that predict structures, and what their files say; each writes a confidence as B.
_PREDICTED = re.compile(
    r"alphafold|colabfold|openfold|esmfold|rosettafold|omegafold|boltz|chai-1|protenix|helixfold|"
    r"plddt|predicted lddt|modelcif|swiss-?model|qmean|^PARENT ",
    re.IGNORECASE | re.MULTILINE,
)
_CONFIDENCE = "confidence (pLDDT)"


def pdb_confidence(header: str) -> str | None:
    """Name what stands in the B column of a predicted PDB file.

    Parameters
    ----------
    header : str
        Its HEADER, TITLE, REMARK, EXPDTA, PARENT ... lines.

    Returns
    -------
    str or None
        None for what was measured.
    """
    methods = re.findall(r"^EXPDTA(.*)", header, re.MULTILINE)
    theoretical = any("THEORETICAL" in each.upper() for each in methods)
    if methods and not theoretical:
        return None
    if re.search("qmean", header, re.IGNORECASE):
        return "confidence (QMEAN)"
    return _CONFIDENCE if theoretical or _PREDICTED.search(header) else None


def mmcif_confidence(block: gemmi.cif.Block) -> str | None:
    """Name what stands in the B column of a predicted mmCIF file: ModelCIF says its metrics.

    Parameters
    ----------
    block : gemmi.cif.Block
        With the atoms.

    Returns
    -------
    str or None
        None for what was measured.
    """
    methods = [gemmi.cif.as_string(each).upper() for each in block.find_values("_exptl.method")]
    measured = [each for each in methods if each and "THEORETICAL" not in each]
    metrics = [gemmi.cif.as_string(each) for each in block.find_values("_ma_qa_metric.name")]
    if metrics:
        local = next((each for each in metrics if "plddt" in each.lower()), metrics[0])
        return f"confidence ({local})"
    if measured:
        return None
    tags = ("_database_2.database_id", "_struct.title", "_software.name", "_entry.id")
    words = [gemmi.cif.as_string(each) for tag in tags for each in block.find_values(tag)]
    modelled = any(each.startswith("_ma_") for each in block.get_mmcif_category_names())
    if modelled or methods or any(map(_PREDICTED.search, words)) or _is_alphafold(block, words):
        return _CONFIDENCE
    return None


def is_ensemble(methods: str) -> bool:
    """Whether models are alternatives of one structure, as those of NMR are."""
    return "NMR" in methods.upper()


def _is_alphafold(block: gemmi.cif.Block, words: list[str]) -> bool:
    """Whether names are those of the AlphaFold database: AF-P69905-F1."""
    return any(re.match(r"AF-\w+-F\d", each) for each in [block.name, *words])
