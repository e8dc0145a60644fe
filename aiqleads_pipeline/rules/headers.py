"""When two headers are the same header. Shared by the sources' rules and the reading of drops."""

from __future__ import annotations

import unicodedata

IGNORE = "ignore"  # the column that `sources.yaml` maps a header to when nobody wants it


def header_key(header: str) -> str:
    """A header without case, accents, blanks and punctuation: ``E-Mail Adresse *`` is ``emailadresse``."""
    folded = unicodedata.normalize("NFKD", header.casefold())
    return "".join(char for char in folded if char.isalnum())
