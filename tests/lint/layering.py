#!/usr/bin/env python3
"""The rules of the source tree that no compiler checks; the first is the include arrows.

    layering.py [--root DIR]   checks the tree; a line per check, then `N passed, N failed`
    layering.py --self-test    checks the checks: each must report a bad sample and pass a good one
"""

import argparse
import fnmatch
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Rooms by rank: a file includes its own room and rooms of a lower rank, never a sibling.
RANKS = {
    "base": 0,
    "mcp": 1, "config": 1, "telemetry": 1,
    "core": 2,
    "audit": 2,  # the log of records: is told of calls, knows none
    "pins": 2,  # definitions and their file: knows no calls and no catalogs
    "fetch": 2.2,  # HTTP to those that are no MCP servers; knows no calls
    "credentials": 2.7,  # what servers are shown: tokens and where they are kept
    "auth": 2.5,  # who calls: tokens, keys, certificates; makes principals, asked by the edge
    "approvals": 2.6,  # calls that wait for a person: knows no calls, only what they are bound to
    "store": 3, "policies": 3, "catalog": 3, "downstream": 3, "orchestration": 3, "edge": 3,
    "admin": 3,
    "cli": 6,  # the subcommands: above the server that they start, below main
}
# The files in gateway/ itself, by the longest prefix of the name that fits; "" is server.*
# They may include each other downwards and sideways.
ROOT_FILE_RANKS = {"home": 4, "worker": 4, "": 5, "main": 7}
# Rooms inside a room, and programs of their own, with all they may include.
ONLY = {
    "policies/lib/*": {"base", "mcp", "policies/lib"},  # pure decisions: no I/O, no chain
    "gateway/example_*": {"base", "mcp", "example"},  # a server, not a part of the gateway
}

MAX_LINES = 400
# file -> why it may be longer
LONG_FILES = {}

# Split so that this file does not find itself.
UNDONE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|::sleep\(")
DETACHED = re.compile(r"\b(net|asio)::detached\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
ORDER_LINE = re.compile(r"^\s*POLICY\(\s*(\w+)\s*,[^)]*\)(.*)$", re.MULTILINE)
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|("(?:\\.|[^"\\\n])*")', re.DOTALL)


class Tree:
    """The files of a checkout, read once."""

    def __init__(self, root):
        self.root = root
        self.texts = {}
        for top in ("gateway", "policies", "tests", "config", "deploy", "docs", ".ci"):
            for path in sorted((root / top).rglob("*")):
                name = path.relative_to(root).as_posix()
                if path.is_file() and not self._foreign(name):
                    self.texts[name] = path.read_text(encoding="utf-8", errors="replace")

    @staticmethod
    def _foreign(name):
        parts = name.split("/")
        return "node_modules" in parts or name.startswith(
            ("tests/fuzz/corpus/", "tests/bench/out/", "tests/golden/"))

    def select(self, tops, suffixes):
        return [(name, text) for name, text in self.texts.items()
                if name.split("/")[0] in tops and name.endswith(suffixes)]

    def product(self, suffixes=(".cc", ".h")):
        return self.select(("gateway", "policies"), suffixes)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def matches(pattern, files):
    for name, text in files:
        for match in pattern.finditer(text):
            yield f"{name}:{line_of(text, match.start())}: {match.group(0).strip()}"


def without_comments(files):
    """Comments blanked, lines kept, strings kept."""
    def blank(match):
        return match.group(1) or "\n" * match.group(0).count("\n")
    return [(name, COMMENT.sub(blank, text)) for name, text in files]


def resolve(include, tree):
    """The file that a quoted include means; None when it is not ours."""
    for candidate in (f"gateway/{include}", include):
        if candidate in tree.texts:
            return candidate
    return None


def room_of(name):
    """(room, rank) of gateway/room/x.h, policies/x.h, policies/lib/x.h or gateway/x.h."""
    parts = name.split("/")
    if parts[0] == "policies":
        return ("policies/lib" if parts[1] == "lib" else "policies"), RANKS["policies"]
    if len(parts) > 2:
        return parts[1], RANKS.get(parts[1])
    stem = parts[1].split(".")[0]
    if stem.startswith("example_"):
        return "example", 4
    prefix = max((p for p in ROOT_FILE_RANKS if stem.startswith(p)), key=len)
    return "gateway", ROOT_FILE_RANKS[prefix]


def policy_of(name):
    return name.split("/")[1].split(".")[0]


def include_problem(source, target):
    room, rank = room_of(source)
    to_room, to_rank = room_of(target)
    if rank is None or to_rank is None:
        return "a room with no rank in tests/lint/layering.py"
    for pattern, allowed in ONLY.items():
        if fnmatch.fnmatch(source, pattern):
            return None if to_room in allowed else f"only {', '.join(sorted(allowed))} allowed here"
    if room == to_room == "gateway":
        return None if to_rank <= rank else "upwards"
    if room == to_room == "policies":
        # Each policy stands alone (NAME.cc, NAME.h, NAME/): registry and generated tables are what
        # they share.
        alone = {policy_of(source), "registry", "order"}
        return None if policy_of(target) in alone or "registry" in source else \
            "one policy includes another"
    if room == to_room or (room == "policies" and to_room == "policies/lib"):
        return None
    if to_rank == rank:
        return "a sibling"
    return None if to_rank < rank else "upwards"


def check_include_arrows(tree):
    for name, text in tree.product((".cc", ".h", ".def")):
        for match in INCLUDE.finditer(text):
            if match.group(1) == "<":
                continue
            where = f"{name}:{line_of(text, match.start())}: \"{match.group(2)}\""
            target = resolve(match.group(2), tree)
            if target is None:
                yield f"{where}: no such file under gateway/ or the root"
            elif not target.startswith(("gateway/", "policies/")):
                yield f"{where}: the product includes nothing outside gateway/ and policies/"
            elif problem := include_problem(name, target):
                yield f"{where}: {problem}"


def check_pragma_once(tree):
    for name, text in tree.select(("gateway", "policies", "tests"), (".h",)):
        if not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{name}: no #pragma once"


def check_own_header_first(tree):
    for name, text in tree.product((".cc",)):
        header = name[:-3] + ".h"
        first = INCLUDE.search(text)
        if header in tree.texts and (first is None or resolve(first.group(2), tree) != header):
            yield f"{name}: the first include must be {header}"


def check_file_length(tree):
    for name, text in tree.select(("gateway", "policies", "tests"), (".cc", ".h", ".mjs", ".py")):
        lines = text.count("\n")
        if lines > MAX_LINES and name not in LONG_FILES:
            yield f"{name}: {lines} lines, at most {MAX_LINES}"
    for name in LONG_FILES:
        if tree.texts.get(name, "").count("\n") <= MAX_LINES:
            yield f"{name}: needs no exception in LONG_FILES"


def check_no_beast(tree):
    """HTTP is parsed in one place, gateway/base/http; Beast only reads along in its fuzzer."""
    for name, text in tree.product():
        for match in INCLUDE.finditer(text):
            if match.group(2).startswith("boost/beast"):
                yield f"{name}:{line_of(text, match.start())}: {match.group(2)}"


def check_nothing_undone(tree):
    return matches(UNDONE, tree.texts.items())


def check_tests_do_not_sleep(tree):
    files = tree.select(("tests",), (".cc", ".h"))
    return matches(SLEEP, without_comments(f for f in files if not f[0].startswith("tests/bench/")))


def check_no_detached_task(tree):
    files = tree.select(("gateway", "policies", "tests"), (".cc", ".h"))
    return matches(DETACHED, without_comments(files))


def check_policy_order(tree):
    order = "policies/order.def"
    lines = {m.group(1): m.group(2) for m in ORDER_LINE.finditer(tree.texts.get(order, ""))}
    files = {name.split("/")[1][:-3] for name, _ in tree.select(("policies",), (".cc",))
             if name.count("/") == 1} - {"registry"}
    if not lines:
        yield f"{order}: names no policy"
    for name in sorted(files - lines.keys()):
        yield f"policies/{name}.cc: no line in {order}"
    for name in sorted(lines.keys() - files):
        yield f"{order}: {name} has no policies/{name}.cc"
    for name, rest in lines.items():
        if not re.search(r"//\s*\w", rest):
            yield f"{order}: {name} has no reason on its line"


CHECKS = {name[len("check_"):]: function for name, function in list(globals().items())
          if name.startswith("check_")}

# ---- self test ----------------------------------------------------------------------------------

GOOD = {
    "gateway/base/a.h": "#pragma once\n",
    "gateway/base/a.cc": '#include "base/a.h"\n\n#include <vector>\n',
    "gateway/mcp/m.h": '#pragma once\n#include "base/a.h"\n',
    "gateway/core/c.h": '#pragma once\n#include "mcp/m.h"\n',
    "gateway/edge/e.cc": '#include "core/c.h"\n',
    "gateway/edge/e2.h": "#pragma once\n// net::detached and sleep_for are only named here\n",
    "gateway/worker.h": '#pragma once\n#include "policies/registry.h"\n#include "edge/e2.h"\n',
    "gateway/server.cc": '#include "server.h"\n#include "worker.h"\n',
    "gateway/reload.h": '#pragma once\n#include "server.h"\n',
    "gateway/server.h": '#pragma once\n#include "reload.h"\n',
    "gateway/cli/serve.h": '#pragma once\n#include "server.h"\n',
    "gateway/main.cc": '#include "cli/serve.h"\n#include "example_server.h"\n',
    "gateway/example_server.h": '#pragma once\n#include "mcp/m.h"\n',
    "gateway/example_server.cc": '#include "example_server.h"\n',
    "policies/registry.h": '#pragma once\n#include "core/c.h"\n',
    "policies/registry.cc": '#include "policies/registry.h"\n#include "policies/order.def"\n',
    "policies/lib/bucket.h": '#pragma once\n#include "base/a.h"\n',
    "policies/limit.cc": '#include "policies/lib/bucket.h"\n#include "policies/registry.h"\n'
                         '#include "policies/limit/rule.h"\n',
    "policies/limit/rule.h": '#pragma once\n#include "core/c.h"\n',
    "policies/order.def": "POLICY(limit, kCall)  // first, because it is cheap\n",
    "tests/unit/a_test.cc": '#include "base/a.h"\n// no sleep_for here\nauto s = "// x";\n',
}

# check -> one change each to the good tree that it must report
BAD = {
    "include_arrows": [
        {"gateway/base/a.h": '#pragma once\n#include "mcp/m.h"\n'},                # upwards
        {"gateway/mcp/m.h": '#pragma once\n#include "config/k.h"\n',
         "gateway/config/k.h": "#pragma once\n"},                                   # siblings, rank 1
        {"gateway/edge/e2.h": '#pragma once\n#include "policies/registry.h"\n'},   # siblings, rank 3
        {"gateway/worker.h": '#pragma once\n#include "server.h"\n'},               # worker over server
        {"gateway/server.cc": '#include "main.h"\n', "gateway/main.h": "#pragma once\n"},
        {"gateway/core/c.h": '#pragma once\n#include "worker.h"\n'},
        {"gateway/example_server.h": '#pragma once\n#include "core/c.h"\n'},
        {"policies/lib/bucket.h": '#pragma once\n#include "core/c.h"\n'},
        {"policies/limit.cc": '#include "policies/cache.h"\n', "policies/cache.h": "#pragma once\n"},
        {"policies/limit.cc": '#include "policies/cache/k.h"\n', "policies/cache/k.h": "#pragma once\n"},
        {"gateway/attic/x.h": '#pragma once\n#include "base/a.h"\n'},              # unknown room
        {"gateway/core/c.h": '#pragma once\n#include "core/gone.h"\n'},            # no such file
        {"gateway/core/c.h": '#pragma once\n#include "tests/support/s.h"\n',
         "tests/support/s.h": "#pragma once\n"},
    ],
    "pragma_once": [{"gateway/base/a.h": "\n"}, {"tests/support/s.h": "\n"}],
    "own_header_first": [{"gateway/base/a.cc": '#include <vector>\n#include "base/a.h"\n'},
                         {"gateway/base/a.cc": "\n"}],
    "file_length": [{"gateway/base/a.cc": '#include "base/a.h"\n' + "\n" * 400}],
    "no_beast": [{"gateway/core/c.h": "#pragma once\n#include <boost/beast/core.hpp>\n"}],
    "nothing_undone": [{"gateway/base/a.cc": '#include "base/a.h"\n// TO' 'DO: later\n'},
                       {"docs/a.md": "FIX" "ME\n"}],
    "tests_do_not_sleep": [{"tests/flow/f_test.cc": "std::this_thread::sleep_for(1s);\n"},
                           {"tests/flow/f_test.cc": 'auto s = "//"; ::sleep(1);\n'}],
    "no_detached_task": [{"gateway/core/d.cc": "co_spawn(e, f(), net::detached);\n"}],
    "policy_order": [{"policies/order.def": ""},
                     {"policies/extra.cc": "\n"},
                     {"policies/order.def": "POLICY(limit, kCall)\n"},
                     {"policies/order.def": "POLICY(limit, kCall)  // a\nPOLICY(no, kCall)  // b\n"}],
}


def sample(changes):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in {**GOOD, **changes}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return Tree(root)


def self_test():
    good = sample({})
    for name, check in CHECKS.items():
        found = list(check(good))
        yield f"{name} passes the good sample", found
        for number, changes in enumerate(BAD.get(name, [])):
            missed = [] if list(check(sample(changes))) else [f"bad sample {number} went unseen"]
            yield f"{name} reports bad sample {number}", missed
    untested = CHECKS.keys() ^ BAD.keys()
    yield "every check has bad samples", sorted(untested)


def report(results):
    """Prints (name, problems) pairs and the tally that deploy/test.sh reads; exits 1 on a problem."""
    failed = 0
    for name, problems in results:
        print(f"{'FAILED' if problems else 'ok'} {name}")
        for problem in problems:
            print(f"  {problem}")
        failed += bool(problems)
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        report(list(self_test()))
    tree = Tree(arguments.root.resolve())
    report([(name, list(check(tree))) for name, check in CHECKS.items()])


if __name__ == "__main__":
    main()
