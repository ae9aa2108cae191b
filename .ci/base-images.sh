#!/usr/bin/env bash
# Gives the Dockerfiles the base image that their FROM names. Pulled where a registry answers; else made from
# Debian's own packages under the same name, so that the Dockerfiles that ship are the ones that are tested.
set -euo pipefail
base=debian:bookworm-slim
docker=$(command -v /usr/bin/docker || command -v docker)
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if "$docker" image inspect "$base" >/dev/null 2>&1; then echo "base image: $base is there"; exit 0; fi
if timeout 60 "$docker" pull --quiet "$base" >/dev/null 2>&1; then echo "base image: pulled $base"; exit 0; fi

folder=$(mktemp -d)
trap 'as_root rm -rf "$folder"' EXIT
echo "base image: making $base with debootstrap"
as_root debootstrap --variant=minbase bookworm "$folder/root" >"$folder/log" 2>&1 || { tail -20 "$folder/log" >&2; exit 1; }
as_root tar -C "$folder/root" -c . | "$docker" import - "$base" >/dev/null
