import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditLog } from '../../src/audit/index.ts'
import type { Capability } from '../../src/egress/capabilities/index.ts'
import { createCertificateIssuer } from '../../src/egress/certificates/index.ts'
import { createEgressDial, type EgressDialOptions } from '../../src/egress/dial/index.ts'
import { createGateway } from '../../src/egress/gateway/index.ts'
import {
  createEgressSessions,
  type EgressEndpoint,
  type EgressPolicy,
  type EgressSession,
} from '../../src/egress/index.ts'
import type { Tx } from '../../src/kernel/index.ts'
import { createBackground, createLargeInspections } from '../../src/workers/background/index.ts'
import { policyOf, type SecretOfPolicy } from './egress-policy.ts'
import { createUnitDouble } from './unit-double.ts'

/** What the audit was told of one request. */
interface EgressEvent {
  readonly event: string
  readonly requestId: string
  readonly data: {
    readonly method: string
    readonly origin: string
    readonly path: string
    readonly status: number | null
    readonly request_bytes: number
    readonly response_bytes: number
    readonly secrets: readonly string[]
    readonly misplaced?: readonly string[]
    readonly rule?: string
  }
}

export interface GatewayKit extends AsyncDisposable {
  readonly directory: string
  readonly gateway: ReturnType<typeof createGateway>
  readonly logged: readonly unknown[]
  /** An endpoint with a run in it that may reach these. */
  run(
    network: readonly (string | Capability)[],
    secrets?: Readonly<Record<string, SecretOfPolicy>>,
    owner?: string,
  ): Promise<KitRun>
}

interface KitRun {
  readonly endpoint: EgressEndpoint
  readonly session: EgressSession
  readonly policy: EgressPolicy
  /** Ends the run and gives what the audit was told of it. */
  events(): Promise<readonly EgressEvent[]>
}

/** A gateway with real sockets, real certificates and real TLS; names resolve to this machine unless the test says else. */
export async function createGatewayKit(
  dial: EgressDialOptions = {},
  { http2ToHosts = true } = {},
): Promise<GatewayKit> {
  const directory = mkdtempSync(join(tmpdir(), 'oauth3-gw-'))
  const logged: unknown[] = []
  const background = createBackground()
  const gateway = createGateway({
    http2ToHosts,
    dial: createEgressDial({
      resolve: async () => ['127.0.0.1'],
      isPublic: (address) => address === '127.0.0.1',
      ...dial,
    }),
    inspections: createLargeInspections(background),
    issuer: await createCertificateIssuer(),
    directory,
    log: (message, error) => void logged.push([message, error]),
  })
  const told: EgressEvent[] = []
  const audit = {
    append: async (_tx: Tx, event: string, _actor: string, requestId: string, data: EgressEvent['data']) => {
      told.push({ event, requestId, data })
    },
  } as unknown as AuditLog
  const sessions = createEgressSessions({
    audit,
    storage: createUnitDouble(),
    onDefect: (error) => void logged.push(error),
  })
  let runs = 0
  return {
    directory,
    gateway,
    logged,
    async run(network, secrets = {}, owner = undefined) {
      const endpoint = await gateway.open()
      const policy = policyOf(network, secrets, owner)
      runs += 1
      const requestId = `req_${runs}`
      const session = sessions.begin(requestId, policy)
      endpoint.bindSession(session)
      return {
        endpoint,
        session,
        policy,
        async events() {
          session.end()
          await session.written()
          return told.filter((event) => event.requestId === requestId)
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await background[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
