#!/usr/bin/env bash
# Installs OpenStack Swift of Debian where it is missing: the object store of the tests that nobody here wrote. Libraries alone: no server starts.
set -euo pipefail
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if /usr/bin/python3 -c 'import swift.common.middleware.s3api' 2>/dev/null; then
  echo "swift: installed"
  exit 0
fi
echo "installing python3-swift"
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-swift >/dev/null
