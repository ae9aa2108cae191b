/**
 * The seccomp profile, which system calls a sandbox may make: a list of what a language runtime and an ordinary program need. Everything else is
 * refused with EPERM; what is younger than the OCI runtime may be said not to exist instead. The engine takes the list in
 * the form of its own profile, which is longer, and has a filter made of it that no process of the container can take off.
 * No error is named for what is not listed (defaultErrnoRet): Docker 20.10 does not heed it, and engines shall agree.
 */

interface Rule {
  readonly names: readonly string[]
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO'
  readonly errnoRet?: number
  /** All of them must hold. */
  readonly args?: readonly Condition[]
}

interface Condition {
  readonly index: number
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_MASKED_EQ'
  readonly value: number
  readonly valueTwo?: number
}

const words = (text: string): string[] => text.trim().split(/\s+/)
const allow = (text: string): Rule => ({ names: words(text), action: 'SCMP_ACT_ALLOW' })
const allowIf = (name: string, ...args: readonly Condition[]): Rule => ({
  names: [name],
  action: 'SCMP_ACT_ALLOW',
  args,
})
const equals = (index: number, value: number): Condition => ({ index, value, op: 'SCMP_CMP_EQ' })
const noneOf = (index: number, bits: number): Condition => ({
  index,
  value: bits,
  valueTwo: 0,
  op: 'SCMP_CMP_MASKED_EQ',
})

/** Reading, writing and waiting. No splice, tee or vmsplice: runtimes do without, kernels have been rewritten through them. */
const STREAMS = `
  read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek sendfile copy_file_range
  close close_range dup dup2 dup3 fcntl ioctl pipe pipe2
  poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
  eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime
`

/** Files below /tmp, and those of the image. No device nodes, no handles that lead past a mount, no files in memory. */
const FILES = `
  open openat openat2 creat access faccessat faccessat2 stat lstat fstat newfstatat statx statfs fstatfs
  getdents getdents64 readlink readlinkat getcwd chdir fchdir umask
  mkdir mkdirat rmdir link linkat symlink symlinkat unlink unlinkat rename renameat renameat2
  chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat utime utimes utimensat futimesat
  truncate ftruncate fallocate fadvise64 readahead flock fsync fdatasync sync_file_range
  getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
`

/** Its own memory alone. V8 guards what it compiles with keys (pkey) and new libraries seal what they load. */
const MEMORY = `
  brk mmap munmap mremap mprotect madvise mincore msync mlock mlock2 munlock membarrier
  pkey_alloc pkey_free pkey_mprotect map_shadow_stack mseal
`

/** Processes and threads of its own, their signals and their limits. No call that looks into another process. */
const PROCESSES = `
  fork vfork execve execveat exit exit_group wait4 waitid kill tkill tgkill pidfd_open pidfd_send_signal
  getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address set_robust_list get_robust_list rseq
  futex futex_waitv futex_wait futex_wake futex_requeue restart_syscall
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
  sigaltstack pause alarm getitimer setitimer
  sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler
  sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval getpriority setpriority
  getrlimit setrlimit prlimit64 getrusage times getcpu arch_prctl prctl
`

/** The clock is read, never set. */
const TIME_AND_CHANCE = `
  time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep
  timer_create timer_delete timer_getoverrun timer_gettime timer_settime getrandom uname sysinfo
`

/** Whose process it is. Without capabilities nobody can be become; runtimes of containers set theirs at the last moment. */
const IDENTITY = `
  getuid geteuid getgid getegid getresuid getresgid getgroups capget
  capset setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid
`

/** What can be done with a socket once there is one. */
const SOCKETS = `
  bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown
  sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg
`

const UNIX = 1
const INTERNET = [2, 10]
/** The one of the socket's kind, TCP, UDP. */
const PROTOCOLS = [0, 6, 17]

/**
 * Unix sockets lead to the gateway and internet ones to loopback. Every other family is code of the kernel that nothing
 * here needs (netlink lists interfaces, of which there is one); one of them (vsock) heeds no network namespace and speaks to the machine's hypervisor.
 */
const SOCKET_FAMILIES: readonly Rule[] = [
  allowIf('socket', equals(0, UNIX)),
  ...INTERNET.flatMap((family) =>
    PROTOCOLS.map((protocol) => allowIf('socket', equals(0, family), equals(2, protocol))),
  ),
  allowIf('socketpair', equals(0, UNIX)),
]

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: whoever makes a user namespace has every capability in it. */
const NAMESPACE_FLAGS = 0x7e02_0000
/** Linux, Linux without random addresses, and the question which it is. */
const PERSONALITIES = [0x0, 0x4_0000, 0xffff_ffff]

const ENOSYS = 38
/**
 * Said not to exist, so that libraries take the older way. The flags of clone3 are in memory, where a filter cannot
 * read them; io_uring does its work past every filter.
 */
const UNKNOWN = 'clone3 io_uring_setup io_uring_enter io_uring_register'

export const SECCOMP_PROFILE: {
  readonly defaultAction: 'SCMP_ACT_ERRNO'
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[]
  readonly syscalls: readonly Rule[]
} = {
  defaultAction: 'SCMP_ACT_ERRNO',
  // No 32-bit calls beside them: they have other numbers and, for sockets, arguments that a filter cannot read.
  archMap: [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] },
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] },
  ],
  syscalls: [
    allow([STREAMS, FILES, MEMORY, PROCESSES, TIME_AND_CHANCE, IDENTITY, SOCKETS].join(' ')),
    ...SOCKET_FAMILIES,
    allowIf('clone', noneOf(0, NAMESPACE_FLAGS)),
    ...PERSONALITIES.map((personality) => allowIf('personality', equals(0, personality))),
    { names: words(UNKNOWN), action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ],
}

/** `oauth3`: the profile above; `engine`: the one that the engine gives to every container. */
export type SeccompChoice = 'oauth3' | 'engine'

const OPTION = `seccomp=${JSON.stringify(SECCOMP_PROFILE)}`

/** What a container's SecurityOpt says of it; naming no profile means the engine's. */
export const seccompOption = (choice: SeccompChoice): readonly string[] =>
  choice === 'engine' ? [] : [OPTION]
