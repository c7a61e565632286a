#!/usr/bin/env bash
# The comparison in README: does the same seven things with every tool on PATH and prints the table.
# Usage: benches/compare.sh [TOOL…]     go-watcher is taken from PATH too, or from $GO_WATCHER.
set -u
ALL=(go-watcher watchexec entr nodemon reflex bacon air)
TOOLS=("$@")
((${#TOOLS[@]})) || TOOLS=("${ALL[@]}")
HOME_OF_ALL=$(mktemp -d)
export COMPARED="compared-$$"
MARK="COMPARED=$COMPARED"

# Everything that a tool has started, wherever it went, carries the mark in its environment.
marked() {
  local pid
  for pid in /proc/[0-9]*; do
    [[ ${pid#/proc/} == "$$" || ${pid#/proc/} == "$BASHPID" ]] && continue
    if tr '\0' '\n' 2>/dev/null < "$pid/environ" | grep -qx "$MARK"; then echo "${pid#/proc/}"; fi
  done
}
# How many of them are this command.
living() {
  local pid count=0
  for pid in $(marked); do
    [[ $(tr '\0' ' ' 2>/dev/null < "/proc/$pid/cmdline") == "$1 " ]] && count=$((count + 1))
  done
  echo "$count"
}
clean() {
  local pids
  for _ in 1 2 3 4 5; do
    pids=$(marked)
    [[ -n $pids ]] || break
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null
    sleep 0.1
  done
  wait 2>/dev/null
}
trap 'clean; rm -rf "$HOME_OF_ALL"' EXIT

version() {
  case $1 in
    entr) entr 2>&1 | sed -n 's/^release: *//p' ;;
    # It has no way to be asked.
    reflex) dpkg-query -W -f '${Version}' reflex 2>/dev/null || echo '?' ;;
    air) air -v 2>/dev/null | grep -o 'v[0-9.]*' | head -1 ;;
    go-watcher) "${GO_WATCHER:-go-watcher}" --version ;;
    *) "$1" --version ;;
  esac | grep -o '[0-9][0-9.]*[0-9]' | head -1
}

# Starts a tool in the working directory so that it restarts this shell line at every change.
start() {
  : > "$LOG"
  case $1 in
    go-watcher) exec "${GO_WATCHER:-go-watcher}" run -e "$2" ;;
    watchexec) exec watchexec -r --shell=sh "$2" ;;
    entr) find . -type f > "$LOG.list"; exec entr -rn sh -c "$2" < "$LOG.list" ;;
    nodemon) exec nodemon --ext txt --exec "$2" ;;
    reflex) exec reflex -s -- sh -c "$2" ;;
    bacon)
      printf '[jobs.c]\ncommand = ["sh", "-c", """%s"""]\nneed_stdout = true\nwatch = ["."]\n' "$2" > bacon.toml
      echo 'on_change_strategy = "kill_then_restart"' >> bacon.toml
      exec bacon --headless -j c ;;
    air) exec air --build.cmd true --build.include_ext txt --build.full_bin "$2" ;;
  esac
}
begin() {
  clean
  DIR=$(mktemp -d -p "$HOME_OF_ALL"); LOG=$LOG_OF_RUNS; export LOG_OF_RUNS
  cd "$DIR" || exit
  echo 0 > a.txt; echo 0 > gen.txt; sleep 0.1
  (start "$1" "$2") > "$LOG.out" 2>&1 < /dev/null &
  WATCHER=$!
  reach 1 10; sleep 1.5
}
runs() { wc -l < "$LOG"; }
# Waits until so many runs have begun, at most so many seconds.
reach() {
  local end=$((SECONDS + $2 + 1))
  until (($(runs) >= $1)); do ((SECONDS >= end)) && return 1; sleep 0.05; done
}
RUN="echo run >> \$LOG_OF_RUNS;"
saves() {
  local before
  for ((n = 0; n < $1; n++)); do
    before=$(runs); echo "$n $RANDOM" > a.txt; reach $((before + 1)) 5; sleep 0.3
  done
}

workers() {
  begin "$1" "$RUN setsid sleep 83711 & exec sleep 83712"
  saves 5
  sleep 1; echo "$(($(living 'sleep 83711') - 1)) of 5"
}
killed() {
  begin "$1" "$RUN exec sleep 83713"
  kill -KILL "$WATCHER"; sleep 1
  if (($(living 'sleep 83713'))); then echo 'runs on'; else echo 'is gone'; fi
}
same() {
  begin "$1" "$RUN true"
  local before; before=$(runs)
  for _ in 1 2 3 4 5; do echo 0 > a.txt; sleep 1.2; done
  echo "$(($(runs) - before))"
}
loop() {
  begin "$1" "$RUN date +%s.%N > gen.txt"
  echo 1 > a.txt; sleep 5; runs
}
fresh() {
  begin "$1" "$RUN true"
  local before seen=0
  for n in 0 1 2 3 4 5 6 7 8 9; do
    before=$(runs); mkdir -p "n$n/b/c"; echo 1 > "n$n/b/c/x.txt"
    if reach $((before + 1)) 2; then seen=$((seen + 1)); fi
    sleep 0.5
  done
  echo "$seen of 10"
}
deaf() {
  begin "$1" "trap '' TERM INT; $RUN while :; do sleep 0.2; done"
  local since; since=$(date +%s%N)
  echo 1 > a.txt
  if reach 2 15; then
    awk -v t="$((($(date +%s%N) - since) / 100000000))" 'BEGIN { printf "%.1f s\n", t / 10 }'
  else
    echo 'not in 15 s'
  fi
}
cause() {
  begin "$1" "$RUN true"
  echo 1 > a.txt; reach 2 5; sleep 0.5
  if grep -q 'a\.txt' "$LOG.out"; then echo yes; else echo no; fi
}

HEAD='|'; LINE='| ---'
declare -a PRESENT ROWS
for tool in "${TOOLS[@]}"; do
  [[ $tool == go-watcher ]] || command -v "$tool" >/dev/null || { echo "$tool is not on PATH" >&2; continue; }
  PRESENT+=("$tool"); HEAD+=" | $tool $(version "$tool")"; LINE+=' | ---'
done
row() {
  local text="| $1"
  for tool in "${PRESENT[@]}"; do
    text+=" | $(measure "$2" "$tool")"
    echo "$2: $tool: ${text##* | }" >&2
  done
  ROWS+=("$text |")
}
# In a shell of its own; the command finds its log through its environment.
measure() { (LOG_OF_RUNS=$(mktemp -p "$HOME_OF_ALL"); "$1" "$2"; clean); }
row 'five saves of a server with a `setsid` worker: old workers that live on' workers
row 'the tool is killed with SIGKILL: its command' killed
row 'five saves of the same bytes: runs' same
row 'the command writes into the tree, and one save by a person: runs in 6 s' loop
row '`mkdir -p n/b/c`, and a file in it at once: noticed' fresh
row 'the command ignores SIGTERM: the next run starts after' deaf
row 'what it prints names the file that was changed' cause
echo "$HEAD |"; echo "$LINE |"; printf '%s\n' "${ROWS[@]}"
