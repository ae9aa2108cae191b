/** What a hostile program finds when it leans on each wall, from within the walls of a sandbox. */
import type Docker from 'dockerode'
import { hostConfig } from '../../src/adapters/sandbox/container-config.ts'
import { TEST_LIMITS } from './sandbox-run.ts'

export const SHELL_IMAGE = 'debian:bookworm-slim'

/** Every probe by its name, and what it must find. */
export const STANDING_WALLS = [
  ['uid', '65532'],
  ['CapEff', '0000000000000000'],
  ['CapBnd', '0000000000000000'],
  ['CapPrm', '0000000000000000'],
  ['CapAmb', '0000000000000000'],
  ['NoNewPrivs', '1'],
  ['Seccomp', '2'],
  ['write to the root', 'refused'],
  ['write to /proc/sys', 'refused'],
  ['write to /proc/sysrq-trigger', 'refused'],
  ['write to /sys', 'refused'],
  ['mount', 'refused'],
  ['remount of the root', 'refused'],
  ['unshare of a user namespace', 'refused'],
  ['unshare of a mount namespace', 'refused'],
  ['a set-uid program', 'refused'],
  ['a program in /tmp', 'refused'],
  ['a device node', 'refused'],
  ['chroot', 'refused'],
  // The default profile lets a process trace its own kind; beyond the namespace there is nobody to trace.
  ['processes of others', '0'],
  ['ptrace of a process outside', 'refused'],
  ['keyctl', 'refused'],
  ['the kernel log', 'refused'],
  ['/proc/kcore', 'empty'],
  ['docker.sock', 'absent'],
  ['shared memory', 'absent'],
  ['block devices', '0'],
  ['core size', '0'],
  ['open files', '1024'],
  ['processes beyond the limit', 'refused'],
  ['network interfaces', 'lo'],
  ['routes', '0'],
] as const

/** Runs every probe in a container with the sandbox's own HostConfig, on an image that has a shell. */
export async function probeWalls(
  docker: Docker,
  options: { readonly instanceId: string; readonly ociRuntime?: string },
): Promise<Map<string, string>> {
  const attempt = (name: string, command: string) =>
    `if ( ${command} ) >/dev/null 2>&1; then echo "${name}=worked"; else echo "${name}=refused"; fi`
  const script = [
    'echo "uid=$(id -u)"',
    `for f in CapEff CapBnd CapPrm CapAmb NoNewPrivs Seccomp; do echo "$f=$(sed -n "s/^$f:[[:space:]]*//p" /proc/self/status)"; done`,
    'for n in net pid mnt ipc uts; do echo "namespace $n=$(readlink /proc/self/ns/$n)"; done',
    attempt('write to the root', 'echo x > /probe || echo x > /etc/probe || echo x > /var/tmp/probe'),
    attempt(
      'write to /proc/sys',
      'echo 1 > /proc/sys/kernel/core_pattern || echo x > /proc/sys/kernel/hostname',
    ),
    attempt('write to /proc/sysrq-trigger', 'echo h > /proc/sysrq-trigger'),
    attempt('write to /sys', 'mkdir /sys/fs/cgroup/memory/probe || echo 1 > /sys/kernel/uevent_helper'),
    attempt('mount', 'mkdir -p /tmp/m && mount -t tmpfs none /tmp/m'),
    attempt('remount of the root', 'mount -o remount,rw /'),
    attempt('unshare of a user namespace', 'unshare -Ur true'),
    attempt('unshare of a mount namespace', 'unshare -m true'),
    attempt('a set-uid program', 'test "$(su -c "id -u" root </dev/null)" = 0'),
    attempt('a program in /tmp', 'cp /bin/true /tmp/true && chmod 755 /tmp/true && /tmp/true'),
    attempt('a device node', 'mknod /tmp/sda b 8 0'),
    attempt('chroot', 'chroot / true'),
    attempt('the kernel log', 'dmesg'),
    'echo "/proc/kcore=$(test -s /proc/kcore && head -c1 /proc/kcore 2>/dev/null | grep -q . && echo readable || echo empty)"',
    'echo "docker.sock=$(ls /var/run/docker.sock /run/docker.sock /run/containerd >/dev/null 2>&1 && echo present || echo absent)"',
    'echo "shared memory=$(test -e /dev/shm && touch /dev/shm/x 2>/dev/null && echo present || echo absent)"',
    'echo "block devices=$(find /dev -type b | wc -l)"',
    'echo "core size=$(ulimit -c)"',
    'echo "open files=$(ulimit -n)"',
    `echo "network interfaces=$(sed -n 's/^ *\\([a-z0-9]*\\):.*/\\1/p' /proc/net/dev | xargs)"`,
    'echo "routes=$(tail -n +2 /proc/net/route | wc -l)"',
    `echo "processes of others=$(find /proc -maxdepth 1 -name '[0-9]*' ! -user 65532 | wc -l)"`,
    // perl's syscall() stands in for programs that the image lacks: 101 ptrace (16 = attach), 250 keyctl (0 = get keyring).
    `echo "ptrace of a process outside=$(perl -e 'print syscall(101, 16, ${process.pid}, 0, 0) == 0 ? "worked" : "refused"' 2>/dev/null)"`,
    `echo "keyctl=$(perl -e 'print syscall(250, 0, -3, 1) >= 0 ? "worked" : "refused"' 2>/dev/null)"`,
    `echo "processes beyond the limit=$(perl -e 'my $n = 0; for (1 .. 100) { my $p = fork; if (!defined $p) { print "refused"; exit } if (!$p) { sleep 2; exit } } print "worked"')"`,
  ].join('\n')
  const container = await docker.createContainer({
    Image: SHELL_IMAGE,
    Cmd: ['sh', '-c', script],
    User: '65532:65532',
    Labels: { 'oauth3.instance': options.instanceId, 'oauth3.role': 'sandbox' },
    NetworkDisabled: true,
    // The same walls, but with a log to read the answers from.
    HostConfig: {
      ...hostConfig({ limits: TEST_LIMITS, door: null, ociRuntime: options.ociRuntime }),
      LogConfig: { Type: 'json-file', Config: {} },
    },
  })
  try {
    await container.start()
    await container.wait()
    const logs = (await container.logs({ stdout: true, stderr: true })).toString('utf8')
    const report = new Map<string, string>()
    for (const line of logs.split('\n')) {
      const found = /([A-Za-z/][A-Za-z0-9 ./-]*)=(.*)$/.exec(line)
      if (found?.[1] !== undefined) report.set(found[1], found[2] ?? '')
    }
    return report
  } finally {
    await container.remove({ force: true })
  }
}
