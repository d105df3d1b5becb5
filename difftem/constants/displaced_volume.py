"""Volume of solvent that a bound atom displaces.

Entered from memory of the papers below, not read off them. The tests check their sum over a protein
against its partial specific volume, not each number.

References
----------
Fraser, MacRae & Suzuki, J. Appl. Cryst. 11 (1978) 693; Svergun, Barberato & Koch,
J. Appl. Cryst. 28 (1995) 768.
"""

DISPLACED_VOLUME = {  # by atomic number, Å³
    1: 5.15,
    6: 16.44,
    7: 2.49,
    8: 9.13,
    12: 17.16,
    15: 5.73,
    16: 19.86,
    20: 31.89,
    25: 9.20,
    26: 7.99,
    29: 8.78,
    30: 9.85,
}

# An ion or metal that the tables leave out takes the place of about one water molecule.
OTHER_DISPLACED_VOLUME = 29.9  # Å³
