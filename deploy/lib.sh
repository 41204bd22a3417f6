# Sourced by run.sh and test.sh: packages and builds. Needs bash; sets root to the checkout.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C.UTF-8
# Checkouts in different places share one compiler cache.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

say() { printf '==> %s\n' "$*"; }
complain() { printf 'error: %s\n' "$*" >&2; }

# packages_in SECTION: its lines of packages.txt.
packages_in() {
  awk -v want="[$1]" '/^\[/ { on = ($0 == want); next } on && NF && !/^#/' "$root/deploy/packages.txt"
}

# missing_packages SECTION...: those that dpkg does not know as installed.
missing_packages() {
  local section wanted=() name installed
  for section; do mapfile -t -O "${#wanted[@]}" wanted < <(packages_in "$section"); done
  # It fails when it does not know one of them.
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null) || true
  for name in "${wanted[@]}"; do
    if ! grep -qxF "$name installed" <<<"$installed"; then echo "$name"; fi
  done
}

# as_root COMMAND...: shows the command whenever it has to ask sudo for rights.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    say "needs root: sudo $*"
    sudo "$@"
  else
    complain "needs root and there is no sudo; run as root: $*"
    return 1
  fi
}

# apt_install PACKAGE...
apt_install() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  say "installing: $*"
  as_root "${apt[@]}" update && as_root "${apt[@]}" install -y --no-install-recommends "$@"
}

# install_packages SECTION...: what is missing of them; touches no network when nothing is.
install_packages() {
  local missing
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: the packages of deploy/packages.txt ($*) must be there already"
    return 0
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# build_jobs: one job a core, fewer where a job would get less than 2 GB; JOBS overrides.
build_jobs() {
  local cores memory limit used jobs
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [ "$limit" != max ]; then
    used=$(awk '$1 == "anon" { print $2 }' /sys/fs/cgroup/memory.stat 2>/dev/null)
    limit=$(((limit - ${used:-0}) / 1048576))
    [ "$limit" -ge "$memory" ] || memory=$limit
  fi
  jobs=$((memory / 2048))
  [ "$jobs" -le "$cores" ] || jobs=$cores
  [ "$jobs" -ge 1 ] || jobs=1
  echo "${JOBS:-$jobs}"
}

# configure PRESET: when that is due.
configure() {
  local dir=$root/build/$1
  if [ ! -e "$dir/build.ninja" ] || [ "$root/CMakePresets.json" -nt "$dir/build.ninja" ]; then
    say "configuring build/$1"
    cmake -S "$root" --preset "$1"
  fi
}

# build PRESET [NINJA ARGUMENT...]: configures when that is due, then builds. Only one build of a
# preset runs at a time.
build() {
  local preset=$1 jobs
  shift
  mkdir -p "$root/build"
  (
    flock 9
    configure "$preset" || exit 1
    jobs=$(build_jobs)
    say "building build/$preset ($jobs jobs)"
    NINJA_STATUS='[%f/%t, %es] ' ninja -C "$root/build/$preset" -j "$jobs" "$@"
  ) 9>"$root/build/.$preset.lock"
}
