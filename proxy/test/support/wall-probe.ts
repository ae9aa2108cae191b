/** What a hostile program finds when it leans on each wall, from within the walls of a sandbox. */
import type Docker from 'dockerode'
import { hostConfig } from '../../src/sandbox/runner/docker/container-config.ts'
import { TEST_LIMITS } from './sandbox-run.ts'

export const SHELL_IMAGE = 'debian:bookworm-slim'

/** By the architecture, and the arguments with which the kernel would answer something else than a refusal. */
const CALLS: Readonly<
  Record<string, { readonly x64: number; readonly arm64: number; readonly given: string }>
> = {
  keyctl: { x64: 250, arm64: 219, given: '0, -3, 1' },
  io_uring: { x64: 425, arm64: 425, given: '2, my $room = "\\0" x 256' },
  userfaultfd: { x64: 323, arm64: 282, given: '-1' },
  perf_event_open: { x64: 298, arm64: 241, given: '0, 0, -1, -1, 0' },
  bpf: { x64: 321, arm64: 280, given: '0, 0, 100_000' },
  process_vm_readv: { x64: 310, arm64: 270, given: '0, 0, 0, 0, 0, 1' },
  pidfd_getfd: { x64: 438, arm64: 438, given: '-1, 0, 0' },
  clone3: { x64: 435, arm64: 435, given: '0, 0' },
  name_to_handle_at: { x64: 303, arm64: 264, given: '-100, 0, 0, 0, 0' },
  open_by_handle_at: { x64: 304, arm64: 265, given: '-1, 0, 0' },
  open_tree: { x64: 428, arm64: 428, given: '-100, 0, 0' },
  memfd_create: { x64: 319, arm64: 279, given: 'my $name = "x\\0", 0' },
  splice: { x64: 275, arm64: 76, given: '-1, 0, -1, 0, 1, 0' },
  'personality of 32 bits': { x64: 135, arm64: 92, given: '8' },
}
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x64'
const PTRACE = { x64: 101, arm64: 117 }[ARCHITECTURE]
const CLONE = { x64: 56, arm64: 220 }[ARCHITECTURE]

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
  ['processes of others', '0'],
  ['ptrace of a process outside', 'refused'],
  ['ptrace of an own child', 'refused'],
  ['a socket to the hypervisor', 'refused'],
  ['a netlink socket', 'refused'],
  ['a packet socket', 'refused'],
  ['a socket of a rare protocol', 'refused'],
  ['an internet socket', 'worked'],
  ['a namespace by clone', 'refused'],
  ...Object.keys(CALLS).map((name) => [name, 'refused'] as const),
  ...(process.arch === 'x64' ? [['a 32-bit call', 'refused'] as const] : []),
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

/** perl's syscall() stands in for programs that the image lacks. */
const perl = (name: string, program: string): string => `echo "${name}=$(perl -e '${program}' 2>/dev/null)"`

/** Refused means by the filter, which says EPERM or ENOSYS; whatever else the kernel answers, it has looked at the call. */
const evaluated = (worked: string): string =>
  `print ${worked} ? "worked" : $! == 1 || $! == 38 ? "refused" : "let through: $!"`

/** The 32-bit getpid, by machine code in a page of its own; a filter that knows no such calls ends the process. */
const OLD_GATE = `use DynaLoader; my $page = syscall(9, 0, 4096, 7, 0x22, -1, 0); pipe(my $out, my $in);
  syswrite $in, pack("H*", "b814000000cd80c3"); syscall(0, fileno $out, $page, 8);
  DynaLoader::dl_install_xsub("main::gate", $page); if (!fork) { gate(); exit 0 }
  wait; print $? == 0 ? "worked" : $? & 31 ? "refused" : "failed: $?"`

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
    // 16: attach, 0x4206: seize.
    perl('ptrace of a process outside', evaluated(`syscall(${PTRACE}, 16, ${process.pid}, 0, 0) == 0`)),
    perl(
      'ptrace of an own child',
      `my $p = fork; if (!$p) { sleep 60; exit } ${evaluated(`syscall(${PTRACE}, 0x4206, $p, 0, 0) == 0`)}; kill 9, $p`,
    ),
    perl('a socket to the hypervisor', evaluated('socket(my $s, 40, 1, 0)')),
    perl('a netlink socket', evaluated('socket(my $s, 16, 3, 0)')),
    perl('a packet socket', evaluated('socket(my $s, 17, 3, 0)')),
    perl('a socket of a rare protocol', evaluated('socket(my $s, 2, 1, 262)')),
    perl('an internet socket', evaluated('socket(my $s, 2, 1, 6)')),
    perl(
      'a namespace by clone',
      `my $p = syscall(${CLONE}, 0x10000011, 0, 0, 0, 0); exit if $p == 0; ${evaluated('$p > 0')}`,
    ),
    ...Object.entries(CALLS).map(([name, { given, ...numbers }]) =>
      perl(name, evaluated(`syscall(${numbers[ARCHITECTURE]}, ${given}) != -1`)),
    ),
    perl('a 32-bit call', OLD_GATE),
    perl(
      'processes beyond the limit',
      'for (1 .. 100) { my $p = fork; if (!defined $p) { print "refused"; exit } if (!$p) { sleep 2; exit } } print "worked"',
    ),
  ].join('\n')
  const container = await docker.createContainer({
    Image: SHELL_IMAGE,
    Cmd: ['sh', '-c', script],
    User: '65532:65532',
    Labels: { 'oauth3.instance': options.instanceId, 'oauth3.role': 'sandbox' },
    NetworkDisabled: true,
    // The same walls, but with a log to read the answers from.
    HostConfig: {
      ...hostConfig({ limits: TEST_LIMITS, endpoint: null, ociRuntime: options.ociRuntime }),
      LogConfig: { Type: 'json-file', Config: {} },
    },
  })
  try {
    await container.start()
    await container.wait()
    const logs = (await container.logs({ stdout: true, stderr: true })).toString('utf8')
    const report = new Map<string, string>()
    for (const line of logs.split('\n')) {
      const found = /([A-Za-z/][A-Za-z0-9 ./_-]*)=(.*)$/.exec(line)
      if (found?.[1] !== undefined) report.set(found[1], found[2] ?? '')
    }
    return report
  } finally {
    await container.remove({ force: true })
  }
}
