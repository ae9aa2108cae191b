import { spawn } from 'node:child_process'
import { atUsualPriority } from '../../workers/cpu-priority/index.ts'
import type { WakeChannel, WakeReceipt } from '../wake/index.ts'

/**
 * An OpenClaw on this host, through its command line. Today's releases have `system event`, older ones `cron wake`;
 * which one a command knows is found out at the first wake and remembered. No shell is involved. The text is
 * visible in the process list, which is one more reason for it to hold no output and no secret.
 */
const FORMS = ['system event', 'cron wake'] as const
type Form = (typeof FORMS)[number]

const TIMEOUT_MS = 30_000
const MAX_OUTPUT_CHARS = 8_192
const KEPT_VARIABLES = [
  'PATH',
  'HOME',
  'LANG',
  'TMPDIR',
  'OPENCLAW_STATE_DIR',
  'OPENCLAW_CONFIG_PATH',
] as const
const UNKNOWN_COMMAND = /unknown command|has no command|unrecognized command|no such command/i

export function createOpenclawCliChannel(options: { readonly timeoutMs?: number } = {}): WakeChannel {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  const known = new Map<string, Form>()

  return {
    async deliver(target, _token, message, signal) {
      const sessionKey = message.sessionKey
      if (sessionKey?.startsWith('-')) {
        return { delivered: false, message: 'a session key cannot begin with -', permanent: true }
      }
      const first = known.get(target.target) ?? FORMS[0]
      const forms = [first, ...FORMS.filter((form) => form !== first)]
      for (const form of forms) {
        const args = [...form.split(' '), '--text', message.text, '--mode', 'now']
        // The older form always wakes the main session.
        if (form === 'system event' && sessionKey !== null) args.push('--session-key', sessionKey)
        const end = await run(target.target, args, timeoutMs, signal)
        if (end.kind === 'exited' && end.code !== 0 && UNKNOWN_COMMAND.test(end.output)) continue
        if (end.kind !== 'exited' || end.code !== 0) return failureOf(end, form)
        known.set(target.target, form)
        const unheard =
          form === 'cron wake' && sessionKey !== null ? ' (this release cannot choose the session)' : ''
        return { delivered: true, message: `${form}: ${lastLine(end.output) || 'exit 0'}${unheard}` }
      }
      return {
        delivered: false,
        message: 'the command knows neither "system event" nor "cron wake"',
        permanent: true,
      }
    },
  }
}

type End =
  | { readonly kind: 'exited'; readonly code: number | null; readonly output: string }
  | { readonly kind: 'not_started'; readonly code: string }
  | { readonly kind: 'timeout' }

function failureOf(end: End, form: Form): WakeReceipt {
  if (end.kind === 'timeout') return { delivered: false, message: `${form}: no end within its time limit` }
  if (end.kind === 'not_started') {
    return { delivered: false, message: `the command cannot be started (${end.code})`, permanent: true }
  }
  return { delivered: false, message: `${form}: exit ${end.code ?? 'by signal'}: ${firstLine(end.output)}` }
}

const firstLine = (output: string): string => output.trim().split('\n')[0]?.trim() ?? ''
const lastLine = (output: string): string => output.trim().split('\n').at(-1)?.trim() ?? ''

/** A process group of its own, so that what the command started ends with it. */
function run(command: string, args: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<End> {
  const { promise, resolve } = Promise.withResolvers<End>()
  const env = Object.fromEntries(
    KEPT_VARIABLES.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  )
  const child = atUsualPriority(() =>
    spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'], shell: false }),
  )
  let output = ''
  const collect = (chunk: string): void => {
    output = (output + chunk).slice(-MAX_OUTPUT_CHARS)
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
    resolve({ kind: 'timeout' })
  }
  const timer = setTimeout(end, timeoutMs)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  child.once('error', (error: NodeJS.ErrnoException) =>
    resolve({ kind: 'not_started', code: error.code ?? error.message }),
  )
  child.once('close', (code) => resolve({ kind: 'exited', code, output }))
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
  })
}
