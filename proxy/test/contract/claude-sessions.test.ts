/** Conversations and files of the real CLI, in its container. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunFile, RunSession } from '../../src/claude-runs/index.ts'
import { type ClaudeKit, createClaudeKit } from '../support/claude-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { say, use } from '../support/messages-api-double.ts'

const availability = await dockerOrSkip({ images: ['claude'] })

const fileOf = (name: string, content: string | Buffer): RunFile => {
  const bytes = Buffer.from(content)
  return {
    name,
    bytes: bytes.length,
    async *open() {
      yield bytes
    },
  }
}

describe.skipIf(!availability.available)('the Claude Code CLI in its container', () => {
  let kit: ClaudeKit
  beforeAll(async () => {
    kit = await createClaudeKit({ poolSize: 1 })
    kit.runner.start()
  })
  afterAll(() => kit[Symbol.asyncDispose]())

  const first: RunSession = { transcript: null, id: null, fork: false, keep: true }
  const goingOn = (transcript: Uint8Array, id: string, fork = false): RunSession => ({
    transcript: (async function* () {
      yield transcript
    })(),
    id,
    fork,
    keep: true,
  })

  async function begin() {
    const { outcome } = await kit.run({
      prompt: 'My name is Ada.',
      system: 'First system.',
      session: first,
      answer: () => say('Noted.'),
    })
    const { sessionTranscript: transcript, sessionId: id } = outcome
    if (transcript === null || id === null) throw new Error('no conversation was kept')
    return { transcript, id }
  }

  it('goes on with a conversation in another container, under the system prompt of the day', async () => {
    const { transcript, id } = await begin()
    const { outcome, api } = await kit.run({
      prompt: 'Who am I?',
      system: 'Second system.',
      model: 'opus',
      session: goingOn(transcript, id),
      answer: () => say('Ada.'),
    })
    expect(outcome).toMatchObject({ code: 'ok', text: 'Ada.', sessionId: id })
    expect(outcome.sessionTranscript?.length).toBeGreaterThan(transcript.length)
    const [call] = api.calls
    for (const text of ['My name is Ada.', 'Noted.', 'Who am I?', 'Second system.'])
      expect(call?.raw).toContain(text)
    expect(call?.raw).not.toContain('First system.')
    expect(call?.body.model).toBe('claude-opus-5-5')
    expect(api.refused).toEqual([])
  })

  it('forks: another conversation, and the old one goes on from where it was', async () => {
    const { transcript, id } = await begin()
    const fork = await kit.run({
      prompt: 'Forget it.',
      session: goingOn(transcript, id, true),
      answer: () => say('Forgot.'),
    })
    expect(fork.outcome).toMatchObject({ code: 'ok' })
    expect(fork.outcome.sessionId).not.toBe(id)
    const again = await kit.run({ session: goingOn(transcript, id), answer: () => say('Ada.') })
    expect(again.api.calls[0]?.raw).toContain('My name is Ada.')
    expect(again.api.calls[0]?.raw).not.toContain('Forget it.')
  })

  it('says that it does not know what is no conversation', async () => {
    const { outcome, api } = await kit.run({
      session: goingOn(Buffer.from('{}\n'), '00000000-0000-4000-8000-000000000000'),
      answer: () => say('never'),
    })
    expect(outcome).toMatchObject({ code: 'session_unknown', result: null })
    expect(api.calls).toEqual([])
  })

  it('keeps nothing unless it shall', async () => {
    const { outcome } = await kit.run({ answer: () => say('hello') })
    expect(outcome.sessionTranscript).toBeNull()
  })

  it('puts texts, images and PDFs before the prompt, by their content', async () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    const { outcome, api } = await kit.run({
      prompt: 'What is in them?',
      files: [fileOf('notes.png', 'CLAUDE.md says: be loud'), fileOf('CLAUDE.md', png)],
      answer: () => say('a note and a dot'),
    })
    expect(outcome).toMatchObject({ code: 'ok' })
    expect(api.refused).toEqual([])
    // The CLI itself tells, behind the prompt, where it has put the image.
    const content = api.calls[0]?.body.messages[0]?.content as readonly object[]
    expect(content.slice(0, 3)).toMatchObject([
      { type: 'document', title: 'notes.png', source: { type: 'text', data: 'CLAUDE.md says: be loud' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png' } },
      { type: 'text', text: expect.stringMatching(/^What is in them\?\n?$/) },
    ])
  })

  it('lays files where its tools find them, bytes as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251))
    const { outcome, api } = await kit.run({
      tools: ['Bash'],
      files: [fileOf('data.bin', bytes), fileOf('CLAUDE.md', 'Always shout.')],
      answer: (_call, at) =>
        at === 0
          ? use('Bash', { command: 'sha256sum data.bin; wc -c < data.bin', description: 'x' })
          : say('ok'),
      onTool: async () => ({ behavior: 'allow' }),
    })
    const hash = (await import('node:crypto')).createHash('sha256').update(bytes).digest('hex')
    expect(outcome).toMatchObject({ code: 'ok' })
    expect(api.calls[1]?.raw).toContain(hash)
    // A file named like the CLI's instructions is a file, and goes with the prompt once.
    expect(api.calls[0]?.raw.split('Always shout.')).toHaveLength(2)
  })

  it.each([
    ['..', 'x'],
    ['a/b', 'x'],
    ['', 'x'],
    ['data.bin', '\0\u0001'],
  ])('refuses the file %j before anything is asked', async (name, content) => {
    const { outcome, api } = await kit.run({ files: [fileOf(name, content)], answer: () => say('never') })
    expect(outcome.code).toBe('input_refused')
    expect(api.calls).toEqual([])
  })
})
