"""The benchmark: floor, steps, whole, memory, small drops beside `up`, and peers, side by side as Markdown.

    python -m benchmarks.run            everything, ten million rows included (half an hour on two cores)
    python -m benchmarks.run --quick    a million rows, small drops and peers
    python -m benchmarks.run --only floor,whole --rows 100000

Every number comes with the command that repeats it. Files live under benchmarks/.work and are removed unless --keep.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import messy_leads
from benchmarks.beside import measure_beside
from benchmarks.measuring import python, watch
from benchmarks.pipeline import Measured, fresh_home, measure

HERE = Path(__file__).resolve().parent
WORK = HERE / ".work"
MIB = 1 << 20
MILLION = 1_000_000
PARTS = ("floor", "whole", "ten-million", "beside", "peers")
ASIDE = "python -m benchmarks.run --only"


@dataclass
class Report:
    """Lines of Markdown, printed as they come and kept for the file."""

    lines: list[str] = field(default_factory=list)

    def say(self, line: str = "") -> None:
        print(line, flush=True)
        self.lines.append(line)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self.say("| " + " | ".join(header) + " |")
        self.say("|" + "---|" * len(header))
        for row in rows:
            self.say("| " + " | ".join(map(str, row)) + " |")
        self.say()


@dataclass
class Bench:
    """What the parts of one run share: files made once, the floor, our own speed by number of rows."""

    report: Report
    rows: int
    seed: int
    floors: dict[int, float] = field(default_factory=dict)
    floor_cpus: dict[int, float] = field(default_factory=dict)
    wholes: dict[int, Measured] = field(default_factory=dict)

    def file(self, rows: int) -> Path:
        """The generated file of so many rows."""
        path = WORK / f"messy-{rows}-{self.seed}.csv"
        if not path.exists():
            half = path.with_suffix(".part")
            planted = messy_leads.write_messy_leads(half, rows, self.seed)
            half.rename(path)
            self.report.say(
                f"{rows:,} rows, {planted.size_bytes / MIB:,.0f} MiB, seed {self.seed}:"
                f" {planted.bad_emails:,} bad e-mails, {planted.bad_phones:,} bad phones, {planted.repeats:,} repeats"
                f" (`python -m benchmarks.messy_leads --rows {rows} --seed {self.seed} --out FILE`)"
            )
            self.report.say()
        return path

    def floor(self, rows: int) -> float:
        """Seconds of the floor: the median of three."""
        if rows not in self.floors:
            target = WORK / "floor.parquet"
            times = 3 if rows <= MILLION else 1
            watched = watch(python("benchmarks.floor", str(self.file(rows)), str(target), str(times)))
            self.floors[rows] = statistics.median(json.loads(watched.output)["seconds"])
            self.floor_cpus[rows] = watched.cpu_seconds / times
            target.unlink()
        return self.floors[rows]

    def whole(self, rows: int) -> Measured:
        """The whole pipeline over so many rows in a fresh home."""
        if rows not in self.wholes:
            file = self.file(rows)
            with fresh_home(WORK / f"home-{rows}") as home:
                self.wholes[rows] = measure(home, file)
        return self.wholes[rows]


def report_whole(bench: Bench, rows: int) -> None:
    """Floor, steps, whole and memory of one size, side by side."""
    floor, whole = bench.floor(rows), bench.whole(rows)
    seconds = whole.watched.seconds
    summary = whole.summary
    bench.report.say(f"### {rows:,} leads: drop to routed and committed")
    bench.report.say()
    lines: list[tuple[str, str, str, str]] = [_row("floor: CSV to Parquet in DuckDB", floor, floor, rows)]
    lines += [_row(f"step `{name}`", took, floor, rows) for name, took in whole.steps.items()]
    lines.append(
        _row(
            "between and around the steps (start of the command, Dagster, drop)",
            seconds - sum(whole.steps.values()),
            floor,
            rows,
        )
    )
    lines.append(_row("**the whole command**", seconds, floor, rows))
    bench.report.table(("what", "seconds", "× floor", "leads/s"), lines)
    bench.report.say(
        f"Peak memory {whole.watched.peak_rss_bytes / MIB:,.0f} MiB without the database,"
        f" {whole.watched.peak_pss_bytes / MIB:,.0f} MiB with it (PSS)."
        f" Received {summary['received']:,}: rejected {summary['rejected']:,}, duplicates {summary['duplicates']:,},"
        f" routed {summary['routed']:,}, in review {summary['in_review']:,}."
    )
    cpu = whole.watched.cpu_seconds
    bench.report.say(
        f"CPU: the command {cpu:.1f} s, without the database server's; the floor {bench.floor_cpus[rows]:.1f} s."
        f" Load average at the end {os.getloadavg()[0]:.1f}."
    )
    bench.report.say(f"Repeat: `{ASIDE} floor,whole --rows {rows}`")
    bench.report.say()


def report_growth(bench: Bench, many: int) -> None:
    """How the time grows from a tenth of the rows to all of them."""
    less, more = bench.whole(many // 10).watched.seconds, bench.whole(many).watched.seconds
    bench.report.say(f"{many:,} leads take {more / less:.1f} times as long as {many // 10:,} (10.5 is the limit).")
    bench.report.say()


def report_beside(bench: Bench) -> None:
    """100 leads beside a running `aiqleads up`."""
    with fresh_home(WORK / "home-up") as home:
        found = measure_beside(home, WORK)
    times = sorted(found.seconds)
    bench.report.say("### 100 leads dropped beside a running `aiqleads up`")
    bench.report.say()
    bench.report.table(
        ("from the rename to routed and committed", "seconds"),
        [
            ("median of 10", f"{statistics.median(times):.2f}"),
            ("best, worst", f"{times[0]:.2f}, {times[-1]:.2f}"),
            ("first drop, while `up` is still starting", f"{found.first_seconds:.2f}"),
        ],
    )
    bench.report.say(f"Repeat: `{ASIDE} beside`")
    bench.report.say()


def report_peers(bench: Bench) -> None:
    """The same work as others write it, on the same machine in the same run."""
    rows = []
    for name, module, size in (
        ("pandas + pandera, row-wise functions", "benchmarks.peers.pandas_rowwise", 100_000),
        ("polars, vectorised", "benchmarks.peers.polars_pipeline", MILLION),
    ):
        target = WORK / "peer.parquet"
        watched = watch(python(module, str(bench.file(size)), str(target)))
        target.unlink()
        ours = bench.whole(size)
        rows += [
            _peer_row(name, size, watched.seconds, watched.peak_pss_bytes, ours.watched.seconds),
            _peer_row(
                "this pipeline (durable, explained)",
                size,
                ours.watched.seconds,
                ours.watched.peak_pss_bytes,
                ours.watched.seconds,
            ),
        ]
    bench.report.say("### The same work as others write it")
    bench.report.say()
    bench.report.table(("who", "leads", "seconds", "leads/s", "peak MiB", "time ÷ ours"), rows)
    bench.report.say(
        "The peers read, clean, reject, drop repeats, enrich, score, classify, route and write one Parquet file."
    )
    bench.report.say("They keep no reasons, no identities beyond the file, no outbox, and nothing of a killed run.")
    bench.report.say(f"Repeat: `{ASIDE} peers`")
    bench.report.say()


def _row(name: str, seconds: float, floor: float, rows: int) -> tuple[str, str, str, str]:
    return name, f"{seconds:.2f}", f"{seconds / floor:.2f}", f"{rows / seconds:,.0f}" if seconds > 0 else ""


def _peer_row(name: str, rows: int, seconds: float, memory: int, ours: float) -> tuple[str, ...]:
    return (
        name,
        f"{rows:,}",
        f"{seconds:.1f}",
        f"{rows / seconds:,.0f}",
        f"{memory / MIB:,.0f}",
        f"{seconds / ours:.2f}",
    )


@contextmanager
def _work_folder(keep: bool) -> Iterator[None]:
    WORK.mkdir(exist_ok=True)
    try:
        yield
    finally:
        if not keep:
            shutil.rmtree(WORK, ignore_errors=True)


def _machine() -> str:
    names = ("duckdb", "pyarrow", "dagster", "pandas", "polars")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}; load average at start {load:.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the ten million rows")
    parser.add_argument("--only", help=f"comma-separated parts: {', '.join(PARTS)}")
    parser.add_argument("--rows", type=int, default=MILLION, help="rows of the main table")
    parser.add_argument("--seed", type=int, default=messy_leads.SEED)
    parser.add_argument("--keep", action="store_true", help="keep the generated files in benchmarks/.work")
    options = parser.parse_args(arguments)
    parts = (
        options.only.split(",") if options.only else [p for p in PARTS if not (options.quick and p == "ten-million")]
    )
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    started = datetime.now(UTC)
    report = Report()
    bench = Bench(report, options.rows, options.seed)
    with _work_folder(options.keep):
        report.say(f"## Benchmark of {started:%Y-%m-%d %H:%M} UTC")
        report.say()
        report.say(_machine())
        report.say()
        if "floor" in parts or "whole" in parts:
            report_whole(bench, options.rows)
        if "beside" in parts:
            report_beside(bench)
        if "peers" in parts:
            report_peers(bench)
        if "ten-million" in parts:
            report_whole(bench, 10 * MILLION)
            report_growth(bench, 10 * MILLION)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / f"{started:%Y-%m-%dT%H%M}.md").write_text("\n".join(report.lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
