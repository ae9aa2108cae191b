/**
 * Resolves what code imports in a container of its own: the run's image, no secret, and an endpoint that leads to the import
 * hosts only. Deno reads the modules there; nothing of them is evaluated, there or here.
 */

import type Docker from 'dockerode'
import { anyCapability } from '../../egress/capabilities/index.ts'
import {
  createPolicy,
  type EgressEndpoint,
  type EgressEndpoints,
  type EgressPolicy,
  type EgressSession,
  type EgressSessions,
} from '../../egress/index.ts'
import { agentActor } from '../../identity/index.ts'
import { type AgentId, AppError, oneLine, sha256Hex } from '../../kernel/index.ts'
import { createScrubber } from '../../scrub/index.ts'
import type { SeccompChoice } from '../engine/index.ts'
import { createEngineClient, createHostPaths } from '../engine/index.ts'
import {
  IMPORT_LIMITS,
  type ImportResolver,
  type LockedImports,
  type RemoteImport,
  remoteImports,
  sealLock,
} from '../imports/index.ts'
import type { RunLimits } from '../index.ts'
import { containerConfig, createRemovals, createSlots, SandboxContainer } from '../runner/index.ts'
import { netGrant, RUNTIMES } from '../runtimes/index.ts'
import { createAnswerReader, type ResolverAnswer } from './import-answer.ts'

export interface ImportResolverOptions {
  /** Only containers can hold code to a lock. */
  readonly kind: 'docker' | 'embedded'
  readonly docker?: Docker | undefined
  readonly instanceId: string
  readonly ociRuntime?: string | undefined
  readonly seccomp?: SeccompChoice | undefined
  readonly endpoints: EgressEndpoints
  /** Canonical host patterns; empty refuses every import from elsewhere. */
  readonly hosts: readonly string[]
  readonly log: (message: string, error?: unknown) => void
  readonly timeoutMs?: number | undefined
}

const TIMEOUT_MS = 30_000
const AT_ONCE = 2
const MAX_WAITING = 16
const MIB = 1_048_576

const LIMITS: RunLimits = {
  timeoutMs: TIMEOUT_MS,
  memoryBytes: 512 * MIB,
  cpuMillis: 1_000,
  pids: 128,
  // What is fetched holds types too, and versions that nobody takes.
  tmpBytes: 128 * MIB,
  outputBytes: IMPORT_LIMITS.bytes,
}

const TOO_LARGE = `What the code imports is more than may be locked: ${IMPORT_LIMITS.modules} modules, ${IMPORT_LIMITS.files} files, ${IMPORT_LIMITS.bytes / MIB} MiB.`

/** What resolves imports for all tenants: its places are the installation's. */
export interface ImportEngine extends AsyncDisposable {
  /** `egress`: of the tenant, whose audit is told of every host. */
  resolverFor(egress: EgressSessions): ImportResolver
}

export function createImportEngine(options: ImportResolverOptions): ImportEngine {
  const docker = options.docker ?? createEngineClient()
  const hostPaths = createHostPaths(docker)
  const slot = createSlots(AT_ONCE)
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  const closing = new AbortController()
  const removals = createRemovals(createSlots(AT_ONCE), closing.signal)
  const containers = new Set<SandboxContainer>()
  const underWay = new Set<Promise<LockedImports>>()

  const launch = async (image: string, session: EgressSession): Promise<SandboxContainer> => {
    closing.signal.throwIfAborted()
    const endpoint: EgressEndpoint = await options.endpoints.open()
    try {
      const enginePath = await hostPaths.toEngine(endpoint.directory)
      if (enginePath === null) throw new Error('the folder of the gateway is in no volume of the engine')
      endpoint.bindSession(session)
      const config = containerConfig({
        image,
        instanceId: options.instanceId,
        limits: LIMITS,
        endpoint: enginePath,
        ociRuntime: options.ociRuntime,
        seccomp: options.seccomp,
        arguments: [
          '--allow-all',
          '--no-prompt',
          '--no-config',
          '--no-lock',
          '--no-remote',
          '--no-npm',
          '/resolve.js',
        ],
      })
      const container = new SandboxContainer({ docker, config, removals, endpoint, log: options.log })
      containers.add(container)
      void container.whenRemoved.then(() => containers.delete(container))
      // From here on the container closes the endpoint, whatever becomes of it.
      await container.start()
      return container
    } catch (error) {
      await endpoint.close()
      throw error
    }
  }

  const ask = async (
    code: string,
    image: string,
    session: EgressSession,
  ): Promise<ResolverAnswer | 'too_large'> => {
    await using container = await launch(image, session)
    const body = JSON.stringify({ v: 1, code, hosts: options.hosts.map(netGrant), limits: IMPORT_LIMITS })
    const message = Buffer.alloc(4 + Buffer.byteLength(body))
    message.writeUInt32BE(message.length - 4, 0)
    message.write(body, 4)
    const reader = createAnswerReader()
    const ending = new AbortController()
    let flooded = false
    let stderr = ''
    const take = (stream: 'stdout' | 'stderr', bytes: Buffer): void => {
      if (stream === 'stderr') stderr = (stderr + bytes.toString('utf8')).slice(-500)
      else if (!reader.push(bytes)) {
        flooded = true
        ending.abort()
      }
    }
    try {
      await container.exchange(
        message,
        take,
        AbortSignal.any([AbortSignal.timeout(timeoutMs), ending.signal, closing.signal]),
      )
      return reader.end()
    } catch (error) {
      if (flooded) return 'too_large'
      throw stderr === '' || isTimeout(error)
        ? error
        : new Error(`the resolver said: ${stderr}`, { cause: error })
    }
  }

  const resolverFor = (egress: EgressSessions): ImportResolver => {
    const begin = (code: string, policy: EgressPolicy, agentId: AgentId): EgressSession =>
      egress.begin(`imports:${sha256Hex(code).slice(0, 16)}`, policy, {
        actor: agentActor(agentId),
        for: 'imports',
      })

    /** Nothing is opened for it, and the audit is told all the same. */
    const refuseAll = async (
      code: string,
      agentId: AgentId,
      found: RemoteImport,
      why: string,
    ): Promise<AppError> => {
      const details = { ...found, reason: options.kind === 'embedded' ? 'not_here' : 'host_not_allowed', why }
      const session = begin(code, policyOf([], agentId), agentId)
      recordRefused(session, details)
      session.end()
      await session.written()
      return refusal(details)
    }

    const lock = async (
      code: string,
      runtime: { readonly name: string; readonly image: string },
      found: readonly [RemoteImport, ...RemoteImport[]],
      agentId: AgentId,
    ): Promise<LockedImports> => {
      const network = options.hosts.filter((host) => !host.startsWith('http://'))
      const policy = policyOf(network, agentId)
      const session = begin(code, policy, agentId)
      let answer: ResolverAnswer | 'too_large' | undefined
      try {
        answer = await ask(code, runtime.image, session)
      } catch (error) {
        if (isTimeout(error)) {
          throw refusal({
            ...found[0],
            reason: 'timeout',
            why: `not all fetched within ${timeoutMs / 1_000} s`,
          })
        }
        options.log('imports could not be resolved', error)
        throw new AppError('sandbox_unavailable', 'What the code imports cannot be resolved now.', {
          retryAfterSeconds: 15,
          cause: error,
        })
      } finally {
        if (answer !== undefined && answer !== 'too_large' && 'refused' in answer) {
          recordRefused(session, answer.refused)
        }
        session.end()
        // The audit tells what imports reached before the agent is answered.
        await session.written()
      }
      if (answer === 'too_large' || ('failed' in answer && answer.failed === 'too_large')) {
        throw new AppError('too_large', TOO_LARGE)
      }
      if ('refused' in answer) throw refusal(answer.refused)
      if ('failed' in answer) {
        throw refusal({ ...meant(found, answer.failed), reason: 'unreadable', why: answer.failed })
      }
      return sealLock({ runtime, ...answer })
    }

    /** What is resolved already, which whoever asks for the same waits for. */
    const own = new Map<string, Promise<LockedImports>>()
    return {
      async resolve(code, runtime, _signal, agentId) {
        const [first, ...more] = remoteImports(code)
        if (first === undefined || RUNTIMES.find(({ name }) => name === runtime.name)?.locksImports !== true)
          return null
        if (options.kind === 'embedded') {
          throw await refuseAll(code, agentId, first, 'the embedded sandbox cannot lock imports; use docker')
        }
        if (options.hosts.length === 0) {
          throw await refuseAll(code, agentId, first, 'this daemon lets nothing be imported from elsewhere')
        }
        const key = `${runtime.image} ${sha256Hex(code)}`
        const same = own.get(key)
        if (same !== undefined) return await same
        if (underWay.size >= MAX_WAITING) {
          throw new AppError('rate_limited', 'Imports of too many programs are being resolved.', {
            retryAfterSeconds: 10,
          })
        }
        const work = slot(() => lock(code, runtime, [first, ...more], agentId)).finally(() => {
          own.delete(key)
          underWay.delete(work)
        })
        own.set(key, work)
        underWay.add(work)
        return await work
      },
    }
  }

  return {
    resolverFor,
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the daemon is stopping'))
      await Promise.allSettled([...underWay, ...[...containers].map((container) => container.remove())])
    },
  }
}

/** Modules are read and nothing else. */
const policyOf = (network: readonly string[], agentId: AgentId): EgressPolicy =>
  createPolicy(
    {
      owner: agentId,
      network: network.map((host) => ({ ...anyCapability(host), methods: ['GET'], websocket: false })),
      secrets: [],
    },
    () => createScrubber(new Map()),
  )

/** A host that the sandbox may not even ask the gateway for; `why` names the one that a module further down wants. */
function recordRefused(
  session: EgressSession,
  { specifier, reason, why }: { readonly specifier: string; readonly reason: string; readonly why: string },
): void {
  if (reason !== 'host_not_allowed' && reason !== 'plain_http' && reason !== 'not_here') return
  const nested = /([\w.:[\]-]{1,253}) is not an import host/.exec(why)?.[1]
  const own = URL.parse(specifier)
  const origin = own !== null && own.host !== '' ? own.origin : oneLine(specifier, 200)
  session.record({
    method: 'GET',
    origin: nested === undefined ? origin : `https://${nested.replace(/:443$/, '')}`,
    path: '',
    status: null,
    requestBytes: 0,
    responseBytes: 0,
    secrets: [],
    refused: 'host_not_approved',
    rejected: [],
  })
}

const isTimeout = (error: unknown): boolean => error instanceof DOMException && error.name === 'TimeoutError'

/** Which import a failure of the whole is about, by its name in the text; else the first. */
function meant(found: readonly [RemoteImport, ...RemoteImport[]], failure: string): RemoteImport {
  const named = ({ specifier }: RemoteImport): boolean => {
    const bare = specifier.replace(/^(?:npm|jsr):\/?/, '')
    return failure.includes(/^@?[^@]+/.exec(bare)?.[0] ?? bare)
  }
  return found.find(named) ?? found[0]
}

function refusal(details: {
  readonly line: number
  readonly specifier: string
  readonly reason: string
  readonly why: string
}): AppError {
  const { line, specifier, reason, why } = details
  const setting = reason === 'host_not_allowed' ? '; OAUTH3_IMPORT_HOSTS lists those that are' : ''
  return new AppError('import_refused', `line ${line}: ${specifier.slice(0, 200)}: ${why}${setting}`, {
    details: { line, specifier, reason },
  })
}
