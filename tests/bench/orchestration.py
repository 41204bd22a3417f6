"""Rows of the orchestration service: agents that create, claim, start and complete, beside a plain
proxied call and beside what SQLite alone does for the same rows."""

import json
import pathlib
import shutil
import sqlite3
import statistics
import time

import wire
from load import OUT, Target, agents, burst, engine
from processes import BenchError, pss_kib
from rows import Figure, Outcome, Plan, Row, call, in_turn, ratio
from stage import Gateway, Stage

AGENTS = 1_000  # registered where much is stored
CLAIMERS = 8
PREFIX = "orchestration_"


def request(tool: str, arguments: dict) -> bytes:
    return wire.modern("tools/call", {"name": PREFIX + tool, "arguments": arguments})


def ask(gateway: Gateway, tool: str, arguments: dict) -> dict:
    return wire.result_of(gateway.port, request(tool, arguments))["structuredContent"]


def folder(name: str) -> pathlib.Path:
    """An empty one for the state of a gateway."""
    path = OUT / f"state-{name}"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def open_service(stage: Stage, name: str, state: pathlib.Path) -> Gateway:
    """A gateway with the service on, its records in a file with synchronous commits."""
    more = f', "orchestration": {{}}, "state": {{"dir": {json.dumps(str(state))}}}'
    gateway = stage.start_gateway(name, {}, more=more)
    give_up = time.monotonic() + 60
    # It listens before its servers are up.
    while PREFIX + "create_task" not in wire.tool_names(gateway.port):
        gateway.child.require_alive()
        if time.monotonic() > give_up:
            raise BenchError(f"gateway {name}: no orchestration service after 60 s")
        time.sleep(0.05)
    return gateway


def tables(stage: Stage, name: str) -> pathlib.Path:
    """A file with the service's tables and one task, which nobody uses any more."""
    state = folder(name)
    gateway = open_service(stage, name, state)
    ask(gateway, "create_task", {"content": "the first", "task_type": "bench"})
    gateway.child.stop()
    return state / "orchestration.db"


def working(count: int, batch: int):
    """Agents at work, in turn with a plain call through a gateway by as many connections."""

    def run(stage: Stage, plan: Plan) -> Outcome:
        alone = tables(stage, "engine")
        gateway = open_service(stage, "agents", folder("agents"))
        plain = stage.main_gateway()
        targets = [
            plain.target(call("modern", "mock__small", plain.port), "a call"),
            gateway.target(request("get_queue_metrics", {}), "agents"),
        ]
        limits: dict[int, list[float]] = {1: [], max(count, 2): []}

        def measure(target: Target) -> dict:
            if target.name != "agents":
                return burst(target, count, plan.seconds)
            for group, rates in limits.items():
                rates.append(engine(alone, group, plan.seconds / 2))
            return agents(target, count, batch, plan.seconds)

        outcome = in_turn(targets, plan.rounds, measure)
        gateway.child.stop()
        outcome.figure = ratio(outcome, "agents", "a call")
        done = statistics.median(outcome.all("agents", "changes_per_s"))
        groups = statistics.median(limits[max(count, 2)])
        outcome.notes = {
            "changes_of_tasks_per_s": done,
            "engine_changes_per_s_alone": statistics.median(limits[1]),
            f"engine_changes_per_s_in_groups_of_{max(count, 2)}": groups,
            "share_of_the_engine": done / groups,
        }
        return outcome

    return run


def fill(database: pathlib.Path, tasks: int) -> None:
    """So many tasks, every other one completed, as the service itself would have left them."""
    now = int(time.time() * 1000)
    with sqlite3.connect(database) as file:
        file.execute("PRAGMA synchronous = OFF")
        lane = file.execute("SELECT id FROM lane WHERE task_type = 'bench'").fetchone()[0]
        file.execute(
            """WITH RECURSIVE n (id) AS (SELECT 2 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
            INSERT INTO task (id, status, priority, lane, due, waits_for, task_type, content,
              requirements, creator, created_at, deadline, attempts, max_attempts, assigned_to,
              assigned_at, started_at, finished_at, lease_ms, fence, result)
            SELECT id, 3 * (id % 2), 1, ?, ? + id, 0, 'bench', 'Summarise the report number ' || id ||
              ' in three sentences and name what is missing in it', '[]', '', ?, 0, id % 2, 3,
              iif(id % 2, 'agent' || id % 1000, NULL), ? * (id % 2), ? * (id % 2), ? * (id % 2), 300000,
              id % 2, iif(id % 2, '"three sentences"', NULL) FROM n""",
            (tasks, lane, now, now, now, now, now),
        )
        file.execute("UPDATE counter SET value = ? WHERE name = 'task'", (tasks,))
        file.execute(
            "UPDATE tally SET pending = (SELECT count(*) FROM task WHERE status = 0),"
            " completed = (SELECT count(*) FROM task WHERE status = 3) WHERE priority = 1"
        )
        file.execute(
            "UPDATE lane SET (ready, unfinished) = (SELECT count(*), count(*) FROM task WHERE status = 0)"
            " WHERE id = ?",
            (lane,),
        )
    file.close()


class Stored:
    """What claims and looks take where 10,000 and where 1,000,000 tasks are stored; measured once for
    all rows about it."""

    SIZES = {"10k tasks": 10_000, "1M tasks": 1_000_000}

    def __init__(self):
        self.outcome: Outcome | None = None

    def measured(self, stage: Stage, plan: Plan) -> Outcome:
        if self.outcome is None:
            self.outcome = self._measure(stage, plan)
        return self.outcome

    def _measure(self, stage: Stage, plan: Plan) -> Outcome:
        targets, gateways, notes = [], [], {}
        for name, size in self.SIZES.items():
            database = tables(stage, f"stored-{size}")
            fill(database, size)
            gateway = open_service(stage, f"stored-{size}", database.parent)
            notes[f"seconds_to_start_with_{size}"] = gateway.seconds_to_listen
            for number in range(AGENTS):
                ask(gateway, "register_agent", {"agent_id": f"idle{number}", "capabilities": ["none"]})
            gateways.append(gateway)
            targets.append(gateway.target(request("get_queue_metrics", {}), name))
        outcome = in_turn(targets, plan.rounds, lambda t: self._claims(t, plan))
        for gateway, (name, size) in zip(gateways, self.SIZES.items()):
            for tool, arguments in {
                "get_queue_metrics": {},
                "get_health": {},
                "query_tasks": {"filters": {"status": "completed"}},
            }.items():
                target = gateway.target(request(tool, arguments), f"{tool} at {name}")
                target.check()
                notes[f"p99_us_of_{tool}_at_{size}"] = burst(target, 1, plan.seconds)["p99_us"]
            notes[f"pss_mib_at_{size}"] = pss_kib(gateway.child.pid) / 1024
            notes |= self._after_a_kill(stage, gateway, size)
        outcome.notes = notes
        return outcome

    @staticmethod
    def _after_a_kill(stage: Stage, gateway: Gateway, size: int) -> dict:
        """Its records are checked with all their indexes; the gateway listens meanwhile."""
        gateway.child.process.kill()
        gateway.child.process.wait()
        gateway.child.stop()
        again = open_service(stage, f"killed-{size}", OUT / f"state-stored-{size}")
        up = time.perf_counter() - again.child.started_at
        again.child.stop()
        return {
            f"seconds_to_listen_after_kill_9_with_{size}": again.seconds_to_listen,
            f"seconds_until_up_after_kill_9_with_{size}": up,
        }

    @staticmethod
    def _claims(target: Target, plan: Plan) -> dict:
        sample = agents(target, CLAIMERS, 1, plan.seconds)
        return sample | {key: sample["poll_tasks"][key] for key in ("p50_us", "p99_us")}

    def latency(self, stage: Stage, plan: Plan) -> Outcome:
        outcome = self.measured(stage, plan)
        values = [value / 1000 for value in outcome.all("1M tasks", "p99_us")]
        figure = Figure("p99 of a claim", "ms", values)
        return Outcome(outcome.samples, figure, notes=outcome.notes)

    def flatness(self, stage: Stage, plan: Plan) -> Outcome:
        outcome = self.measured(stage, plan)
        pairs = zip(outcome.all("1M tasks", "p99_us"), outcome.all("10k tasks", "p99_us"))
        figure = Figure("p99 ÷ that at 10k", "x", [large / small for large, small in pairs])
        return Outcome(outcome.samples, figure, notes=outcome.notes)

    def memory(self, stage: Stage, plan: Plan) -> Outcome:
        outcome = self.measured(stage, plan)
        mib = outcome.notes[f"pss_mib_at_{self.SIZES['1M tasks']}"]
        return Outcome(figure=Figure("PSS", "MiB", [mib]), notes=outcome.notes)


def rows() -> list[Row]:
    stored = Stored()
    alone = {"needs_gateway": True}
    work = "create, claim, start, complete"
    return [
        Row("tasks-c1", f"{work}: 1 agent", working(1, 1), **alone),
        Row("tasks-c32", f"{work}: 32 agents", working(32, 1), 2.0, quick=True, **alone),
        Row("tasks-c32-batch", f"{work}: 32 agents, 10 tasks a batch", working(32, 10), **alone),
        Row("tasks-claim", "claim, 8 agents, 1M tasks stored", stored.latency, 5, **alone),
        Row("tasks-claim-flat", "claim at 1M tasks against 10k", stored.flatness, 1.5, **alone),
        Row("tasks-memory", "memory with 1M tasks, 1,000 agents", stored.memory, 1024, **alone),
    ]
