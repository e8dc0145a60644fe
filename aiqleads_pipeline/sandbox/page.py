"""The sandbox's page: what each double has received, for people. One document without foreign assets or scripts."""

from __future__ import annotations

from html import escape
from typing import Any

from aiqleads_pipeline.sandbox.exchange import stamp
from aiqleads_pipeline.sandbox.world import World

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.4rem 0;color:#556}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #e3e7ee;
vertical-align:top}
th{font-weight:600;color:#556}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.9em}
.bad{color:#a4222b}.quiet{color:#8a93a3}
@media (prefers-color-scheme:dark){body{background:#14181f;color:#e4e8ef}th,td{border-color:#2b323d}
p,th{color:#a3adbd}.bad{color:#ff8b8b}}
"""
_SHOWN = 30


def render_page(world: World) -> str:
    """The page."""
    rows = "".join(_row(name, state) for name, state in world.state().items())
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Sandbox</title>'
        f'<meta http-equiv="refresh" content="5"><style>{_STYLE}</style></head><body>'
        f"<h1>The sandbox</h1><p>Doubles of outside services, on this machine only. Seed {world.seed}. "
        "Effects are what came to be there, once each; repeats are attempts that found it there already.</p>"
        "<h2>Received</h2><table><tr><th>Service</th><th>At</th><th class=n>Attempts</th><th class=n>Effects</th>"
        "<th class=n>Repeats</th><th class=n>Refused</th><th>Faults made</th><th>Holds</th></tr>"
        f"{rows}</table>{_rules(world)}{_latest(world)}</body></html>"
    )


def _row(name: str, state: dict[str, Any]) -> str:
    faults = ", ".join(f"{kind} {count:,}" for kind, count in state["faults"].items())
    facts = ", ".join(
        f"{key} {value:,}" if isinstance(value, int) else f"{key} {value}" for key, value in state["facts"].items()
    )
    counts = "".join(f"<td class=n>{state[key]:,}</td>" for key in ("attempts", "effects", "repeats", "refused"))
    quiet = "" if state["attempts"] else " class=quiet"
    return (
        f"<tr{quiet}><td>{escape(state['title'])} <code>{escape(name)}</code></td><td><code>{state['port']}</code></td>"
        f"{counts}<td class=bad>{escape(faults)}</td><td>{escape(facts)}</td></tr>"
    )


def _rules(world: World) -> str:
    listed = world.faults.listed()
    if not listed:
        return "<h2>Faults</h2><p>None are set.</p>"
    rows = "".join(
        f"<tr><td class=n>{rule['number']}</td><td>{escape(rule['double'])}</td><td>{escape(rule['kind'])}</td>"
        f"<td><code>{escape(rule['route'])}</code></td><td class=n>{rule['share']:.0%}</td>"
        f"<td>{escape(', '.join(f'{key}={value}' for key, value in rule['options'].items()))}</td>"
        f"<td class=n>{rule['struck']:,} of {rule['seen']:,}</td></tr>"
        for rule in listed
    )
    head = (
        "<th class=n>Rule</th><th>Service</th><th>Fault</th><th>Route</th><th class=n>Share</th><th>Options</th>"
        "<th class=n>Struck</th>"
    )
    return f"<h2>Faults</h2><table><tr>{head}</tr>{rows}</table>"


def _latest(world: World) -> str:
    came = [
        (request.now, name, request, status, fault)
        for name in world.doubles
        for request, status, fault in world.journals[name].latest(_SHOWN)
    ]
    came.sort(key=lambda each: each[0], reverse=True)
    rows = "".join(
        f"<tr><td>{stamp(at)[11:-1]}</td><td>{escape(name)}</td>"
        f"<td><code>{escape(request.method)} {escape(request.path[:120])}</code></td><td class=n>{escape(status)}</td>"
        f"<td class=bad>{escape(fault or '')}</td><td class=n>{len(request.body):,}</td></tr>"
        for at, name, request, status, fault in came[:_SHOWN]
    )
    head = (
        "<th>Time (UTC)</th><th>Service</th><th>Request</th><th class=n>Status</th><th>Fault</th><th class=n>Bytes</th>"
    )
    return f"<h2>The last requests</h2><table><tr>{head}</tr>{rows}</table>" if rows else ""
