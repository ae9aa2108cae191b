import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino'
import { AppError, oneLine, visibleText } from '../kernel/index.ts'
import { isReaderGone } from './lost-reader.ts'

/** Members of an error that say what happened and hold none of what was read. */
const TOLD_OF_ERRORS = ['code', 'errno', 'syscall', 'status', 'statusCode', 'reason', 'rule'] as const
const DEEPEST_CAUSE = 5
const DEBUG = 20

/**
 * Of an error only what is known to be about it: parsers hang the bytes that they failed on to theirs (undici's `data`, Node's
 * `rawPacket`), and those may be a key that a vendor echoed.
 */
function loggedError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error
  const told: Record<string, unknown> = { type: error.name, message: error.message, stack: error.stack }
  for (const name of TOLD_OF_ERRORS) {
    const value = (error as unknown as Record<string, unknown>)[name]
    if (typeof value === 'string' || typeof value === 'number') told[name] = value
  }
  if (depth < DEEPEST_CAUSE && error.cause !== undefined) told.cause = loggedError(error.cause, depth + 1)
  return told
}

export const LOG_OPTIONS = {
  base: null,
  serializers: { err: (error: unknown) => loggedError(error) },
  hooks: {
    /** An outage of the database is told once as such: each part that meets it would repeat it, with a stack, as often as it tries. */
    logMethod(args, method, level) {
      const [details, ...rest] = args as [unknown, ...string[]]
      const error = (details as { err?: unknown } | null)?.err
      if (level <= DEBUG || !(error instanceof AppError) || error.code !== 'storage_unavailable')
        return method.apply(this, args)
      this.debug({ ...(details as object), err: undefined, reason: error.message }, ...rest)
    },
  },
} as const satisfies LoggerOptions

/** Bytes of lines that wait for a disk with room; then they are lost. */
const MAX_WAITING_BYTES = 1_048_576

/**
 * JSON lines on standard output, or readable ones on a terminal. The daemon goes on without whoever read them, without room
 * for them, and without a terminal: standard error is told that they cannot be written, and the log, once it can, that some were lost.
 */
export function createLog(level: string, isTerminal = process.stdout.isTTY === true): Logger {
  const output = standardOutput(() => log.warn('lines of this log were lost: they could not be written'))
  const log = pino({ ...LOG_OPTIONS, level }, isTerminal ? readable(output) : output)
  return log
}

function standardOutput(onWrittenAgain: () => void): DestinationStream {
  let isTold = false
  let areLost = false
  const open = (): ReturnType<typeof pino.destination> => {
    const opened = pino.destination({ fd: 1, sync: true, maxLength: MAX_WAITING_BYTES })
    opened.on('error', (error: NodeJS.ErrnoException) => {
      if (isReaderGone(error) || isTold) return
      isTold = true
      process.stderr.write(
        `oauth3: the log cannot be written, the daemon goes on without it: ${error.message}\n`,
      )
    })
    // One that is full tries no more to write.
    opened.on('drop', (line: string) => {
      areLost = true
      current = open()
      current.write(line)
    })
    opened.on('write', () => {
      isTold = false
      if (!areLost) return
      areLost = false
      queueMicrotask(onWrittenAgain)
    })
    return opened
  }
  let current = open()
  return { write: (line) => current.write(line) }
}

/** Against log injection. Ours rather than a library's: what agents chose the words of must not reach a terminal as escape sequences. */
const readable = (to: Pick<DestinationStream, 'write'>): DestinationStream => ({
  write: (line) => to.write(`${readableLine(line)}\n`),
})

const LONGEST_VALUE = 300

/** `14:05:09 warn  the message  key=value`; the stack of an error below. */
export function readableLine(json: string): string {
  const { time, level, msg, err, ...more } = JSON.parse(json) as Record<string, unknown>
  const name = pino.levels.labels[Number(level)] ?? ''
  const at = new Date(Number(time)).toTimeString().slice(0, 8)
  const facts = Object.entries(more).map(([key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `  ${key}=${oneLine(text, LONGEST_VALUE)}`
  })
  const { message, stack } = (err ?? {}) as { message?: unknown; stack?: unknown }
  const why = message === undefined ? '' : `: ${oneLine(String(message), LONGEST_VALUE)}`
  const trace = stack === undefined || Number(level) < 50 ? '' : `\n${visibleText(String(stack))}`
  return `${at} ${name.padEnd(5)} ${oneLine(String(msg ?? ''), LONGEST_VALUE)}${why}${facts.join('')}${trace}`
}
