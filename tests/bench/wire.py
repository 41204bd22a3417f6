"""MCP over HTTP as bytes: requests for the load generators, and single calls that check them."""

import base64
import dataclasses
import hmac
import json
import socket

from processes import BenchError

ID = "@@@@@@"  # the load generators put a six-digit number here
MODERN = "2026-07-28"
LEGACY = "2025-11-25"
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}


def http(verb: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if verb == "POST":
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def post(message: dict, headers: dict[str, str], path: str = "/mcp") -> bytes:
    common = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    body = json.dumps(message, separators=(",", ":")).replace(f'"{ID}"', ID)
    return http("POST", path, common | headers, body)


def modern(method: str, params: dict, path: str = "/mcp") -> bytes:
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if method == "tools/call":
        headers["Mcp-Name"] = params["name"]
    message = {"jsonrpc": "2.0", "id": ID, "method": method, "params": params | {"_meta": _META}}
    return post(message, headers, path)


def legacy(method: str, params: dict, session: str, path: str = "/mcp") -> bytes:
    headers = {"MCP-Protocol-Version": LEGACY, "Mcp-Session-Id": session}
    message = {"jsonrpc": "2.0", "id": ID, "method": method, "params": params}
    return post(message, headers, path)


def token(secret: str, claims: dict) -> str:
    """A JSON Web Token signed with HS256."""
    parts = [{"alg": "HS256"}, claims]
    text = b".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts
    )
    mac = hmac.new(secret.encode(), text, "sha256").digest()
    return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


def signed_in(request: bytes, bearer: str) -> bytes:
    start, rest = request.split(b"\r\n", 1)
    return start + b"\r\nAuthorization: Bearer " + bearer.encode() + b"\r\n" + rest


@dataclasses.dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes
    wire_bytes: int


def _read_chunked(stream) -> tuple[bytes, int]:
    body, extra = b"", 0
    while True:
        line = stream.readline()
        size = int(line.split(b";")[0], 16)
        body += stream.read(size)
        extra += len(line) + len(stream.readline())
        if size == 0:
            return body, extra


def ask(port: int, request: bytes) -> Response:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request.replace(ID.encode(), b"100000"))
        stream = connection.makefile("rb")
        status_line = stream.readline()
        if not status_line:
            raise BenchError(f"port {port} closed the connection without an answer")
        size, headers = len(status_line), {}
        while (line := stream.readline()) not in (b"\r\n", b""):
            size += len(line)
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        size += 2
        if headers.get("transfer-encoding") == "chunked":
            body, extra = _read_chunked(stream)
        else:
            body, extra = stream.read(int(headers.get("content-length", 0))), 0
    return Response(int(status_line.split()[1]), headers, body, size + len(body) + extra)


def message_in(response: Response) -> dict:
    """The JSON-RPC response, out of a JSON body or out of the last event of an SSE body."""
    text = response.body
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        text = [line[5:] for line in text.splitlines() if line.startswith(b"data:")][-1]
    return json.loads(text)


def result_of(port: int, request: bytes) -> dict:
    response = ask(port, request)
    if response.status != 200:
        raise BenchError(f"port {port}: HTTP {response.status}: {response.body[:300]!r}")
    message = message_in(response)
    if message.get("id") != 100000 or "result" not in message:
        raise BenchError(f"port {port}: no result for our id: {response.body[:300]!r}")
    return message["result"]


def open_session(port: int, path: str = "/mcp") -> str:
    who = {"name": "bench", "version": "1"}
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": who}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    session = ask(port, post(message, {}, path)).headers.get("mcp-session-id")
    if not session:
        raise BenchError(f"port {port}: initialize gave no Mcp-Session-Id")
    headers = {"MCP-Protocol-Version": LEGACY, "Mcp-Session-Id": session}
    ask(port, post({"jsonrpc": "2.0", "method": "notifications/initialized"}, headers, path))
    return session


def tool_names(port: int) -> list[str]:
    """All pages of tools/list."""
    names: list[str] = []
    params: dict = {}
    while True:
        page = result_of(port, modern("tools/list", params))
        names += [tool["name"] for tool in page["tools"]]
        if "nextCursor" not in page:
            return names
        params = {"cursor": page["nextCursor"]}
