#!/usr/bin/env bash
# Installs Debian's Chromium where there is none. The tests of the web console drive it; it opens loopback addresses alone.
set -euo pipefail
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if [ -x /usr/bin/chromium ]; then
  echo "chromium: installed"
  exit 0
fi
echo "installing chromium"
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
