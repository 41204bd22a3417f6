"""One burst of load on one target, and what it cost the process under test."""

import dataclasses
import json
import pathlib
import subprocess

import wire
from processes import BenchError, Child, cpu_seconds, die_with_parent

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "out"


@dataclasses.dataclass
class Target:
    """Where requests go. `pids` are the processes whose CPU time is charged."""

    name: str  # direct, nginx, gateway, ...
    port: int
    request: bytes
    pids: list[int]
    child: Child | None = None  # to trim its log and to explain its death
    wire_bytes: int = 0  # size of a right answer; found by check()

    def check(self) -> None:
        """One call by hand. A refusal would be quick and cheap, and must not pass for speed."""
        if self.request.startswith(b"POST"):
            result = wire.result_of(self.port, self.request)
            if result.get("isError"):
                raise BenchError(f"{self.name}: the tool failed: {str(result)[:300]}")
        self.wire_bytes = wire.ask(self.port, self.request).wire_bytes


def _run(argv: list[str], seconds: float) -> dict:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=seconds + 20, preexec_fn=die_with_parent
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"{argv[0]} did not end") from None
    if done.returncode != 0:
        raise BenchError(f"{pathlib.Path(argv[0]).name}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _request_file(target: Target) -> str:
    path = OUT / f"request-{target.name}.http"
    path.write_bytes(target.request)
    return str(path)


def _measure(target: Target, argv: list[str], seconds: float) -> dict:
    if target.child:
        target.child.trim_log()
    before = sum(map(cpu_seconds, target.pids))
    sample = _run(argv, seconds)
    if target.child:
        target.child.require_alive()
    used = sum(map(cpu_seconds, target.pids)) - before
    if sample["requests"] == 0 or sample["refused"] or sample.get("broken"):
        raise BenchError(f"{target.name}: not every call was answered: {sample}")
    sample["cpu_s_per_10k"] = used / sample["requests"] * 10_000
    return sample


def burst(target: Target, connections: int, seconds: int) -> dict:
    """As fast as it goes (closed loop), with wrk."""
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    argv += ["-s", str(HERE / "post.lua"), f"http://127.0.0.1:{target.port}/"]
    argv += ["--", _request_file(target)]
    sample = _measure(target, argv, seconds)
    sample["calls_per_s"] = sample["requests"] / sample["duration_us"] * 1e6
    # Replies that were under way when wrk stopped are in its bytes, not in its requests.
    expected = target.wire_bytes * sample["requests"]
    slack = max(0.03 * expected, 2 * connections * target.wire_bytes)
    if abs(sample["bytes"] - expected) > slack:
        mean = sample["bytes"] / sample["requests"]
        right = target.wire_bytes
        raise BenchError(f"{target.name}: replies of {mean:.0f} B, a right one has {right} B")
    return sample


def agents(target: Target, count: int, batch: int, seconds: int) -> dict:
    """Agents of the orchestration service, as fast as it goes; each creates, claims, starts, completes."""
    argv = [str(OUT / "agents_client"), "--port", str(target.port), "--agents", str(count)]
    argv += ["--batch", str(batch), "--seconds", str(seconds)]
    sample = _measure(target, argv, seconds)
    sample["calls_per_s"] = sample["requests"] / sample["duration_us"] * 1e6
    sample["changes_per_s"] = 4 * sample["completed"] / sample["duration_us"] * 1e6
    return sample


def engine(database: pathlib.Path, group: int, seconds: float) -> float:
    """Changes of rows a second that SQLite makes of the same kind, so many in a commit."""
    argv = [str(OUT / "engine"), "--database", str(database), "--group", str(group)]
    return _run(argv + ["--seconds", str(seconds)], seconds)["changes_per_s"]


def paced(target: Target, connections: int, rate: float, seconds: int) -> dict:
    """At a fixed rate (open loop), each call measured from the moment it was due."""
    argv = [str(OUT / "bench_client"), "paced", "--port", str(target.port)]
    argv += ["--request", _request_file(target), "--connections", str(connections)]
    argv += ["--rate", f"{rate:.0f}", "--seconds", str(seconds)]
    sample = _measure(target, argv, seconds)
    if sample["unanswered"]:
        raise BenchError(f"{target.name}: {sample['unanswered']} calls unanswered at {rate:.0f}/s")
    sample["calls_per_s"] = rate
    return sample
