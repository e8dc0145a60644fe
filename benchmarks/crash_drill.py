"""The crash drill: kill the job at each of its durable writes, run it again, and compare with an undisturbed run.

The points are found by themselves: the first run writes down every point that ``resources.durable`` passes. For each
point a copy of the same fresh home is taken, the same command is run until SIGKILL strikes it there, then run again;
afterwards every row of every table must be what the undisturbed run left, and no lead may be astray.

    python -m benchmarks.crash_drill [--seeds 3] [--rows 60] [--only PART_OF_A_NAME]
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.drill.homes import DrillFailed, Home, make_template, write_overlapping_drops
from benchmarks.drill.processes import Launcher
from benchmarks.drill.state import State, differences, read_state, unaccounted_leads
from resources.durable import CRASH_AT, CRASH_LOG


@dataclass
class Drill:
    """An undisturbed run and what is needed to disturb others: template home, drops, points, expected state."""

    scratch: Path
    launcher: Launcher
    template: Home
    drops: list[Path]
    points: list[str]
    expected: State

    def crash(self, point: str) -> list[str]:
        """Die at a point, run again, compare; returns what differs, in lines to read."""
        found, reached = self.crash_in_turn([point])
        if not reached:
            raise DrillFailed(f"{point} was never reached")
        return found

    def crash_in_turn(self, points: Sequence[str]) -> tuple[list[str], int]:
        """Die at one point after the other in one home, each time in a new run; run to the end, compare.

        Stops dying at the first point that the runs before left nothing to do for. Returns the differences and how
        many points were died at.
        """
        home = self.template.copy(self.scratch / "trial")
        store = home.open_store()  # keeps the server up between the runs, as another process of the home would
        reached = 0
        try:
            for point in points:
                killed = home.process(self.launcher, self.drops, {CRASH_AT: point})
                if not killed.was_killed:
                    break
                reached += 1
            again = home.process(self.launcher, self.drops)
            if again.exit_code != 0:
                said = again.output.splitlines()[-15:]
                return [f"the last run ended with status {again.exit_code}:", *said], reached
            astray = [f"astray: {lead}" for lead in unaccounted_leads(home.folder, store)]
            return differences(self.expected, read_state(home.folder, store)) + astray, reached
        finally:
            store.close()
            home.remove()


@contextmanager
def prepared_drill(scratch: Path, rows: int, seed: int) -> Iterator[Drill]:
    """Everything a drill needs; the undisturbed run has been done and looked at."""
    with Launcher(scratch) as launcher:
        template = make_template(scratch / "template", launcher)
        drops = write_overlapping_drops(scratch, rows, seed)
        log = scratch / "points.txt"
        home = template.copy(scratch / "undisturbed")
        store = home.open_store()
        try:
            ended = home.process(launcher, drops, {CRASH_LOG: str(log)})
            if ended.exit_code != 0:
                raise DrillFailed(f"the undisturbed run ended with status {ended.exit_code}:\n{ended.output}")
            expected = read_state(home.folder, store)
            if astray := unaccounted_leads(home.folder, store):
                raise DrillFailed(f"the undisturbed run loses {len(astray)} leads")
        finally:
            store.close()
            home.remove()
        yield Drill(scratch, launcher, template, drops, numbered_points(log), expected)


def numbered_points(log: Path) -> list[str]:
    """The points of a log in their order, ``<point>#<pass>``."""
    seen: Counter[str] = Counter()
    points = []
    for point in log.read_text(encoding="utf-8").splitlines():
        seen[point] += 1
        points.append(f"{point}#{seen[point]}")
    return points


def sample_points(points: Sequence[str], seed: int) -> list[str]:
    """One point per name of a durable write, before or after it, at whichever pass the seed says."""
    rng = random.Random(seed)
    by_name: dict[str, list[str]] = {}
    for point in points:
        by_name.setdefault(point.split(":", 1)[1].split("#")[0], []).append(point)
    return [rng.choice(by_name[name]) for name in sorted(by_name)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the whole drill and print a line per point; exit status 1 if any home differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only points whose name holds this")
    parser.add_argument("--sample", action="store_true", help="one point per write and seed, as the tests do")
    options = parser.parse_args(arguments)
    failures = 0
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        scratch = Path(tempfile.mkdtemp(prefix="aiqleads-drill-"))
        try:
            with prepared_drill(scratch, options.rows, seed) as drill:
                points = sample_points(drill.points, seed) if options.sample else drill.points
                print(
                    f"seed {seed}: {len(drill.points)} points, {sum(map(len, drill.expected.values()))} rows to compare"
                )
                for point in [point for point in points if options.only in point]:
                    started = time.perf_counter()
                    found = drill.crash(point)
                    failures += bool(found)
                    print(
                        f"  {'FAIL' if found else 'same'}  {point:48} {time.perf_counter() - started:5.1f} s",
                        flush=True,
                    )
                    for line in found:
                        print(f"        {line}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    print(f"{failures} points with a difference" if failures else "every home is as if nothing had happened")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
