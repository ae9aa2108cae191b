/** The wire between the daemon and one container: reads what comes, answers what the CLI asks, and says when it is of no use any more. */
import type { Conversation } from '../../sandbox/runner/index.ts'
import {
  answerMcp,
  type CliMessage,
  type CliResult,
  type Collector,
  createCollector,
  createLineReader,
  evaluateOutcome,
  mcpLine,
  parseMessage,
  refusalLine,
  verdictLine,
} from '../cli/index.ts'
import {
  OWN_SERVER,
  REQUEST_TOOL,
  type RunCode,
  type RunHooks,
  type RunOrder,
  type ToolDenial,
} from '../index.ts'
import { createSilence, type Silence } from './silence.ts'
import { parseSupervisorLine, type Supervisor, speakTo } from './supervisor.ts'

/** A tool's result may hold a whole file; all lines hold every text twice or thrice. */
const LINE_BYTES = 32 * 1_048_576
const OUTPUT_FACTOR = 8
const OUTPUT_FLOOR_BYTES = 256 * 1_048_576
const STDERR_TAIL_CHARS = 4_096
/** Files that go with the prompt take some 30 MB of it. */
const MAX_UNREAD_BYTES = 96 * 1_048_576
const MAX_TRANSCRIPT_BYTES = 64 * 1_048_576
const TOO_MUCH_MEMORY = 'The CLI took more memory than its container has.'

export interface LinkDeps {
  readonly order: Pick<RunOrder, 'maxOutputBytes' | 'silenceMs' | 'tools' | 'egress'>
  readonly hooks: RunHooks
  converse(onBytes: (stream: 'stdout' | 'stderr', bytes: Buffer) => void): Conversation
  /** Bytes that went through the model's endpoint so far. */
  traffic(): number
  /** What ends the run before its result, or instead of one; the first counts. */
  stop(code: RunCode, message: string): void
  /** Aborted when the run is over, whatever ended it. */
  readonly over: AbortSignal
}

type Ask = Extract<CliMessage, { readonly kind: 'ask' }>
type ToOwnServer = Extract<CliMessage, { readonly kind: 'mcp' }>

export class CliLink {
  readonly collector: Collector
  readonly supervisor: Supervisor
  readonly denials: ToolDenial[] = []
  readonly #deps: LinkDeps
  readonly #conversation: Conversation
  readonly #silence: Silence
  readonly #asks = new Map<string, AbortController>()
  readonly #answers = new Map<string, PromiseWithResolvers<string | null>>()
  readonly #exited = Promise.withResolvers<void>()
  readonly #kept = Promise.withResolvers<Uint8Array | null>()
  #result = Promise.withResolvers<CliResult>()
  readonly #transcript: Buffer[] = []
  #transcriptBytes = 0
  #isEnding = false
  #sessionId: string | null = null
  #firstAt: number | undefined
  #stderr = ''

  constructor(deps: LinkDeps) {
    this.#deps = deps
    this.collector = createCollector((event) => {
      if (event.type !== 'usage' && event.type !== 'turn_end') this.#firstAt ??= performance.now()
      deps.hooks.onEvent(event)
    })
    const total = OUTPUT_FLOOR_BYTES + OUTPUT_FACTOR * deps.order.maxOutputBytes
    const reader = createLineReader(
      { lineBytes: LINE_BYTES, totalBytes: total },
      (line) => this.#onLine(line),
      () => deps.stop('output_limit', 'The CLI wrote more than a run may.'),
    )
    this.#conversation = deps.converse((stream, bytes) => {
      try {
        if (stream === 'stdout') reader.push(bytes)
      } catch (error) {
        // Whatever a container says ends its own run at most.
        deps.stop('cli_crashed', `What the CLI wrote could not be taken: ${(error as Error).message}`)
      }
    })
    this.#conversation.input.on('error', () => {})
    this.supervisor = speakTo(this.#conversation.input)
    this.#silence = createSilence({
      limitMs: deps.order.silenceMs,
      isWaiting: () => this.#asks.size > 0 || (deps.order.egress?.asker?.held ?? 0) > 0,
      traffic: deps.traffic,
      onSilent: () =>
        deps.stop('silent', `Neither the model nor a tool gave a sign for ${deps.order.silenceMs} ms.`),
    })
    void this.#conversation.ended.then(() => this.#onContainerEnded())
  }

  get sessionId(): string | null {
    return this.#sessionId
  }

  /** When the first text, thinking or tool use came, by `performance.now()`. */
  get firstAt(): number | undefined {
    return this.#firstAt
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Resolves to why the CLI did not do it; null when it did. */
  ask(id: string, line: string): Promise<string | null> {
    const answer = Promise.withResolvers<string | null>()
    this.#answers.set(id, answer)
    this.supervisor.say(line)
    return answer.promise
  }

  /** Resolves to the last line of the turn that the prompt begins. */
  prompt(line: string): Promise<CliResult> {
    this.#result = Promise.withResolvers()
    this.#silence.sign()
    this.supervisor.say(line)
    return this.#result.promise
  }

  /** Ends the CLI's input, so that it writes the conversation down, and resolves to that; null when there is none, or too much. */
  async keep(sessionId: string, patienceMs: number): Promise<Uint8Array | null> {
    this.#isEnding = true
    const tooLong = new Promise<null>((resolve) => setTimeout(() => resolve(null), patienceMs).unref())
    this.supervisor.endInput()
    await Promise.race([this.#exited.promise, tooLong])
    this.supervisor.keep(sessionId)
    return await Promise.race([this.#kept.promise, tooLong])
  }

  kill(): Promise<void> {
    return this.#conversation.kill()
  }

  end(): void {
    this.#silence.end()
    for (const asking of this.#asks.values()) asking.abort()
  }

  #onLine(line: string): void {
    const told = parseSupervisorLine(line)
    if (told.kind === 'cli') this.#onMessage(parseMessage(told.line))
    if (told.kind === 'stderr') this.#stderr = `${this.#stderr}${told.text}`.slice(-STDERR_TAIL_CHARS)
    if (told.kind === 'exit') this.#onExit(told.code, told.signal)
    if (told.kind === 'session') this.#onTranscript(told.bytes)
    if (told.kind === 'kept')
      this.#kept.resolve(
        told.isKept && this.#transcriptBytes <= MAX_TRANSCRIPT_BYTES ? Buffer.concat(this.#transcript) : null,
      )
    if (told.kind === 'failed')
      this.#deps.stop('sandbox_lost', `The container’s supervisor failed: ${told.message}`)
  }

  #onMessage(message: CliMessage | null): void {
    if (message === null) return
    const { maxOutputBytes } = this.#deps.order
    this.#silence.sign()
    if (message.kind === 'unreadable') this.#deps.stop('output_limit', `The CLI wrote ${message.why}.`)
    this.collector.take(message)
    if (message.kind === 'tool_results')
      for (const { id } of message.results) this.#deps.hooks.onToolAnswered(id)
    if (this.collector.outputBytes > maxOutputBytes)
      this.#deps.stop('output_limit', `The run gave more than ${maxOutputBytes} bytes.`)
    if (message.kind === 'init') this.#sessionId = message.sessionId ?? this.#sessionId
    if (message.kind === 'ask') void this.#decide(message)
    if (message.kind === 'mcp') void this.#serve(message)
    if (message.kind === 'ask_withdrawn') this.#withdraw(message.id)
    if (message.kind === 'other_request') this.#answer(refusalLine(message.id))
    if (message.kind === 'answer') this.#answers.get(message.id)?.resolve(message.error)
    if (message.kind === 'result') this.#result.resolve(message.result)
  }

  async #decide({ id, toolUseId, tool, input }: Ask): Promise<void> {
    const asking = new AbortController()
    this.#asks.set(id, asking)
    const either = AbortSignal.any([asking.signal, this.#deps.over])
    const verdict = await Promise.resolve()
      .then(() => this.#deps.hooks.onToolRequest({ id, toolUseId, tool, input }, either))
      .catch(() => ({ behavior: 'deny', message: 'This could not be decided.' }) as const)
    if (!this.#asks.delete(id) || either.aborted) return
    this.#silence.sign()
    if (verdict.behavior === 'deny') this.denials.push({ tool, message: verdict.message })
    this.#answer(verdictLine(id, input, verdict))
  }

  async #serve({ id, server, message }: ToOwnServer): Promise<void> {
    const { order, hooks, over } = this.#deps
    if (server !== OWN_SERVER || !order.tools.includes(REQUEST_TOOL)) return this.#answer(refusalLine(id))
    const answer = await answerMcp(message, (call) => hooks.onOwnTool(call, over))
    this.#silence.sign()
    if (!over.aborted) this.#answer(mcpLine(id, answer))
  }

  /** Whoever asks on and on and reads no answer fills the daemon's memory with them (backpressure). */
  #answer(line: string): void {
    this.supervisor.say(line)
    if (this.#conversation.input.writableLength > MAX_UNREAD_BYTES)
      this.#deps.stop('output_limit', 'The CLI asks, and reads no answers.')
  }

  #withdraw(id: string): void {
    this.#asks.get(id)?.abort()
    this.#asks.delete(id)
    this.#silence.sign()
  }

  #onTranscript(bytes: Buffer): void {
    this.#transcriptBytes += bytes.length
    if (this.#transcriptBytes <= MAX_TRANSCRIPT_BYTES) this.#transcript.push(bytes)
  }

  #onExit(exitCode: number | null, signal: string | null): void {
    this.#exited.resolve()
    if (this.#isEnding) return
    // Nobody else kills it: the kernel does when the container's memory is used up.
    if (signal === 'SIGKILL') {
      this.#deps.stop('memory_limit', TOO_MUCH_MEMORY)
      return
    }
    const facts = { result: null, stopReason: null, text: '', refusal: null, stderr: this.#stderr, exitCode }
    const { code, message } = evaluateOutcome(facts)
    this.#deps.stop(code, message)
  }

  async #onContainerEnded(): Promise<void> {
    if (this.#deps.over.aborted) return
    const state = await this.#conversation.finalState()
    if (state?.OOMKilled === true) this.#deps.stop('memory_limit', TOO_MUCH_MEMORY)
    else this.#deps.stop('sandbox_lost', 'The container ended before the run did.')
  }
}
