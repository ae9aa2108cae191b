/** One run in a container whose CLI waits: what is said, what is answered, and what ends it. */
import type { Conversation } from '../../sandbox/runner/index.ts'
import {
  type CliMessage,
  type CliResult,
  createCollector,
  createLineReader,
  FilesRefused,
  fitsWaiting,
  judge,
  launchArguments,
  opening,
  parseMessage,
  parseResult,
  planFiles,
  promptLine,
  refusalLine,
  repairPrompt,
  verdictLine,
} from '../cli/index.ts'
import type { RunCode, RunHooks, RunOrder, RunOutcome, ToolDenial } from '../index.ts'
import type { SchemaChecker } from '../schema/index.ts'
import { createSilence } from './silence.ts'
import { parseSupervisorLine, speakTo } from './supervisor.ts'

/** A tool's result may hold a whole file; all lines hold every text twice or thrice. */
const LINE_BYTES = 32 * 1_048_576
const OUTPUT_FACTOR = 8
const OUTPUT_FLOOR_BYTES = 64 * 1_048_576
const STDERR_TAIL_CHARS = 4_096
/** The CLI writes its conversation down when its input ends. */
const KEEP_TIMEOUT_MS = 5_000
const MAX_TRANSCRIPT_BYTES = 64 * 1_048_576

export interface PromptRunDeps {
  readonly order: RunOrder
  readonly hooks: RunHooks
  readonly schemas: SchemaChecker
  /** Hands the container over; from then on `onBytes` is told what it writes. */
  converse(onBytes: (stream: 'stdout' | 'stderr', bytes: Buffer) => void): Conversation
  /** Bytes that went through the model's endpoint so far. */
  traffic(): number
}

/** What ended the run before its result, or instead of one. */
interface Stop {
  readonly code: RunCode
  readonly message: string
}

class Stopped extends Error {
  readonly stop: Stop

  constructor(stop: Stop) {
    super(stop.message)
    this.stop = stop
  }
}

/** Never throws once `onStarted` was called. The container is of no use any more, whatever comes of it. */
export async function runPrompt(deps: PromptRunDeps, signal: AbortSignal): Promise<RunOutcome> {
  const { order, hooks } = deps
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {})
  const over = new AbortController()
  const stop = (code: RunCode, message: string): void => {
    stopped.reject(new Stopped({ code, message }))
    over.abort()
  }
  const orStopped = <T>(work: Promise<T>): Promise<T> => Promise.race([work, stopped.promise])

  let startedAt: number | undefined
  let firstByteAt: number | undefined
  const collector = createCollector((event) => {
    if (event.type !== 'usage' && event.type !== 'turn_end') firstByteAt ??= performance.now()
    hooks.onEvent(event)
  })
  const denials: ToolDenial[] = []
  const asks = new Map<string, AbortController>()
  const answers = new Map<string, PromiseWithResolvers<string | null>>()
  let awaited = Promise.withResolvers<CliResult>()
  const exited = Promise.withResolvers<void>()
  const kept = Promise.withResolvers<boolean>()
  let sessionId: string | null = null
  let stderr = ''
  const transcript: Buffer[] = []
  let transcriptBytes = 0
  let isEnding = false

  const silence = createSilence({
    limitMs: order.silenceMs,
    isWaiting: () => asks.size > 0,
    traffic: deps.traffic,
    onSilent: () => stop('silent', `Neither the model nor a tool gave a sign for ${order.silenceMs} ms.`),
  })

  async function ask(message: Extract<CliMessage, { kind: 'ask' }>): Promise<void> {
    const asking = new AbortController()
    asks.set(message.id, asking)
    const { id, tool, input } = message
    const either = AbortSignal.any([asking.signal, over.signal])
    const verdict = await Promise.resolve()
      .then(() => hooks.onToolRequest({ id, tool, input }, either))
      .catch(() => ({ behavior: 'deny', message: 'This could not be decided.' }) as const)
    if (!asks.delete(id) || either.aborted) return
    silence.sign()
    if (verdict.behavior === 'deny') denials.push({ tool, message: verdict.message })
    supervisor.say(verdictLine(id, input, verdict))
  }

  function onMessage(message: CliMessage | null): void {
    if (message === null) return
    silence.sign()
    collector.take(message)
    if (collector.outputBytes > order.maxOutputBytes)
      stop('output_limit', `The run gave more than ${order.maxOutputBytes} bytes.`)
    if (message.kind === 'init') sessionId = message.sessionId ?? sessionId
    if (message.kind === 'ask') void ask(message)
    if (message.kind === 'ask_withdrawn') {
      asks.get(message.id)?.abort()
      asks.delete(message.id)
    }
    if (message.kind === 'other_request') supervisor.say(refusalLine(message.id))
    if (message.kind === 'answer') answers.get(message.id)?.resolve(message.error)
    if (message.kind === 'result') awaited.resolve(message.result)
  }

  function onExit(code: number | null, killedBy: string | null): void {
    exited.resolve()
    if (isEnding) return
    if (killedBy === 'SIGKILL') stop('memory_limit', 'The CLI took more memory than its container has.')
    else {
      const verdict = judge({
        result: null,
        stopReason: null,
        text: '',
        refusal: null,
        stderr,
        exitCode: code,
      })
      stop(verdict.code, verdict.message)
    }
  }

  function onLine(line: string): void {
    const told = parseSupervisorLine(line)
    if (told.kind === 'cli') onMessage(parseMessage(told.line))
    if (told.kind === 'stderr') stderr = `${stderr}${told.text}`.slice(-STDERR_TAIL_CHARS)
    if (told.kind === 'exit') onExit(told.code, told.signal)
    if (told.kind === 'kept') kept.resolve(told.isKept)
    if (told.kind === 'failed') stop('sandbox_lost', `The container’s supervisor failed: ${told.message}`)
    if (told.kind === 'session') {
      transcriptBytes += told.bytes.length
      if (transcriptBytes <= MAX_TRANSCRIPT_BYTES) transcript.push(told.bytes)
    }
  }

  const reader = createLineReader(
    {
      lineBytes: LINE_BYTES,
      totalBytes:
        Math.max(OUTPUT_FLOOR_BYTES, OUTPUT_FACTOR * order.maxOutputBytes) + 2 * MAX_TRANSCRIPT_BYTES,
    },
    onLine,
    () => stop('output_limit', 'The CLI wrote more than a run may.'),
  )

  async function handOver(blocks: Awaited<ReturnType<typeof planFiles>>): Promise<void> {
    for (const { name, content } of blocks.placed) await supervisor.placeFile(name, content, over.signal)
    const { session } = order
    if (session?.transcript != null && session.id !== null)
      await supervisor.placeSession(session.id, session.transcript, over.signal)
    if (!fitsWaiting(order)) supervisor.launch(launchArguments(order))
    const requests = opening(order)
    for (const { id } of requests) answers.set(id, Promise.withResolvers())
    for (const { line } of requests) supervisor.say(line)
    for (const [id, { promise }] of answers) {
      const error = await promise
      if (error !== null) stop('cli_crashed', `The CLI refused its ${id}: ${error}`)
    }
  }

  /** Says a prompt and judges what comes of it. */
  async function turn(
    line: string,
  ): Promise<Stop & { readonly text: string; readonly stopReason: string | null }> {
    awaited = Promise.withResolvers()
    silence.sign()
    supervisor.say(line)
    const result = await awaited.promise
    const text = collector.text === '' && !result.isError ? result.text : collector.text
    const refusal = hooks.model.refusal()
    const { stopReason } = collector
    const verdict = judge({ result, stopReason, text, refusal, stderr, exitCode: null })
    sessionId = result.sessionId ?? sessionId
    return { ...verdict, text, stopReason: stopReason ?? result.stopReason }
  }

  async function withSchema(first: Awaited<ReturnType<typeof turn>>) {
    if (first.code !== 'ok') return { ...first, value: null }
    const hasSchema = order.schema !== null && order.schema !== undefined
    if (!hasSchema) return { ...first, value: parseResult(first.text) }
    const problemsOf = async (value: unknown) => deps.schemas.problems(order.runId, order.schema, value)
    const value = parseResult(first.text, { lenient: true })
    const problems = await problemsOf(value)
    if (problems.length === 0) return { ...first, value }
    hooks.onEvent({ type: 'repair', problems })
    collector.nextPrompt()
    const second = await turn(promptLine(repairPrompt(problems)))
    if (second.code !== 'ok') return { ...second, value: null }
    const repaired = parseResult(second.text, { lenient: true })
    const left = await problemsOf(repaired)
    if (left.length === 0) return { ...second, value: repaired }
    const message = `The answer does not meet the schema, nor did the one before: ${left.join('; ')}`
    return { ...second, code: 'schema_not_met' as const, message, value: null }
  }

  async function keepSession(): Promise<Uint8Array | null> {
    if (order.session?.keep !== true || sessionId === null) return null
    isEnding = true
    const timedOut = new Promise<false>((resolve) =>
      setTimeout(() => resolve(false), KEEP_TIMEOUT_MS).unref(),
    )
    supervisor.endInput()
    await Promise.race([exited.promise, timedOut])
    supervisor.keep(sessionId)
    const isKept = await Promise.race([kept.promise, timedOut])
    return isKept && transcriptBytes <= MAX_TRANSCRIPT_BYTES ? Buffer.concat(transcript) : null
  }

  const outcome = (
    part: Pick<RunOutcome, 'code' | 'text' | 'message'> & Partial<RunOutcome>,
  ): RunOutcome => ({
    result: null,
    stopReason: collector.stopReason,
    usage: collector.usage,
    turns: collector.turns,
    sessionTranscript: null,
    sessionId,
    durationMs: startedAt === undefined ? 0 : performance.now() - startedAt,
    firstByteMs: startedAt === undefined || firstByteAt === undefined ? null : firstByteAt - startedAt,
    denials,
    ...part,
  })

  let blocks: Awaited<ReturnType<typeof planFiles>>
  try {
    blocks = await planFiles(order.files, order.tools)
  } catch (error) {
    if (error instanceof FilesRefused)
      return outcome({ code: 'input_refused', text: '', message: error.message })
    throw error
  }
  signal.throwIfAborted()
  const conversation = deps.converse((stream, bytes) => {
    if (stream === 'stdout') reader.push(bytes)
  })
  const supervisor = speakTo(conversation.input)
  conversation.input.on('error', () => {})
  void conversation.ended.then(async () => {
    if (over.signal.aborted) return
    const state = await conversation.finalState()
    if (state?.OOMKilled) stop('memory_limit', 'The CLI took more memory than its container has.')
    else stop('sandbox_lost', 'The container ended before the run did.')
  })
  const timer = setTimeout(
    () => stop('timeout', `The run took more than ${order.timeoutMs} ms.`),
    order.timeoutMs,
  )
  const cancel = () => stop('cancelled', 'The run was cancelled.')
  signal.addEventListener('abort', cancel, { once: true })
  hooks.onStarted()
  startedAt = performance.now()
  try {
    const done = await orStopped(
      (async () => {
        await handOver(blocks)
        return await withSchema(await turn(promptLine(order.prompt, blocks.blocks)))
      })(),
    )
    const sessionTranscript = await orStopped(keepSession())
    const { code, text, message, stopReason, value } = done
    // What a safeguard stopped is withheld by the vendor, as far as it has not been streamed.
    const isWithheld = code === 'model_refused'
    return outcome({
      code,
      text: isWithheld ? '' : text,
      message,
      stopReason,
      result: code === 'ok' ? value : null,
      sessionTranscript,
    })
  } catch (error) {
    const { code, message } =
      error instanceof Stopped
        ? error.stop
        : { code: 'cli_crashed' as const, message: `The run failed: ${(error as Error).message}` }
    await conversation.kill()
    return outcome({ code, text: collector.text, message })
  } finally {
    over.abort()
    clearTimeout(timer)
    silence.end()
    signal.removeEventListener('abort', cancel)
    for (const asking of asks.values()) asking.abort()
  }
}
