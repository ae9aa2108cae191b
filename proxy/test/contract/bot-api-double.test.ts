import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BotApiDouble, startBotApiDouble } from '../support/bot-api-double.ts'

const ANN = { id: 1001, first_name: 'Ann' }
const GROUP = -100_500

/** The double must refuse what Telegram refuses; else what passes with it fails in a real chat. */
describe('the Bot API double', () => {
  let double: BotApiDouble
  beforeEach(async () => {
    double = await startBotApiDouble()
    double.addChat({ id: ANN.id, type: 'private' })
    double.addChat({ id: GROUP, type: 'supergroup' })
  })
  afterEach(() => double[Symbol.asyncDispose]())

  const call = async (method: string, payload: Record<string, unknown> = {}, token = double.token) => {
    const answer = await fetch(`${double.root}/bot${token}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
    })
    return (await answer.json()) as {
      ok: boolean
      error_code?: number
      description?: string
      result?: { message_id: number } & Record<string, unknown>
      parameters?: { retry_after?: number }
    }
  }
  const send = (payload: Record<string, unknown>) => call('sendMessage', { chat_id: ANN.id, ...payload })
  const keyboard = (text: string, data: string) => ({
    reply_markup: { inline_keyboard: [[{ text, callback_data: data }]] },
  })

  it.each([
    ['a bare <', 'a < b'],
    ['a bare &', 'a & b'],
    ['an unknown tag', '<h1>a</h1>'],
    ['an unclosed tag', '<b>a'],
    ['tags that cross', '<b><i>a</b></i>'],
    ['an end without a beginning', 'a</b>'],
    ['a foreign attribute', '<b onclick="x">a</b>'],
    ['an unknown entity', '&nbsp;'],
  ])('refuses %s in HTML', async (_what, text) => {
    const answer = await send({ text, parse_mode: 'HTML' })
    expect(answer).toMatchObject({
      ok: false,
      error_code: 400,
      description: expect.stringContaining("can't parse entities"),
    })
  })

  it('takes the documented tags and counts the limit after entity parsing', async () => {
    const html = `<b>b</b><code>&lt;&amp;&gt;&quot;</code><pre>p</pre><blockquote expandable>q</blockquote><a href="https://x.example/?a=1">l</a>`
    expect((await send({ text: html, parse_mode: 'HTML' })).result?.text).toBe('b<&>"pql')
    expect((await send({ text: '&lt;'.repeat(4_096), parse_mode: 'HTML' })).ok).toBe(true)
    expect(await send({ text: 'x'.repeat(4_097) })).toMatchObject({
      error_code: 400,
      description: 'Bad Request: message is too long',
    })
    expect(await send({ text: '  \n' })).toMatchObject({
      error_code: 400,
      description: 'Bad Request: message text is empty',
    })
  })

  it('refuses empty buttons and callback data beyond 1–64 bytes', async () => {
    expect((await send({ text: 'x', ...keyboard(' ', 'a') })).error_code).toBe(400)
    expect((await send({ text: 'x', ...keyboard('ok', '') })).error_code).toBe(400)
    expect((await send({ text: 'x', ...keyboard('ok', 'é'.repeat(33)) })).description).toContain(
      'BUTTON_DATA_INVALID',
    )
    expect((await send({ text: 'x', ...keyboard('ok', 'a'.repeat(64)) })).ok).toBe(true)
  })

  it('refuses edits that change nothing, and edits of what is gone', async () => {
    const { result } = await send({ text: 'x', ...keyboard('ok', 'a') })
    const edit = (payload: Record<string, unknown>) =>
      call('editMessageText', { chat_id: ANN.id, message_id: result?.message_id, ...payload })
    expect((await edit({ text: 'x', ...keyboard('ok', 'a') })).description).toContain(
      'message is not modified',
    )
    expect((await edit({ text: 'x' })).ok).toBe(true)
    double.deleteAsPerson(ANN.id, result?.message_id ?? 0)
    expect((await edit({ text: 'y' })).description).toBe('Bad Request: message to edit not found')
  })

  it('deletes incoming messages within 48 hours only, and in groups only as an administrator', async () => {
    const remove = (chatId: number, messageId: number) =>
      call('deleteMessage', { chat_id: chatId, message_id: messageId })
    expect((await remove(ANN.id, double.say(ANN.id, 'hi', ANN).messageId)).ok).toBe(true)
    const old = double.say(ANN.id, 'hi', ANN, { ageMs: 49 * 3_600_000 })
    expect((await remove(ANN.id, old.messageId)).description).toBe("Bad Request: message can't be deleted")
    const inGroup = double.say(GROUP, 'hi', ANN)
    expect((await remove(GROUP, inGroup.messageId)).ok).toBe(false)
    double.addChat({ id: GROUP, type: 'supergroup', botIsAdmin: true })
    expect((await remove(GROUP, inGroup.messageId)).ok).toBe(true)
    expect((await remove(GROUP, inGroup.messageId)).description).toBe(
      'Bad Request: message to delete not found',
    )
  })

  it('takes one answer to a press, and none to an unknown one', async () => {
    const { result } = await send({ text: 'x', ...keyboard('ok', 'a') })
    const press = double.press(ANN.id, result?.message_id ?? 0, 'ok', ANN)
    expect((await call('answerCallbackQuery', { callback_query_id: press.id, text: 'done' })).ok).toBe(true)
    expect(await press.answered).toEqual({ text: 'done', alert: false })
    expect((await call('answerCallbackQuery', { callback_query_id: press.id })).description).toContain(
      'query is too old',
    )
    expect((await call('answerCallbackQuery', { callback_query_id: '7' })).error_code).toBe(400)
  })

  it('repeats updates until an offset confirms them, and filters kinds', async () => {
    double.say(ANN.id, 'one', ANN)
    double.say(ANN.id, 'two', ANN)
    const first = (await call('getUpdates', {})).result as unknown as { update_id: number }[]
    expect(first).toHaveLength(2)
    expect((await call('getUpdates', {})).result).toEqual(first)
    const offset = (first[0]?.update_id ?? 0) + 1
    expect((await call('getUpdates', { offset, allowed_updates: ['callback_query'] })).result).toEqual([
      first[1],
    ])
    double.say(ANN.id, 'three', ANN)
    expect((await call('getUpdates', { offset: offset + 1 })).result).toEqual([])
  })

  it('answers a waiting poll at once when something comes, and a second poller with 409', async () => {
    const waiting = call('getUpdates', { timeout: 20 })
    await double.waitFor(() => double.calls.length === 1, 'the poll')
    expect((await call('getUpdates', { timeout: 1 })).error_code).toBe(409)
    double.say(ANN.id, 'hi', ANN)
    expect((await waiting).result).toHaveLength(1)
  })

  it('answers getUpdates with 409 while a webhook is set, and takes https webhooks only', async () => {
    expect((await call('setWebhook', { url: 'http://x.example/' })).error_code).toBe(400)
    expect(
      (await call('setWebhook', { url: 'https://x.example/', secret_token: 'no blanks' })).error_code,
    ).toBe(400)
    double.deliverWebhooksTo('http://127.0.0.1:1/')
    expect((await call('setWebhook', { url: 'https://x.example/', secret_token: 'abc' })).ok).toBe(true)
    expect(await call('getUpdates')).toMatchObject({
      error_code: 409,
      description: expect.stringContaining('webhook is active'),
    })
    await call('deleteWebhook')
    expect((await call('getUpdates')).ok).toBe(true)
  })

  it('slows down who writes too fast to one chat, and says for how long', async () => {
    const answers = []
    for (let index = 0; index < 8; index += 1) answers.push(await send({ text: `m${index}` }))
    const slowed = answers.find(({ ok }) => !ok)
    expect(slowed?.error_code).toBe(429)
    expect(slowed?.parameters?.retry_after).toBeGreaterThanOrEqual(1)
    expect((await call('sendMessage', { chat_id: GROUP, text: 'another chat' })).ok).toBe(true)
  })

  it('knows wrong tokens, unknown chats, blocked bots and unknown methods', async () => {
    expect((await call('getMe', {}, '1:wrong')).error_code).toBe(401)
    expect((await send({ chat_id: 5, text: 'x' })).description).toBe('Bad Request: chat not found')
    double.addChat({ id: 77, type: 'private' }).blocked = true
    expect((await send({ chat_id: 77, text: 'x' })).error_code).toBe(403)
    expect((await call('flyToTheMoon')).error_code).toBe(404)
  })

  it('keeps what a bot in privacy mode does not see to itself', async () => {
    double.say(GROUP, 'chatter', ANN)
    double.say(GROUP, '/status', ANN)
    const { result } = await send({ chat_id: GROUP, text: 'question' })
    const question = double.messages.find(({ messageId }) => messageId === result?.message_id)
    double.say(GROUP, 'an answer', ANN, { ...(question ? { replyTo: question } : {}) })
    const updates = (await call('getUpdates')).result as unknown as { message: { text: string } }[]
    expect(updates.map(({ message }) => message.text)).toEqual(['/status', 'an answer'])
  })

  it('takes documents as multipart/form-data with captions up to 1,024 characters', async () => {
    const upload = async (caption: string) => {
      const form = new FormData()
      form.set('chat_id', String(GROUP))
      form.set('caption', caption)
      form.set('document', new Blob(['a\r\nb\0']), 'x.txt')
      const answer = await fetch(`${double.root}/bot${double.token}/sendDocument`, {
        method: 'POST',
        body: form,
      })
      return (await answer.json()) as { ok: boolean; description?: string }
    }
    expect((await upload('c')).ok).toBe(true)
    expect(double.messages.at(-1)?.document?.bytes.toString()).toBe('a\r\nb\0')
    expect((await upload('c'.repeat(1_025))).description).toBe('Bad Request: message caption is too long')
  })
})
