import { randomBytes } from 'node:crypto'
import type { fdatasync } from 'node:fs'
import { resolve } from 'node:path'
import type { Logger } from 'pino'
import type { AuditScans } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import { createEgressDial, type EgressDialOptions } from '../egress/dial/index.ts'
import type { EgressDial, EgressEndpoints, LastingEndpoints } from '../egress/index.ts'
import type { ProgramReader } from '../executions/facts/index.ts'
import { createRunPlaces, type RunPlaces } from '../executions/index.ts'
import { createProgramReader } from '../executions/program-reader/index.ts'
import { createLimits, createMetrics, type Limits, type Metrics } from '../http/agent-api/index.ts'
import {
  type AccessTokens,
  createAccessTokens,
  createPasswords,
  type Passwords,
} from '../identity/accounts/index.ts'
import { createTickets, type Tickets } from '../identity/tickets/index.ts'
import { type Clock, DEFAULT_TENANT, type TenantId, type Tx } from '../kernel/index.ts'
import { createLlmShares, type LlmShares } from '../llm/proxy/index.ts'
import { type BotClaims, createBotClaims } from '../notify/bot-api/index.ts'
import type { ReadFreeBytes } from '../retention/index.ts'
import { createImportEngine, type ImportEngine } from '../sandbox/import-resolver/index.ts'
import type { ImportResolver } from '../sandbox/imports/index.ts'
import type { Sandbox } from '../sandbox/index.ts'
import {
  createLogSync,
  type DatabaseAddress,
  type OpenedToRead,
  type OpenStorage,
  openStorage,
  openToRead,
} from '../storage/index.ts'
import type { DaemonLock } from '../storage/lock/index.ts'
import { createSodiumCipher } from '../vault/crypto/index.ts'
import {
  type Background,
  createBackground,
  createBackgroundScans,
  startCheckpoints,
  surroundingsOfConnections,
} from '../workers/background/index.ts'
import { openSharedMachines, type SharedMachines } from './compose-machine-host.ts'
import { STORES } from './compose-stores.ts'
import { type ClaudeRunsBase, type ClaudeRunsOverrides, openClaudeRunsBase } from './daemon-claude-runner.ts'
import { openGateway } from './daemon-egress.ts'
import { type MasterKeys, openMasterKeys } from './daemon-keys.ts'
import { openSandbox } from './daemon-sandbox.ts'

/** What a test or a bench may put in the place of the usual; left out: the real thing. */
export interface InstallationOverrides {
  /** What the disk of the database still takes. */
  readonly readFreeBytes?: ReadFreeBytes
  /** How the disk takes what is committed in groups. */
  readonly toDisk?: typeof fdatasync
  /** Of the one daemon of the database; left out by who works on a database that nobody else has. */
  readonly lock?: DaemonLock
  readonly sandbox?: (instanceId: string, endpoints: EgressEndpoints) => Promise<Sandbox>
  /** How the gateway resolves, which addresses count as public, and which roots it trusts. */
  readonly egress?: EgressDialOptions
  readonly claudeRuns?: ClaudeRunsOverrides
  readonly importResolver?: ImportResolver & AsyncDisposable
  /** Outlives the installation; undefined as left out. */
  readonly programReader?: ProgramReader | undefined
  /** How long imports may take to be fetched. */
  readonly importTimeoutMs?: number
}

/** What there is once, however many tenants there are: the machine's resources, and the shares of them that all take. */
export interface Installation extends AsyncDisposable {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  /** The upkeep of the database failed where nobody waits for it. */
  readonly onDefect: (error: unknown) => void
  readonly database: OpenStorage
  /** For reads of many pages, so that they take no connection from what decides. */
  readonly longReads: OpenedToRead
  readonly instanceId: string
  readonly masterKeys: MasterKeys
  readonly background: Background
  /** Reads of a tenant's whole audit. */
  readonly auditScans: (tenant: TenantId) => AuditScans
  readonly programReader: ProgramReader
  readonly dial: EgressDial
  readonly endpoints: EgressEndpoints & LastingEndpoints
  readonly sandbox: Sandbox
  readonly imports: ImportEngine
  readonly places: RunPlaces
  readonly limits: Limits
  readonly llmShares: LlmShares
  readonly claudeRuns: ClaudeRunsBase | null
  readonly metrics: Metrics
  readonly passwords: Passwords
  readonly accessTokens: AccessTokens
  readonly tickets: Tickets
  readonly machines: SharedMachines
  /** Every tenant's. */
  readonly bots: BotClaims
  readonly readFreeBytes: ReadFreeBytes | undefined
}

export async function openInstallation(
  config: Config,
  clock: Clock,
  log: Logger,
  overrides: InstallationOverrides,
): Promise<Installation> {
  const onDefect = (error: unknown): void =>
    log.error({ err: error }, 'the upkeep of the database failed; it will be tried again')
  await using stack = new AsyncDisposableStack()
  const { toDisk } = overrides
  const address: DatabaseAddress =
    config.databaseUrl === null ? { path: resolve(config.dbPath) } : { url: config.databaseUrl.open() }
  const database = await openStorage({
    database:
      'path' in address
        ? { ...address, ...(toDisk && { log: (path) => createLogSync(path, onDefect, toDisk) }) }
        : { ...address, fence: overrides.lock?.fence },
    stores: STORES,
    onDefect,
    onMigrating: (progress) =>
      log.info(progress, 'the database is brought to the newest schema, which takes longer the larger it is'),
    onOutage: {
      began: ({ message }) =>
        log.error({ reason: message }, 'the database cannot be used; what needs it is refused or waits'),
      ended: () => log.warn('the database can be used again'),
    },
  })
  stack.use(database)
  const longReads = stack.use(await openToRead(address, STORES))
  const storage = database.forTenant(DEFAULT_TENANT)
  const masterKeys = await openMasterKeys({
    source: config.masterKey,
    storage,
    cipher: await createSodiumCipher(),
    clock,
  })
  const programReader = overrides.programReader ?? stack.use(createProgramReader())
  const background = stack.use(createBackground('url' in address ? surroundingsOfConnections() : undefined))
  if (database.engine === 'sqlite' && 'path' in address)
    stack.use(startCheckpoints({ ...database, path: address.path }, background, onDefect))
  const instanceId = await storage.transaction((tx) =>
    metaOnce(tx, 'instance_id', () => randomBytes(8).toString('hex')),
  )
  const dial = createEgressDial(overrides.egress)
  const endpoints = stack.use(await openGateway(config, dial, background, log))
  const sandbox = stack.use(
    (await overrides.sandbox?.(instanceId, endpoints)) ??
      (await openSandbox(config, instanceId, endpoints, log)),
  )
  const machines = stack.use(
    openSharedMachines({
      ...{ config, instanceId, database, clock, keyring: masterKeys.keyring },
      warn: (message, error) => log.warn({ err: error }, message),
    }),
  )
  const imports = stack.use(
    given(overrides.importResolver) ??
      createImportEngine({
        kind: sandbox.kind,
        instanceId,
        ociRuntime: config.sandbox.ociRuntime ?? undefined,
        seccomp: config.sandbox.seccomp,
        endpoints,
        hosts: config.importHosts,
        timeoutMs: overrides.importTimeoutMs,
        log: (message, error) => log.warn({ err: error }, message),
      }),
  )
  const claudeRuns = await openClaudeRunsBase({ config, instanceId, endpoints, log }, overrides.claudeRuns)
  if (claudeRuns !== null) stack.use(claudeRuns)
  const metrics = createMetrics()
  const owned = stack.move()
  return {
    ...{
      config,
      clock,
      log,
      onDefect,
      database,
      longReads,
      instanceId,
      masterKeys,
      background,
      programReader,
    },
    ...{ dial, endpoints, sandbox, imports, metrics, claudeRuns },
    auditScans: (tenant) => createBackgroundScans(background, { database: address, tenant }),
    places: createRunPlaces(config.maxRuns),
    limits: createLimits({ ratePerMinute: config.ratePerMinute, metrics }),
    llmShares: createLlmShares(),
    passwords: createPasswords(),
    accessTokens: createAccessTokens({ clock }),
    tickets: createTickets({ clock }),
    machines,
    bots: createBotClaims(),
    readFreeBytes: overrides.readFreeBytes,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** One that tells no audit. */
const given = (resolver: (ImportResolver & AsyncDisposable) | undefined): ImportEngine | undefined =>
  resolver && {
    resolverFor: () => resolver,
    [Symbol.asyncDispose]: () => resolver[Symbol.asyncDispose](),
  }

async function metaOnce(tx: Tx, key: string, make: () => string): Promise<string> {
  const stored = await tx.meta.get(key)
  if (stored !== undefined) return stored
  const made = make()
  await tx.meta.set(key, made)
  return made
}
