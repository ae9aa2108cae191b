import { pause } from '../../bench/support.ts'
import { createMessagesApi, type MessagesCall, type Reply, say, use } from '../support/messages-api-double.ts'

const MARK = /mark-[0-9a-f]{32}/g
/** Said in a prompt whose model is to use a tool first. */
export const WITH_TOOL = 'use a tool'
const SLOWEST_MS = 500

/** The model of a torture: counts what it is asked, by the mark of the prompt and the turn, whatever the daemon says of it. */
export interface TortureModel extends AsyncDisposable {
  readonly origin: string
  /** By mark and turn. */
  readonly calls: ReadonlyMap<string, number>
  /** Marks of all prompts in the call, the conversation before it included, in order; of the last call of each mark. */
  readonly conversations: ReadonlyMap<string, readonly string[]>
  /** Marks whose call held the file that was uploaded for it. */
  readonly filesSeen: ReadonlySet<string>
  /** What the real API would not have taken. */
  readonly refused: readonly string[]
  /** Calls for a message so far. */
  readonly count: number
}

export const answerTo = (mark: string): string => `answer to ${mark}`
export const fileOf = (mark: string): string => `file of ${mark}`

export async function startTortureModel(): Promise<TortureModel> {
  const calls = new Map<string, number>()
  const conversations = new Map<string, readonly string[]>()
  const filesSeen = new Set<string>()

  const answer = async ({ body, raw }: MessagesCall): Promise<Reply> => {
    const prompts = body.messages
      .filter(({ role }) => role === 'user')
      .map(({ content }) => promptOf(content))
    const marks = prompts.flatMap((text) => text.match(MARK)?.slice(-1) ?? [])
    const mark = marks.at(-1) ?? 'no mark'
    const isToolTurn = JSON.stringify(body.messages.at(-1)).includes('"tool_result"')
    const turn = `${mark} ${isToolTurn ? 'after the tool' : 'first'}`
    calls.set(turn, (calls.get(turn) ?? 0) + 1)
    conversations.set(mark, marks)
    if (raw.includes(fileOf(mark))) filesSeen.add(mark)
    if (!isToolTurn && prompts.at(-1)?.includes(WITH_TOOL))
      return use('Bash', { command: `echo ${mark}`, description: 'x' })
    const reply = say(answerTo(mark))
    return { ...reply, deltaChars: 12, until: pause(Math.random() * SLOWEST_MS) }
  }
  const api = createMessagesApi(answer)
  return {
    ...{ calls, conversations, filesSeen, refused: api.refused },
    origin: await api.listen(),
    get count() {
      return api.calls.length
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  }
}

/** Texts of a message alone: a tool's result tells a mark too. */
function promptOf(content: unknown): string {
  if (typeof content === 'string') return content
  const blocks = content as readonly { readonly type: string; readonly text?: string }[]
  return blocks.map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join('\n')
}
