#!/bin/sh
# Succeeds when the app's database can be read and its last row is at most 10 s old.
set -eu
recent=$(sqlite3 -readonly "$DATABASE" ".timeout 2000" \
  "SELECT (julianday('now') - julianday(at)) * 86400 < 10 FROM chain ORDER BY seq DESC LIMIT 1")
[ "$recent" = 1 ]
