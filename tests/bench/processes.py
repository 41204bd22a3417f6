"""Processes the bench starts, what they cost, and their certain end.

Each child gets a parent-death signal, so that even a killed bench leaves nothing behind; in every
other case stop_all() ends them by pid.
"""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running: list["Child"] = []


class BenchError(Exception):
    """A row cannot be measured; the message says why."""


def die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A background process whose output goes to a log file of its own."""

    def __init__(self, argv: list[str], log: pathlib.Path, read_stdout: bool = False):
        self.log = log
        log.write_bytes(b"")
        # Appending, so that trim_log() makes the file short again and not sparse.
        with log.open("ab") as sink:
            self.started_at = time.perf_counter()
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if read_stdout else sink,
                stderr=sink,
                preexec_fn=die_with_parent,
            )
        self.pid = self.process.pid
        _running.append(self)

    def trim_log(self) -> None:
        """A gateway writes a line per call; a long run must not fill the disk."""
        os.truncate(self.log, 0)

    def last_words(self) -> str:
        return self.log.read_bytes()[-600:].decode(errors="replace").strip()

    def require_alive(self) -> None:
        if self.process.poll() is not None:
            code = self.process.returncode
            raise BenchError(f"{self.log.stem} ended with {code}: {self.last_words()}")

    def stop(self) -> None:
        if self in _running:
            _running.remove(self)
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def stop_all() -> None:
    for child in list(_running):
        child.stop()


def cpu_seconds(pid: int) -> float:
    """User plus system time of all threads, dead ones included: what /proc/PID/stat shows as
    utime + stime, but read from the process's CPU clock, in nanoseconds instead of 10 ms ticks."""
    return time.clock_gettime((~pid << 3) | 2)


def pss_kib(pid: int) -> int:
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise BenchError(f"no Pss in smaps_rollup of {pid}")


def children_of(pid: int) -> list[int]:
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, child: Child, timeout: float = 20) -> float:
    """Seconds from the start of `child` to the first accepted connection."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return time.perf_counter() - child.started_at
        child.require_alive()
        if time.perf_counter() - child.started_at > timeout:
            raise BenchError(f"{child.log.stem} does not listen on {port}: {child.last_words()}")
        time.sleep(0.0005)
