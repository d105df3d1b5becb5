"""RELION's optics groups of a set: items of equal optics share one."""

from difftem.io.star import StarTable

_NUMBER, _NAME = "rlnOpticsGroup", "rlnOpticsGroupName"
_NONE = {"rlnOddZernike": "[0]", "rlnEvenZernike": "[0]"}  # of a group without such aberrations


class OpticsGroups:
    """Groups in the order in which they were met, numbered from 1."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[tuple[str, str], ...], int] = {}

    def number(self, optics: StarTable) -> int:
        """Find the number of an item's group.

        Parameters
        ----------
        optics : dict
            The item's own table, of one row; its number and name do not count.

        Returns
        -------
        int
            From 1.
        """
        key = tuple((n, cells[0]) for n, cells in optics.items() if n not in (_NUMBER, _NAME))
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    @staticmethod
    def name(number: int) -> str:
        """Name of a group."""
        return f"opticsGroup{number}"

    def table(self) -> StarTable:
        """Optics table of all groups."""
        return stacked(
            [
                {_NAME: self.name(number), _NUMBER: str(number), **dict(cells)}
                for cells, number in self._numbers.items()
            ]
        )


def stacked(rows: list[dict[str, str]]) -> StarTable:
    """Table of some rows, of which not all may have lists of Zernike coefficients."""
    columns = dict.fromkeys(name for row in rows for name in row)
    return {n: [row[n] if n in row else _NONE[n] for row in rows] for n in columns}
