"""Entry point behind run.sh: picks the rows, runs them in turn, reports."""

import argparse
import fnmatch
import json
import os
import pathlib
import signal
import sys
import time

import orchestration
import report
import rules
from load import OUT
from processes import BenchError, stop_all
from rows import Plan, Row, all_rows
from stage import Stage

ROOT = pathlib.Path(__file__).resolve().parents[2]
FULL = Plan(rounds=7, seconds=1, sessions=10_000, starts=15)
QUICK = Plan(rounds=2, seconds=1, sessions=1_000, starts=5)
LONGEST_RUN = 20 * 60  # seconds; a run that takes longer hangs


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh", description="gateway against nginx")
    parser.add_argument("--quick", action="store_true", help="a subset in under a minute")
    parser.add_argument("--only", action="append", metavar="NAME", help="rows by name, * allowed")
    parser.add_argument("--rounds", type=int, help="rounds a row")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="of nginx and of the gateway (a core each)"
    )
    parser.add_argument("--list", action="store_true", help="names of the rows")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--gateway", default=str(ROOT / "build/release/switchyard"), metavar="PATH")
    which.add_argument("--no-gateway", action="store_true", help="only direct and nginx")
    return parser.parse_args()


def every_row() -> list[Row]:
    return all_rows() + orchestration.rows() + rules.rows()


def chosen(args: argparse.Namespace) -> list[Row]:
    rows = every_row()
    if args.only:
        rows = [row for row in rows if any(fnmatch.fnmatch(row.name, name) for name in args.only)]
    elif args.quick:
        rows = [row for row in rows if row.quick]
    if args.no_gateway:
        rows = [row for row in rows if not row.needs_gateway]
    return rows


def measure(rows: list[Row], stage: Stage, plan: Plan) -> tuple[dict, bool]:
    results, complete = {}, True
    print(report.HEADER, flush=True)
    for row in rows:
        began = time.monotonic()
        try:
            outcome = row.run(stage, plan)
        except (BenchError, OSError, ValueError, KeyError) as error:
            complete = False
            results[row.name] = {"title": row.title, "failed": repr(error)}
            print(f"| {row.title} | failed: {str(error)[:300]} | | | | | **no** |", flush=True)
            continue
        results[row.name] = report.as_json(row, outcome) | {"seconds": time.monotonic() - began}
        print(report.table_line(row, outcome), flush=True)
    return results, complete


def on_signal(number: int, _frame) -> None:
    raise SystemExit(f"bench: ended by {signal.Signals(number).name}")


def main() -> int:
    args = arguments()
    rows = chosen(args)
    if args.list or not rows:
        print("\n".join(f"{row.name:28} {row.title}" for row in every_row()))
        return 0 if args.list else 2
    gateway = None if args.no_gateway else args.gateway
    if gateway and not os.access(gateway, os.X_OK):
        sys.exit(f"bench: no program at {gateway}; build it with deploy/run.sh --build-only,"
                 " or say --gateway PATH or --no-gateway")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, on_signal)
    signal.alarm(LONGEST_RUN)
    plan = QUICK if args.quick else FULL
    plan.rounds = args.rounds or plan.rounds
    began = time.time()
    setup = report.setup(gateway)
    try:
        results, complete = measure(rows, Stage(gateway, args.workers), plan)
    finally:
        stop_all()
    out = {"setup": setup, "began": began, "seconds": time.time() - began}
    out |= {"plan": vars(plan), "workers": args.workers, "rows": results}
    (OUT / "results.json").write_text(json.dumps(out, indent=1) + "\n")
    if setup["load_before"] > 0.5:
        print(f"\nthe machine was busy, load {setup['load_before']:.1f} before the first row:"
              " repeat when it is quiet")
    print(f"\n{setup['cores']} x {setup['cpu']}, Linux {setup['kernel']}, {setup['nginx']},"
          f" {args.workers} workers each;"
          f" {len(rows)} rows in {out['seconds']:.0f} s; every sample is in {OUT / 'results.json'}")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
