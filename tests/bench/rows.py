"""What is measured: one function a kind of row, one line in all_rows() a row.

Targets of a row are measured in turn within each round, and a ratio is taken within its round: the
machine's mood changes from minute to minute, hardly from second to second.
"""

import dataclasses
import json
import statistics
import time
from collections.abc import Callable

import wire
from load import OUT, Target, burst, paced
from processes import BenchError, Child, pss_kib
from stage import Stage


@dataclasses.dataclass
class Plan:
    rounds: int
    seconds: int
    sessions: int
    starts: int


@dataclasses.dataclass
class Figure:
    """The number a limit is about."""

    what: str
    unit: str
    values: list[float]

    def median(self) -> float:
        return statistics.median(self.values)


@dataclasses.dataclass
class Outcome:
    samples: dict[str, list[dict]] = dataclasses.field(default_factory=dict)
    figure: Figure | None = None
    between: dict[str, Figure] = dataclasses.field(default_factory=dict)  # smaller sizes of the same
    notes: dict = dataclasses.field(default_factory=dict)

    def all(self, target: str, key: str) -> list[float]:
        return [sample[key] for sample in self.samples[target]]


@dataclasses.dataclass
class Row:
    name: str
    title: str
    run: Callable[[Stage, Plan], Outcome]
    limit: float | None = None
    quick: bool = False
    needs_gateway: bool = False


def in_turn(targets: list[Target], rounds: int, measure: Callable[[Target], dict]) -> Outcome:
    outcome = Outcome({target.name: [] for target in targets})
    for target in targets:
        target.check()
        measure(target)  # warm: connections pooled, memory touched
    for number in range(rounds):
        # Another one goes first each time, so that nobody always follows the same neighbour.
        for shift in range(len(targets)):
            target = targets[(number + shift) % len(targets)]
            outcome.samples[target.name].append(measure(target))
    return outcome


def ratio(outcome: Outcome, over: str, under: str, key: str = "cpu_s_per_10k") -> Figure | None:
    if over not in outcome.samples or under not in outcome.samples:
        return None
    pairs = zip(outcome.all(over, key), outcome.all(under, key))
    return Figure(f"CPU ÷ {under}", "x", [a / b for a, b in pairs])


def added(outcome: Outcome, key: str, over: str = "gateway", under: str = "direct") -> list[float]:
    pairs = zip(outcome.all(over, key), outcome.all(under, key))
    return [a - b for a, b in pairs]


def call(era: str, tool: str, port: int, query: str = "hello") -> bytes:
    params = {"name": tool, "arguments": {"query": query, "limit": 3}}
    if era == "modern":
        return wire.modern("tools/call", params)
    return wire.legacy("tools/call", params, wire.open_session(port))


def three_ways(stage: Stage, era: str, tool: str, server: str = "mock") -> list[Target]:
    """The same call to the mock itself, through nginx, and through the gateway."""
    targets = [
        stage.direct_target(call(era, tool, stage.mock()[1])),
        stage.nginx_target(call(era, tool, stage.nginx()[0])),
    ]
    if stage.has_gateway:
        gateway = stage.main_gateway()
        targets.append(gateway.target(call(era, f"{server}__{tool}", gateway.port)))
    return targets


def calls(era: str, tool: str, connections: int, server: str = "mock"):
    def run(stage: Stage, plan: Plan) -> Outcome:
        targets = three_ways(stage, era, tool, server)
        outcome = in_turn(targets, plan.rounds, lambda t: burst(t, connections, plan.seconds))
        outcome.figure = ratio(outcome, "gateway", "nginx")
        return outcome

    return run


def one_connection(stage: Stage, plan: Plan) -> Outcome:
    targets = three_ways(stage, "modern", "small")
    outcome = in_turn(targets, plan.rounds, lambda t: burst(t, 1, plan.seconds))
    if stage.has_gateway:
        outcome.figure = Figure("added p50", "us", added(outcome, "p50_us"))
    outcome.notes["nginx_added_p50_us"] = statistics.median(added(outcome, "p50_us", "nginx"))
    return outcome


def half_load(stage: Stage, plan: Plan) -> Outcome:
    targets = three_ways(stage, "modern", "small")
    targets[-1].check()
    full = burst(targets[-1], 64, plan.seconds)["calls_per_s"]
    outcome = in_turn(targets, plan.rounds, lambda t: paced(t, 64, full / 2, plan.seconds))
    if stage.has_gateway:
        outcome.figure = Figure("p99", "us", outcome.all("gateway", "p99_us"))
    outcome.notes["calls_per_s_of_all"] = full / 2
    return outcome


def list_of_5000(stage: Stage, plan: Plan) -> Outcome:
    # Without a gateway the bytes come from as many mock tools: the harness still runs.
    targets, servers = [], {f"s{i}": {"url": stage.mock_url(f"/s{i}/mcp")} for i in range(50)}
    body = b"x" * 1_500_000
    if stage.has_gateway:
        gateway = stage.ready_gateway("list", servers)
        request = wire.modern("tools/list", {})
        body = wire.ask(gateway.port, request).body
        targets.append(gateway.target(request))
        tools = len(json.loads(body)["result"]["tools"])
        if tools != 5000:
            raise BenchError(f"tools/list has {tools} tools on one page, not 5000")
    stage.write_static("list.json", body)
    for name in ("copied", "sendfile"):
        request = wire.http("GET", f"/{name}/list.json", {"Accept": "application/json"})
        # The limit is about the cheaper of the two, which over loopback is the copying one.
        label = "nginx" if name == "copied" else "nginx sendfile"
        targets.append(stage.nginx_target(request, label))
    outcome = in_turn(targets, plan.rounds, lambda t: burst(t, 16, plan.seconds))
    outcome.figure = ratio(outcome, "gateway", "nginx")
    outcome.notes["bytes"] = len(body)
    if sendfile := ratio(outcome, "gateway", "nginx sendfile"):
        outcome.notes["ratio_to_nginx_with_sendfile"] = sendfile.median()
    if stage.has_gateway:
        gateway.child.stop()
    return outcome


def idle_sessions(streams: bool):
    def run(stage: Stage, plan: Plan) -> Outcome:
        gateway = stage.ready_gateway("idle", {"mock": {"url": stage.mock_url()}})
        before = pss_kib(gateway.child.pid)
        argv = [str(OUT / "bench_client"), "sessions", "--port", str(gateway.port)]
        argv += ["--count", str(plan.sessions)] + (["--streams"] if streams else [])
        client = Child(argv, OUT / "sessions.log", read_stdout=True)
        opened = client.process.stdout.readline()
        if not opened:
            raise BenchError(f"sessions: {client.last_words()}")
        time.sleep(1)  # what is freed after the last answer is not the sessions' memory
        after = pss_kib(gateway.child.pid)
        gateway.child.require_alive()
        client.stop()
        gateway.child.stop()
        per_session = (after - before) / plan.sessions
        notes = json.loads(opened) | {"pss_before_kib": before, "pss_after_kib": after}
        return Outcome(figure=Figure("PSS a session", "KiB", [per_session]), notes=notes)

    return run


def held_sessions(stage: Stage, port: int, count: int) -> Child:
    """Idle legacy sessions, held by a client of their own until it is stopped."""
    argv = [str(OUT / "bench_client"), "sessions", "--port", str(port), "--count", str(count)]
    client = Child(argv, OUT / f"sessions-{count}.log", read_stdout=True)
    if not client.process.stdout.readline():
        raise BenchError(f"sessions: {client.last_words()}")
    return client


def call_beside_sessions(stage: Stage, plan: Plan) -> Outcome:
    """The same call through a gateway that nobody else uses and one with many idle sessions."""
    alone = stage.bare_gateway()
    beside = stage.ready_gateway("sessions", stage.usual_servers(), workers=1)
    client = held_sessions(stage, beside.port, plan.sessions)
    label = f"{plan.sessions} sessions"
    targets = [
        alone.target(call("modern", "mock__small", alone.port), "0 sessions"),
        beside.target(call("modern", "mock__small", beside.port), label),
    ]
    outcome = in_turn(targets, plan.rounds, lambda t: burst(t, 64, plan.seconds))
    outcome.figure = ratio(outcome, label, "0 sessions")
    outcome.notes["pss_kib"] = pss_kib(beside.child.pid)
    client.stop()
    beside.child.stop()
    return outcome


def start(stage: Stage, plan: Plan) -> Outcome:
    times = []
    for _ in range(plan.starts):
        gateway = stage.start_gateway("start", stage.usual_servers())
        times.append(gateway.seconds_to_listen * 1000)
        gateway.child.stop()
    return Outcome(figure=Figure("start to first accept", "ms", times))


def catalog_size(sizes: list[int]):
    def run(stage: Stage, plan: Plan) -> Outcome:
        targets, gateways, notes = [], [], {}
        for size in sizes:
            servers = {f"s{i}": {"url": stage.mock_url(f"/s{i}/mcp")} for i in range(size)}
            began = time.monotonic()
            gateway = stage.ready_gateway(f"catalog-{size}", servers)
            notes[f"seconds_until_{size}_servers_are_listed"] = time.monotonic() - began
            notes[f"pss_kib_with_{size}_servers"] = pss_kib(gateway.child.pid)
            request = call("modern", f"s{size - 1}__small", gateway.port)
            targets.append(gateway.target(request, f"{size} servers"))
            gateways.append(gateway)
        outcome = in_turn(targets, plan.rounds, lambda t: burst(t, 16, plan.seconds))
        first, last = targets[0].name, targets[-1].name
        outcome.figure = ratio(outcome, last, first)
        outcome.notes = notes
        for target in targets[1:-1]:
            outcome.between[target.name] = ratio(outcome, target.name, first)
        for gateway in gateways:
            gateway.child.stop()
        return outcome

    return run


# Every policy of calls, at limits that are not met. What the cache keeps is too old at once.
EVERY_POLICY = """{
  rate_limit: {rate: 1000000/s, per: [principal, tool]},
  budget: {budgets: {calls: {calls: 1000000000, window: 24h, per: principal}}},
  cache: {ttl: 1ms, allow: ["*"]},
  retry: {attempts: 3, idempotent: ["*"]},
  breaker: {consecutive_failures: 5, failure_rate: 0.5},
  timeout: {total: 30s},
  concurrency: {max_in_flight: 1000},
  validate: {arguments: enforce},
}"""


def against_bare(policies: str, query: str):
    """The same call through a gateway with these policies and through one with the defaults."""

    def run(stage: Stage, plan: Plan) -> Outcome:
        bare = stage.bare_gateway()
        other = stage.ready_gateway(
            "policies", stage.usual_servers(), policies=policies, workers=1
        )
        targets = [
            bare.target(call("modern", "mock__small", bare.port, query), "bare"),
            other.target(call("modern", "mock__small", other.port, query)),
        ]
        outcome = in_turn(targets, plan.rounds, lambda t: burst(t, 64, plan.seconds))
        outcome.figure = ratio(outcome, "gateway", "bare")
        other.child.stop()
        return outcome

    return run


def token_known(stage: Stage, plan: Plan) -> Outcome:
    """The same call by a caller whose token was verified before, and by nobody without auth."""
    secret = "0123456789abcdef0123456789abcdef"
    # Whoever looks at the catalog needs no token.
    issuer = f'{{issuer: bench, audience: [gateway], secret: "{secret}"}}'
    auth = f"{{issuers: [{issuer}], anonymous: true}}"
    claims = {"iss": "bench", "aud": "gateway", "sub": "load", "exp": int(time.time()) + 86400}
    bare = stage.bare_gateway()
    other = stage.ready_gateway("token", stage.usual_servers(), auth=auth, workers=1)
    request = wire.signed_in(
        call("modern", "mock__small", other.port), wire.token(secret, claims | {"scope": "a b c"})
    )
    targets = [
        bare.target(call("modern", "mock__small", bare.port), "bare"),
        other.target(request),
    ]
    outcome = in_turn(targets, plan.rounds, lambda t: burst(t, 64, plan.seconds))
    outcome.figure = ratio(outcome, "gateway", "bare")
    other.child.stop()
    return outcome


def all_rows() -> list[Row]:
    rows = []
    for size, tool in (("200B", "small"), ("10KB", "medium")):
        for connections in (16, 64):
            for era in ("modern", "legacy"):
                quick = tool == "small" and connections == 64
                title = f"tools/call, {size} reply, {connections} connections, {era} client"
                name = f"call-{size}-c{connections}-{era}"
                rows.append(Row(name, title, calls(era, tool, connections), 1.4, quick))
    stdio = "tools/call to a stdio server, 200B reply"
    idle = "memory of an idle legacy session"
    rows += [
        Row(
            "call-200B-c64-old-server",
            "tools/call, 200B reply, 64 connections, modern client, legacy server",
            calls("modern", "small", 64, "old"),
            limit=1.4,
        ),
        Row(
            "call-1MB-c16",
            "tools/call, 1MB reply, 16 connections, modern client",
            calls("modern", "large", 16),
            limit=2.0,
        ),
        Row(
            "stdio-200B-c16",
            f"{stdio}, 16 connections",
            calls("modern", "small", 16, "pipe"),
            limit=1.2,
        ),
        Row(
            "stdio-200B-c64",
            f"{stdio}, 64 connections",
            calls("modern", "small", 64, "pipe"),
            limit=1.2,
            quick=True,
        ),
        Row(
            "latency-c1",
            "added p50 at one connection, 200B reply",
            one_connection,
            limit=60,
            quick=True,
        ),
        Row(
            "latency-half-load",
            "p99 at half load, 200B reply, 64 connections",
            half_load,
            limit=1000,
        ),
        Row("list-5000", "tools/list, 50 servers x 100 tools", list_of_5000, limit=1.2, quick=True),
    ]
    alone = {"quick": True, "needs_gateway": True}
    rows += [
        Row("idle-session", idle, idle_sessions(False), 1, **alone),
        Row("idle-stream", f"{idle} with an open GET stream", idle_sessions(True), 12, **alone),
        Row("start", "start to listening", start, 100, **alone),
        Row(
            "policies",
            "CPU a call, every policy on against the defaults, 200B, 64 connections",
            against_bare(EVERY_POLICY, f"about {wire.ID}"),
            1.25,
            **alone,
        ),
        Row(
            "token",
            "CPU a call with a token that is known against one without auth, 200B, 64 connections",
            token_known,
            1.1,
            **alone,
        ),
        Row(
            "cache-hit",
            "CPU a hit of the cache against a call, 200B, 64 connections",
            against_bare('{cache: {ttl: 10m, allow: ["*"]}}', "hello"),
            0.5,
            **alone,
        ),
        Row(
            "catalog",
            "CPU a call, catalog of 1,000 servers against 1",
            catalog_size([1, 100, 1000]),
            limit=1.1,
            needs_gateway=True,
        ),
        Row(
            "sessions",
            "CPU a call beside 10,000 idle legacy sessions against none, 200B, 64 connections",
            call_beside_sessions,
            limit=1.1,
            needs_gateway=True,
        ),
    ]
    return rows
