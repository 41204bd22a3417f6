#!/usr/bin/env python3
"""clang-tidy over gateway/ and policies/, several files at a time, skipping what passed before.

Each file is read without precompiled headers, so one that lacks an include is found.

A file that passed is remembered under build/tidy/passed by a digest of everything that the outcome
depends on: the checks, the tool, the compile command, the file and each header of this project it
reaches.

    tidy.py [--build DIR] [--jobs N] [FILE...]   exit 1 when there are findings
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIDY = ROOT / "build/python/lint/bin/clang-tidy"  # of requirements.txt here
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
NOISE = re.compile(r"^(\d+ warnings? (and \d+ errors? )?generated\.|\d+ warnings? treated as errors?)$")


class Digests:
    def __init__(self, base):
        self.base = base
        self.texts = {}
        self.includes = {}

    def text(self, path):
        if path not in self.texts:
            self.texts[path] = path.read_bytes()
            self.includes[path] = [
                candidate for name in INCLUDE.findall(self.texts[path])
                for candidate in (ROOT / "gateway" / name.decode(), ROOT / name.decode())
                if candidate.is_file()]
        return self.texts[path]

    def of(self, path, command):
        seen, todo = {path}, [path]
        while todo:
            current = todo.pop()
            self.text(current)
            new = set(self.includes[current]) - seen
            seen |= new
            todo += new
        digest = hashlib.sha256(self.base + command.encode())
        for each in sorted(seen):
            digest.update(str(each.relative_to(ROOT)).encode() + b"\0" + self.text(each) + b"\0")
        return digest.hexdigest()


def run(path, build):
    result = subprocess.run([TIDY, "-p", str(build), "--quiet", str(path)], cwd=ROOT,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    lines = [line for line in (result.stdout + result.stderr).splitlines() if not NOISE.match(line)]
    return result.returncode, "\n".join(lines).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/tidy")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()

    if not TIDY.exists():
        sys.exit(f"no {TIDY.relative_to(ROOT)}: deploy/test.sh --only tidy installs it")
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    digests = Digests((ROOT / ".clang-tidy").read_bytes() + version)
    commands = json.loads((arguments.build / "compile_commands.json").read_text())
    only = {path.resolve() for path in arguments.files}
    stamps = arguments.build / "passed"
    stamps.mkdir(parents=True, exist_ok=True)
    todo, passed = [], 0
    for entry in sorted(commands, key=lambda e: e["file"]):
        path = pathlib.Path(entry["file"])
        if not path.is_file() or not path.is_relative_to(ROOT):
            continue
        top = path.relative_to(ROOT).parts[0]
        if path not in only if only else top not in ("gateway", "policies"):
            continue
        stamp = stamps / digests.of(path, entry["command"])
        if stamp.exists():
            passed += 1
        else:
            todo.append((path, stamp))

    failed = 0
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(run, path, arguments.build): (path, stamp) for path, stamp in todo}
        for done in concurrent.futures.as_completed(running):
            path, stamp = running[done]
            status, output = done.result()
            if status == 0:
                stamp.touch()
                passed += 1
            else:
                failed += 1
                print(f"FAILED {path.relative_to(ROOT)}\n{output}", flush=True)
    print(f"{passed} files clean ({passed - len(todo) + failed} of them known before), {failed} with "
          f"findings, {time.monotonic() - start:.0f} s")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
