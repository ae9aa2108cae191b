import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { compose } from '../src/compose/compose.ts'
import { readConfig } from '../src/config/index.ts'
import { anyCapability } from '../src/egress/capabilities/index.ts'
import { createCertificateIssuer } from '../src/egress/certificates/index.ts'
import { createEgressDial } from '../src/egress/dial/index.ts'
import { createGateway } from '../src/egress/gateway/index.ts'
import { createEgressSessions, createPolicy, GATEWAY_SOCKET } from '../src/egress/index.ts'
import { SecretValue } from '../src/kernel/index.ts'
import { createScrubber } from '../src/scrub/index.ts'
import { createLargeInspections } from '../src/workers/background/index.ts'
import { createScriptedSandbox } from '../test/support/domain-kit.ts'
import { type GatewayStart, HOST, type OpenedEndpoint } from './gateway-peers.ts'

const SECRET_NAME = 'BENCH_KEY'

/**
 * The gateway as the daemon builds it: its own CA, the audit in a real file. Only the resolver and the roots are the
 * bench's. Each call of what is returned opens an endpoint and lets a run in.
 */
export async function playGateway(start: GatewayStart): Promise<() => Promise<OpenedEndpoint>> {
  mkdirSync(start.folder, { recursive: true })
  const config = readConfig({ DB_PATH: join(start.folder, 'daemon', 'proxy.db'), LOG_LEVEL: 'silent' })
  const core = await compose(config, { sandbox: async () => createScriptedSandbox() })
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
        owner: 'agt_bench',
        // As a card has it: every request is matched against methods and patterns, and counted.
        network: network.map((host) => ({
          ...anyCapability(host),
          methods: ['GET'],
          paths: ['/small', '/large/*', '/v1/things/*'],
          requests: Number.MAX_SAFE_INTEGER,
        })),
        secrets: [
          {
            name: SECRET_NAME,
            value: new SecretValue(start.value),
            hosts: network,
            boundTo: null,
            surfaces: ['header'],
          },
        ],
      },
      () => scrubber,
    )
  let run = 0
  return async () => {
    const endpoint = await gateway.open()
    const policy = policyOf()
    endpoint.bindSession(sessions.begin(`req_bench_${++run}`, policy))
    return {
      socketPath: join(endpoint.directory, GATEWAY_SOCKET),
      ca: issuer.caPem,
      placeholder: policy.secrets[0]?.placeholder ?? '',
    }
  }
}
