#!/usr/bin/env bash
# Installs what is missing, builds the gateway and starts it. Works from any directory.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
usage: deploy/run.sh                  build, then serve config/minimal.yaml
       deploy/run.sh ARGUMENT...      build, then run `switchyard ARGUMENT...`, for example
                                      deploy/run.sh serve --config my.yaml
       deploy/run.sh --build-only     build only and print the path, build/release/switchyard
       deploy/run.sh --help           this text; `deploy/run.sh serve --help` shows the program's

Missing Debian packages (deploy/packages.txt, [build]) are installed with apt-get, through sudo when
not root. JOBS=N sets the number of parallel compilers.
TEXT
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
esac

# Progress goes to stderr: stdout is the program's, with `serve --stdio` that of a protocol.
{
  install_packages build || { complain "could not install the packages above"; exit 1; }
  build release switchyard || { complain "the build failed, see above"; exit 1; }
} >&2

program=$root/build/release/switchyard
case "${1:-}" in
  --build-only)
    echo "$program"
    ;;
  '')
    cd "$root"
    say "switchyard serve --config config/minimal.yaml" >&2
    exec "$program" serve --config config/minimal.yaml
    ;;
  *)
    exec "$program" "$@"
    ;;
esac
