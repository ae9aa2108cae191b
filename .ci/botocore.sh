#!/usr/bin/env bash
# Installs Debian's botocore where it is missing: the double of Amazon EC2 reads and writes by the model of the service that it carries.
set -euo pipefail
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if /usr/bin/python3 -c 'import botocore' 2>/dev/null; then
  echo "botocore: installed"
  exit 0
fi
echo "installing python3-botocore"
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-botocore >/dev/null
