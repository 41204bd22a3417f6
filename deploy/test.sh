#!/usr/bin/env bash
# Installs what the tests need, runs all of them and ends with one line `N passed, N failed`.
# A step that cannot run (a build that fails, a binary that is not there) counts as one failure and
# the next step runs all the same. Logs: build/test-logs/.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

steps=(lint format tidy release asan corpus tsan interop conformance schema tokens config alerts features)
extra_steps=(debug unit contract flow fuzz bench)  # the first four: as asan does, built faster
fuzz_seconds=60
test_timeout=600  # seconds for one test binary
node_version=20.20.2
logs=$root/build/test-logs
passed=0 failed=0
culprits=()  # what failed, said again at the end

usage() {
  cat <<'TEXT'
usage: deploy/test.sh [--only STEP[,STEP...]] [--fuzz [SECONDS]] [--bench] [--list] [--help]

  --only STEP,...   only these steps; what they need built is built
  --fuzz [SECONDS]  also run every fuzzer of tests/fuzz for so long (60)
  --bench           also run tests/bench/run.sh --quick
  --list            name the steps and stop
TEXT
}

# ---- counting -----------------------------------------------------------------------------------

count() { passed=$((passed + $1)) failed=$((failed + $2)); }

blame() { culprits+=("$@"); }

# quietly LOG COMMAND...: output goes to the log; after a failure its end is shown.
quietly() {
  local log=$logs/$1.log status
  shift
  "$@" >"$log" 2>&1 </dev/null
  status=$?
  if [ $status -ne 0 ]; then
    tail -n 60 "$log"
    echo "(exit status $status, whole log: ${log#"$root"/})"
    blame "$(basename "$log" .log): exit status $status"
  fi
  return $status
}

# check LOG COMMAND...: the command as a whole is one test.
check() { if quietly "$@"; then count 1 0; else count 0 1; fi; }

# tallied LOG COMMAND...: the command's last line says `N passed, N failed`.
tallied() {
  local last
  quietly "$@"
  last=$(tail -n 1 "$logs/$1.log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    count 0 1
  fi
}

# conclude WHAT STATUS PASSED FAILED: counts a run of many tests; a run that crashed, timed out or
# ran nothing is never green.
conclude() {
  local bad=$4
  if [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  [ "$2" -ne 124 ] || echo "$1: stopped after its time limit"
  if [ "$2" -eq 0 ] && [ $(($3 + bad)) -eq 0 ]; then
    echo "$1: ran no test"
    bad=1
  fi
  count "$3" "$bad"
}

# ---- steps --------------------------------------------------------------------------------------

# name_culprits WHAT LOG: the tests of a gtest log that failed, the one that never ended, and what a
# sanitizer or an assertion said first.
name_culprits() {
  local line
  while IFS= read -r line; do blame "$1: $line"; done < <(
    awk '/^\[ RUN      \] / { running = $4 }
         /^\[       OK \] |^\[  SKIPPED \] / { running = "" }
         /^\[  FAILED  \] .*\([0-9]+ ms\)$/ { print $4 " failed"; running = "" }
         /ERROR: |WARNING: ThreadSanitizer|runtime error: |: Failure$/ { if (said++ < 8) print running " " $0 }
         END { if (running != "") print running " never ended" }' "$2")
}

# gtest PRESET KIND: builds one test binary and runs it, in as many processes as there are cores, each
# with its share of the tests.
gtest() {
  local log=$logs/$1-$2.log shards shard status=0 good bad pids=()
  quietly "build-$1-$2" build "$1" "$2_tests" || { count 0 1; return; }
  rm -f "$log".[0-9]*
  shards=$(nproc)
  for ((shard = 0; shard < shards; ++shard)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard timeout -k 10 $test_timeout \
      "$root/build/$1/tests/$2_tests" --gtest_color=no >"$log.$shard" 2>&1 </dev/null &
    pids+=($!)
  done
  for shard in "${!pids[@]}"; do
    wait "${pids[$shard]}" || status=$?
  done
  for ((shard = 0; shard < shards; ++shard)); do
    name_culprits "$1 $2" "$log.$shard"
  done
  cat "$log".[0-9]* >"$log"
  good=$(grep -cF '[       OK ] ' "$log")
  bad=$(grep -cE '\[  FAILED  \] .*\([0-9]+ ms\)$' "$log")
  if [ $status -ne 0 ]; then
    grep -E '\[  FAILED  \] .*\([0-9]+ ms\)$|: Failure$|ERROR: |WARNING: ThreadSanitizer|runtime error: ' "$log" |
      head -n 40
    for ((shard = 0; shard < shards; ++shard)); do tail -n 40 "$log.$shard"; done
    echo "($1 $2 tests: exit status $status, whole log: ${log#"$root"/})"
  fi
  conclude "$1 $2 tests" $status "$good" "$bad"
}

sources() { find "$root"/gateway "$root"/policies "$root"/tests -name node_modules -prune -o \
  \( -name '*.cc' -o -name '*.h' \) -print | sort; }

check_format() { sources | xargs -r clang-format-19 --dry-run -Werror; }

# A file that git does not know builds here and nowhere else.
check_tracked() {
  local strangers
  git -C "$root" rev-parse --git-dir >/dev/null 2>&1 || return 0
  strangers=$(git -C "$root" ls-files --others --exclude-standard)
  [ -z "$strangers" ] || { printf 'git does not know these files: git add them, or ignore them\n%s\n' "$strangers"; return 1; }
}

step_lint() {
  check tracked check_tracked
  tallied layering-self-test python3 "$root/tests/lint/layering.py" --self-test
  tallied layering python3 "$root/tests/lint/layering.py"
}
step_format() { check format check_format; }
step_tidy() {
  # Each time anew: files that came since the last are not in what it goes by.
  quietly configure-tidy cmake -S "$root" --preset tidy || { count 0 1; return; }
  python_ready tests/lint || { count 0 1; return; }
  check tidy python3 "$root/tests/lint/tidy.py" --jobs "$(build_jobs)"
}

# Every library that the program names comes with a [runtime] package, or is in any Debian.
check_runtime() {
  local library owners status=0
  for library in $(objdump -p "$root/build/release/switchyard" | awk '$1 == "NEEDED" { print $2 }'); do
    owners=$(dpkg -S "*/$library" | cut -d: -f1)
    if ! grep -qxFf <(packages_in runtime; printf '%s\n' libc6 libgcc-s1 libstdc++6) <<<"$owners"; then
      echo "$library: none of its packages is in [runtime] of deploy/packages.txt:" $owners
      status=1
    fi
  done
  return $status
}

step_release() {
  check build-release build release switchyard
  if command -v dpkg >/dev/null; then check runtime-packages check_runtime; fi
}
step_debug() { check build-debug build debug -k 0; }
step_unit() { gtest debug unit; }
step_contract() { gtest debug contract; }
step_flow() { gtest debug flow; }
step_asan() { gtest asan unit; gtest asan contract; gtest asan flow; }
step_tsan() { gtest tsan unit; gtest tsan flow; }

# build_fuzzers PRESET: sets fuzzers to their names.
build_fuzzers() {
  mapfile -t fuzzers < <(find "$root/tests/fuzz" -name '*_fuzz.cc' -exec basename {} .cc \; | sort)
  [ ${#fuzzers[@]} -gt 0 ] || { echo "no fuzzer in tests/fuzz"; return 1; }
  quietly "build-$1-fuzzers" build "$1" fuzzers
}

# Every input that a fuzzer or a bug ever left behind, once more.
step_corpus() {
  local name fuzzers
  build_fuzzers asan || { count 0 1; return; }
  for name in "${fuzzers[@]}"; do
    check "corpus-$name" timeout -k 10 $test_timeout "$root/build/asan/tests/$name" -runs=0 \
      "$root/tests/fuzz/corpus/${name%_fuzz}"
  done
}

step_fuzz() {
  local name fuzzers out=$root/build/fuzz/found
  build_fuzzers fuzz || { count 0 1; return; }
  for name in "${fuzzers[@]}"; do
    mkdir -p "$out/$name"
    check "fuzz-$name" timeout -k 10 $((fuzz_seconds + 120)) "$root/build/fuzz/tests/$name" \
      -max_total_time="$fuzz_seconds" -timeout=10 -artifact_prefix="$out/" \
      "$out/$name" "$root/tests/fuzz/corpus/${name%_fuzz}"
  done
}

step_bench() {
  install_packages bench || { count 0 1; return; }
  quietly build-release build release switchyard || { count 0 1; return; }
  check bench timeout -k 10 1800 "$root/tests/bench/run.sh" --quick
}

node_is_new() { [ "$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge 20 ]; }

# The official SDKs need Node 20; Debian 12 has 18, which is new enough only to fetch a newer one.
use_node() {
  local arch package
  arch=$(uname -m)
  package=node-linux-$(case $arch in x86_64) echo x64 ;; aarch64) echo arm64 ;; *) echo "$arch" ;; esac)
  if ! node_is_new || ! command -v npm >/dev/null; then
    PATH=$root/build/node/node_modules/$package/bin:$PATH
  fi
  if ! command -v npm >/dev/null; then apt_install nodejs npm || return 1; fi
  if ! node_is_new; then
    say "node is $(node --version), the SDKs need 20: npm fetches $package $node_version into build/node"
    npm install --prefix "$root/build/node" --no-save --no-audit --no-fund "$package@$node_version"
  fi
  hash -r
  node_is_new || { complain "no Node 20 or newer"; return 1; }
}

# node_ready DIR: Node and what the lock file of DIR names. Not through quietly: it changes PATH.
node_ready() {
  local dir=$root/$1
  use_node >"$logs/node.log" 2>&1 || { cat "$logs/node.log"; return 1; }
  if [ "$dir/package-lock.json" -nt "$dir/node_modules/.package-lock.json" ]; then
    say "npm ci in $1"
    quietly "npm-ci-$(basename "$1")" npm --prefix "$dir" ci --no-audit --no-fund
  fi
}

# node_tests LOG DIR FILE...: Node's own runner over the test files.
node_tests() {
  local log=$logs/$1.log dir=$2 name=$1 status good bad line
  shift 2
  (cd "$dir" && timeout -k 10 $test_timeout node --test --test-reporter=tap "$@") >"$log" 2>&1 </dev/null
  status=$?
  good=$(awk '/^# pass / { n += $3 } END { print n + 0 }' "$log")
  bad=$(awk '/^# (fail|cancelled) / { n += $3 } END { print n + 0 }' "$log")
  if [ $status -ne 0 ]; then
    grep -E '^ *not ok ' "$log" | head -n 40
    while IFS= read -r line; do blame "$name: $line"; done < <(grep -E '^ *not ok ' "$log" | head -n 20)
    tail -n 60 "$log"
    echo "(exit status $status, whole log: ${log#"$root"/})"
  fi
  conclude "$name" $status "$good" "$bad"
}

# python_ready DIR: an environment of its own, build/python/NAME, with what requirements.txt of DIR
# names.
python_ready() {
  local wanted=$root/$1/requirements.txt home=$root/build/python/$(basename "$1")
  if cmp -s "$wanted" "$home/requirements.txt"; then return; fi
  say "pip install for $1"
  quietly "python-$(basename "$1")" python3 -m venv --clear "$home" &&
    quietly "pip-$(basename "$1")" "$home/bin/python" -m pip install --disable-pip-version-check -r "$wanted" &&
    cp "$wanted" "$home/requirements.txt"
}

step_interop() {
  quietly build-release build release switchyard || { count 0 1; return; }
  node_ready tests/interop || { count 0 1; return; }
  python_ready tests/interop || { count 0 1; return; }
  node_tests interop "$root/tests/interop" "$root"/tests/interop/*.test.mjs
}

step_conformance() {
  local dir=$root/tests/conformance
  quietly build-release build release switchyard || { count 0 1; return; }
  node_ready tests/conformance || { count 0 1; return; }
  node_tests wire "$dir" wire.test.mjs lib/verdict.test.mjs
  tallied conformance timeout -k 10 1200 node "$dir/run.mjs" --out "$logs/conformance"
}

# The JSON Schema validator against ajv and the official suite.
step_schema() {
  local dir=$root/tests/schema
  quietly build-asan-schema build asan schema_verdicts || { count 0 1; return; }
  node_ready tests/schema || { count 0 1; return; }
  node_tests schema "$dir" "$dir"/*.test.mjs
}

# Token counts against tiktoken.
step_tokens() {
  local dir=$root/tests/tokens
  quietly build-asan-tokens build asan token_counts || { count 0 1; return; }
  node_ready tests/tokens || { count 0 1; return; }
  node_tests tokens "$dir" "$dir"/*.test.mjs
}

# check_config FILE: gives a value to every ${NAME} and ${file:/path} that the file expands.
check_config() {
  local home copy name path status environment=()
  home=$(mktemp -d) && copy=$home/$(basename "$1") || return 1
  while read -r name; do environment+=("$name=value"); done < <(grep -oP '\$\{\K[A-Z_0-9]+(?=\})' "$1")
  while read -r path; do
    mkdir -p "$home$(dirname "$path")"
    echo secret >"$home$path"
  done < <(grep -oP '\$\{file:\K[^}]+' "$1")
  sed "s#\${file:#\${file:$home#g" "$1" >"$copy"
  env "${environment[@]}" timeout 60 "$root/build/release/switchyard" check "$copy"
  status=$?
  rm -r "$home"
  return $status
}

step_config() {
  local file unpacked
  quietly build-release build release switchyard || { count 0 1; return; }
  for file in "$root"/config/*.yaml; do
    check "config-$(basename "$file" .yaml)" check_config "$file"
  done
  find_unpacked nginx usr/sbin/nginx >"$logs/find-nginx.log" 2>&1 ||
    { cat "$logs/find-nginx.log"; count 0 1; return; }
  tallied config-nginx "$root/tests/lint/nginx.sh" "$unpacked"
}

# find_unpacked PACKAGE PATH: sets unpacked to a program of a package that is unpacked and not
# installed, for that would start its server; to the one that is installed if there is one.
find_unpacked() {
  local dir=$root/build/$1 package
  unpacked=$(command -v "${2##*/}") || unpacked=$dir/$2
  if [ -x "$unpacked" ]; then return; fi
  mkdir -p "$dir"
  package=$(packages_in unpacked | grep -x "$1") || return 1
  (cd "$dir" && { apt-get -q download "$package" || { as_root apt-get -q update && apt-get -q download "$package"; }; }) &&
    dpkg-deb -x "$dir/$package"_*.deb "$dir" && rm "$dir/$package"_*.deb
}

# The rules and the board of deploy/ against the metrics that there are, and each alert made to fire.
step_alerts() {
  local promtool unpacked rules=$logs/board-rules.yml
  tallied alerts-self-test python3 "$root/tests/lint/alerts.py" --self-test
  tallied alerts-names python3 "$root/tests/lint/alerts.py"
  find_unpacked prometheus usr/bin/promtool >"$logs/promtool.log" 2>&1 ||
    { cat "$logs/promtool.log"; count 0 1; return; }
  promtool=$unpacked
  check alerts-rules "$promtool" check rules "$root/deploy/prometheus/alerts.yml"
  python3 "$root/tests/lint/alerts.py" --board-rules >"$rules"
  check alerts-board "$promtool" check rules "$rules"
  check alerts-fire "$promtool" test rules "$root/deploy/prometheus/alerts_test.yml"
}

step_features() {
  tallied features-self-test python3 "$root/tests/lint/features.py" --self-test
  tallied features python3 "$root/tests/lint/features.py"
}

# ---- main ---------------------------------------------------------------------------------------

has() { local wanted=$1 x; shift; for x; do [ "$x" = "$wanted" ] && return 0; done; return 1; }

chosen=("${steps[@]}")
while [ $# -gt 0 ]; do
  case $1 in
    --only)
      IFS=, read -ra chosen <<<"${2:-}"
      for step in "${chosen[@]}"; do
        has "$step" "${steps[@]}" "${extra_steps[@]}" || { complain "no step '$step', see --list"; exit 2; }
      done
      [ ${#chosen[@]} -gt 0 ] || { complain "--only needs a step, see --list"; exit 2; }
      shift ;;
    --fuzz)
      has fuzz "${chosen[@]}" || chosen+=(fuzz)
      if [[ ${2:-} =~ ^[0-9]+$ ]]; then fuzz_seconds=$2; shift; fi ;;
    --bench) has bench "${chosen[@]}" || chosen+=(bench) ;;
    --list) printf '%s\n' "${steps[@]}" "${extra_steps[@]}"; exit 0 ;;
    -h | --help) usage; exit 0 ;;
    *) complain "unknown argument '$1'"; usage >&2; exit 2 ;;
  esac
  shift
done

cd "$root" && mkdir -p "$logs" || exit 1
if ! install_packages build test; then
  complain "could not install the packages above"
  count 0 1
fi

export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=second_deadlock_stack=1
if command -v llvm-symbolizer-19 >/dev/null; then
  ASAN_OPTIONS+=:external_symbolizer_path=$(command -v llvm-symbolizer-19)
  UBSAN_OPTIONS+=:external_symbolizer_path=$(command -v llvm-symbolizer-19)
  TSAN_OPTIONS+=:external_symbolizer_path=$(command -v llvm-symbolizer-19)
fi

for step in "${chosen[@]}"; do
  say "$step"
  before_passed=$passed before_failed=$failed started=$SECONDS
  "step_$step"
  echo "    $step: $((passed - before_passed)) passed, $((failed - before_failed)) failed," \
    "$((SECONDS - started)) s"
done
if [ ${#culprits[@]} -gt 0 ]; then
  say "what failed"
  printf '    %s\n' "${culprits[@]}" | cut -c1-240 | head -n 60
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
