"""The command line ``aiqleads model``: parsing and printing; what it does is in ``commands.model``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from aiqleads_pipeline.commands.printing import readable

model_app = typer.Typer(help="Conversion models: train, judge, put in and out of service.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]


@model_app.command("train")
@readable
def train(  # noqa: PLR0913, PLR0917 (one parameter for each option)
    data: Annotated[Path, typer.Option(help="A labelled file: CSV, XLSX, JSON, NDJSON, Parquet.")],
    label: Annotated[str, typer.Option(help="The column that says how each row ended.")],
    positive: Annotated[
        list[str] | None, typer.Option(help="A value of the label that counts as won; may be repeated.")
    ] = None,
    negative: Annotated[
        list[str] | None, typer.Option(help="A value that counts as not won; all others by default.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="The column of dates that orders the rows.")] = None,
    known_after: Annotated[
        list[str] | None, typer.Option(help="A column that is known only after the outcome; may be repeated.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="A column that stays although it looks like a leak; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for model, report and card; under the home by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all draws: the same file and seed give the same model.")] = 20_261_123,
    as_json: AsJson = False,
) -> None:
    """Train on a labelled table and judge it honestly: leaks refused, baselines beside it, a report written."""
    from aiqleads_pipeline.commands.model import Asked, train_file
    from aiqleads_pipeline.settings import load_settings

    settings = load_settings()
    asked = Asked(data, label, positive or (), negative or (), time, known_after or (), allow or (), seed)
    facts = train_file(settings, asked, out or settings.home / "trained" / data.stem)
    if as_json:
        typer.echo(json.dumps(facts, default=float))
        return
    _print_facts(facts)


@model_app.command("score")
@readable
def score(
    data: Annotated[Path, typer.Option(help="A file with the columns that the model learnt from.")],
    model: Annotated[Path, typer.Option(help="The .json that `model train` wrote.")],
    out: Annotated[Path, typer.Option(help="Where to write row_number,conversion_prob as CSV.")],
) -> None:
    """Probabilities of a file's rows by a model of `model train`."""
    from aiqleads_pipeline.commands.model import score_file
    from aiqleads_pipeline.settings import load_settings

    typer.echo(f"{score_file(load_settings(), data, model, out):,} rows → {out}")


@model_app.command("list")
@readable
def list_models(as_json: AsJson = False) -> None:
    """All stored models: which one is in force, which were, which wait as challengers."""
    from aiqleads_pipeline.outside import open_outside

    models = open_outside().models
    in_force, promoted, refused = models.current(), models.promoted(), models.refused()
    withdrawn = models.withdrawn()
    for version in models.saved():
        state = "refused" if version in refused else "champion" if version == in_force else ""
        state = state or ("retired" if version in promoted else "withdrawn" if version in withdrawn else "challenger")
        typer.echo(json.dumps({"version": version, "state": state}) if as_json else f"{version}  {state}")


@model_app.command("show")
@readable
def show(version: str, as_json: AsJson = False) -> None:
    """What is known of a stored model: its figures, what it learnt from, where its report is."""
    from aiqleads_pipeline.outside import open_outside

    models = open_outside().models
    document = models.load(version)
    kept = ("version", "kind", "rows", "won", "metrics", "training_window", "data_sha256", "library_versions")
    facts = {name: document.get(name) for name in kept} | {"in_force": models.current() == version}
    for name, value in facts.items():
        if not as_json:
            typer.echo(f"{name:18} {value if isinstance(value, str) else json.dumps(value)}")
    if as_json:
        typer.echo(json.dumps(facts))


@model_app.command("promote")
@readable
def promote(version: str) -> None:
    """Put a stored model in force, from the next batch on."""
    from aiqleads_pipeline.outside import open_outside

    open_outside().models.promote(version)
    typer.echo(f"{version} is in force")


@model_app.command("rollback")
@readable
def rollback() -> None:
    """Take the model in force out of service: the one before it serves, or the rules."""
    from aiqleads_pipeline.outside import open_outside

    typer.echo(f"{open_outside().models.rollback() or 'the rules'} in force")


def _print_facts(facts: dict[str, Any]) -> None:
    typer.echo(f"{facts['rows']:,} rows, {facts['positives']:,} won · {facts['notes'][0]}")
    for warning in facts["warnings"]:
        typer.secho(f"! {warning}", fg="yellow")
    for name, split in facts["splits"].items():
        typer.secho(f"\n{name}: {split['says']}", bold=True)
        for kind, found in split["candidates"].items():
            mark = "→" if kind == facts["serves"] else " "
            told = "  ".join(f"{m} {v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for m, v in found.items())
            typer.echo(f"{mark} {kind:16} {told}")
    typer.echo("")
    for what, file in facts["files"].items():
        typer.echo(f"{what:7} {file}")
