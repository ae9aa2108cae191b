import { describe, expect, it } from 'vitest'
import { RUN_DEFAULTS } from '../index.ts'
import { hostConfig } from '../runner/docker/container-config.ts'
import { SECCOMP_PROFILE, type SeccompChoice } from './seccomp-profile.ts'

/** What a program needs none of, and what ways out of containers have led through. */
const NEVER = `
  ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp
  bpf perf_event_open userfaultfd seccomp keyctl add_key request_key lookup_dcookie syslog
  mount umount umount2 mount_setattr open_tree move_mount fsopen fsmount fsconfig fspick pivot_root chroot
  unshare setns sethostname setdomainname open_by_handle_at name_to_handle_at fanotify_init fanotify_mark
  quotactl quotactl_fd swapon swapoff acct reboot kexec_load kexec_file_load init_module finit_module delete_module
  iopl ioperm modify_ldt vm86 vm86old settimeofday clock_settime adjtimex clock_adjtime vhangup
  memfd_create memfd_secret splice tee vmsplice io_setup io_submit mknod mknodat setxattr nfsservctl
  mbind migrate_pages move_pages set_mempolicy shmget semget msgget mq_open remap_file_pages uselib socketcall
`
  .trim()
  .split(/\s+/)

const allowed = SECCOMP_PROFILE.syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW')
const free = new Set(allowed.filter(({ args }) => args === undefined).flatMap(({ names }) => names))
const securityOf = (seccomp?: SeccompChoice) => {
  const { timeoutSeconds, memoryMib, ...more } = RUN_DEFAULTS
  const limits = { ...more, timeoutMs: timeoutSeconds * 1_000, memoryBytes: memoryMib * 1_048_576 }
  return hostConfig({ limits, endpoint: null, ociRuntime: undefined, seccomp }).SecurityOpt
}

describe('the profile of system calls', () => {
  it('refuses what it does not name, on the two architectures that it knows', () => {
    expect(SECCOMP_PROFILE.defaultAction).toBe('SCMP_ACT_ERRNO')
    expect(SECCOMP_PROFILE.archMap.flatMap(({ subArchitectures }) => subArchitectures)).toEqual([])
  })

  it('names no call that leads out of a container', () => {
    const named = new Set(allowed.flatMap(({ names }) => names))
    expect(NEVER.filter((name) => named.has(name))).toEqual([])
  })

  it('allows sockets, clones and personalities by what they are asked for, and never as such', () => {
    for (const name of ['socket', 'socketpair', 'clone', 'personality']) expect(free).not.toContain(name)
    const families = allowed
      .filter(({ names }) => names.includes('socket'))
      .map(({ args }) => args?.[0]?.value)
    expect(new Set(families)).toEqual(new Set([1, 2, 10]))
  })

  it('says of calls that libraries try first that there are none, so that they take the older way', () => {
    expect(SECCOMP_PROFILE.syscalls.filter(({ action }) => action !== 'SCMP_ACT_ALLOW')).toEqual([
      {
        names: ['clone3', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 38,
      },
    ])
  })

  it('names no call twice without a condition', () => {
    const names = allowed.filter(({ args }) => args === undefined).flatMap((rule) => rule.names)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })

  it('is given to every container unless the one of the engine was chosen', () => {
    expect(securityOf()).toEqual(['no-new-privileges:true', `seccomp=${JSON.stringify(SECCOMP_PROFILE)}`])
    expect(securityOf('oauth3')).toEqual(securityOf())
    expect(securityOf('engine')).toEqual(['no-new-privileges:true'])
  })
})
