#!/bin/sh
# Starts what the link `active` names, and guards it: the boot loader of a node. Two links are its whole state, and a
# trial is running if and only if they differ. No update rewrites this file, for nobody could repair a broken one from
# afar. It needs sh, coreutils, util-linux, findutils, grep and sed, and no environment at all.
# shellcheck disable=SC2030,SC2031,SC2317 # the agent's environment is meant for it alone; traps are called by name
LAUNCHER=1
set -u
unset IVY_TRIAL IVY_SAFE_MODE
PATH="${PATH:-/usr/local/bin}:/usr/bin:/bin"
export PATH

# A version may end anything that it has started in these seconds before it is killed.
SECONDS_TO_END=10
SECONDS_TO_END_AT_DEADLINE=5
# What has not died in these seconds after it was killed waits inside the kernel, for a broken device say, maybe for ever.
SECONDS_TO_DIE=30
# A launcher that is to end has let go this long after the drain, all that it waits for in turn added up.
SECONDS_TO_LET_GO=150
# How often it is noted what an attempt has spent of the trial's time: a power cut hides no more.
SECONDS_BETWEEN_NOTES=5
# What ends a list that nobody has been killed over; see `find_mismatch`. It comes last in any order.
WHOLE='~~: FAILED open or read'
# What has ended in safe mode too is tried as usual after so long.
SECONDS_AFTER_SAFE_MODE=60
# Ends of an agent count together if they come in these seconds.
CRASH_WINDOW=600

self=$(readlink -f "$0")
root=${self%/*}
own=$root/.ivy
lock=$root/run.lock
agent='' attempt='' stopping='' safe='' ends='' background=''

say() { printf '%s: %s\n' "${self##*/}" "$*" >&2; }

# What fails is done once more: somebody may have killed a program that has nothing wrong with it.
twice() { "$@" || "$@"; }

# --- Reading ---------------------------------------------------------------------------------------------------------

read_clock() { read -r now _ </proc/uptime && now=${now%.*}; }

# Sets `line` to the first line of a file, and to nothing where there is none.
read_line() { line=''; { read -r line <"$1"; } 2>/dev/null || :; }

# Sets `number` to a number, or to what stands for it where a record is damaged; never with a leading zero, which sh
# takes for octal.
read_number() { case $1 in '' | *[!0-9]* | 0?* | ??????????*) number=$2 ;; *) number=$1 ;; esac; }

# Sets `value` to that of a key in a record that has one a line, and to nothing where there is none.
read_field() {
  value=''
  [ -f "$1" ] || return 0
  while read -r key rest; do
    if [ "$key" = "\"$2\":" ]; then rest=${rest%,} && rest=${rest#\"} && value=${rest%\"} && return; fi
  done <"$1"
}

# Sets `number` to that of a key, or to what stands for it.
read_number_of() { read_field "$1" "$2" && read_number "$value" "$3"; }

# Sets `number` to the seconds for which a backend may go on sending when it is to end.
read_drain() { read_number_of "$1" max_drain_time 600; }

# Sets `number` to the seconds for which a trial has stood still in an attempt, those too of which it is not known yet
# whether there is a reason: then a word stands behind them.
read_grace() { read_line "$1/grace" && read_number "${line%% *}" 0; }

# Whether nobody could reach the broker in an attempt.
has_waited() { read_grace "$1" && [ "$number" -gt 0 ] && [ "$line" = "$number" ]; }

# Whether a file has the SHA-256 that a record names.
has_sha256() { read_field "$2" "$3" && [ -n "$value" ] && sum=$(sha256sum "$1" 2>/dev/null) && [ "${sum%% *}" = "$value" ]; }

# Sets `name` to that of the generation that a link names, and to nothing where there is none.
read_pointer() { target=$(readlink "$root/$1") || target=$(readlink "$root/$1") || target='' && name=${target##*/}; }

# Whether the records of a generation are whole, its version is sealed, and this launcher understands both.
is_sealed() {
  gen=$own/gen/$1 seal=$own/gen/$1/version/.ivy-seal.json
  [ -n "$1" ] && read_field "$gen/gen.json" schema && [ "$value" = 1 ] && read_field "$seal" schema && [ "$value" = 1 ] &&
    read_number_of "$gen/gen.json" launcher 999 && [ "$number" -le "$LAUNCHER" ] &&
    twice has_sha256 "$gen/config.json" "$gen/gen.json" configSha256 &&
    twice has_sha256 "$gen/version/.ivy-manifest" "$seal" manifestSha256
}

is_runnable() { [ -x "$own/gen/$1/runtime" ] && [ -f "$own/gen/$1/main" ] && [ -f "$own/gen/$1/cli" ]; }

can_start() { is_sealed "$1" && is_runnable "$1"; }

# Sets `tail` to the first thing in which a version's tree differs from its manifest. A tree that was sealed in another
# boot is read as a whole, for the power may have failed since; that of the last good version is known.
find_mismatch() {
  tail='' tree=$own/gen/$1/version/.
  [ "$tree" -ef "$own/gen/$2/version" ] && return
  first_line compare_names "$tree"
  read_field "$tree/.ivy-seal.json" bootId
  [ -n "$tail" ] || [ "$value" = "$boot" ] || first_line compare_content "$tree"
}

# Sets `tail` to the first line that a command prints. Its last one says that nobody has been killed in it, which would
# make it print less, or more.
first_line() {
  for _ in 1 2; do
    tail=$("$@" 2>/dev/null | sed -n '1p; 1!{$p;}')
    case $tail in
      "$WHOLE") tail='' && return ;;
      *?"$WHOLE") tail=${tail%?"$WHOLE"} && return ;;
    esac
  done
  tail="$2 cannot be read"
}

# What is only in the manifest comes once; what is in the tree comes twice more.
compare_names() {
  cd "$1" || return
  { sed 's/^f [0-9a-f]* /f /' .ivy-manifest &&
    find . '(' -type f -printf 'f %s %P\nf %s %P\n' ')' -o '(' -type l -printf 'l %l\t%P\nl %l\t%P\n' ')' &&
    echo "$WHOLE"
  } | LC_ALL=C sort | LC_ALL=C uniq -u
}

# With a last line that can only fail.
compare_content() {
  cd "$1" || return
  { sed -n 's/^f \([0-9a-f]*\) [0-9]* /\1  /p' .ivy-manifest &&
    echo "0000000000000000000000000000000000000000000000000000000000000000  ${WHOLE%%:*}"
  } | LC_ALL=C sha256sum --check --quiet --strict
}

# --- Writing ---------------------------------------------------------------------------------------------------------
# Files are created by `true`, for a shell exits where the redirection of its own `:` fails.

# What is read next may be there in memory only; what is built upon it must not outlive it.
make_durable() { twice sync -f "$root"; }

# Replaces a file so that a power cut leaves the old or the new one.
put() { { printf '%s\n' "$2" >"$1.tmp" && sync "$1.tmp" && mv -fT "$1.tmp" "$1" && sync "${1%/*}"; } 2>/dev/null; }

switch_pointer() {
  draft=$root/.$1.$$
  { rm -f "$draft" && ln -s ".ivy/gen/$2" "$draft" && mv -fT "$draft" "$root/$1" && sync "$root"; } 2>/dev/null ||
    { say "cannot let $1 name $2: is the disk full or read-only?"; return 1; }
}

mark_proven() {
  [ -e "$own/trial/$1/proven" ] || { make_durable && mkdir -p "$own/trial/$1" && true >"$own/trial/$1/proven"; } 2>/dev/null
}

as_json() { tr -d '\000-\010\013-\037' | sed 's/\\/\\\\/g; s/"/\\"/g; s/	/\\t/g' | sed ':a; N; $!ba; s/\n/\\n/g'; }

go_back() { twice switch_pointer active "$good" && active=$good; }

# Leaves `active`: the verdict is durable before the pointer is moved, so that the old version knows why it runs.
roll_back() {
  say "$active has failed ($1)"
  twice put "$own/trial/$active/verdict.json" "{
  \"schema\": 1,
  \"result\": \"failed\",
  \"reason\": \"$1\",
  \"attempts\": $tried,
  \"lastExit\": \"$last_exit\",
  \"logTail\": \"$(printf '%s\n' "$2" | as_json)\"
}" && go_back
}

# Counts an attempt before it begins: its folder gets its name as a whole, and that is durable.
count_attempt() {
  attempt=$own/trial/$active/attempt-$((tried + 1)) draft=$own/trial/$active/.draft
  { { [ -d "$attempt" ] || name_attempt; } && sync "$own/trial/$active" "$own/trial"; } 2>/dev/null || { attempt=''; return 1; }
}

name_attempt() {
  rm -rf "$draft" && mkdir "$draft" && printf '%s %s\n' "$boot" "$now" >"$draft/boot" && sync "$draft/boot" "$draft" &&
    mv -T "$draft" "$attempt"
}

# --- Processes -------------------------------------------------------------------------------------------------------

# Sets `parent` to the process that has started another one, and to nothing where that is gone.
read_parent() {
  parent=''
  { while read -r key rest; do if [ "$key" = PPid: ]; then parent=$rest && break; fi; done <"/proc/$1/status"; } 2>/dev/null
}

# Whether a process of this shell runs, waited for or not.
is_running() { read_line "/proc/$1/stat" && case ${line##*')'} in '' | ' Z'* | ' X'*) return 1 ;; esac; }

# Sets `found` to all that agents of this root have started, whatever group they are in; never this shell or who has
# called it. That somebody has ended meanwhile is an error for grep, but it comes to its end.
find_processes() {
  found=''
  files=$(grep -lzsF "IVY_RUN=$root:" /proc/[0-9]*/environ)
  [ $? -le 128 ] || files=$(grep -lzsF "IVY_RUN=$root:" /proc/[0-9]*/environ)
  for file in $files; do
    pid=${file#/proc/} pid=${pid%/environ}
    case $ancestors in *" $pid "*) ;; *) found="$found$pid " ;; esac
  done
}

# Asks all of them to end, kills them after so many seconds, and returns when they are gone; or when they do not die, for
# nothing that they do can come back from the kernel any more.
end_processes() {
  looks=0
  while find_processes && [ -n "$found" ]; do
    # shellcheck disable=SC2086 # they are several
    if [ "$looks" -ge $(($1 * 5)) ]; then kill -KILL $found; elif [ "$looks" = 0 ]; then kill -TERM $found; fi 2>/dev/null
    looks=$((looks + 1))
    if [ "$looks" -gt $((($1 + SECONDS_TO_DIE) * 5)) ]; then say "is a device stuck? Going on without the death of: $found"; return; fi
    sleep 0.2
  done
}

# Sleeps until its time is over, or a signal comes.
doze() { sleep "$1" 9<&- 3>&- & sleeper=$!; wait "$sleeper"; kill "$sleeper" 2>/dev/null; }

pause() { [ -n "$stopping" ] || [ "$1" -le 0 ] || doze "$1"; }

# The process stays a child of this shell, in a session of its own, and is told when this shell dies.
start_agent() {
  gen=$own/gen/$1 errors='' deathly=''
  read -r random </proc/sys/kernel/random/uuid
  if [ -n "$background$attempt" ]; then
    errors=$root/data/main.stderr
    { mkdir -p "$root/data" && true >"$errors"; } 2>/dev/null || errors=/dev/null
  fi
  if command -v setpriv >/dev/null; then deathly='setpriv --pdeathsig TERM'; fi
  (
    export IVY_ROOT_DIR="$root" IVY_DATA_DIR="$root/data" IVY_GENERATION="$gen" IVY_RUN="$root:$boot:$random"
    umask "$mask"
    if [ -n "$attempt" ]; then export IVY_TRIAL="$attempt"; fi
    if [ -n "$safe" ]; then export IVY_SAFE_MODE=1; fi
    if [ -n "$errors" ]; then exec 2>>"$errors"; fi
    # shellcheck disable=SC2086 # no word, or several
    exec setsid $deathly "$(twice readlink -f "$gen/runtime")" "$(twice readlink -f "$gen/main")" $background 9<&-
  ) &
  agent=$!
  # Only who has called `start` hears of it, and only of the first one; a broken pipe must not end this shell.
  (echo "$agent" >&3) 2>/dev/null
  exec 3>/dev/null
  if [ -n "$stopping" ]; then ask_agent_to_end; fi
}

# The backend may go on sending for a while. An agent that is no program yet would lose the signal, and has done nothing.
ask_agent_to_end() {
  if twice grep -qsF "IVY_RUN=$root:" "/proc/$agent/environ"; then kill -TERM "$agent"; else kill -KILL "$agent"; fi 2>/dev/null
  read_clock
  asked=$now
  read_drain "$own/gen/$chosen/config.json"
  end_by=$((now + number + 30))
}

# Returns when the agent has ended, with its exit code in `code`. This shell sleeps until then, but in a trial, and where
# the agent is to end, it looks each second.
await_agent() {
  code=''
  while is_running "$agent"; do
    if [ -z "$attempt$stopping" ]; then collect_code && continue; fi
    doze 1
    # The agent may take longer to end than a trial lasts.
    if [ -n "$stopping" ]; then watch_end; elif [ -n "$attempt" ]; then watch_trial; fi
  done
  collect_code
  agent=''
}

# A signal may end the wait; and who was waited for is forgotten: then it is the code before that counts.
collect_code() {
  wait "$agent"
  status=$?
  if [ "$status" != 127 ] || [ -z "$code" ]; then code=$status; fi
}

# --- The protocol ----------------------------------------------------------------------------------------------------

# Whether an attempt was cut off from outside, which says nothing about a version: somebody has stopped it in an orderly
# way, or it has no end and was made in another boot.
was_cut_off() { [ "$ended" = signal ] || { [ -z "$ended" ] && read_line "$1/boot" && [ "${line%% *}" != "$boot" ]; }; }

# What the attempts of `active` have come to: sets tried, counted, cut_off, spent and last_exit.
review_attempts() {
  tried=0 counted=0 cut_off=0 spent=0 last_exit=''
  for folder in "$own/trial/$active"/attempt-*; do
    [ -d "$folder" ] || continue
    read_line "$folder/exit" && ended=$line
    read_line "$folder/spent" && read_number "$line" 0
    spent=$((spent + number))
    [ -n "$ended" ] || spent=$((spent + SECONDS_BETWEEN_NOTES))
    if ! was_cut_off "$folder"; then counted=$((counted + 1))
    elif ! has_waited "$folder"; then cut_off=$((cut_off + 1)); fi
    read_number "${folder##*-}" 0
    if [ "$number" -gt "$tried" ]; then tried=$number last_exit=$ended; fi
  done
  gen=$own/gen/$active/gen.json
  read_number_of "$gen" trialSeconds 300 && remaining=$((number - spent))
  read_number_of "$gen" attempts 3 && most=$number
  read_number_of "$gen" powerAttempts 10 && most_cut_off=$number
}

# Sets `reason` to why `active` is to be left, if it is, and `tail` to what tells more.
find_reason() {
  reason='' tail=''
  if ! is_runnable "$active"; then reason=not-runnable
  elif [ "$cut_off" -ge "$most_cut_off" ]; then reason=power
  elif [ "$counted" -ge "$most" ] || [ "$remaining" -le 0 ]; then
    case $last_exit in 126 | 127) reason=not-runnable ;; deadline | signal) reason=deadline ;; '') reason=power ;; *) reason=exited ;; esac
  else
    find_mismatch "$active" "$good"
    if [ -n "$tail" ]; then reason=corrupt; fi
    return
  fi
  if [ "$tried" -gt 0 ]; then tail=$(tail -c 2000 "$root/data/main.stderr" 2>/dev/null); fi
}

# Sets `active` to what it names, and `good` to what is to run where that is not to: what last-good names or, where that
# cannot be started, something else that has proven itself.
find_good() {
  read_pointer active && active=$name
  read_pointer last-good && good=$name damaged=''
  if ! can_start "$good"; then
    damaged=$good
    for good in "$active" $(twice find "$own/gen" -maxdepth 1 -name '[0-9]*' -printf '%f\n' | sort -rn); do
      can_start "$good" && [ -e "$own/trial/$good/proven" ] && break
      good=''
    done
    if [ -z "$good" ] && is_sealed "$damaged"; then good=$damaged; fi
  fi
}

# Makes both links name what can be started. Where nothing is left that has proven itself, what is there must do.
repair_pointers() {
  find_good
  # What last-good named goes first, lest a power cut leave it to be taken for a trial.
  if [ -n "$good" ] && [ "$active" != "$good" ] && { [ "$active" = "$damaged" ] || ! is_sealed "$active"; }; then
    say "active is damaged; it is $good from now on"
    switch_pointer active "$good"
    active=$good
  fi
  if [ -n "$good" ] && [ "$name" != "$good" ]; then
    say "last-good is damaged; it is $good from now on"
    switch_pointer last-good "$good"
  fi
}

# Decides what to start, into `chosen`, with a counted `attempt` where it has yet to prove itself.
choose() {
  attempt=''
  repair_pointers
  if [ -z "$good" ]; then
    is_sealed "$active" || { say "nothing below $root can be started; run the set-up again"; exit 78; }
    safe=1 chosen=$active
    return
  fi
  chosen=$good
  [ "$active" != "$good" ] || { mark_proven "$good"; return; }
  # What cannot be recorded is not decided: the last good version runs until it can, without a change of the links.
  twice mkdir -p "$own/trial/$active" 2>/dev/null || { say "a trial cannot be recorded; $good runs meanwhile"; return; }
  review_attempts
  if [ -e "$own/trial/$active/verdict.json" ]; then go_back; return; fi
  find_reason
  if [ -n "$reason" ]; then roll_back "$reason" "$tail"; return; fi
  read_clock && begun=$now noted=0
  case $last_exit in '' | signal) ;; *) pause_before_attempt ;; esac
  if [ -n "$stopping" ]; then return; fi
  if twice count_attempt; then chosen=$active safe=''; else say "an attempt cannot be counted; $good runs meanwhile"; fi
}

pause_before_attempt() {
  if [ "$tried" = 1 ]; then seconds=5; else seconds=30; fi
  if [ "$seconds" -gt $((remaining / 4)) ]; then seconds=$((remaining / 4)); fi
  pause "$seconds"
}

# Each second of a trial: has it been committed, is its time over?
watch_trial() {
  read_clock
  read_pointer last-good
  if [ "$name" = "$chosen" ]; then
    attempt=''
    mark_proven "$chosen"
    return
  fi
  read_grace "$attempt"
  used=$((now - begun - number))
  if [ "$used" -lt "$remaining" ]; then
    [ "$used" -lt $((noted + SECONDS_BETWEEN_NOTES)) ] || { noted=$used && put "$attempt/spent" "$used"; }
    return
  fi
  kill_agent "$SECONDS_TO_END_AT_DEADLINE"
  outcome=deadline
}

watch_end() { read_clock; [ "$now" -lt "$end_by" ] || kill_agent 0; }

kill_agent() {
  end_processes "$1"
  kill -KILL -- "-$agent" 2>/dev/null
}

# Runs what was chosen until it ends.
run_agent() {
  read_pointer active && outcome='' asked='' named=$name
  start_agent "$chosen"
  await_agent
  # The commit may have come just before the end, and then it has won.
  read_pointer last-good
  if [ "$name" = "$chosen" ]; then attempt=''; fi
  if [ -n "$attempt" ]; then note_attempt; elif [ -z "$stopping" ]; then note_end; fi
}

note_attempt() {
  # What it has left behind is ended on its own time.
  end_processes "$SECONDS_TO_END_AT_DEADLINE"
  read_clock
  # Nor is the time that it took to end when it was asked to.
  if [ -n "$asked" ]; then now=$asked; fi
  read_grace "$attempt"
  if [ -z "$outcome" ] && [ -n "$stopping" ]; then outcome=signal; fi
  twice put "$attempt/spent" $((now - begun - number))
  twice put "$attempt/exit" "${outcome:-$code}"
  if [ -z "$background" ]; then cat "$root/data/main.stderr" >&2; fi
}

# A crash loop ends in safe mode, in which a node can be repaired from afar; after that it is tried as usual again.
note_end() {
  was_safe=$safe safe=''
  # The agent has begun a change.
  read_pointer active
  if [ "$name" != "$named" ]; then ends=''; return; fi
  read_clock
  recent='' crashes=1
  for end in $ends; do
    if [ $((now - end)) -lt "$CRASH_WINDOW" ]; then recent="$recent $end" crashes=$((crashes + 1)); fi
  done
  ends="$recent $now"
  say "$chosen has ended with $code"
  if [ -n "$was_safe" ]; then pause "$SECONDS_AFTER_SAFE_MODE"; return; fi
  case $crashes in 1) ;; 2) pause 1 ;; 3) pause 5 ;; 4) pause 15 ;; *) safe=1 ;; esac
}

on_term() {
  if [ -n "$stopping" ] && [ -n "$agent" ]; then kill_agent 0; return; fi
  stopping=1
  if [ -n "$agent" ]; then ask_agent_to_end; fi
}

# Holds the lock for as long as it lives, which the kernel releases with its death. No agent inherits it.
guard() {
  # Records are for this user alone; the agent has what the caller has.
  mask=$(umask)
  umask 077
  [ -e "$lock" ] || true >"$lock"
  exec 9<"$lock"
  # Who only looks whether it is held, holds it for an instant.
  flock -w 1 9 || { [ $? != 1 ] && flock -w 1 9; } || return 75
  cd "$root" || return
  read -r boot </proc/sys/kernel/random/boot_id
  trap on_term TERM INT HUP
  ancestors=' ' parent=$$
  while [ "${parent:-0}" -gt 0 ]; do ancestors="$ancestors$parent " && read_parent "$parent"; done
  while [ -z "$stopping" ]; do
    end_processes "$SECONDS_TO_END"
    make_durable || say "cannot make $root durable: is the disk damaged?"
    choose
    if [ -z "$stopping" ]; then run_agent; fi
  done
  end_processes "$SECONDS_TO_END"
}

# --- Commands --------------------------------------------------------------------------------------------------------

is_held() { flock -n "$lock" true; [ $? = 1 ]; }

# Another user sees neither who holds the lock nor what runs: it must not be told that all is well.
refuse_others() {
  if [ -O "$root" ] || [ -w "$root" ] || [ "$(id -u)" = 0 ]; then return; fi
  say "the node in $root belongs to $(stat -c %U "$root"): run this as that user"
  exit 77
}

# For cron: silent where it runs already. Returns when the agent says that it is up.
start() {
  if is_held; then return 0; fi
  log=$root/data/launcher.log
  { mkdir -p "$root/data" && true >>"$log"; } 2>/dev/null || log=/dev/null
  said=$({ setsid sh "$self" guard 3>&1 >/dev/null 2>>"$log" </dev/null & } | timeout 90 head -n 2)
  case $said in
    *up*) printf '%s\n' "$said" | grep -v up ;;
    # Another `start` was faster.
    '') is_held || { say "nothing could be started: $(tail -n 3 "$log")"; return 1; } ;;
    *) say "the agent is not up yet; it is tried again: $(tail -c 500 "$root/data/main.stderr" 2>/dev/null)"; return 1 ;;
  esac
}

# The shell that guards, not what it has just started.
guardian() {
  holders=' '
  for file in /proc/[0-9]*/fd/9; do
    if [ "$file" -ef "$lock" ]; then pid=${file#/proc/} && holders="$holders${pid%%/*} "; fi
  done
  for pid in $holders; do
    read_parent "$pid"
    case $holders in *" $parent "*) ;; *) echo "$pid" ;; esac
  done
}

stop() {
  pid=$(guardian)
  [ -n "$pid" ] || ! is_held || { say "it was started by another user: run this as that user, or as root"; exit 77; }
  [ -n "$pid" ] || return 0
  kill -TERM "$pid"
  read_drain "$root/active/config.json"
  read_clock
  seconds=$((number + SECONDS_TO_LET_GO)) end_by=$((now + number + SECONDS_TO_LET_GO))
  while [ "/proc/$pid/fd/9" -ef "$lock" ]; do
    read_clock
    [ "$now" -lt "$end_by" ] || {
      say "the launcher (PID $pid) has not ended within $seconds s: is it stopped, or a device stuck? Kill it, or start the machine anew"
      return 1
    }
    sleep 0.1
  done
}

# An agent that measures is not stopped for one that would not start. Where no CLI can run, nobody can say so.
refuse_broken_start() {
  case $(timeout 30 sh "$self" config check --json 2>/dev/null) in
    *'"sound": false'* | *'"sound":false'*) timeout 30 sh "$self" config check ;;
    *)
      find_good
      if [ -n "$good" ] || is_sealed "$active"; then return; fi
      say "what active and last-good name is not what was sealed: a changed configuration is put in force with \`apply\`"
      ;;
  esac
  say "nothing has been stopped"
  exit 1
}

run_cli() {
  for link in active last-good; do read_pointer "$link" && is_runnable "$name" && break; done
  is_runnable "$name" || { say "no version below $root has a CLI; run the set-up again"; return 78; }
  gen=$own/gen/$name
  export IVY_ROOT_DIR="$root" IVY_DATA_DIR="$root/data" IVY_GENERATION="$gen"
  exec "$(readlink -f "$gen/runtime")" "$(readlink -f "$gen/cli")" "$@"
}

main() {
  # Whoever is called by an agent must not be taken for a process of it.
  [ -z "${IVY_RUN:-}" ] || exec env -u IVY_RUN sh "$self" "$@"
  case ${1:-} in start | run | stop | restart) refuse_others ;; esac
  case ${1:-} in
    start) start ;;
    guard) background=--background; guard ;;
    run) exec 3>/dev/null; guard || { say "it is running already"; return 75; } ;;
    stop) stop ;;
    restart) refuse_broken_start; stop && start ;;
    *) run_cli "$@" ;;
  esac
}

# Read as a whole before anything of it is run.
main "$@"
exit
