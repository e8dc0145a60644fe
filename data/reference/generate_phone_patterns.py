"""Writes phone_patterns.parquet and phone_regions.parquet from libphonenumber's metadata (phonenumbers, Apache-2.0).

``phone_patterns``: per calling code one pattern that a valid number (calling code and national
number, digits only) matches whole. ``phone_regions``: what reading a national number of a country needs: its calling
code, its national prefix, and a pattern of digits that only the library reads right (carrier codes and the like);
the row of country ``001`` holds the same for numbers written with their calling code.

    python data/reference/generate_phone_patterns.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from phonenumbers import PhoneMetadata
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

HERE = Path(__file__).resolve().parent
TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
NO_REGION = "001"


def main() -> None:
    patterns: list[dict[str, str]] = []
    regions: list[dict[str, str | None]] = []
    zero_codes, abroad = [], []
    for code, names in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
        known = [metadata(code, name) for name in names]
        valid = list(dict.fromkeys(p for m in known for p in type_patterns(m)))
        patterns.append({"calling_code": str(code), "pattern": f"{code}(?:{'|'.join(valid)})"})
        for name, data in zip(names, known, strict=True):
            if name == NO_REGION:
                continue
            prefix, special = national_prefix(data)
            special += [f"{prefix}(?:{part})" for part in special if prefix]
            if name in ("GG", "IM", "JE"):  # their numbers are checked against their own lengths first
                special.append("")
            idd = data.international_prefix
            if idd not in ("00", "011") and idd.startswith("0") and not idd.startswith("00"):
                special.append(idd)  # an international prefix of its own, as Japan's 010
            regions.append(region_row(name, code, prefix, special))
        prefix, special = national_prefix(known[0])  # the first region speaks for the calling code
        if prefix == "0":
            zero_codes.append(str(code))
        elif prefix:
            special.append(prefix)
        abroad += [f"{code}(?:{'|'.join(special)})"] if special else []
    regions.append({**region_row(NO_REGION, 0, None, []), "special": "|".join(abroad)})
    regions[-1]["zero_codes"] = "|".join(zero_codes)
    pq.write_table(pa.Table.from_pylist(patterns), HERE / "phone_patterns.parquet", compression="zstd")
    schema = pa.schema([(name, pa.string()) for name in regions[-1]])
    pq.write_table(pa.Table.from_pylist(regions, schema), HERE / "phone_regions.parquet", compression="zstd")


def metadata(code: int, name: str) -> Any:
    if name == NO_REGION:
        return PhoneMetadata.metadata_for_nongeo_region(code, None)
    return PhoneMetadata.metadata_for_region(name)


def type_patterns(data: Any) -> list[str]:
    described = [getattr(data, name) for name in TYPES]
    return [d.national_number_pattern for d in described if d and d.national_number_pattern not in (None, "NA")]


def national_prefix(data: Any) -> tuple[str | None, list[str]]:
    """The plain national prefix, and patterns of leading digits that are more than that prefix."""
    parts = alternatives(data.national_prefix_for_parsing or "")
    plain = data.national_prefix if data.national_prefix in parts else None
    return plain, [part for part in parts if part and part != plain]


def alternatives(pattern: str) -> list[str]:
    """A pattern's alternatives at the outermost level."""
    parts, depth = [""], 0
    for letter in pattern:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def region_row(name: str, code: int, prefix: str | None, special: list[str]) -> dict[str, str | None]:
    return {
        "country": name,
        "calling_code": str(code) if code else None,
        "national_prefix": prefix,
        "special": "|".join(special) or None,
        "zero_codes": None,
    }


if __name__ == "__main__":
    main()
