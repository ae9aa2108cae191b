import type { ToolCallView, TurnView } from '../contracts/admin/index.ts'
import type { Terminal } from './terminal.ts'
import { clipColumns, terminalLine, terminalText } from './text-layout.ts'

/** One turn of a hosted agent, printed as it comes. */
export interface TurnPrinter {
  text(piece: string): Promise<void>
  tool(tool: ToolCallView): Promise<void>
  /** What of it was not printed yet; the line is ended. */
  end(turn: TurnView): Promise<void>
}

const TOOL_STATES: Readonly<Record<ToolCallView['state'], string>> = {
  running: 'did not end',
  done: 'done',
  failed: 'failed',
}
const tookOf = (ms: number | null): string => (ms === null ? '' : ` in ${(ms / 1_000).toFixed(1)} s`)
const LONGEST_END = ': did not end in 9,999.9 s'.length

const callOf = ({ name, arguments: given }: ToolCallView): string =>
  `  · ${terminalLine(name)} ${terminalLine(given)}`
const endOf = ({ state, duration_ms }: ToolCallView): string =>
  `: ${TOOL_STATES[state]}${tookOf(duration_ms)}`
export const toolLine = (tool: ToolCallView): string => callOf(tool) + endOf(tool)

/** What stands at the end of a piece and is shown by what the next one begins with: half a character, or a part of an emoji. */
const UNFINISHED =
  /(?:[0-9#*]\ufe0f?|(?:\p{Extended_Pictographic}|[\u{1f3fb}-\u{1f3ff}]|\ufe0f|\u200d)+|[\ud800-\udbff])$/u
const UNFINISHED_CHARS = 32
const unfinishedIn = (text: string): number => {
  const tail = text.slice(-UNFINISHED_CHARS)
  return UNFINISHED.exec(tail)?.[0].length ?? 0
}

/** Where nobody looks at it, its words alone; else its tools too, a line for each, which is ended when the tool is. */
export function createTurnPrinter({ isWatched, style, columns, write }: Terminal): TurnPrinter {
  const ended = new Set<string>()
  let said = ''
  let held = ''
  let isAtStart = true
  let openTool: string | null = null

  async function put(text: string): Promise<void> {
    if (text === '') return
    isAtStart = text.endsWith('\n')
    await write(text)
  }
  async function endLine(): Promise<void> {
    await put(terminalText(held))
    held = ''
    openTool = null
    if (!isAtStart) await put('\n')
  }
  async function text(piece: string): Promise<void> {
    if (openTool !== null) await endLine()
    said += piece
    const next = held + piece
    const rest = unfinishedIn(next)
    held = next.slice(next.length - rest)
    await put(terminalText(next.slice(0, next.length - rest)))
  }
  async function tool(one: ToolCallView): Promise<void> {
    if (!isWatched || ended.has(one.id) || (openTool === one.id && one.state === 'running')) return
    if (openTool !== one.id) {
      await endLine()
      await put(style.dim(clipColumns(callOf(one), columns - LONGEST_END)))
      openTool = one.id
    }
    if (one.state === 'running') return
    await endTool(one)
  }
  async function endTool(one: ToolCallView): Promise<void> {
    ended.add(one.id)
    openTool = null
    await put(`${one.state === 'failed' ? style.red(endOf(one)) : style.dim(endOf(one))}\n`)
  }

  return {
    text,
    tool,
    async end({ answer, tools }) {
      for (const one of tools) {
        await tool(one)
        if (openTool === one.id) await endTool(one)
      }
      const whole = answer ?? ''
      // Of an answer that was not followed as a whole, all of it is said once more.
      if (whole.startsWith(said)) await text(whole.slice(said.length))
      else if (!said.startsWith(whole)) {
        await endLine()
        await text(whole)
      }
      await endLine()
    },
  }
}
