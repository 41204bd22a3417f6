"""The code of the agents' best practices, as it is written there, through the official Python client.

All that is added is what their code takes for granted: `call_tool`, a function for each tool under its
own name (create_task for orchestration_create_task, arguments in the order in which its schema lists
them), and what each piece needs to be there before it and must have done after it.

    best_practices.py URL MODE    a line of JSON per piece, {"name": ..., "error": null or why};
                                  MODE as the client calls it: legacy, or a revision
"""

import sys

from agent_tools import run


def testing_checklist():
    # 1. Task lifecycle
    task_id = create_task(...)
    assert task_id is not None

    # 2. Agent registration
    register_agent("test_bot", ["python"])
    agent = find_capable_agents(["python"])
    assert "test_bot" in agent

    # 3. Routing
    task = get_task_status(task_id)
    agent = route_task(task_id)
    assert agent is not None

    # 4. Execution
    assign_task(task_id, agent)
    start_task(task_id)
    complete_task(task_id, "Done")

    # 5. Verification
    final = get_task_status(task_id)
    assert final.status == "completed"

    # 6. Metrics
    metrics = get_queue_metrics()
    assert metrics["completed"] == 1


def principle_1_batches():
    for i in range(10):
        task = call_tool("orchestration_poll_tasks", limit=1)
        # 10 tool calls, lots of round-trips

    tasks = call_tool("orchestration_poll_tasks", limit=10)
    # 1 tool call, 10x fewer round-trips


def principle_2_filters():
    create_task(content="urgent", priority="high")
    create_task(content="later", priority="low")

    all_tasks = call_tool("orchestration_query_tasks")  # 50KB response
    high_priority = [t for t in all_tasks if t["priority"] == "high"]
    # Agent wastes tokens parsing unneeded data
    assert [t["content"] for t in high_priority] == ["urgent"]

    high_priority = call_tool(
        "orchestration_query_tasks",
        filters={"priority": "high"}
    )
    # Server returns only matching tasks
    assert [t["content"] for t in high_priority] == ["urgent"]


def principle_3_sequences():
    register_agent("bot1", ["python"])

    # 5 tool calls to complete workflow
    task_id = call_tool("orchestration_create_task", ...)
    task = call_tool("orchestration_get_task_status", task_id)
    agent = call_tool("orchestration_route_task", task_id)
    call_tool("orchestration_assign_task", task_id, agent)
    call_tool("orchestration_start_task", task_id)
    assert get_task_status(task_id).status == "in_progress"

    # 5 tool calls, but tightly coupled
    # Agent maintains task_id and agent_id across calls
    task_id = create_task(...)      # Returns task_id
    agent = route_task(task_id)     # Uses returned task_id
    assign_task(task_id, agent)     # Uses both from above
    start_task(task_id)             # Uses task_id
    assert get_task_status(task_id).status == "in_progress"


def principle_4_aggregates():
    for name in ["bot1", "bot2", "bot3", "bot4", "bot5"]:
        register_agent(name, ["python"])

    agents = ["bot1", "bot2", "bot3", "bot4", "bot5"]
    for agent_id in agents:
        health = call_tool("orchestration_get_agent_health", agent_id)
        # 5 tool calls to get overall health

    stats = call_tool("orchestration_get_agent_statistics")
    # Single call returns: total_agents, avg_success_rate, skill_distribution
    assert stats["total_agents"] == 5
    assert stats["avg_success_rate"] == 1
    assert stats["skill_distribution"] == {"python": 5}


def principle_5_exclusions():
    for name in ["bot1", "bot2", "bot3"]:
        register_agent(name, ["python"])
    task_id = create_task(...)

    agent = call_tool(
        "orchestration_route_task",
        task_id=task_id,
        exclude_agents=["bot1", "bot2"]  # Skip known bad agents
    )
    # Router automatically tries next best agent
    assert agent["selected_agent"] == "bot3"


def pattern_1_simple_task():
    register_agent("analyst", ["python", "data_analysis"])

    # 1. Create task
    response = call_tool("orchestration_create_task",
        content="Analyze dataset",
        task_type="analysis",
        priority="high",
        requirements=["python", "data_analysis"]
    )
    task_id = response["task_id"]

    # 2. Route to capable agent
    route_response = call_tool("orchestration_route_task", task_id)
    agent_id = route_response["selected_agent"]

    # 3. Assign and start
    call_tool("orchestration_assign_task", task_id, agent_id)
    call_tool("orchestration_start_task", task_id)

    # 4. Agent executes... when done:
    call_tool("orchestration_complete_task",
        task_id=task_id,
        result="Analyzed 1000 records",
        metrics={"duration_ms": 2500}
    )
    final = get_task_status(task_id, fields=["result", "metrics"])
    assert (final["status"], final["result"]) == ("completed", "Analyzed 1000 records")
    assert final["metrics"] == {"duration_ms": 2500}


def pattern_2_batches():
    register_agent("worker", ["anything"])

    # 1. Create multiple tasks
    tasks = []
    for i in range(20):
        response = call_tool("orchestration_create_task",
            content=f"Process batch {i}",
            task_type="processing"
        )
        tasks.append(response["task_id"])

    # 2. Poll for assignments in batch
    pending = call_tool("orchestration_poll_tasks",
        status="pending",
        limit=10  # Get next 10 pending
    )

    # 3. Route and assign in loop
    for task_info in pending["tasks"]:
        agent = call_tool("orchestration_route_task", task_info["id"])
        if agent:
            call_tool("orchestration_assign_task", task_info["id"], agent)

    assert [task["id"] for task in pending["tasks"]] == tasks[:10], "the oldest first"
    metrics = get_queue_metrics()
    assert (metrics["assigned"], metrics["pending"]) == (10, 10)


def pattern_3_specialists():
    # 1. Register specialized agents
    call_tool("orchestration_register_agent",
        agent_id="python_expert",
        capabilities=["python", "analysis"]
    )
    call_tool("orchestration_register_agent",
        agent_id="ml_expert",
        capabilities=["machine_learning", "python"]
    )

    # 2. Create tasks that route to specialists
    python_task = call_tool("orchestration_create_task",
        content="Write Python function",
        requirements=["python"]  # Routes to python_expert or ml_expert
    )

    ml_task = call_tool("orchestration_create_task",
        content="Train ML model",
        requirements=["machine_learning"]  # Routes to ml_expert
    )

    # 3. Monitor quality
    stats = call_tool("orchestration_get_agent_statistics")
    # Shows skill distribution and agent counts
    assert route_task(python_task).selected_agent in ("python_expert", "ml_expert")
    assert route_task(ml_task).selected_agent == "ml_expert"
    assert stats["total_agents"] == 2
    assert stats["skill_distribution"] == {"python": 2, "analysis": 1, "machine_learning": 1}


class TemporaryError(Exception):
    pass


class PermanentError(Exception):
    pass


def pattern_4(do_work):
    # 1. Create task
    task_id = create_task(...)

    # 2. Attempt execution
    agent = route_task(task_id)
    assign_task(task_id, agent)
    start_task(task_id)

    # 3. Agent reports success or failure
    try:
        result = do_work()
        complete_task(task_id, result)
    except TemporaryError as e:
        # Soft failure - task returns to pending for retry
        fail_task(task_id, str(e), should_retry=True)

    except PermanentError as e:
        # Hard failure - task stays failed
        fail_task(task_id, str(e), should_retry=False)

    # 4. Monitor retries
    queue_metrics = get_queue_metrics()
    if queue_metrics["failed"] > 0:
        # Investigate failed tasks
        failed_tasks = query_tasks({"status": "failed"})
        assert task_id.subject() in failed_tasks
    return get_task_status(task_id).status


def pattern_4_errors_and_retries():
    def fails(error):
        def work():
            raise error("no")

        return work

    register_agent("bot1", ["python"])
    assert pattern_4(lambda: "done") == "completed"
    assert pattern_4(fails(TemporaryError)) == "pending"
    assert pattern_4(fails(PermanentError)) == "failed"


def anti_pattern_1_in_batches():
    def route_and_execute(task):
        cancel_task(task["id"])

    for i in range(12):
        create_task(...)

    pending = poll_tasks(status="pending", limit=10)
    for task in pending["tasks"]:
        route_and_execute(task)
    # Process next batch
    pending = poll_tasks(status="pending", limit=10)
    assert len(pending["tasks"]) == 2


def anti_pattern_2_ranked_by_the_server():
    register_agent("both", ["python", "analysis"])
    register_agent("one", ["python"])

    agents = find_capable_agents(requirements=["python", "analysis"])
    # Router already ranked by quality, returns best
    assert "both" in agents and "one" not in agents


def anti_pattern_3_kept_for_later():
    task_id, blacklist = create_task(...), ["bot1"]
    register_agent("bot1", ["python"])

    agent = route_task(task_id, exclude_agents=blacklist)
    if not agent:
        fail_task(task_id, "No capable agents", should_retry=True)
        # Task persisted, can retry later
    assert not agent and get_task_status(task_id).status == "pending"


def anti_pattern_4_one_call():
    register_agent("bot1", ["python"])
    agents = ["bot1"]

    for agent_id in agents:
        health = get_agent_health(agent_id)  # 10 calls for 10 agents
        print(f"{agent_id}: {health['success_rate']}", file=sys.stderr)

    stats = get_agent_statistics()  # 1 call
    print(f"Avg success rate: {stats['avg_success_rate']}", file=sys.stderr)
    print(f"Skill distribution: {stats['skill_distribution']}", file=sys.stderr)


def monitoring():
    register_agent("bot1", ["python"])

    metrics = get_queue_metrics()
    pending = metrics["pending"]
    success_rate = metrics["success_rate"]
    # Alert if pending > 100 or success_rate < 0.8

    stats = get_agent_statistics()
    avg_success = stats["avg_success_rate"]
    # Alert if avg < 0.7

    routing = get_routing_stats()
    assignment_rate = routing["assignment_rate"]
    # Alert if < 0.8 (20% of tasks can't be routed)

    for rate in (success_rate, avg_success, assignment_rate):
        assert 0 <= rate <= 1
    assert pending == 0


def check_system_health():
    health = get_health()

    if health["queue"]["success_rate"] < 0.8:
        print("WARNING: Low task success rate", file=sys.stderr)
        return "degraded"

    if health["queue"]["active_tasks"] > 100:
        print("WARNING: High queue depth", file=sys.stderr)
        return "degraded"

    if health["agents"]["total_agents"] == 0:
        print("ERROR: No agents registered", file=sys.stderr)
        return "failed"

    return "healthy"


def health_check():
    register_agent("bot1", ["python"])
    for i in range(101):
        create_task(...)
    assert check_system_health() == "degraded"
    assert get_health()["status"] == "degraded"


def errors_show_no_internals():
    try:
        route_task("task_77777777")
    except Exception as e:
        assert str(e) == "there is no task task_77777777, or no longer", e
    else:
        raise AssertionError("an unknown task was routed")
    task_id = create_task(...).task_id
    assert task_id and len(task_id) >= 10


def troubleshooting():
    register_agent("bot1", ["python"])
    task_id = create_task(...)
    assign_task(task_id, "bot1")

    task = get_task_status(task_id)
    if task.status == "assigned":
        print(f"Assigned to: {task.assigned_to}", file=sys.stderr)
        print(f"Since: {task.assigned_at}", file=sys.stderr)
    assert task.status == "assigned"

    fail_task(task_id, "died", should_retry=True)
    fail_task(task_id, "gone for good")
    stats = get_agent_statistics()
    print(f"Avg success: {stats['avg_success_rate']}", file=sys.stderr)

    failed = query_tasks({"status": "failed"})
    for task in failed:
        print(f"Task {task['id']}: {task['error']}", file=sys.stderr)
    assert [task["error"] for task in failed][0] == "gone for good"


# The first counts what is completed, and wants to be alone.
PIECES = [testing_checklist, principle_1_batches, principle_2_filters, principle_3_sequences,
          principle_4_aggregates, principle_5_exclusions, pattern_1_simple_task, pattern_2_batches,
          pattern_3_specialists, pattern_4_errors_and_retries, anti_pattern_1_in_batches,
          anti_pattern_2_ranked_by_the_server, anti_pattern_3_kept_for_later, anti_pattern_4_one_call,
          monitoring, health_check, errors_show_no_internals, troubleshooting]


if __name__ == "__main__":
    run(PIECES, globals())
