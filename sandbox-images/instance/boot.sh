#!/bin/sh
# The user data of an instance: cloud-init runs it as root, once, at the first start. The daemon puts the files in where they are named.
set -eu
umask 077
mkdir -p /var/lib/oauth3
cd /var/lib/oauth3
#{files}
node=$(PATH=/usr/local/bin:/usr/bin command -v node)
if [ ! -d /run/systemd/system ]; then
  exec "$node" bridge.mjs
fi
cat > /etc/systemd/system/oauth3-bridge.service <<END
[Unit]
Description=Sockets of the OAuth3 daemon
Wants=network-online.target
After=network-online.target
[Service]
ExecStart=$node /var/lib/oauth3/bridge.mjs
Restart=always
RestartSec=5
RestartPreventExitStatus=3
RuntimeDirectory=oauth3
RuntimeDirectoryMode=0755
NoNewPrivileges=yes
ProtectHome=yes
ProtectSystem=strict
ReadWritePaths=/var/lib/oauth3
CapabilityBoundingSet=
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now --no-block oauth3-bridge.service
