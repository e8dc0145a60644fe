"""The command line ``aiqleads``: parsing, printing, exit statuses. What a command does is in ``commands``.

Errors are one readable line on standard error with what to do next; exit status 0 means success and nothing else.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiqleads_pipeline.commands import (
    alerts_cli,
    deliveries_cli,
    insights_cli,
    keys_cli,
    model_cli,
    providers_cli,
    review_cli,
    rules_cli,
    score_cli,
)
from aiqleads_pipeline.commands.errors_cli import errors
from aiqleads_pipeline.commands.printing import readable
from aiqleads_pipeline.commands.sandbox_cli import sandbox

if TYPE_CHECKING:
    from aiqleads_pipeline.outside import Outside

app = typer.Typer(
    name="aiqleads",
    help="The lead pipeline: a dropped file becomes routed leads.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(review_cli.app, name="review")
app.add_typer(keys_cli.app, name="keys")
app.add_typer(model_cli.model_app, name="model")
app.add_typer(score_cli.app, name="score")
app.add_typer(rules_cli.app, name="rules")
app.add_typer(deliveries_cli.app, name="deliveries")
app.add_typer(insights_cli.app, name="insights")
app.add_typer(providers_cli.app, name="providers")
app.add_typer(alerts_cli.app, name="alerts")
app.add_typer(alerts_cli.slas_app, name="slas")
app.command()(errors)
app.command()(sandbox)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]


@app.command()
@readable
def demo(as_json: AsJson = False) -> None:
    """The main job on the sample drops, everything embedded: prints the funnel and where to look."""
    from aiqleads_pipeline.commands.demo import run_demo

    summaries = run_demo(_outside(), say=lambda line: typer.echo(line, err=as_json))
    if as_json:
        for summary in summaries:
            typer.echo(json.dumps(summary))


@app.command()
@readable
def process(
    files: Annotated[list[Path], typer.Argument(help="Files of leads: CSV, XLSX, JSON, NDJSON, Parquet.")],
    source: Annotated[str, typer.Option(help="The source they come from: a folder name under uploads/.")],
    as_json: AsJson = False,
) -> None:
    """Put each file in the watched bucket and run its batch, waiting for the end."""
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise typer.BadParameter(f"no such file: {', '.join(missing)}")
    outside = _outside()
    with ThreadPoolExecutor(1) as pool:
        opened = pool.submit(lambda: outside.store)  # the server starts while Dagster is imported
        from aiqleads_pipeline.commands.process import as_json as summary_json
        from aiqleads_pipeline.commands.process import process_files

        opened.result()
    is_good = True
    for summary in process_files(outside, files, source, show_progress=not as_json):
        is_good = is_good and summary.status in ("done", "repeat")
        if as_json:
            typer.echo(json.dumps(summary_json(summary)))
        else:
            _print_summary(summary_json(summary))
    if not is_good:
        raise typer.Exit(1)


@app.command()
@readable
def up(
    port: Annotated[int | None, typer.Option(help="Port of the Dagster web UI.")] = None,
    api_port: Annotated[int | None, typer.Option(help="Port of the HTTP API.")] = None,
) -> None:
    """Start everything for one machine: database, Dagster webserver and daemon, runner, API; Ctrl-C ends all."""
    from aiqleads_pipeline.commands.up import start_all

    outside = _outside()
    settings = outside.settings
    ports = port or settings.WEBSERVER_PORT, api_port or settings.API_PORT
    start_all(outside, *ports, say=lambda line: typer.echo(line, err=True))


@app.command()
@readable
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; anything but loopback opens the doors.")
    ] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port; AIQLEADS_API_PORT by default.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; AIQLEADS_API_WORKERS by default.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Don't say where it listens.")] = False,
) -> None:
    """The HTTP API alone; Ctrl-C answers what was begun and ends."""
    from aiqleads_pipeline.commands.serve import serve_doors

    serve_doors(_outside(), host, port, workers, say=lambda line: None if quiet else typer.echo(line, err=True))


@app.command(hidden=True, name="hot-lane")
@readable
def hot_lane() -> None:
    """The hot lane alone (a part of `up`): decides leads at once for callers who wait."""
    from aiqleads_pipeline.automation.hot_lane import run_hot_lane

    run_hot_lane(_outside())


@app.command(hidden=True)
@readable
def runner() -> None:
    """The resident runner alone (a part of `up`)."""
    from aiqleads_pipeline.automation.runner import run_resident
    from aiqleads_pipeline.definitions import build_defs

    run_resident(build_defs(), _outside())


@app.command()
@readable
def table(
    name: Annotated[str, typer.Argument(help="A table of the contract, e.g. routed_leads.")],
    batch: Annotated[str | None, typer.Option(help="Only this batch.")] = None,
    kind: Annotated[str, typer.Option("--format", help="parquet, csv or json.")] = "csv",
    out: Annotated[Path | None, typer.Option(help="A file instead of standard output.")] = None,
) -> None:
    """Write a table to standard output or a file (CSV safe against formula injection)."""
    from aiqleads_pipeline.commands.table import FORMATS, write_table

    if kind not in FORMATS:
        raise typer.BadParameter(f"--format is one of {', '.join(FORMATS)}")
    write_table(_outside(), name, batch, kind, out)


@app.command()
@readable
def lead(lead_id: str, as_json: AsJson = False) -> None:
    """The whole story of one lead: every step, decision, reason, attempt."""
    from aiqleads_pipeline.commands.lead import lead_story

    story = lead_story(_outside(), lead_id)
    if as_json:
        typer.echo(json.dumps(story, default=str))
        return
    for step, rows in story.items():
        typer.secho(step, bold=True)
        for row in rows if isinstance(rows, list) else [{"id": rows}]:
            for column, value in row.items():
                typer.echo(f"  {column:28} {value if isinstance(value, str) else json.dumps(value, default=str)}")
            typer.echo("")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check settings, rules, disk, bucket, lake, database, queues: causes first; exit status 1 if anything is wrong."""
    from aiqleads_pipeline.commands.doctor import examine

    findings = examine()
    for finding in findings:
        if as_json:
            typer.echo(json.dumps(finding.__dict__))
        else:
            mark = typer.style("ok  ", fg="green") if finding.ok else typer.style("FAIL", fg="red", bold=True)
            typer.echo(f"{mark} {finding.check:12} {finding.detail}")
            if not finding.ok:
                typer.echo(f"     {'':12} → {finding.what_to_do}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """The console script. It ends right after its exit handlers: freeing a large batch's modules takes a second."""
    status: int | str | None = 1

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads any more
                stream.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))

    atexit.register(leave)  # registered before all others, so that it is the last to run
    try:
        app()
        status = 0
    except SystemExit as ending:
        status = ending.code
        raise


def _outside() -> Outside:
    from aiqleads_pipeline.outside import open_outside

    return open_outside()


def _print_summary(summary: dict[str, Any]) -> None:
    mark = typer.style(str(summary["status"]), fg="green" if summary["status"] in ("done", "repeat") else "red")
    typer.echo(f"{summary['file']}: {mark} · batch {summary['batch_id']} · {summary['seconds']} s")
    if summary["reason_code"]:
        typer.echo(f"  {summary['reason_code']}: {summary['detail']}")
    else:
        names = ("received", "rejected", "duplicates", "routed", "in_review", "delivered_pending")
        typer.echo("  " + " · ".join(f"{name} {summary[name]:,}" for name in names))


if __name__ == "__main__":
    main()
