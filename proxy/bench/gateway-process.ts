import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createLargeInspections } from '../src/adapters/background/index.ts'
import { createCertificateIssuer } from '../src/adapters/certificates/index.ts'
import { createEgressDial } from '../src/adapters/dial/index.ts'
import { readConfig } from '../src/config/index.ts'
import { openCore } from '../src/daemon-core.ts'
import { anyCapability } from '../src/domain/capabilities/index.ts'
import { createEgressSessions, createPolicy, GATEWAY_SOCKET } from '../src/domain/egress/index.ts'
import { createScrubber } from '../src/domain/scrub/index.ts'
import { SecretValue, systemClock } from '../src/kernel/index.ts'
import { createGateway } from '../src/surfaces/gateway/index.ts'
import { type GatewayStart, HOST, type OpenedEndpoint } from './gateway-peers.ts'

const SECRET_NAME = 'BENCH_KEY'

/**
 * The gateway as the daemon builds it: its own CA, the audit in a real file. Only the resolver and the roots are the
 * bench's. Each call of what is returned opens an endpoint and lets a run in.
 */
export async function playGateway(start: GatewayStart): Promise<() => Promise<OpenedEndpoint>> {
  mkdirSync(start.folder, { recursive: true })
  const config = readConfig({ DB_PATH: join(start.folder, 'proxy.db'), LOG_LEVEL: 'silent' })
  const core = await openCore(config, systemClock, console, new AsyncDisposableStack())
  const fail = (error: unknown): void => console.error('gateway:', error)
  const sessions = createEgressSessions({ ...core, onDefect: fail })
  const issuer = await createCertificateIssuer()
  const gateway = createGateway({
    http2ToHosts: true,
    dial: createEgressDial({
      resolve: async () => ['127.0.0.1'],
      isPublic: (address) => address === '127.0.0.1',
      tls: { ca: start.ca },
    }),
    inspections: createLargeInspections(core.background),
    issuer,
    directory: join(start.folder, 'gateway'),
    log: (message, error) => console.error('gateway:', message, error),
  })
  const network = [`${HOST}:${start.port}`]
  const scrubber = createScrubber(new Map([[SECRET_NAME, start.value]]))
  const policyOf = () =>
    createPolicy(
      {
        agent: { id: 'agt_bench' },
        // As a card has it: every request is matched against methods and patterns, and counted.
        network: network.map((host) => ({
          ...anyCapability(host),
          methods: ['GET'],
          paths: ['/small', '/large/*', '/v1/things/*'],
          requests: Number.MAX_SAFE_INTEGER,
        })),
        secrets: [{ name: SECRET_NAME, mode: 'placeholder', hosts: network, in: ['header'], bound_to: null }],
      },
      new Map([[SECRET_NAME, new SecretValue(start.value)]]),
      () => null,
      () => scrubber,
    )
  let run = 0
  return async () => {
    const endpoint = await gateway.open()
    const policy = policyOf()
    endpoint.admit(sessions.begin(`req_bench_${++run}`, policy))
    return {
      socketPath: join(endpoint.directory, GATEWAY_SOCKET),
      ca: issuer.caPem,
      placeholder: policy.secrets[0]?.placeholder ?? '',
    }
  }
}
