"""Writes countries.parquet, country_aliases.parquet, region_aliases.parquet and us_zip_prefixes.parquet.

Sources: pycountry (LGPL-2.1, from Debian's iso-codes) for codes and names in many languages; the list of US ZIP codes
given as argument (midwire/free_zipcode_data, MIT: columns ``code`` and ``state``); the aliases below are ours.

    python data/reference/generate_places.py PATH/us_zipcodes.csv
"""

from __future__ import annotations

import csv
import gettext
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pycountry

HERE = Path(__file__).resolve().parent
MACROS = HERE.parents[1] / "sql" / "macros" / "text.sql"
_LANGUAGES = (
    "de fr es it pt pt_BR nl pl sv da nb_NO nn fi cs sk hu ro tr ru uk el ar he ja ko zh_CN zh_TW ca hr sl bg id vi"
)
LANGUAGES = _LANGUAGES.split()
COUNTRY_ALIASES = {
    "US": "usa|u.s.|america|the us|the states|united states america|estados unidos|eeuu|ee.uu.|etats-unis|vs|"
    "vereinigte staaten|verenigde staten|stati uniti",
    "GB": "uk|great britain|britain|england|scotland|wales|northern ireland|united kingdom great britain|"
    "united kingdom of great britain|grossbritannien|großbritannien|royaume-uni|reino unido|engeland|"
    "angleterre|inglaterra|regno unito|gran bretagna|vereinigtes königreich|ukraina gb",
    "DE": "germany|deutschland|federal republic of germany|brd|alemania|allemagne|germania|duitsland",
    "NL": "holland|the netherlands|nederland|niederlande", "CW": "netherlands antilles",
    "AE": "uae|u.a.e.|emirates|emirats|vae|dubai|abu dhabi",
    "KR": "south korea|korea|republic of korea|korea south|korea republic|südkorea|suedkorea|corea del sur",
    "KP": "north korea|korea north|dprk", "RU": "russia|russland|rusia|russie",
    "CZ": "czech republic|czechia|tschechien|cesko", "CI": "ivory coast|cote d'ivoire", "MM": "burma",
    "SZ": "swaziland", "MK": "macedonia|north macedonia|fyrom", "CV": "cape verde", "TR": "turkey|turkei|tuerkei",
    "IR": "iran", "SY": "syria", "LA": "laos", "BO": "bolivia", "VE": "venezuela", "TZ": "tanzania", "MD": "moldova",
    "BN": "brunei|brunei darussalam", "TW": "taiwan|taiwan roc",
    "PS": "palestine|palestinian territory|palestinian territories|gaza|west bank",
    "VA": "vatican|vatican city|holy see", "FM": "micronesia", "CG": "congo|republic of the congo|congo brazzaville",
    "CD": "dr congo|drc|congo kinshasa|democratic republic of congo|zaire", "VN": "vietnam|viet nam",
    "HK": "hong kong", "MO": "macau|macao", "SH": "saint helena|st helena",
    "KN": "saint kitts|st kitts and nevis|st. kitts", "LC": "st lucia",
    "VC": "st vincent|st vincent and the grenadines", "PM": "st pierre and miquelon", "BL": "st barthelemy",
    "MF": "saint martin|st martin", "SX": "sint maarten", "FK": "falkland islands", "AT": "oesterreich|osterreich",
    "CH": "schweiz|suisse|svizzera|swiss", "ES": "espana|espagne|spanien", "IT": "italien|italie",
    "FR": "frankreich|francia", "BE": "belgie|belgique|belgien", "GR": "greece|hellas|griechenland",
    "IE": "eire|republic of ireland|irland", "DK": "danmark", "SE": "sverige|schweden", "NO": "norge|norwegen",
    "FI": "suomi", "PL": "polska|polen", "PT": "portugal", "BR": "brasil", "MX": "mejico", "JP": "nippon|nihon",
    "CN": "prc|people's republic of china|mainland china", "IN": "bharat|hindustan",
    "ZA": "rsa|south africa|suedafrika", "NZ": "new zealand aotearoa|aotearoa", "SA": "ksa|saudi",
    "BA": "bosnia|bosnia herzegovina", "TT": "trinidad", "AG": "antigua", "ST": "sao tome", "TL": "east timor",
    "RE": "reunion island", "VI": "us virgin islands|united states virgin islands", "VG": "british virgin islands",
    "PN": "pitcairn islands", "UM": "us minor outlying islands|united states minor outlying islands",
    "GS": "south georgia", "IO": "british indian ocean territory|british indian ocean territory (chagos archipelago)",
    "AX": "aland islands", "XK": "kosovo", "SJ": "svalbard & jan mayen islands|svalbard",
    "HM": "heard island and mcdonald islands", "AQ": "antarctica (the territory south of 60 deg s)",
    "LY": "libyan arab jamahiriya|libya", "CC": "cocos islands|keeling islands", "SK": "slovakia (slovak republic)",
    "BV": "bouvet island (bouvetoya)", "GM": "the gambia", "BS": "the bahamas", "PH": "the philippines",
}  # fmt: skip
REGION_ALIASES = {
    "US": {"DC": "washington dc|washington d.c.|d.c.", "PR": "puerto rico", "CA": "calif|cali", "MA": "mass",
           "PA": "penna|penn", "FL": "fla", "NY": "new york state", "WA": "washington state", "TX": "tex",
           "IL": "ill", "MI": "mich", "MN": "minn", "CO": "colo", "CT": "conn", "AZ": "ariz", "TN": "tenn"},
    "CA": {"QC": "quebec|québec|pq|que", "ON": "ont", "BC": "british columbia|b.c.", "NL": "newfoundland|nfld",
           "PE": "pei|prince edward island", "AB": "alta", "SK": "sask", "MB": "man", "YT": "yukon territory"},
    "AU": {"NSW": "n.s.w.", "VIC": "vic", "QLD": "qld", "ACT": "canberra", "TAS": "tas"},
    "DE": {"BY": "bavaria", "NW": "north rhine-westphalia|nrw", "HE": "hesse", "SN": "saxony", "ST": "saxony-anhalt",
           "NI": "lower saxony", "TH": "thuringia", "RP": "rhineland-palatinate", "BE": "berlin", "HH": "hamburg",
           "BW": "baden-wuerttemberg", "MV": "mecklenburg-west pomerania|meck-pomm"},
    "GB": {"ENG": "england", "SCT": "scotland", "WLS": "wales", "NIR": "northern ireland", "LND": "london|"
           "greater london", "MAN": "greater manchester", "EDH": "edinburgh", "GLG": "glasgow"},
    "AT": {"1": "", "2": "carinthia", "3": "lower austria", "4": "upper austria", "6": "styria", "7": "tyrol",
           "9": "vienna"},
    "CH": {"GE": "geneva", "ZH": "zurich|zuerich", "LU": "lucerne", "VD": "vaud", "BE": "berne", "TI": "tessin"},
    "IN": {"OD": "orissa", "UT": "uttaranchal", "PY": "pondicherry", "DL": "new delhi|delhi ncr", "TN": "tamilnadu"},
    "ES": {"MD": "madrid", "CT": "catalonia|cataluna", "AN": "andalusia", "PV": "basque country", "B": "barcelona"},
    "AE": {"DU": "dubai", "AZ": "abu dhabi", "SH": "sharjah"},
    "IT": {"25": "lombardy", "52": "tuscany", "62": "lazio|latium", "21": "piedmont", "82": "sicily", "88": "sardinia"},
    "BR": {"SP": "sao paulo", "RJ": "rio"},
    "MX": {"CMX": "mexico city|cdmx|distrito federal|df"},
    "IE": {"D": "co dublin|county dublin|dublin", "CO": "co cork|county cork", "G": "county galway"},
    "NL": {"NH": "north holland", "ZH": "south holland"},
}  # fmt: skip

TERRITORY_ZIPS = {  # that the list leaves out (USPS Publication 65)
    "PR": "006 007 009", "VI": "008", "GU": "969", "MP": "969", "AS": "967", "AA": "340",
    "AE": "090 091 092 093 094 095 096 097 098 099", "AP": "962 963 964 965 966",
}  # fmt: skip


def main(zip_codes: Path) -> None:
    con = duckdb.connect()
    con.execute(MACROS.read_text(encoding="utf-8"))
    write(con, "countries", ["alpha2", "alpha3", "name"], sorted(country_rows()))
    write(con, "country_aliases", ["alias_key", "alpha2"], unique_keys(con, country_names()))
    write(con, "region_aliases", ["country", "alias_key", "region_code"], region_rows(con))
    write(con, "us_zip_prefixes", ["zip_prefix", "state"], zip_prefixes(zip_codes))


def country_rows() -> Iterable[tuple[str, str, str]]:
    for country in pycountry.countries:
        yield country.alpha_2, country.alpha_3, getattr(country, "common_name", country.name)
    yield "XK", "XKX", "Kosovo"  # in use everywhere, though ISO has not assigned it


def country_names() -> Iterable[tuple[int, str, str]]:
    """(rank, name, alpha-2): where two countries claim a name, the lower rank has it; within a rank nobody."""
    for alpha2, alpha3, _ in country_rows():
        yield 0, alpha2, alpha2
        yield 1, alpha3, alpha2
    for alpha2, names in COUNTRY_ALIASES.items():
        for name in filter(None, names.split("|")):
            yield 2, name, alpha2
    for country in pycountry.countries:
        for name in own_names(country):
            yield 3, name, country.alpha_2
            yield 4, f"the {name}", country.alpha_2
            if ", " in name:
                yield 4, " ".join(reversed(name.split(", "))), country.alpha_2
                yield 5, name.split(", ", maxsplit=1)[0], country.alpha_2
    for language in LANGUAGES:
        text = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language], fallback=True)
        for country in pycountry.countries:
            for name in own_names(country):
                yield 6, text.gettext(name), country.alpha_2


def own_names(country: Any) -> list[str]:
    return [n for n in (country.name, getattr(country, "common_name", ""), getattr(country, "official_name", "")) if n]


def unique_keys(con: duckdb.DuckDBPyConnection, names: Iterable[tuple[int, str, str]]) -> list[tuple[str, str]]:
    claims: dict[str, dict[str, int]] = {}
    for rank, name, code in names:
        for form in {name, ascii_form(name)}:
            key = con.execute("SELECT fold_name($n)", {"n": form}).fetchall()[0][0]
            if key and not (rank > 1 and key.isascii() and len(key) < 2):
                ranks = claims.setdefault(key, {})
                ranks[code] = min(rank, ranks.get(code, rank))
    found = []
    for key, ranks in claims.items():
        best = min(ranks.values())
        winners = [code for code, rank in ranks.items() if rank == best]
        if len(winners) == 1:
            found.append((key, winners[0]))
    return sorted(found)


def ascii_form(name: str) -> str:
    """German and Nordic letters as people type them without the keys: oe for ö, ss for ß."""
    for letter, pair in {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae"}.items():
        name = unicodedata.normalize("NFC", name).replace(letter, pair).replace(letter.upper(), pair.title())
    return name


def region_rows(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    names: dict[str, list[tuple[int, str, str]]] = {}
    for region in pycountry.subdivisions:
        claims = names.setdefault(region.country_code, [])
        short = region.code.split("-", 1)[1]
        # Of two regions of one name the outer one has it (a state before its county).
        claims += [(0, region.code, region.code), (1, short, region.code)]
        claims.append((2 if region.parent_code is None else 3, region.name, region.code))
        for part in (
            region.name.replace("[", "/").replace("]", "").split("/")
            if "/" in region.name or "[" in region.name
            else []
        ):
            claims.append((4, part, region.code))
        claims += [
            (4, n, region.code) for n in REGION_ALIASES.get(region.country_code, {}).get(short, "").split("|") if n
        ]
    return sorted((country, key, code) for country, claims in names.items() for key, code in unique_keys(con, claims))


def zip_prefixes(zip_codes: Path) -> list[tuple[str, str]]:
    with zip_codes.open(encoding="utf-8", newline="") as file:
        seen = Counter((row["code"][:3], row["state"]) for row in csv.DictReader(file))
    return sorted(
        {*seen, *((prefix, state) for state, prefixes in TERRITORY_ZIPS.items() for prefix in prefixes.split())}
    )


def write(con: duckdb.DuckDBPyConnection, name: str, header: list[str], rows: Iterable[tuple[str, ...]]) -> None:
    table = pa.table({column: list(values) for column, values in zip(header, zip(*rows, strict=True), strict=True)})
    con.from_arrow(table).query("_", f"COPY (FROM _) TO '{HERE / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
