import type { Logger } from 'pino'
import { type Config, ConfigError } from '../config/index.ts'
import type { EgressEndpoints } from '../egress/index.ts'
import type { Sandbox, SandboxStatus } from '../sandbox/index.ts'
import { createSandbox } from '../sandbox/runner/index.ts'

const LOOK_MS = 2_000

/**
 * Where code runs, as the settings say. An OCI runtime that the engine does not know is a wrong setting: ConfigError, for it
 * does not mend itself. An engine that is away may come.
 */
export async function openSandbox(
  { sandbox: settings }: Pick<Config, 'sandbox'>,
  instanceId: string,
  endpoints: EgressEndpoints,
  log: Logger,
): Promise<Sandbox> {
  const sandbox = await createSandbox({
    kind: settings.kind,
    ociRuntime: settings.ociRuntime ?? undefined,
    seccomp: settings.seccomp,
    poolSize: settings.poolSize,
    instanceId,
    endpoints,
    log: (message, error) => log.warn({ err: error }, message),
  })
  const { cause, notes } = await sandbox.status()
  if (cause !== 'misconfigured') return sandbox
  await sandbox[Symbol.asyncDispose]()
  throw new ConfigError(
    `OAUTH3_SANDBOX_RUNTIME is not valid: ${notes[0]}; register it in the engine's daemon.json, or leave it out.`,
  )
}

/** One line once everything is up: that it is ready, or that code does not run and why, until it does. */
export async function announce(
  sandbox: Pick<Sandbox, 'kind' | 'status'>,
  details: { readonly url: string; readonly apps: string | undefined; readonly telegram: 'on' | 'off' },
  log: Logger,
): Promise<Disposable> {
  const ready = () => log.info({ ...details, sandbox: sandbox.kind }, 'oauth3 is ready')
  const status = await sandbox.status()
  if (status.kind !== 'unavailable') {
    ready()
    return { [Symbol.dispose]: () => {} }
  }
  log.warn(
    { ...details, sandbox: status.kind },
    `oauth3 has started, but no code can run yet: ${reasonOf(status)}`,
  )
  const timer = setInterval(async () => {
    if ((await sandbox.status()).kind === 'unavailable') return
    clearInterval(timer)
    ready()
  }, LOOK_MS).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

const reasonOf = ({ notes }: SandboxStatus): string => notes[0] ?? 'the sandbox is not there'
