#!/usr/bin/env bash
# Installs Docker Engine from Debian where it is missing and starts it where it does not answer.
set -euo pipefail
state=${TMPDIR:-/tmp}/oauth3-ci-dockerd
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
engine() { curl --silent --fail --max-time 5 --unix-socket /var/run/docker.sock http://docker/_ping >/dev/null 2>&1; }

start() {
  local missing=()
  command -v dockerd >/dev/null || missing+=(docker.io iptables)
  command -v docker-compose >/dev/null || missing+=(docker-compose)
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  command -v curl >/dev/null || missing+=(curl)
  command -v sqlite3 >/dev/null || missing+=(sqlite3)
  if [ ${#missing[@]} -gt 0 ]; then
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  engine && { echo "docker: an engine answers"; return; }
  mkdir -p "$state"
  as_root rm -f /var/run/docker.pid
  as_root setsid dockerd >"$state/log" 2>&1 </dev/null &
  echo $! >"$state/pid"
  for _ in $(seq 60); do engine && { echo "docker: engine started"; return; }; sleep 1; done
  echo "docker: the engine did not start:" >&2; tail -20 "$state/log" >&2; exit 1
}

stop() {
  [ -f "$state/pid" ] || return 0
  local pid; pid=$(cat "$state/pid")
  as_root kill "$pid" 2>/dev/null || true
  for _ in $(seq 30); do kill -0 "$pid" 2>/dev/null || break; sleep 1; done
  rm -rf "$state"
}

"$1"
