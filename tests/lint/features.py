#!/usr/bin/env python3
"""Each feature in docs/features.md, each point of docs/checklist.md and each threat in docs/threat-model.md
names a test that exists.

The pages hold tables with a column `feature`, `point` or `threat` and a column `test`; a test cell holds one or more of

    `unit: Suite.Name`  `contract: ...`  `flow: ...`   a GoogleTest in tests/unit, contract, flow
    `interop: file.test.mjs › title`                   a Node test in tests/interop
    `conformance: run`                                 a run of tests/conformance/run.mjs
    `wire: title`                                      a row of tests/conformance/wire/features.mjs
    `lint: name`                                       a check of layering.py, or a step of test.sh
    `fuzz: name`                                       tests/fuzz/name_fuzz.cc
    `none: reason`                                     in the checklist only: why there is no test

The points of the checklist have a column `#`: each number from 1 to 120 stands there once.

    features.py [--root DIR]   a line per row, then `N passed, N failed`
    features.py --self-test    checks this script with a sample page
"""

import argparse
import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import layering  # noqa: E402  (beside this file)

ROOT = pathlib.Path(__file__).resolve().parents[2]
GTEST = re.compile(r"^[ \t]*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
NODE = re.compile(r"""\b(?:test|it|describe)(?:\.\w+)?\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`([^`]*)`)""")
CONFORMANCE_RUN = re.compile(
    r"(2025-03-26|2025-06-18) (direct|(http|stdio) legacy)"
    r"|(2025-11-25|2026-07-28) (direct|(http|stdio) (legacy|modern))"
    r"|tasks (direct|http|stdio)|client (2025-06-18|2025-11-25|2026-07-28) (direct|gateway)"
    r"|client auth (2025-03-26|2025-11-25|2026-07-28)")
STEPS = {"format", "tidy", "schema", "tokens", "config", "alerts", "features"}
CELL = re.compile(r"(?<!\\)\|")


POINTS = range(1, 121)


def rows(text, title="feature"):
    """(line number, feature, test cell) of every table that has the columns `title` and `test`."""
    columns = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("|"):
            columns = None
            continue
        cells = [cell.strip() for cell in CELL.split(line.strip().strip("|"))]
        names = [cell.lower() for cell in cells]
        if columns is None:
            if title in names and "test" in names:
                columns = names.index(title), names.index("test")
            else:
                columns = ()
        elif columns and not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            cells += [""] * (max(columns) + 1 - len(cells))
            yield number, cells[columns[0]], cells[columns[1]]


class Tests:
    """What tests there are."""

    def __init__(self, root):
        self.root = root
        self.gtests = {kind: set() for kind in ("unit", "contract", "flow")}
        for kind, names in self.gtests.items():
            for path in (root / "tests" / kind).rglob("*.cc"):
                names.update(f"{s}.{n}" for s, n in GTEST.findall(path.read_text(encoding="utf-8")))

    def problem(self, reference, may_be_none=False):
        kind, colon, name = (part.strip() for part in reference.partition(":"))
        if not colon or not name:
            return f"'{reference}' is not `kind: name`"
        if kind == "none" and may_be_none:
            return None
        if kind in self.gtests:
            # A parametrised test may be named with its instance: Instance/Suite.Name/0.
            plain = re.sub(r"^\w+/(?=\w+\.)|/\w+$", "", name)
            return None if plain in self.gtests[kind] else f"no test {plain} in tests/{kind}"
        if kind == "interop":
            return self.interop_problem(name)
        if kind == "conformance":
            return None if CONFORMANCE_RUN.fullmatch(name) else f"no run of the suite called {name}"
        if kind == "wire":
            return self.wire_problem(name)
        if kind == "lint":
            known = name in layering.CHECKS or name in STEPS or name == "layering"
            return None if known else f"no lint check {name}"
        if kind == "fuzz":
            there = (self.root / "tests/fuzz" / f"{name}_fuzz.cc").is_file()
            return None if there else f"no tests/fuzz/{name}_fuzz.cc"
        return f"unknown kind of test '{kind}'"

    def wire_problem(self, title):
        path = self.root / "tests/conformance/wire/features.mjs"
        rows = re.findall(r"^ *(?:\{ )?title: '([^']*)'", path.read_text(encoding="utf-8"), re.MULTILINE) \
            if path.is_file() else []
        return None if title in rows else f"no row '{title}' in tests/conformance/wire/features.mjs"

    def interop_problem(self, name):
        file, _, title = (part.strip() for part in name.partition("›"))
        path = self.root / "tests/interop" / file
        if not path.is_file():
            return f"no file tests/interop/{file}"
        for single, double, template in NODE.findall(path.read_text(encoding="utf-8")):
            # ${...} in a title stands for anything.
            pieces = re.split(r"\$\{[^}]*\}", template) if template else [single or double]
            if title and re.fullmatch(".+".join(map(re.escape, pieces)), title):
                return None
        return f"no test titled '{title}' in tests/interop/{file}"


def check_row(tests, cell, may_be_none=False):
    references = re.findall(r"`([^`]+)`", cell) or [r for r in re.split(r";|<br>", cell) if r.strip()]
    if not references:
        return ["no test"]
    return [problem for r in references if (problem := tests.problem(r.strip(), may_be_none))]


def check_page(root, tests=None, name="docs/features.md", title="feature"):
    page = root / name
    tests = tests or Tests(root)
    results = []
    if page.is_file():
        for number, feature, cell in rows(page.read_text(encoding="utf-8"), title):
            results.append((f"{name}:{number}: {feature}", check_row(tests, cell, title == "point")))
    return results or [(name, [f"no table with the columns {title} and test"])]


def check_numbers(root):
    """Every point of the checklist has its row."""
    page = root / "docs/checklist.md"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    found = [int(number) for number in re.findall(r"^\| *(\d+) *\|", text, re.MULTILINE)]
    problems = [f"no point {number}" for number in POINTS if number not in found]
    problems += [f"point {number} stands there twice" for number in POINTS if found.count(number) > 1]
    problems += [f"there is no point {number}" for number in sorted(set(found) - set(POINTS))]
    return [("docs/checklist.md: the numbers", problems)]


def check_all(root):
    tests = Tests(root)
    return (check_page(root, tests) + check_page(root, tests, "docs/checklist.md", "point") +
            check_numbers(root) + check_page(root, tests, "docs/threat-model.md", "threat"))


# ---- self test ----------------------------------------------------------------------------------

SAMPLE = {
    "tests/unit/a_test.cc": "TEST(Clock, Ticks) {}\n// TEST(Clock, Stops) {}\n"
                            "TEST(Clock, DISABLED_Rings) {}\nTEST_P(Era, Speaks) {}\n",
    "tests/flow/b_test.cc": "TEST_F(Gateway,\n       Serves) {}\n",
    "tests/fuzz/message_fuzz.cc": "",
    "tests/conformance/wire/features.mjs": "  {\n    title: 'pings',\n  },\n  { title: 'lists', run },\n",
    "tests/interop/c.test.mjs": "test('lists, then calls', f);\ntest(`${era} client pings`, f);\n",
}
GOOD = ["`unit: Clock.Ticks`", "`unit: All/Era.Speaks/0`", "`flow: Gateway.Serves`; `fuzz: message`",
        "`interop: c.test.mjs › lists, then calls`", "`interop: c.test.mjs › legacy client pings`",
        "`lint: include_arrows`", "unit: Clock.Ticks; lint: format", "`wire: pings`, `wire: lists`",
        "`conformance: 2026-07-28 stdio legacy`, `conformance: client 2025-11-25 gateway`"]
BAD = ["", "`unit: Clock.Stops`", "`unit: Clock.Rings`", "`flow: Clock.Ticks`", "`Clock.Ticks`",
       "`unit: Clock.Ticks`, `unit: Clock.Gone`", "`interop: c.test.mjs › calls`",
       "`interop: c.test.mjs`", "`interop: d.test.mjs › pings`", "`lint: taste`", "`fuzz: gone`",
       "`magic: x`", "`none: why`", "`wire: sings`", "`conformance: 2025-03-26 http modern`"]


def self_test():
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in SAMPLE.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        none = [] if check_page(root)[0][1] else ["went unseen"]
        yield "a missing page is reported", none
        (root / "docs").mkdir()
        table = "".join(f"| f | {cell} | x |\n" for cell in GOOD + BAD)
        (root / "docs/features.md").write_text(
            "| other | table |\n|---|---|\n| a | b |\n\n| Feature | Test | note |\n|---|:-:|---|\n" + table,
            encoding="utf-8")
        found = [bool(problems) for _, problems in check_page(root)]
        wanted = [False] * len(GOOD) + [True] * len(BAD)
        yield "all rows are read", [] if len(found) == len(wanted) else [f"{len(found)} rows"]
        for cell, has, should in zip(GOOD + BAD, found, wanted):
            yield f"{'bad' if should else 'good'} cell {cell}", [] if has == should else ["misjudged"]
        yield from self_test_checklist(root)


def self_test_checklist(root):
    def judge(numbers, cell="`unit: Clock.Ticks`"):
        table = "".join(f"| {number} | p | {cell} |\n" for number in numbers)
        (root / "docs/checklist.md").write_text("| # | point | test |\n|---|---|---|\n" + table, encoding="utf-8")
        found = check_page(root, None, "docs/checklist.md", "point") + check_numbers(root)
        return any(problems for _, problems in found)

    for what, bad, should in [
            ("all points", judge(POINTS), False),
            ("a reason in place of a test", judge(POINTS, "`none: it cannot apply`"), False),
            ("no reason", judge(POINTS, "`none:`"), True),
            ("a point that is missing", judge(POINTS[1:]), True),
            ("a point that stands there twice", judge([1, *POINTS]), True),
            ("a point too many", judge([*POINTS, 121]), True),
            ("a test that is gone", judge(POINTS, "`unit: Clock.Gone`"), True)]:
        yield f"checklist: {what}", [] if bad == should else ["misjudged"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    layering.report(list(self_test() if arguments.self_test else check_all(arguments.root.resolve())))


if __name__ == "__main__":
    main()
