"""Seeds of random numbers that depend on nothing but their purpose."""

import hashlib


def item_seed(seed: int, index: int, purpose: str = "") -> int:
    """Seed of one micrograph: a hash, so that neighbours share no random numbers."""
    digest = hashlib.sha256(f"{seed} {index} {purpose}".strip().encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
