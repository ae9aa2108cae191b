import { z } from 'zod'
import { CliError, EXIT, type Terminal } from '../cli/index.ts'

/** The bot, the chat that is asked, and who may answer, found out with the person who sets it up. */
export interface BotSetup {
  readonly token: string
  readonly chatId: string
  readonly approverIds: readonly string[]
}

const me = z.object({ username: z.string() })
const update = z.object({
  update_id: z.int(),
  message: z
    .object({
      chat: z.object({ id: z.int(), type: z.string(), title: z.string().optional() }),
      from: z.object({ id: z.int(), first_name: z.string().optional() }).optional(),
    })
    .optional(),
})
const answer = z.object({
  ok: z.boolean(),
  result: z.unknown().optional(),
  description: z.string().optional(),
})

const CALL_MS = 10_000
const POLL_SECONDS = 5
const TOKEN = /^[0-9]{3,20}:[A-Za-z0-9_-]{10,100}$/

/** Null where the person wants no bot. Nothing of the token is ever printed. */
export async function setUpBot(
  terminal: Terminal,
  apiRoot: string,
  waitMs: number,
): Promise<BotSetup | null> {
  for (;;) {
    const token = await terminal.readSecret('Token of your bot, from @BotFather (Enter for none):')
    if (token === '') return null
    try {
      return await withToken(terminal, apiRoot, token.trim(), waitMs)
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      terminal.note(error.message)
    }
  }
}

async function withToken(
  terminal: Terminal,
  apiRoot: string,
  token: string,
  waitMs: number,
): Promise<BotSetup> {
  if (!TOKEN.test(token)) throw failed('That is no token of a bot: it looks like 1234567890:AbC….')
  const call = <T extends z.ZodType>(schema: T, method: string, body: object = {}) =>
    callBot(schema, apiRoot, token, method, body)
  const { username } = await call(me, 'getMe')
  terminal.note(`@${username} answers. Now write /id to it, in the chat that shall be asked.`)
  const message = await firstMessage(call, Date.now() + waitMs)
  const { chat, from } = message
  const isGroup = chat.id < 0
  if (from === undefined) throw failed('That message has no sender; write as yourself, not as the group.')
  const where = isGroup ? `the group ${chat.title ?? chat.id}` : 'your own chat with it'
  terminal.note(
    `It came from ${where} (${chat.id}), written by ${from.first_name ?? 'somebody'} (${from.id}).`,
  )
  if (!(await terminal.confirm(`Ask there, and take answers from that person alone?`)))
    throw failed('Nothing was taken; once more.')
  return { token, chatId: String(chat.id), approverIds: [String(from.id)] }
}

type Call = <T extends z.ZodType>(schema: T, method: string, body?: object) => Promise<z.output<T>>

/** What was written before counts as well; then it is waited for. */
async function firstMessage(
  call: Call,
  until: number,
): Promise<NonNullable<z.output<typeof update>['message']>> {
  let offset = 0
  while (Date.now() < until) {
    const updates = await call(z.array(update), 'getUpdates', {
      offset,
      timeout: POLL_SECONDS,
      allowed_updates: ['message'],
    })
    const last = updates.findLast(({ message }) => message !== undefined)
    if (last?.message !== undefined) {
      // Taken, so that the daemon does not read it again as a command.
      await call(z.unknown(), 'getUpdates', { offset: last.update_id + 1, timeout: 0, limit: 1 })
      return last.message
    }
    offset = Math.max(offset, ...updates.map(({ update_id }) => update_id + 1))
  }
  throw failed('Nothing was written to it in time; in a group it must be a member, and the message /id.')
}

async function callBot<T extends z.ZodType>(
  schema: T,
  apiRoot: string,
  token: string,
  method: string,
  body: object,
): Promise<z.output<T>> {
  let reply: z.output<typeof answer>
  try {
    const response = await fetch(`${apiRoot}/bot${token}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_MS + POLL_SECONDS * 1_000),
    })
    reply = answer.parse(await response.json())
  } catch {
    // The reason would have the address in it, and with it the token.
    throw failed(`${new URL(apiRoot).host} cannot be reached, or gave no answer of a Bot API.`)
  }
  if (!reply.ok) throw failed(`Telegram refused: ${(reply.description ?? 'no reason').slice(0, 200)}.`)
  const result = schema.safeParse(reply.result)
  if (!result.success) throw failed('Telegram gave an answer of another form.')
  return result.data
}

const failed = (message: string): CliError => new CliError('failed', EXIT.failed, message)
