"""OpenStack Swift with its S3 API, all four servers in one process: an S3 store that is nobody's double.

Arguments: an empty folder, and a key's id of the form account:user. Reads the key's secret from standard input; prints its port.
"""
import logging
import os
import sys

from eventlet import listen, patcher, spawn, wsgi

patcher.monkey_patch(all=False, socket=True, select=True, thread=True)

from paste.deploy import loadapp
from swift.account.server import AccountController
from swift.common import utils
from swift.common.ring import RingBuilder
from swift.container.server import ContainerController
from swift.obj.server import ObjectController

folder, key_id = sys.argv[1:]
secret = sys.stdin.readline().strip()
quiet = logging.getLogger("quiet")
quiet.addHandler(logging.NullHandler())
quiet.propagate = False

# The settings of an installation, which there is none of.
utils.HASH_PATH_PREFIX, utils.HASH_PATH_SUFFIX = b"test", b"test"
utils.validate_hash_conf = lambda: None

settings = {
    "devices": folder + "/devices",
    "swift_dir": folder,
    "mount_check": "false",
    "fallocate_reserve": "0",
    "log_level": "CRITICAL",
}
os.makedirs(settings["devices"] + "/d1")
for kind, server in (("account", AccountController), ("container", ContainerController), ("object", ObjectController)):
    socket = listen(("127.0.0.1", 0))
    ring = RingBuilder(2, 1, 0)
    port = socket.getsockname()[1]
    ring.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1})
    ring.rebalance()
    ring.get_ring().save("%s/%s.ring.gz" % (folder, kind))
    spawn(wsgi.server, socket, server(settings), quiet)

with open(folder + "/proxy.conf", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
    file.write(
        """
[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:slo]
use = egg:swift#slo
[filter:tempauth]
use = egg:swift#tempauth
user_%s = %s .admin
"""
        % (key_id.replace(":", "_"), secret)
    )
proxy = loadapp("config:%s/proxy.conf" % folder, global_conf={"swift_dir": folder, "log_level": "CRITICAL"})
socket = listen(("127.0.0.1", 0))
print(socket.getsockname()[1], flush=True)
wsgi.server(socket, proxy, quiet)
