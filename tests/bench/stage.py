"""The processes a row needs: mock server, nginx, gateways. Started when first asked for."""

import dataclasses
import json
import os
import pathlib
import time

import wire
from load import OUT, Target
from processes import BenchError, Child, children_of, free_port, wait_for_port

TOOLS_EACH = 100  # of a server that the mock pretends to be

_NGINX_CONF = """
{user}
worker_processes {workers};
daemon off;
pid {dir}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  scgi_temp_path {dir}/scgi;
  uwsgi_temp_path {dir}/uwsgi;
  proxy_max_temp_file_size 0;
  upstream mock {{
    server 127.0.0.1:{mock};
    keepalive 256;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
    location /copied/ {{ alias {dir}/; sendfile off; }}
    location /sendfile/ {{ alias {dir}/; sendfile on; tcp_nopush on; }}
  }}
}}
"""


@dataclasses.dataclass
class Gateway:
    child: Child
    port: int
    seconds_to_listen: float

    def target(self, request: bytes, name: str = "gateway") -> Target:
        return Target(name, self.port, request, [self.child.pid], self.child)


class Stage:
    """Owns everything that runs between two rows; processes.stop_all() ends it."""

    def __init__(self, gateway_binary: str | None, workers: int):
        self.gateway_binary = gateway_binary
        self.workers = workers  # of nginx and of each gateway
        self._mock: tuple[Child, int] | None = None
        self._nginx: tuple[int, list[int]] | None = None
        self._main: Gateway | None = None
        self._bare: Gateway | None = None

    @property
    def has_gateway(self) -> bool:
        return self.gateway_binary is not None

    def mock(self) -> tuple[Child, int]:
        if not self._mock:
            argv = [str(OUT / "mock_server"), "--port", "0", "--tools", str(TOOLS_EACH)]
            child = Child(argv, OUT / "mock.log", read_stdout=True)
            self._mock = child, int(child.process.stdout.readline())
        return self._mock

    def nginx(self) -> tuple[int, list[int]]:
        """Its port and the pids of its workers."""
        if not self._nginx:
            home, port = OUT / "nginx", free_port()
            home.mkdir(exist_ok=True)
            # A worker of another user could not read the file it is to serve.
            user = "user root;" if os.geteuid() == 0 else ""
            conf = _NGINX_CONF.format(
                user=user, workers=self.workers, dir=home, mock=self.mock()[1], port=port
            )
            (home / "nginx.conf").write_text(conf)
            argv = ["nginx", "-p", str(home), "-e", "stderr", "-c", str(home / "nginx.conf")]
            child = Child(argv, OUT / "nginx.log")
            wait_for_port(port, child)
            # The port is open before the workers are forked.
            while len(workers := children_of(child.pid)) < self.workers:
                child.require_alive()
                time.sleep(0.001)
            self._nginx = port, workers
        return self._nginx

    def direct_target(self, request: bytes) -> Target:
        child, port = self.mock()
        return Target("direct", port, request, [child.pid], child)

    def nginx_target(self, request: bytes, name: str = "nginx") -> Target:
        port, workers = self.nginx()
        return Target(name, port, request, workers)

    def mock_url(self, path: str = "/mcp") -> str:
        return f"http://127.0.0.1:{self.mock()[1]}{path}"

    def usual_servers(self) -> dict:
        """The same mock three ways: modern over HTTP, legacy over HTTP, a child process."""
        return {
            "mock": {"url": self.mock_url()},
            "old": {"url": self.mock_url("/old/mcp"), "era": "legacy"},
            "pipe": {"command": str(OUT / "mock_server"), "args": ["--stdio"]},
        }

    def start_gateway(
        self,
        name: str,
        servers: dict,
        policies: str = "{}",
        auth: str = "none",
        workers: int | None = None,
        more: str = "",
    ) -> Gateway:
        if not self.gateway_binary:
            raise BenchError("no gateway to measure")
        port = free_port()
        config = OUT / f"gateway-{name}.yaml"
        # JSON is YAML; what is not said is left at its default.
        text = json.dumps({"listen": f"127.0.0.1:{port}", "servers": servers}, indent=1)
        text = text.removesuffix("}") + f', "policies": {policies}, "auth": {auth}{more}}}\n'
        config.write_text(text)
        argv = [self.gateway_binary, "serve", "--config", str(config)]
        argv += ["--workers", str(workers or self.workers)]
        child = Child(argv, OUT / f"gateway-{name}.log")
        return Gateway(child, port, wait_for_port(port, child))

    def ready_gateway(
        self, name: str, servers: dict, expected: int | None = None, **settings
    ) -> Gateway:
        """A gateway that lists so many tools; None: every tool of every server."""
        gateway = self.start_gateway(name, servers, **settings)
        if expected is None:
            expected = len(servers) * TOOLS_EACH
        give_up = time.monotonic() + 60
        while (found := len(wire.tool_names(gateway.port))) != expected:
            gateway.child.require_alive()
            if time.monotonic() > give_up:
                raise BenchError(f"gateway {name}: {found} of {expected} tools after 60 s")
            time.sleep(0.05)
        return gateway

    def main_gateway(self) -> Gateway:
        if not self._main:
            self._main = self.ready_gateway("main", self.usual_servers())
        return self._main

    def bare_gateway(self) -> Gateway:
        """The defaults on one worker, to hold another gateway on one worker against: what is
        compared then is the work of a call, not how often an idle worker was woken for it."""
        if not self._bare:
            self._bare = self.ready_gateway("bare", self.usual_servers(), workers=1)
        return self._bare

    def write_static(self, name: str, content: bytes) -> None:
        self.nginx()
        pathlib.Path(OUT / "nginx" / name).write_bytes(content)
