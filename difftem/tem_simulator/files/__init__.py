"""TEM-simulator's files: input, tilts, doses, particle sets, images, maps and the log.

The formats are those of TEM-simulator 1.3 (Rullgård, Öfverstedt, Masich, Daneholt & Öktem,
J. Microsc. 243 (2011) 234). Names of fields carry the units of the files (nm, µm, mm, mrad,
degrees); tensors are in Å, rad and electrons/Å².
"""
