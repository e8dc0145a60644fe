"""Peer: the same work in well written polars, lazy and vectorised; numbers from abroad by distinct value.

Nothing is durable, nothing can be run again half way, no reasons are kept, one Parquet file is written.

    python -m benchmarks.peers.polars_pipeline FILE OUT
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import phonenumbers
import polars as pl

from benchmarks.peers import rules

EMAIL = r"^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$"
DATE_FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%m/%d/%Y %I:%M %p"]
DAY_FORMATS = ["%Y-%m-%d", "%m/%d/%Y", "%b %d, %Y"]
RENAMED = {"Job Title": "job_title", "Company": "company", "Industry": "industry", "City": "city", "Message": "message"}
RESULT = (
    "created_at", "first_name", "last_name", "email", "phone", "company_key", "email_domain", "email_kind", "domain",
    "employees", "revenue", "state", "country", "postal_code", "budget", "page_views", "seniority", "sector",
    "size_segment", "lead_score", "priority", "territory", "team", "owner",
)  # fmt: skip


def first_match(text: pl.Expr, patterns: list[tuple[str, str]], otherwise: str) -> pl.Expr:
    """The name of the first pattern that a text matches."""
    chain = pl.when(text.str.contains(patterns[0][1])).then(pl.lit(patterns[0][0]))
    for name, pattern in patterns[1:]:
        chain = chain.when(text.str.contains(pattern)).then(pl.lit(name))
    return chain.otherwise(pl.lit(otherwise))


def money(column: str) -> pl.Expr:
    """US dollars of a text; the middle of a range."""
    text = pl.col(column).str.to_lowercase()
    parts = text.str.extract_all(r"\d[\d.,]*\s*(?:k|mio|million|m|b)?")
    number = pl.element().str.extract(r"(\d[\d.,]*)")
    decimal = pl.when(number.str.contains(r"^\d+,\d{1,2}$")).then(number.str.replace(",", ".", literal=True))
    plain = decimal.otherwise(number.str.replace_all(",", "", literal=True)).str.strip_chars_end(".")
    unit = (
        pl.element()
        .str.extract(r"(k|mio|million|m|b)$")
        .replace_strict(rules.UNITS, default=1.0, return_dtype=pl.Float64)
    )
    mean = parts.list.eval(plain.cast(pl.Float64, strict=False) * unit).list.mean()
    return mean * pl.when(text.str.contains("€", literal=True)).then(1.1).otherwise(1.0)


def moment(column: str) -> pl.Expr:
    """The moment of a text in any of the formats of the file."""
    times = [pl.col(column).str.to_datetime(f, strict=False, time_unit="us") for f in DATE_FORMATS]
    days = [pl.col(column).str.to_date(f, strict=False).cast(pl.Datetime("us")) for f in DAY_FORMATS]
    return pl.coalesce(*times, *days)


def clean(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Typed and normalised columns; phones in E.164 form where they are North American."""
    digits = pl.col("Phone Number").str.replace_all(r"\D", "").str.strip_prefix("1")
    is_nanp = digits.str.contains(r"^[2-9]\d{2}[2-9]\d{6}$") & ~pl.col("Phone Number").str.contains(r"^\+[^1]")
    email = pl.col("Email Address").str.strip_chars().str.to_lowercase()
    country_text = pl.col("Country").str.to_lowercase()
    state = pl.col("State").str.to_lowercase()
    website = pl.col("Website").str.replace(r"^(https?://)?(www\.)?", "").str.replace(r"/.*$", "")
    return raw.with_columns(
        created_at=moment("Created At"),
        first_name=pl.col("First Name").str.strip_chars().str.to_titlecase(),
        last_name=pl.col("Last Name").str.strip_chars().str.to_titlecase(),
        email=pl.when(email.str.contains(EMAIL)).then(email),
        nanp=pl.when(is_nanp).then("+1" + digits),
        company_key=pl.col("Company").str.to_lowercase().str.replace_all(rules.COMPANY_FORMS, " ")
        .str.replace_all(r"\s+", " ").str.strip_chars(),
        country=pl.when(pl.col("Country").is_null()).then(pl.lit("US"))
        .otherwise(country_text.replace_strict(rules.COUNTRIES, default=None)),
        state=state.replace_strict(rules.STATES, default=pl.col("State").str.to_uppercase()),
        employees=money("Employees"),
        revenue=money("Annual Revenue"),
        budget=money("Budget"),
        page_views=pl.col("Page Views").cast(pl.Float64, strict=False),
        website=website,
    ).with_columns(
        postal_code=pl.when(pl.col("country") == "US")
        .then(pl.col("Zip Code").str.split("-").list.first().str.zfill(5)).otherwise(pl.col("Zip Code")),
        email_domain=pl.col("email").str.split("@").list.last(),
    )  # fmt: skip


def parse_abroad(leads: pl.DataFrame) -> pl.DataFrame:
    """E.164 of the numbers that the North American pattern did not settle, each distinct one parsed once."""
    asked = leads.filter(pl.col("nanp").is_null() & pl.col("Phone Number").is_not_null())
    distinct = asked.select("Phone Number", "country").unique()
    found = []
    for text, country in distinct.iter_rows():
        try:
            number = phonenumbers.parse(text, country or "US")
            valid = phonenumbers.is_valid_number(number)
        except phonenumbers.NumberParseException:
            valid = False
        found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid else None)
    looked_up = distinct.with_columns(abroad=pl.Series(found, dtype=pl.String))
    joined = leads.join(looked_up, on=["Phone Number", "country"], how="left", maintain_order="left", nulls_equal=True)
    return joined.with_columns(phone=pl.coalesce("nanp", "abroad")).drop("nanp", "abroad")


def score() -> pl.Expr:
    """0-100, the sum of the parts."""
    filled = pl.sum_horizontal(
        pl.col(c).is_not_null()
        for c in ("first_name", "last_name", "email", "phone", "Job Title", "Company", "Industry", "employees", "City")
    )
    age = (pl.lit(rules.AS_OF.to_pydatetime()).dt.replace_time_zone(None) - pl.col("created_at")).dt.total_days()
    return (
        20.0 * filled / len(rules.COMPLETENESS)
        + 15.0 * pl.lit(0.5).pow(age.fill_null(365) / 90)
        + pl.col("seniority").replace_strict(rules.SENIORITY_POINTS, default=4.0, return_dtype=pl.Float64)
        + pl.when(pl.col("sector").is_in(rules.GOOD_SECTORS)).then(10.0).otherwise(3.0)
        + pl.when(pl.col("size_segment").is_in(["mid_market", "enterprise"])).then(10.0).otherwise(4.0)
        + pl.when(pl.col("budget") >= 10_000).then(10.0).otherwise(2.0)
        + pl.col("page_views").clip(upper_bound=10).fill_null(0)
        + pl.when(pl.col("Message").str.to_lowercase().str.contains(rules.INTENT)).then(10.0).otherwise(0.0)
    ).clip(upper_bound=100)


def decide(unique: pl.LazyFrame) -> pl.LazyFrame:
    """Facts, scores, classes, team."""
    size = (
        pl.when(pl.col("employees").is_null()).then(pl.lit("unknown")).when(pl.col("employees") < 11)
        .then(pl.lit("micro")).when(pl.col("employees") < 201).then(pl.lit("small"))
        .when(pl.col("employees") < 1001).then(pl.lit("mid_market")).otherwise(pl.lit("enterprise"))
    )  # fmt: skip
    is_free = pl.col("email_domain").is_in(rules.FREE_MAIL)
    points, home = pl.col("lead_score"), pl.col("country") == "US"
    return (
        unique.with_columns(
            email_kind=pl.when(is_free).then(pl.lit("free")).when(pl.col("email").is_not_null()).then(pl.lit("business")),
            domain=pl.coalesce("website", pl.when(~is_free).then(pl.col("email_domain"))),
            seniority=first_match(pl.col("Job Title").fill_null("").str.to_lowercase(), rules.SENIORITIES, "staff"),
            sector=first_match(pl.col("Industry").fill_null("").str.to_lowercase(), rules.SECTORS, "unknown"),
            size_segment=size,
        )
        .with_columns(lead_score=score())
        .with_columns(
            priority=pl.when(points >= 75).then(pl.lit("P1")).when(points >= 60).then(pl.lit("P2"))
            .when(points >= 45).then(pl.lit("P3")).otherwise(pl.lit("P4")),
            territory=pl.when(home & pl.col("state").is_in(rules.EAST)).then(pl.lit("us_east"))
            .when(home & pl.col("state").is_in(rules.WEST)).then(pl.lit("us_west"))
            .when(home).then(pl.lit("us_central")).otherwise(pl.lit("international")),
        )
        .with_columns(
            team=pl.when((pl.col("size_segment") == "enterprise") & pl.col("priority").is_in(["P1", "P2"]))
            .then(pl.lit("enterprise")).otherwise(pl.col("territory"))
        )
    )  # fmt: skip


def route(leads: pl.LazyFrame) -> pl.LazyFrame:
    """Owner: round robin by team, the same owner for the same company domain."""
    sizes = {team: len(all_) for team, all_ in rules.TEAMS.items()}
    turn = pl.int_range(pl.len()).over("team") % pl.col("team").replace_strict(sizes, return_dtype=pl.Int64)
    owners = pl.DataFrame(
        [
            {"team": team, "turn": i, "owner": owner}
            for team, all_ in rules.TEAMS.items()
            for i, owner in enumerate(all_)
        ]
    ).lazy()
    account = pl.when(pl.col("domain").is_not_null()).then(pl.col("owner").first().over("domain"))
    return (
        leads.with_columns(turn=turn)
        .join(owners, on=["team", "turn"], how="left", maintain_order="left")
        .with_columns(owner=pl.coalesce(account, "owner"))
    )


def run(source: Path, out: Path) -> dict[str, float]:
    """Process a file; returns rows, seconds and what became of the rows."""
    started = time.perf_counter()
    raw = pl.scan_csv(source, infer_schema=False)
    leads = parse_abroad(clean(raw).collect()).lazy()
    reachable = (pl.col("email").is_not_null() | pl.col("phone").is_not_null()) & (pl.col("last_name") != "")
    accepted = leads.filter(reachable).with_row_index("row")
    repeats = [
        pl.col("email").is_not_null() & ~pl.struct("email").is_first_distinct(),
        pl.col("phone").is_not_null() & ~pl.struct("phone", "last_name").is_first_distinct(),
        pl.col("company_key").is_not_null() & ~pl.struct("first_name", "last_name", "company_key").is_first_distinct(),
    ]
    unique = accepted.filter(~pl.any_horizontal(repeats))
    result = route(decide(unique)).select(pl.col(*RESULT), pl.col(*RENAMED).name.map(RENAMED.get)).collect()
    result.write_parquet(out, compression="zstd")
    counts = leads.select(rows=pl.len(), rejected=(~reachable).sum()).collect().row(0, named=True)
    return {
        **counts,
        "seconds": time.perf_counter() - started,
        "duplicates": counts["rows"] - counts["rejected"] - len(result),
        "routed": len(result),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]))))
