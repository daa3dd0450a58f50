#!/bin/sh
# Stands in for an app that keeps its state in SQLite. One sqlite3 stays open in WAL mode and a row is added every 0.3 s.
#   DATABASE      the app's database, with the table "chain" (lab/seed/chain.ts)
#   SEED          what the chain begins with when there is no database yet
#   LOG           the app's log file
#   LOG_DATABASE  optional: a second database, losing which costs nothing
set -eu

pipe=${TMPDIR:-/tmp}/sql
stopping=
sqlite=
trap 'stopping=1' TERM INT
# A sqlite3 that has died shows as a failed write, which ends this shell with an error.
trap '' PIPE

log() {
  mkdir -p "$(dirname "$LOG")"
  echo "$(date -u +%FT%TZ)|Info|$*" >>"$LOG"
}

open_database() {
  mkdir -p "$(dirname "$DATABASE")"
  rm -f "$pipe"
  mkfifo "$pipe"
  sqlite3 -batch -bail "$DATABASE" <"$pipe" >/dev/null &
  sqlite=$!
  exec 3>"$pipe"
  cat >&3 <<SQL
.timeout 5000
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS chain (seq INTEGER PRIMARY KEY, prev TEXT, hash TEXT, at TEXT);
SQL
}

open_log_database() {
  cat >&3 <<SQL
ATTACH '$LOG_DATABASE' AS logs;
PRAGMA logs.journal_mode = WAL;
CREATE TABLE IF NOT EXISTS logs.messages (id INTEGER PRIMARY KEY, at TEXT, message TEXT);
SQL
}

# The next row follows from the last one that is there, whatever happened in between.
append_row() {
  cat >&3 <<SQL
INSERT INTO chain
  SELECT n, prev, lower(hex(sha3(prev || ':' || n, 256))), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
  FROM (SELECT coalesce(max(seq), 0) + 1 AS n,
               coalesce((SELECT hash FROM chain ORDER BY seq DESC LIMIT 1), lower(hex(sha3('$SEED', 256)))) AS prev
        FROM chain);
SQL
}

note_in_log() {
  log "still here"
  [ -z "${LOG_DATABASE:-}" ] ||
    echo "INSERT INTO logs.messages (at, message) VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'still here');" >&3
}

open_database
[ -z "${LOG_DATABASE:-}" ] || open_log_database
log "started"
turn=0
while [ -z "$stopping" ]; do
  append_row
  [ $((turn % 20)) -ne 0 ] || note_in_log
  turn=$((turn + 1))
  sleep 0.3
done
# At the end of its input sqlite3 closes the databases, which folds the write-ahead logs into them.
exec 3>&-
wait "$sqlite"
log "stopped"
