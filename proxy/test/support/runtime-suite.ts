/** What the suites over all runtimes stand on: the Docker sandbox behind the real gateway, and an upstream that plays a public host. */
import Docker from 'dockerode'
import { DockerSandbox } from '../../src/sandbox/runner/docker/docker-sandbox.ts'
import type { Runtime } from '../../src/sandbox/runtimes/runtimes.ts'
import { type EgressUpstream, PUBLIC_ADDRESS, startEgressUpstream } from './egress-upstream.ts'
import { createGatewayKit, type GatewayKit } from './gateway-kit.ts'
import type { Absent, Probe } from './runtime-probes.ts'
import { type CollectedRun, type RunOptions, runIn } from './sandbox-run.ts'

export const UPSTREAM_HOST = 'api.demo.test'

export interface RuntimeSuite extends AsyncDisposable {
  readonly docker: Docker
  readonly sandbox: DockerSandbox
  readonly gateway: GatewayKit
  readonly upstream: EgressUpstream
  /** `host:port` of the upstream. */
  readonly approved: string
  run(runtime: Runtime, code: string, options?: RunOptions): Promise<CollectedRun>
}

export async function createRuntimeSuite(instanceId: string): Promise<RuntimeSuite> {
  const docker = new Docker()
  const upstream = await startEgressUpstream([UPSTREAM_HOST])
  const gateway = await createGatewayKit({
    resolve: async () => [PUBLIC_ADDRESS],
    isPublic: (address) => address === PUBLIC_ADDRESS,
    tls: { ca: upstream.ca },
  })
  const sandbox = new DockerSandbox({ docker, instanceId, poolSize: 1, endpoints: gateway.gateway })
  await sandbox.sweep()
  return {
    docker,
    sandbox,
    gateway,
    upstream,
    approved: `${UPSTREAM_HOST}:${upstream.port}`,
    run: (runtime, code, options) => runIn(sandbox, code, { runtime: runtime.name, ...options }),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]()
      await gateway[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

const isAbsent = (probe: Probe): probe is Absent => typeof probe !== 'string'

/** The code of a probe; the test is skipped with the reason where the language has none. */
export function codeOf(probe: Probe, skip: (reason: string) => void): string {
  if (!isAbsent(probe)) return probe
  skip(probe.absent)
  throw new Error('the test goes on after it was skipped')
}
