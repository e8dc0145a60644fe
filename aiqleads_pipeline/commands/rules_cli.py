"""`aiqleads rules ...`: a draft compared, previewed, published, and taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from aiqleads_pipeline.commands.printing import Refused, readable

app = typer.Typer(help="Rules from draft to force. A draft is a folder with all rule files.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
Draft = Annotated[Path, typer.Option("--from", help="The draft: a copy of the rules folder, edited.")]
By = Annotated[str, typer.Option(help="Who does it.", envvar="USER")]
Note = Annotated[str, typer.Option(help="Why, for the history.")]


@app.command("diff")
@readable
def diff(draft: Draft) -> None:
    """What a draft changes, line by line."""
    from aiqleads_pipeline.outside import open_outside
    from aiqleads_pipeline.publishing.publish import in_force
    from aiqleads_pipeline.publishing.rule_files import differences, read_set

    for line in differences(in_force(open_outside()), read_set(draft)):
        color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        typer.secho(line, fg=color)


@app.command("preview")
@readable
def preview(
    draft: Draft,
    last: Annotated[int, typer.Option(min=1, help="How many of the latest leads to look at.")] = 10_000,
    by: By = "operator",
    as_json: AsJson = False,
) -> None:
    """What a draft would have done to the last leads: scores, priorities, territories, owners, load, SLA, columns."""
    from aiqleads_pipeline.outside import open_outside
    from aiqleads_pipeline.publishing.preview import preview as preview_draft

    report = preview_draft(open_outside(), draft, by, last)
    if as_json:
        typer.echo(json.dumps(report, default=str))
    else:
        _print_report(report)


@app.command("publish")
@readable
def publish(draft: Draft, note: Note = "", by: By = "operator", as_json: AsJson = False) -> None:
    """Put a previewed draft in force, all of its files in one step; the next batch works by it."""
    from aiqleads_pipeline.outside import open_outside
    from aiqleads_pipeline.publishing.publish import PublishRefused
    from aiqleads_pipeline.publishing.publish import publish as publish_draft

    try:
        done = publish_draft(open_outside(), draft, by, note)
    except PublishRefused as error:
        raise Refused(str(error)) from None
    words = f"{done.sha256[:12]} is in force (was {done.previous_sha256[:12]})"
    typer.echo(json.dumps(done.__dict__) if as_json else words)


@app.command("rollback")
@readable
def rollback(
    to: Annotated[str | None, typer.Option(help="Begin of a set's hash; the one before by default.")] = None,
    note: Note = "",
    by: By = "operator",
    as_json: AsJson = False,
) -> None:
    """Put an earlier set of rules in force again."""
    from aiqleads_pipeline.outside import open_outside
    from aiqleads_pipeline.publishing.publish import PublishRefused, roll_back

    try:
        done = roll_back(open_outside(), by, to, note)
    except PublishRefused as error:
        raise Refused(str(error)) from None
    words = f"{done.sha256[:12]} is in force again (was {done.previous_sha256[:12]})"
    typer.echo(json.dumps(done.__dict__) if as_json else words)


@app.command("history")
@readable
def history(as_json: AsJson = False, limit: int = 50) -> None:
    """What was published, when, by whom, and how many batches each set scored."""
    from aiqleads_pipeline.outside import open_outside
    from aiqleads_pipeline.publishing.publish import in_force
    from aiqleads_pipeline.publishing.rule_files import set_sha256
    from resources.store import rule_sets

    place = open_outside()
    current, used = set_sha256(in_force(place)), rule_sets.uses(place.store)
    rows = rule_sets.publications(place.store, limit)
    for row in rows:
        facts = {**row.__dict__, "batches_count": used.get(row.sha256, 0), "is_in_force": row.sha256 == current}
        if as_json:
            typer.echo(json.dumps(facts, default=str))
        else:
            mark = "*" if facts["is_in_force"] else " "
            when = f"{row.published_at:%Y-%m-%d %H:%M}"
            typer.echo(f"{mark} {row.seq:4} {when}  {row.sha256[:12]}  {row.kind:8} {row.published_by:12} {row.note}")
    if not as_json and not any(row.sha256 == current for row in rows):
        typer.echo(f"* in force: {current[:12]}, as the files stand (not published)")


def _print_report(report: dict[str, Any]) -> None:
    typer.secho(f"draft {report['sha256'][:12]} against {report['base_sha256'][:12]}", bold=True)
    typer.echo(f"changed: {', '.join(report['changed_files']) or 'nothing'} ({report['changed_lines']} lines)")
    if not report["leads_count"]:
        typer.echo("no lead was accepted yet: nothing to compare")
        return
    score, sla = report["score"], report["sla"]
    typer.echo(
        f"{report['leads_count']:,} leads · {score['changed']:,} scores change · mean {score['mean_before']} → "
        f"{score['mean_after']} · to be touched in {sla['mean_minutes_before']} → {sla['mean_minutes_after']} minutes"
    )
    _table("score", report["distribution"])
    _table("source", report["by_source"])
    _table("who moves", report["moves"])
    _table("load", report["loads"])
    for file in report["mappings"]:
        typer.echo(f"{file['source']} {file['batch_id']}: {file['before']} → {file['after']}")
    typer.echo("publish it with `aiqleads rules publish --from ...`")


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    typer.secho(f"\n{title}", bold=True)
    if not rows:
        typer.echo("  nothing changes")
        return
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in rows[0]}
    typer.echo("  " + "  ".join(name.ljust(width) for name, width in widths.items()))
    for row in rows:
        typer.echo("  " + "  ".join(str(row[name]).ljust(width) for name, width in widths.items()))
