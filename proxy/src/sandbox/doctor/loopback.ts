import { existsSync } from 'node:fs'
import { release } from 'node:os'

const THRESHOLD = 'net.ipv4.tcp_pingpong_thresh'
const THRESHOLD_FILE = '/proc/sys/net/ipv4/tcp_pingpong_thresh'
/** They start a container's processes on the host's own kernel. */
const ON_THE_HOSTS_KERNEL: readonly (string | undefined)[] = [undefined, 'runc', 'crun']

/**
 * Settings of the container's own loopback. A TLS client that does not set TCP_NODELAY sends the end of its handshake and
 * its request as small pieces, and Linux delays the acknowledgement that the second of them waits for by 40 ms, because
 * the relay has answered on that connection before. From Linux 6.7 on the number of answers that makes it do so is a
 * setting of each network namespace. A setting that a kernel does not know fails the start of a container, so it is
 * named only where the engine runs on the kernel that this process sees.
 */
export function loopbackSysctls(
  engineKernel: string | undefined,
  ociRuntime: string | undefined,
): Record<string, string> {
  const known =
    engineKernel === release() && ON_THE_HOSTS_KERNEL.includes(ociRuntime) && existsSync(THRESHOLD_FILE)
  return known ? { [THRESHOLD]: '255' } : {}
}
