#!/usr/bin/env bash
# Installs PostgreSQL from Debian where it is missing. The tests start a server of their own on a socket; the cluster and the service
# that the package would make are not made.
set -euo pipefail
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then
  echo "postgres: installed"
  exit 0
fi
echo "installing postgresql"
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null
if ! grep -qs '^create_main_cluster = false' /etc/postgresql-common/createcluster.conf; then
  as_root sh -c "echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf"
fi
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
