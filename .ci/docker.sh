#!/usr/bin/env bash
# start: installs Docker Engine, docker-compose and what the base images need from Debian where they are missing, and
# starts an engine where none answers. stop: ends the engine that start began, and no other.
set -euo pipefail
state=${TMPDIR:-/tmp}/oauth3-ci-dockerd
export PATH=$PATH:/usr/sbin:/sbin
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
answers() { as_root curl --silent --fail --max-time 5 --unix-socket /var/run/docker.sock http://docker/_ping >/dev/null 2>&1; }

start() {
  local missing=()
  command -v dockerd >/dev/null || missing+=(docker.io iptables)
  command -v docker-compose >/dev/null || missing+=(docker-compose)
  command -v crun >/dev/null || missing+=(crun)
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  command -v curl >/dev/null || missing+=(curl)
  command -v sqlite3 >/dev/null || missing+=(sqlite3)
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    as_root apt-get update -qq
    install "${missing[@]}"
    # From Debian 13 on the client is a package of its own.
    command -v docker >/dev/null || install docker-cli
  fi
  # A service that the package started needs a moment.
  for _ in 1 2 3; do
    if answers; then
      echo "docker: an engine answers"
      [ -w /var/run/docker.sock ] || { echo "docker: $(id -un) may not use it; add yourself to the group docker" >&2; exit 1; }
      return
    fi
    [ ${#missing[@]} -gt 0 ] && sleep 1 || break
  done
  mkdir -p "$state"
  # Of dockerd itself, whatever stands between it and this shell.
  as_root setsid dockerd --pidfile "$state/pid" --group "$(id -gn)" >"$state/log" 2>&1 </dev/null &
  for _ in $(seq 60); do
    if answers; then echo "docker: engine started"; return; fi
    sleep 1
  done
  echo "docker: the engine did not start:" >&2
  tail -20 "$state/log" >&2
  exit 1
}

stop() {
  [ -f "$state/pid" ] || return 0
  local pid
  pid=$(cat "$state/pid")
  as_root kill "$pid" 2>/dev/null || true
  for _ in $(seq 30); do
    [ -e "/proc/$pid" ] || break
    sleep 1
  done
  [ -e "/proc/$pid" ] && { echo "docker: the engine (process $pid) does not end" >&2; return 1; }
  as_root rm -rf "$state"
  echo "docker: engine stopped"
}

case ${1:-} in
  start | stop) "$1" ;;
  *) echo "usage: $0 start|stop" >&2; exit 2 ;;
esac
