#!/usr/bin/env python3
"""Holds deploy/prometheus and deploy/grafana against tests/golden/metrics.txt: every metric and label
that they name exists, every metric is on the board, every alert says what to do and is tested.

    alerts.py [--root DIR]   a line per check, then `N passed, N failed`
    alerts.py --board-rules  the board's queries as rules, for `promtool check rules`
    alerts.py --self-test    checks the checks: each must report a bad sample and pass a good one
"""

import argparse
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import layering  # noqa: E402  (beside this file)

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN, ALERTS = "tests/golden/metrics.txt", "deploy/prometheus/alerts.yml"
ALERT_TESTS, BOARD = "deploy/prometheus/alerts_test.yml", "deploy/grafana/switchyard.json"

SCRAPED = {"job", "instance"}  # labels that Prometheus adds
FOREIGN = {"up": SCRAPED}  # metrics that Prometheus makes itself
SEVERITIES = {"critical", "warning", "info"}

METRIC = re.compile(r"(?<![\w$])(switchyard_\w+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"((?:\\.|[^"\\])*)"')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
USED_LABEL = re.compile(r"\$labels\.(\w+)")
LEGEND_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
# One key a line, values plain or in single quotes: what a rule in alerts.yml looks like.
KEY = re.compile(r"^\s*(?:- )?(alert|expr|for|severity|summary|description):\s*(.+?)\s*$")


def golden(text):
    """name -> labels, for each series that can be asked for."""
    series = dict(FOREIGN)
    for line in text.splitlines():
        name, kind, *labels = line.split()
        if kind == "histogram":
            series[name + "_bucket"] = {*labels, "le"} | SCRAPED
            series[name + "_sum"] = series[name + "_count"] = {*labels} | SCRAPED
        else:
            series[name] = {*labels} | SCRAPED
    return series


def plain(value):
    return value[1:-1].replace("''", "'") if value.startswith("'") else value


def alerts(text):
    rules = []
    for line in text.splitlines():
        if match := KEY.match(line):
            if match.group(1) == "alert":
                rules.append({})
            if rules:
                rules[-1][match.group(1)] = plain(match.group(2))
    return rules


def query_problems(expr, series):
    known = set()
    for name, selector in METRIC.findall(expr):
        if name not in series:
            yield f"there is no metric {name}"
            continue
        known |= series[name]
        for label, _ in MATCHER.findall(selector):
            if label not in series[name]:
                yield f"{name} has no label {label}"
    for group in GROUPING.findall(expr):
        for label in filter(None, (part.strip() for part in group.split(","))):
            if label not in known:
                yield f"no metric of it has the label {label}"


def labels_of(expr, series):
    """What its result can be told apart by: what it is grouped by, else what its metrics have."""
    groups = [g for g in re.findall(r"\bby\s*\(([^)]*)\)", expr)]
    if groups:
        return {part.strip() for group in groups for part in group.split(",")} - {"le"}
    return set().union(*(series.get(name, set()) for name, _ in METRIC.findall(expr)))


def queries(board):
    """(panel title, query, legend) of all panels."""
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"], target.get("legendFormat", "")


def check_alert_queries(files):
    series = golden(files[GOLDEN])
    for rule in alerts(files[ALERTS]):
        for problem in query_problems(rule.get("expr", ""), series):
            yield f"{rule['alert']}: {problem}"
        for text in (rule.get("summary", ""), rule.get("description", "")):
            for label in USED_LABEL.findall(text):
                if label not in labels_of(rule.get("expr", ""), series):
                    yield f"{rule['alert']}: its text names {label}, which its query drops"


def check_alert_words(files):
    rules = alerts(files[ALERTS])
    if not rules:
        yield f"{ALERTS}: no alert"
    names = [rule["alert"] for rule in rules]
    yield from (f"{name} stands there twice" for name in {n for n in names if names.count(n) > 1})
    for rule in rules:
        missing = {"expr", "for", "severity", "summary", "description"} - rule.keys()
        yield from (f"{rule['alert']}: no {key}" for key in sorted(missing))
        if rule.get("severity") not in SEVERITIES:
            yield f"{rule['alert']}: severity is one of {', '.join(sorted(SEVERITIES))}"
        if len(rule.get("description", "").split()) < 12:
            yield f"{rule['alert']}: its description does not say what to do"


def check_alerts_tested(files):
    fired = set(re.findall(r'labels: \'\{alertname="(\w+)"\}\'', files[ALERT_TESTS]))
    names = {rule["alert"] for rule in alerts(files[ALERTS])}
    yield from (f"{name}: no test in {ALERT_TESTS} makes it fire" for name in sorted(names - fired))
    yield from (f"{ALERT_TESTS}: there is no alert {name}" for name in sorted(fired - names))


def check_board_queries(files):
    board, series = json.loads(files[BOARD]), golden(files[GOLDEN])
    asked = [(f"panel {title}", expr, legend) for title, expr, legend in queries(board)]
    asked += [(f"variable {v['name']}", re.sub(r"^label_values\((.*),\s*\w+\)$", r"\1", v["query"]["query"]), "")
              for v in board["templating"]["list"] if v["type"] == "query"]
    for where, expr, legend in asked:
        for problem in query_problems(expr, series):
            yield f"{where}: {problem}"
        for label in LEGEND_LABEL.findall(legend):
            if label not in labels_of(expr, series):
                yield f"{where}: its legend names {label}, which its query drops"


def check_board_shows_all(files):
    shown = {re.sub("_(bucket|sum|count)$", "", name)
             for _, expr, _ in queries(json.loads(files[BOARD])) for name, _ in METRIC.findall(expr)}
    for line in files[GOLDEN].splitlines():
        if line.split()[0] not in shown:
            yield f"{line.split()[0]} is on no panel of {BOARD}"


def check_board_shape(files):
    board = json.loads(files[BOARD])
    if board.get("schemaVersion", 0) < 39 or not board.get("uid"):
        yield "needs a uid and schemaVersion 39 or later"
    variables = {v["name"] for v in board["templating"]["list"]}
    taken, ids = {}, set()
    for panel in board["panels"]:
        title, grid = panel["title"], panel["gridPos"]
        if panel["id"] in ids:
            yield f"panel {title}: its id {panel['id']} is another's"
        ids.add(panel["id"])
        for cell in ((x, y) for x in range(grid["x"], grid["x"] + grid["w"])
                     for y in range(grid["y"], grid["y"] + grid["h"])):
            if cell[0] >= 24 or taken.setdefault(cell, title) != title:
                yield f"panel {title}: lies over {taken.get(cell, 'the edge')}"
                break
        if panel["type"] != "row" and panel.get("datasource", {}).get("uid") != "${datasource}":
            yield f"panel {title}: its data source must be the variable"
    for title, expr, _ in queries(board):
        for name in re.findall(r"\$\{?(\w+)", expr):
            if name not in variables and not name.startswith("__"):
                yield f"panel {title}: there is no variable {name}"


CHECKS = {name[len("check_"):]: function for name, function in list(globals().items())
          if name.startswith("check_")}


def board_rules(text):
    lines = ["groups:", "  - name: board", "    rules:"]
    for number, (title, expr, _) in enumerate(queries(json.loads(text))):
        expr = re.sub(r"\$__\w+", "5m", expr)
        lines += [f"      - record: board:{number}", "        expr: " + json.dumps(expr),
                  "        labels: {panel: " + json.dumps(title) + "}"]
    return "\n".join(lines)


# ---- self test ----------------------------------------------------------------------------------

WORDS = "Look at this and at that, then do what helps, and tell those whom it concerns."


def good_alert(**changes):
    rule = {"alert": "A", "expr": "rate(switchyard_c_total{server=\"x\"}[5m]) > 0", "for": "5m",
            "severity": "info", "summary": "{{ $labels.server }} is", "description": WORDS} | changes
    return "\n".join(("- " if key == "alert" else "  ") + f"{key}: '{value}'"
                     for key, value in rule.items() if value)


def good_board(panel=None, **changes):
    one = {"id": 1, "type": "timeseries", "title": "p", "datasource": {"uid": "${datasource}"},
           "gridPos": {"x": 0, "y": 0, "w": 12, "h": 7},
           "targets": [{"expr": 'sum by (server) (rate(switchyard_c_total{job=~"$job"}[5m])) + '
                                'histogram_quantile(0.9, switchyard_h_bucket{le="1"})',
                        "legendFormat": "{{server}}"}]} | (panel or {})
    other = {"id": 2, "type": "row", "title": "r", "gridPos": {"x": 12, "y": 0, "w": 12, "h": 1}}
    variable = {"name": "job", "type": "query", "query": {"query": "label_values(switchyard_h_count, job)"}}
    return json.dumps({"uid": "u", "schemaVersion": 39, "panels": [one, other],
                       "templating": {"list": [variable]}} | changes)


GOOD = {GOLDEN: "switchyard_c_total counter server\nswitchyard_h histogram\n", ALERTS: good_alert(),
        ALERT_TESTS: "labels: '{alertname=\"A\"}'", BOARD: good_board()}

# check -> one change each to the good files that it must report
BAD = {
    "alert_queries": [{ALERTS: good_alert(expr="switchyard_gone > 0")},
                      {ALERTS: good_alert(expr='switchyard_c_total{colour="x"}')},
                      {ALERTS: good_alert(expr="sum by (colour) (switchyard_c_total)")},
                      {ALERTS: good_alert(expr="switchyard_h > 0")},
                      {ALERTS: good_alert(expr="sum by (job) (switchyard_c_total)")}],
    "alert_words": [{ALERTS: ""}, {ALERTS: good_alert(severity="loud")},
                    {ALERTS: good_alert(description="look")}, {ALERTS: good_alert(summary="")},
                    {ALERTS: good_alert() + "\n" + good_alert()}],
    "alerts_tested": [{ALERT_TESTS: ""}, {ALERTS: good_alert(alert="B")}],
    "board_queries": [{GOLDEN: "switchyard_c_total counter server\n"},
                      {GOLDEN: "switchyard_c_total counter\nswitchyard_h histogram\n"},
                      {BOARD: good_board({"targets": [{"expr": "switchyard_h_sum", "legendFormat": "{{le}}"}]})}],
    "board_shows_all": [{GOLDEN: GOOD[GOLDEN] + "switchyard_new gauge\n"}],
    "board_shape": [{BOARD: good_board(schemaVersion=1)}, {BOARD: good_board({"id": 2})},
                    {BOARD: good_board({"gridPos": {"x": 6, "y": 0, "w": 12, "h": 7}})},
                    {BOARD: good_board({"datasource": {"uid": "mine"}})},
                    {BOARD: good_board(templating={"list": []})}],
}


def self_test():
    for name, check in CHECKS.items():
        yield f"{name} passes the good sample", list(check(GOOD))
        for number, changes in enumerate(BAD.get(name, [])):
            missed = [] if list(check(GOOD | changes)) else [f"bad sample {number} went unseen"]
            yield f"{name} reports bad sample {number}", missed
    yield "every check has bad samples", sorted(CHECKS.keys() ^ BAD.keys())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("--board-rules", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        layering.report(list(self_test()))
    files = {name: (arguments.root / name).read_text(encoding="utf-8")
             for name in (GOLDEN, ALERTS, ALERT_TESTS, BOARD)}
    if arguments.board_rules:
        print(board_rules(files[BOARD]))
        return
    layering.report([(name, list(check(files))) for name, check in CHECKS.items()])


if __name__ == "__main__":
    main()
