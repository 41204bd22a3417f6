"""Rows of what rules of authorize cost: a decision among many, and what time tells of what they hide."""

import json
import pathlib
import random
import socket
import statistics
import subprocess
import time

import wire
from load import OUT
from processes import BenchError
from rows import Figure, Outcome, Plan, Row
from stage import Stage

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALLS = 6_000  # of each name
UNKNOWN = ("mock__none1", "mock__none2", "mock__none3")
HIDDEN = "mock__large"  # of the same length


def decisions(stage: Stage, plan: Plan) -> Outcome:
    """Microseconds a decision among 10,000 rules, in the dearest of the shapes of rule sets."""
    build = pathlib.Path(stage.gateway_binary).resolve().parent
    if not (build / "CMakeCache.txt").exists():
        raise BenchError(f"{build} is no build of CMake: authorize_bench cannot be built there")
    argv = ["cmake", "--build", str(build), "--target", "authorize_bench"]
    built = subprocess.run(argv, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise BenchError(f"authorize_bench: {(built.stdout + built.stderr)[-400:]}")
    runs = []
    for _ in range(plan.rounds):
        said = subprocess.run([str(build / "authorize_bench"), "--json"], capture_output=True, check=True)
        runs.append(json.loads(said.stdout))
    shapes = {shape: statistics.median(run[shape] for run in runs) for shape in runs[0]}
    dearest = max(shapes, key=shapes.get)
    values = [run[dearest] for run in runs]
    return Outcome(figure=Figure("a decision", "us", values), notes={"us_by_shape": shapes})


def nanoseconds(connection: socket.socket, request: bytes, size: int) -> int:
    """Of one exchange on a connection that is kept; the answer has so many bytes."""
    began = time.perf_counter_ns()
    connection.sendall(request)
    left = size
    while left > 0:
        got = len(connection.recv(65536))
        if got == 0:
            raise BenchError("the gateway closed the connection before the whole answer")
        left -= got
    return time.perf_counter_ns() - began


def quarter(times: list[int]) -> float:
    """The first quartile, in microseconds: what the machine did beside it is above."""
    return statistics.quantiles(times, n=4)[0] / 1000


def hidden(stage: Stage, plan: Plan) -> Outcome:
    """How much later an answer of a hidden tool comes than that of one that nobody has."""
    rule = "{name: small, effect: allow, what: {tool: small}}"
    log = OUT / "hidden-audit.jsonl"
    for old in OUT.glob(log.name + "*"):
        old.unlink()
    gateway = stage.ready_gateway(
        "hidden",
        stage.usual_servers(),
        expected=len(stage.usual_servers()),  # small, of each
        policies=f"{{authorize: {{rules: [{rule}]}}}}",
        workers=1,
        more=f', "audit": {{"path": {json.dumps(str(log))}}}',
    )
    names = [HIDDEN, *UNKNOWN]
    requests, sizes = {}, {}
    for name in names:
        call = wire.modern("tools/call", {"name": name, "arguments": {}})
        requests[name] = call.replace(wire.ID.encode(), b"100000")
        sizes[name] = wire.ask(gateway.port, call).wire_bytes
    if len(set(sizes.values())) != 1:
        raise BenchError(f"what is hidden is answered by another length: {sizes}")
    later, spread = [], []
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(plan.rounds):
            times = {name: [] for name in names}
            turns = names * CALLS
            random.shuffle(turns)
            for name in turns:
                times[name].append(nanoseconds(connection, requests[name], sizes[name]))
            unknown = [quarter(times[name]) for name in UNKNOWN]
            later.append(quarter(times[HIDDEN]) - statistics.mean(unknown))
            spread.append(max(unknown) - min(unknown))
    gateway.child.stop()
    notes = {"us_between_unknown_names": statistics.median(spread)}
    return Outcome(figure=Figure("hidden later than unknown", "us", later), notes=notes)


def rows() -> list[Row]:
    return [
        Row(
            "authorize-10k",
            "authorize: a decision among 10,000 rules, the dearest of six shapes",
            decisions,
            5,
            quick=True,
            needs_gateway=True,
        ),
        Row(
            "hidden",
            "authorize: a call of a hidden tool against one that nobody has, one connection",
            hidden,
            0.5,
            quick=True,
            needs_gateway=True,
        ),
    ]
