import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { DEFAULT_TENANT, isPublicAddress, newAppId, SecretValue } from '../../src/kernel/index.ts'
import type { ModelBinding, RunIdentity } from '../../src/llm/proxy/index.ts'
import { createDomainKit, type DomainKit } from './domain-kit.ts'
import { UNLIMITED } from './usage-kit.ts'
import { startVendors, VENDOR_ADDRESS, type Vendors } from './vendor-doubles.ts'

export const MESSAGES = '/v1/messages'
/** 3 $ a million of input, 15 $ of output. */
export const MODEL = 'claude-sonnet-4-5'

/** As Claude Code asks, but shorter. */
export const message = (more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  model: MODEL,
  max_tokens: 128_000,
  messages: [{ role: 'user', content: 'Say hello.' }],
  ...more,
})

export interface RunAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The connection was gone before the answer was whole. */
  readonly isCut: boolean
}

/** One run: its binding, and a unix socket as its container has it. */
export interface TestRun extends AsyncDisposable {
  readonly binding: ModelBinding
  /** Every byte that came out of its socket. */
  readonly got: () => Buffer
  readonly path: string
  ask(body: unknown, options?: AskOptions): Promise<RunAnswer>
  /** Of a request under way: what came of its body so far, as it comes. */
  begin(
    body: unknown,
    options?: AskOptions,
  ): { readonly request: ClientRequest; readonly answer: Promise<RunAnswer>; first(): Promise<string> }
}

interface AskOptions {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface RunEndpointKit extends AsyncDisposable {
  readonly domain: DomainKit
  readonly vendors: Vendors
  /** A key of the vendor's that the daemon stores; its value. */
  addKey(tags?: readonly string[]): Promise<string>
  run(identity?: Partial<RunIdentity>): Promise<TestRun>
}

/** One for all tests of a file, after each of which no vendor may have found a fault with a request. */
export function useRunEndpoints(environment: Record<string, string> = {}): RunEndpointKit {
  let made: RunEndpointKit | undefined
  const present = (): RunEndpointKit => {
    if (made === undefined) throw new Error('The kit is there once the tests run.')
    return made
  }
  beforeAll(async () => {
    made = await createRunEndpointKit(environment)
  })
  afterAll(() => made?.[Symbol.asyncDispose]())
  afterEach(() => {
    present().vendors.clearPlays()
    expect(present().vendors.faults.splice(0)).toEqual([])
    expect(present().domain.defects.splice(0)).toEqual([])
  })
  return {
    get domain() {
      return present().domain
    },
    get vendors() {
      return present().vendors
    },
    addKey: (tags) => present().addKey(tags),
    run: (...of) => present().run(...of),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** All parts of the daemon, with the vendors played at the wire and runs that have a socket each. */
async function createRunEndpointKit(environment: Record<string, string> = {}): Promise<RunEndpointKit> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-runs-'))
  const vendors = await startVendors()
  const domain = await createDomainKit({
    dir: folder,
    environment,
    egress: {
      resolve: async () => [VENDOR_ADDRESS],
      isPublic: (address) => address === VENDOR_ADDRESS || isPublicAddress(address),
      portOf: ({ port }) => (port === 443 ? vendors.port : port),
      tls: { ca: vendors.ca },
    },
  })
  const runs = new Set<TestRun>()
  let serial = 0
  return {
    domain,
    vendors,
    async addKey(tags = []) {
      const value = vendors.addKey('anthropic')
      await domain.storage.transaction((tx) =>
        domain.llm.keys.add(tx, { provider: 'anthropic', tags, value: new SecretValue(value) }, 'cli:1000'),
      )
      return value
    },
    async run(identity = {}) {
      serial += 1
      const binding = domain.llmProxy.bind({
        tenant: DEFAULT_TENANT,
        runId: `run_${serial}`,
        app: { id: newAppId(), name: `app-${serial}` },
        models: null,
        limits: UNLIMITED,
        budget: { usd: null, tokens: null, requests: null },
        ...identity,
      })
      const run = await startRun(join(folder, `run-${serial}.sock`), binding)
      runs.add(run)
      return run
    },
    async [Symbol.asyncDispose]() {
      for (const run of runs) await run[Symbol.asyncDispose]()
      await domain[Symbol.asyncDispose]()
      await vendors[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startRun(path: string, binding: ModelBinding): Promise<TestRun> {
  const server: Server = createServer((socket) => binding.connection(socket))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const got: Buffer[] = []

  const begin = (
    body: unknown,
    { path: target = MESSAGES, method = 'POST', headers = {} }: AskOptions = {},
  ) => {
    const first = Promise.withResolvers<string>()
    const answer = Promise.withResolvers<RunAnswer>()
    const call = request({
      ...{ socketPath: path, path: target, method, agent: false },
      headers: {
        'content-type': 'application/json',
        'x-api-key': 'placeholder',
        'anthropic-version': '2023-06-01',
        host: 'model',
        ...headers,
      },
    })
    call.on('socket', (socket: Socket) => socket.on('data', (bytes: Buffer) => void got.push(bytes)))
    call.on('error', (error) => {
      first.resolve('')
      answer.reject(error)
    })
    call.on('response', (response) => {
      const parts: Buffer[] = []
      const over = (isCut: boolean): void => {
        first.resolve('')
        const text = Buffer.concat(parts).toString()
        answer.resolve({ status: response.statusCode ?? 0, headers: response.headers, text, isCut })
      }
      response.on('data', (bytes: Buffer) => {
        parts.push(bytes)
        first.resolve(bytes.toString())
      })
      response.on('error', () => over(true))
      response.on('end', () => over(!response.complete))
    })
    call.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body))
    // Nobody may wait for it.
    answer.promise.catch(() => {})
    return { request: call, answer: answer.promise, first: () => first.promise }
  }
  return {
    ...{ binding, path, begin },
    got: () => Buffer.concat(got),
    ask: (body, options) => begin(body, options).answer,
    async [Symbol.asyncDispose]() {
      binding.end('cut')
      await binding[Symbol.asyncDispose]()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const errorOf = (
  answer: RunAnswer,
): { readonly code: string | undefined; readonly status: number } => ({
  code: answer.headers['x-oauth3-error'] as string | undefined,
  status: answer.status,
})
