/** Puts a run together from what the CLI writes: its text, its events, what it used. */
import type { RunEvent, RunTokens } from '../index.ts'
import { type CliMessage, type ContentBlock, isObject, type StreamEvent, type Usage } from './messages.ts'

export interface Collector {
  take(message: CliMessage): void
  /** A new prompt in the same process begins: its text is put together anew, the sums go on. */
  nextPrompt(): void
  /** Of the last answer with any text since the prompt. */
  readonly text: string
  readonly usage: RunTokens
  /** Answers of the model that were begun. */
  readonly turns: number
  /** Of the last answer, as the model gave it; the CLI's own is another one upon errors. */
  readonly stopReason: string | null
  readonly hasBegun: boolean
  /** UTF-8 bytes of all text, thinking and tool results. */
  readonly outputBytes: number
}

const NONE: RunTokens = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
const count = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0

const add = (a: RunTokens, b: RunTokens): RunTokens => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
})

/** A later figure of one answer stands in place of the earlier one. */
const merge = (before: RunTokens, usage: Usage): RunTokens => ({
  inputTokens: count(usage.input_tokens ?? before.inputTokens),
  outputTokens: count(usage.output_tokens ?? before.outputTokens),
  cacheReadTokens: count(usage.cache_read_input_tokens ?? before.cacheReadTokens),
  cacheWriteTokens: count(usage.cache_creation_input_tokens ?? before.cacheWriteTokens),
})

export function createCollector(onEvent: (event: RunEvent) => void): Collector {
  let done = NONE
  let current = NONE
  let text = ''
  let lastText = ''
  let turns = 0
  let stopReason: string | null = null
  let hasBegun = false
  let outputBytes = 0
  /** Tool uses that were told already, by id. */
  const told = new Set<string>()

  const tell = (event: RunEvent, content = ''): void => {
    outputBytes += Buffer.byteLength(content)
    if (event.type !== 'usage' && event.type !== 'turn_end') hasBegun = true
    onEvent(event)
  }

  const onMessageStart = (event: StreamEvent): void => {
    if (text !== '') lastText = text
    text = ''
    stopReason = null
    done = add(done, current)
    current = NONE
    turns += 1
    if (isObject(event.message) && isObject(event.message.usage))
      current = merge(current, event.message.usage)
  }

  const onDelta = ({ delta }: StreamEvent): void => {
    if (!isObject(delta)) return
    if (delta.type === 'text_delta' && typeof delta.text === 'string') {
      text += delta.text
      tell({ type: 'text', text: delta.text }, delta.text)
    }
    if (delta.type === 'thinking_delta' && typeof delta.thinking === 'string' && delta.thinking !== '')
      tell({ type: 'thinking', text: delta.thinking }, delta.thinking)
  }

  const onMessageDelta = (event: StreamEvent): void => {
    if (isObject(event.delta) && typeof event.delta.stop_reason === 'string')
      stopReason = event.delta.stop_reason
    if (isObject(event.usage)) current = merge(current, event.usage)
  }

  const onStream = (event: StreamEvent, isNested: boolean): void => {
    if (isNested) return
    if (event.type === 'message_start') onMessageStart(event)
    if (event.type === 'content_block_delta') onDelta(event)
    if (event.type === 'message_delta') onMessageDelta(event)
    if (event.type !== 'message_stop') return
    tell({ type: 'usage', usage: add(done, current) })
    tell({ type: 'turn_end', turn: turns, stopReason })
  }

  const onBlock = (block: ContentBlock): void => {
    if (block.type !== 'tool_use' || typeof block.id !== 'string' || typeof block.name !== 'string') return
    if (told.has(block.id)) return
    told.add(block.id)
    tell(
      { type: 'tool_use', id: block.id, name: block.name, input: block.input },
      JSON.stringify(block.input ?? null),
    )
  }

  return {
    take(message) {
      if (message.kind === 'stream') onStream(message.event, message.isNested)
      if (message.kind === 'assistant') for (const block of message.content) onBlock(block)
      if (message.kind === 'tool_results' && !message.isNested)
        for (const { id, isError, text: content } of message.results)
          tell({ type: 'tool_result', id, isError, text: content }, content)
    },
    nextPrompt() {
      text = ''
      lastText = ''
      stopReason = null
    },
    get text() {
      return text === '' ? lastText : text
    },
    get usage() {
      return add(done, current)
    },
    get turns() {
      return turns
    },
    get stopReason() {
      return stopReason
    },
    get hasBegun() {
      return hasBegun
    },
    get outputBytes() {
      return outputBytes
    },
  }
}
