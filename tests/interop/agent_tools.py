"""The tools of the orchestration service as functions, through the official Python client: what code in
guides for agents takes for granted. See best_practices.py."""

import json
import sys
import traceback

from anyio.from_thread import start_blocking_portal
from mcp.client.client import Client

PREFIX = "orchestration_"
EXAMPLES = {"content": "work"}  # what create_task(...) leaves out


class Reply:
    """What a tool answered: read with [] or a dot; where an id is wanted it stands for the one that
    it names; a list reads as its items."""

    def __init__(self, content):
        self.content = content

    def __getitem__(self, key):
        return self.content[key]

    def __getattr__(self, key):
        if key in self.content:
            return self.content[key]
        raise AttributeError(key)

    def __iter__(self):
        return iter(next(value for value in self.content.values() if isinstance(value, list)))

    def __contains__(self, name):
        return any(name in item.values() for item in self)

    def __bool__(self):
        return self.content.get("selected_agent", True) is not None

    def subject(self):
        return next(self.content[key] for key in ("selected_agent", "agent_id", "task_id") if key in self.content)


class ToolFailed(Exception):
    pass


class Tools:
    def __init__(self, portal, client):
        self.portal, self.client, self.names = portal, client, {}
        cursor = None
        while True:
            page = portal.call(lambda: client.list_tools(cursor=cursor))
            for tool in page.tools:
                self.names[tool.name] = list(tool.input_schema["properties"])
            cursor = page.next_cursor
            if cursor is None:
                break

    def call(self, name, *values, **arguments):
        if values == (...,):
            values, arguments = (), {key: EXAMPLES[key] for key in self.names[name] if key in EXAMPLES}
        arguments |= zip(self.names[name], values)
        for key, value in arguments.items():
            arguments[key] = value.subject() if isinstance(value, Reply) else value
        result = self.portal.call(lambda: self.client.call_tool(name, arguments))
        if result.is_error:
            raise ToolFailed(result.content[0].text)
        return Reply(result.structured_content)

    def function(self, name):
        def tool(*values, **arguments):
            reply = self.call(name, *values, **arguments)
            return reply if reply else None

        return tool


def clear(tools):
    """Neither tasks that wait nor agents of the piece before."""
    for status in ("pending", "assigned", "in_progress"):
        while tasks := tools.call(PREFIX + "query_tasks", {"status": status}, limit=100)["tasks"]:
            for task in tasks:
                tools.call(PREFIX + "cancel_task", task["id"])
    for agent in tools.call(PREFIX + "find_agents", limit=100):
        tools.call(PREFIX + "deregister_agent", agent["agent_id"])


def run(pieces, names):
    """Each piece of code, with the tools among its global `names`; a line of JSON for each."""
    url, mode = sys.argv[1:]
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Client(url, mode=mode)) as client:
        tools = Tools(portal, client)
        names["call_tool"] = tools.call
        for name in tools.names:
            names[name.removeprefix(PREFIX)] = tools.function(name)
        for piece in pieces:
            error = None
            try:
                piece()
                clear(tools)
            except Exception:
                error = traceback.format_exc()
            print(json.dumps({"name": piece.__name__, "error": error}), flush=True)
