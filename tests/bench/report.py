"""Results as JSON for machines and as a Markdown table for people."""

import os
import pathlib
import platform
import statistics
import subprocess

from rows import Outcome, Row


def _first_line(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return ((done.stdout or done.stderr).strip().splitlines() or ["unknown"])[0]


def setup(gateway: str | None) -> dict:
    cpu = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "nginx": _first_line(["nginx", "-v"]),
        "wrk": _first_line(["wrk", "-v"]),
        "gateway": _first_line([gateway, "--version"]) if gateway else None,
        "load_before": os.getloadavg()[0],
    }


def medians(outcome: Outcome) -> dict:
    keys = ("calls_per_s", "p50_us", "p99_us", "cpu_s_per_10k")
    return {
        name: {key: statistics.median(sample[key] for sample in samples) for key in keys}
        for name, samples in outcome.samples.items()
    }


def held(row: Row, outcome: Outcome) -> bool | None:
    if row.limit is None or outcome.figure is None:
        return None
    return outcome.figure.median() <= row.limit


def as_json(row: Row, outcome: Outcome) -> dict:
    figure = outcome.figure
    return {
        "title": row.title,
        "targets": medians(outcome),
        "figure": figure and {
            "what": figure.what,
            "unit": figure.unit,
            "median": figure.median(),
            "values": figure.values,
        },
        "between": {name: one.values for name, one in outcome.between.items()},
        "limit": row.limit,
        "held": held(row, outcome),
        "notes": outcome.notes,
        "samples": outcome.samples,
    }


def _cell(values: dict | None) -> str:
    if values is None:
        return "–"
    rate, p50, p99 = values["calls_per_s"], values["p50_us"] / 1000, values["p99_us"] / 1000
    rate_text = f"{rate / 1000:.1f}k" if rate >= 10_000 else f"{rate:.0f}"
    return f"{rate_text} · {p50:.2f}/{p99:.2f} · {values['cpu_s_per_10k']:.3f}"


def _number(value: float, unit: str) -> str:
    digits = {"x": 2, "KiB": 2, "ms": 1}.get(unit, 0)
    return f"{value:.{digits}f} {unit}".replace(" x", " ×")


def table_line(row: Row, outcome: Outcome) -> str:
    middle = medians(outcome)
    known = [_cell(middle.get(name)) for name in ("direct", "nginx", "gateway")]
    if middle and "nginx" not in middle:  # gateways against one another
        known = ["–", "–", "<br>".join(f"{name}: {_cell(at)}" for name, at in middle.items())]
    figure, verdict = "–", "–"
    if outcome.figure:
        values, unit = outcome.figure.values, outcome.figure.unit
        figure = f"{outcome.figure.what} **{_number(outcome.figure.median(), unit)}**"
        if len(values) > 1:
            figure += f" ({_number(min(values), unit)} to {_number(max(values), unit)})"
        for name, between in outcome.between.items():
            figure += f"; {name} {_number(between.median(), between.unit)}"
        verdict = {True: "yes", False: "**no**", None: "–"}[held(row, outcome)]
    limit = "–"
    if row.limit is not None and outcome.figure:
        limit = _number(row.limit, outcome.figure.unit)
    return f"| {row.title} | {' | '.join(known)} | {figure} | {limit} | {verdict} |"


HEADER = """\
calls/s · p50/p99 ms · CPU s per 10,000 calls; medians of all rounds, the range is over rounds

| what | direct (the mock's CPU) | nginx | gateway | figure | limit | held |
|---|---|---|---|---|---|---|"""
