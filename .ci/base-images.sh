#!/usr/bin/env bash
# Gives the Dockerfiles the base images that their FROM lines name. Pulled where a registry answers; else made under the
# same names, from Debian's packages and from the Node and npm at hand, so that the Dockerfiles that ship are the ones
# that are tested. Needs `npm ci` before it only where nothing can be pulled.
set -euo pipefail
cd "$(dirname "$0")/.."
debian=debian:bookworm-slim
node=node:24-bookworm-slim
docker=$([ -x /usr/bin/docker ] && echo /usr/bin/docker || command -v docker)
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
# As root where the engine's socket is not this user's to write.
engine() { engine_within 0 "$@"; }
engine_within() {
  local seconds=$1; shift
  if [ -w /var/run/docker.sock ]; then timeout "$seconds" "$docker" "$@"; else as_root timeout "$seconds" "$docker" "$@"; fi
}

have() {
  if engine image inspect "$1" >/dev/null 2>&1; then echo "base image: $1 is there"; return 0; fi
  if engine_within 300 pull --quiet "$1" >/dev/null 2>&1; then echo "base image: pulled $1"; return 0; fi
  return 1
}

folder=$(mktemp -d)
trap 'as_root rm -rf "$folder"' EXIT

if ! have "$debian"; then
  echo "base image: making $debian with debootstrap"
  as_root debootstrap --variant=minbase bookworm "$folder/root" >"$folder/log" 2>&1 || { tail -20 "$folder/log" >&2; exit 1; }
  as_root tar -C "$folder/root" -c . | engine import --change 'CMD ["bash"]' - "$debian" >/dev/null
fi

if ! have "$node"; then
  echo "base image: making $node from the Node of node_modules and the npm at hand"
  context=$folder/node
  mkdir -p "$context/npm"
  cp -L node_modules/.bin/node "$context/node"
  cp -RL "$(npm root --global)/npm/." "$context/npm"
  # Whatever this machine trusts for its package registry, the build inside trusts too.
  cp -L "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$context/ca.pem" 2>/dev/null || : >"$context/ca.pem"
  cat >"$context/Dockerfile" <<DOCKERFILE
FROM $debian
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY ca.pem /usr/local/share/build-ca.pem
ENV NODE_EXTRA_CA_CERTS=/usr/local/share/build-ca.pem
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && \\
    ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx && node --version && npm --version
CMD ["node"]
DOCKERFILE
  engine build --quiet --tag "$node" "$context" >/dev/null
fi
