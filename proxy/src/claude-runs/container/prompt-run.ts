/** One run in a container whose CLI waits: hands it over, has the answer evaluated and repaired, and ends it. */
import type { Conversation } from '../../sandbox/runner/index.ts'
import {
  evaluateOutcome,
  FilesRefused,
  fitsWaiting,
  launchArguments,
  opening,
  parseResult,
  planFiles,
  promptLine,
  repairPrompt,
  type Verdict,
} from '../cli/index.ts'
import type { RunCode, RunHooks, RunOrder, RunOutcome } from '../index.ts'
import type { SchemaChecker } from '../schema/index.ts'
import { CliLink } from './cli-link.ts'
import { NO_OUTCOME } from './outcome.ts'

/** The CLI writes its conversation down when its input ends. */
const KEEP_PATIENCE_MS = 5_000

export interface PromptRunDeps {
  readonly order: RunOrder
  readonly hooks: RunHooks
  readonly schemas: SchemaChecker
  /** Hands the container over; from then on `onBytes` is told what it writes. */
  converse(onBytes: (stream: 'stdout' | 'stderr', bytes: Buffer) => void): Conversation
  /** Bytes that went through the model's endpoint so far. */
  traffic(): number
}

/** What one prompt came to. */
interface Turn extends Verdict {
  readonly text: string
  readonly stopReason: string | null
}

type FilePlan = Awaited<ReturnType<typeof planFiles>>

/** Never throws once `onStarted` was called. The container is of no use any more, whatever comes of it. */
export async function runPrompt(deps: PromptRunDeps, signal: AbortSignal): Promise<RunOutcome> {
  const { order, hooks } = deps
  let files: FilePlan
  try {
    files = await planFiles(order.files, order.tools)
  } catch (error) {
    if (!(error instanceof FilesRefused)) throw error
    return { ...NO_OUTCOME, code: 'input_refused', message: error.message }
  }
  signal.throwIfAborted()
  const stopped = createStop()
  const link = new CliLink({ ...deps, stop: stopped.stop, over: stopped.over })
  const timer = setTimeout(
    () => stopped.stop('timeout', `The run took more than ${order.timeoutMs} ms.`),
    order.timeoutMs,
  )
  const cancel = () => stopped.stop('cancelled', 'The run was cancelled.')
  signal.addEventListener('abort', cancel, { once: true })
  hooks.onStarted()
  const startedAt = performance.now()
  const { collector } = link
  const outcome = (
    part: Pick<RunOutcome, 'code' | 'text' | 'message'> & Partial<RunOutcome>,
  ): RunOutcome => ({
    ...NO_OUTCOME,
    stopReason: collector.stopReason,
    usage: collector.usage,
    turns: collector.turns,
    sessionId: link.sessionId,
    durationMs: performance.now() - startedAt,
    firstByteMs: link.firstAt === undefined ? null : link.firstAt - startedAt,
    denials: link.denials,
    ...part,
  })
  try {
    const done = await Promise.race([converse(deps, link, files, stopped), stopped.promise])
    const keeps = order.session?.keep === true && link.sessionId !== null
    const sessionTranscript = keeps
      ? await Promise.race([link.keep(link.sessionId ?? '', KEEP_PATIENCE_MS), stopped.promise])
      : null
    return outcome({ ...done, sessionTranscript })
  } catch (error) {
    const ending = stopped.ending ?? {
      code: 'cli_crashed' as const,
      message: `The run failed: ${(error as Error).message}`,
    }
    await link.kill()
    return outcome({ ...ending, text: collector.text })
  } finally {
    stopped.end()
    clearTimeout(timer)
    link.end()
    signal.removeEventListener('abort', cancel)
  }
}

type Stop = ReturnType<typeof createStop>

function createStop() {
  const { promise, reject } = Promise.withResolvers<never>()
  const over = new AbortController()
  let ending: { readonly code: RunCode; readonly message: string } | undefined
  promise.catch(() => {})
  return {
    /** Rejects when the run is stopped. */
    promise,
    over: over.signal,
    get ending() {
      return ending
    },
    stop(code: RunCode, message: string): void {
      ending ??= { code, message }
      over.abort()
      reject(new Error(message))
    },
    end: () => over.abort(),
  }
}

async function converse(
  { order, hooks, schemas }: PromptRunDeps,
  link: CliLink,
  files: FilePlan,
  { stop, over }: Stop,
): Promise<Turn & Pick<RunOutcome, 'result'>> {
  await handOver(order, link, files, stop, over)
  const first = await sayPrompt(link, hooks, promptLine(order.prompt, files.blocks))
  if (first.code !== 'ok') return { ...first, result: null }
  if (order.schema === null || order.schema === undefined)
    return { ...first, result: parseResult(first.text) }

  const value = parseResult(first.text, { lenient: true })
  const problems = await schemas.problems(order.runId, order.schema, value)
  if (problems.length === 0) return { ...first, result: value }
  hooks.onEvent({ type: 'repair', problems })
  link.collector.nextPrompt()
  const second = await sayPrompt(link, hooks, promptLine(repairPrompt(problems)))
  if (second.code !== 'ok') return { ...second, result: null }
  const repaired = parseResult(second.text, { lenient: true })
  const left = await schemas.problems(order.runId, order.schema, repaired)
  if (left.length === 0) return { ...second, result: repaired }
  const message = `The answer does not meet the schema, nor did the one before: ${left.join('; ')}`
  return { ...second, code: 'schema_not_met', message, result: null }
}

/** Everything but the prompt: files, the conversation to go on with, and what makes the process this run's. */
async function handOver(
  order: RunOrder,
  link: CliLink,
  { placed }: FilePlan,
  stop: Stop['stop'],
  over: AbortSignal,
): Promise<void> {
  const { session } = order
  for (const { name, content } of placed) await link.supervisor.placeFile(name, content, over)
  if (session?.transcript != null && session.id !== null)
    await link.supervisor.placeSession(session.id, session.transcript, over)
  if (!fitsWaiting(order)) link.supervisor.launch(launchArguments(order))
  const asked = opening(order).map(async ({ id, line }) => ({ id, error: await link.ask(id, line) }))
  for (const { id, error } of await Promise.all(asked))
    if (error !== null) {
      stop('cli_crashed', `The CLI refused its ${id}: ${error}`)
      throw new Error(error)
    }
}

async function sayPrompt(link: CliLink, hooks: RunHooks, line: string): Promise<Turn> {
  const result = await link.prompt(line)
  const { text: own, stopReason } = link.collector
  // The CLI's own words are of use where it streamed none: not upon errors, which it tells there too.
  const text = own === '' && !result.isError ? result.text : own
  const facts = {
    result,
    stopReason,
    text,
    refusal: hooks.model.refusal(),
    stderr: link.stderr,
    exitCode: null,
  }
  const verdict = evaluateOutcome(facts)
  // What a safeguard stopped is withheld by the vendor, as far as it has not been streamed.
  const isWithheld = verdict.code === 'model_refused'
  return { ...verdict, text: isWithheld ? '' : text, stopReason: stopReason ?? result.stopReason }
}
