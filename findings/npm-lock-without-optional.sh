#!/usr/bin/env bash
# Guess:   `npm ci` takes the lock that `npm install` has just written without a word of warning.
# Real:    an optional dependency that the registry does not have is left out of the lock, `npm install` exits with 0 and says
#          "up to date", and `npm ci` of the same npm refuses that very lock: EUSAGE, "Missing: NAME@ from lock file".
# Version: npm 11.19.1 with vite 8.4.0, whose optional napi-windows-process-start-time is not in the registry
# Matters: a checkout that is developed with `npm install` works everywhere but in a fresh clone: what packages name is compared
#          with the lock by a test, not by an installation that worked.
# Seen:    install exits with 0, ci with 1 and that line
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"name":"probe","version":"1.0.0","private":true,"dependencies":{"vite":"8.4.0"}}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --package-lock-only
echo "npm $(npm --version): install exited with $?"
if npm ci --no-audit --no-fund --ignore-scripts >ci.log 2>&1; then
  echo "changed: npm ci takes the lock"
  exit 1
fi
grep -o 'Missing: napi-windows-process-start-time@ from lock file' ci.log
echo ok
