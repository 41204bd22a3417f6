#!/usr/bin/env bash
# Measures the gateway against nginx and against no proxy at all; see README.md beside this file.
#   run.sh [--quick] [--only NAME] [--gateway PATH | --no-gateway] [--list]
# Prints a Markdown table, writes out/results.json. Builds its own small programs, needs no network.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

missing=()
for tool in wrk nginx python3; do
  # nginx lives in /usr/sbin, which is not on every user's path.
  PATH="$PATH:/usr/sbin" command -v "$tool" >/dev/null || missing+=("$tool")
done
if ((${#missing[@]})); then
  echo "bench: missing: ${missing[*]}" >&2
  echo "  apt-get install --no-install-recommends wrk nginx-light python3" >&2
  exit 1
fi

compiler="$(command -v clang++-19 || command -v c++ || true)"
if [[ -z "$compiler" ]]; then
  echo "bench: no C++ compiler; apt-get install --no-install-recommends clang-19" >&2
  exit 1
fi
mkdir -p "$here/out"
for program in mock_server bench_client agents_client engine; do
  target="$here/out/$program"
  if [[ "$target" -nt "$here/$program.cc" && "$target" -nt "$here/mock_answers.h" && "$target" -nt "$here/client_http.h" ]]; then
    continue
  fi
  libraries=()
  [[ "$program" != engine ]] || libraries=(-lsqlite3)
  "$compiler" -std=c++20 -O2 -Wall -Wextra "$here/$program.cc" -o "$target.new" "${libraries[@]}"
  mv "$target.new" "$target"
done

# One descriptor a session on either side; the default of 1024 is too low for 10,000.
ulimit -n "$(ulimit -Hn)"
# What python starts it also ends, by pid, however it ends itself: see processes.py.
PATH="$PATH:/usr/sbin" PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/bench.py" "$@"
