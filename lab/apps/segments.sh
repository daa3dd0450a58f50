#!/bin/sh
# Stands in for a database that is not SQLite: a file a second, named by its number, holding the hash of that number and
# the seed. Continues after the last file that is there and keeps the newest 300.
set -eu

stopping=
trap 'stopping=1' TERM INT

mkdir -p "$DATA/base"
chmod 700 "$DATA"
echo 17 >"$DATA/PG_VERSION"
chown -R 999:999 "$DATA"
number=$(ls "$DATA/base" | sort -n | tail -n 1)
number=${number:-0}
while [ -z "$stopping" ]; do
  number=$((number + 1))
  draft=$DATA/.draft
  echo "$SEED:$number" | sha256sum | cut -d ' ' -f 1 >"$draft"
  chown 999:999 "$draft"
  mv "$draft" "$DATA/base/$number"
  rm -f "$DATA/base/$((number - 300))"
  sleep 1
done
