import { afterAll, beforeAll, expect, test } from 'vitest'
import { renderCard, styleFor } from '../../src/cli/index.ts'
import { colored } from '../../src/cli/style.ts'
import { columnsOf } from '../../src/cli/text-layout.ts'
import type { CardView } from '../../src/contracts/admin/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { patience } from '../support/pace.ts'
import { rawControls } from '../support/raw-controls.ts'
import { runCliProcess } from '../support/run-cli.ts'

/** ANSI, OSC (title, clipboard, link), C1 forms of both, bidi, zero-width, carriage return, bell, backspace. */
const HOSTILE =
  'A\u001b[2J\u001b]0;title\u0007\u009b31m\u009d8;;http://evil\u009c\u202eB\u2066\u200b\rC\b\u0000\u{e0041}\ufeff'

/** What is text in the database, which keeps no NUL. */
const KEPT = HOSTILE.replace('\u0000', '')

const ESCAPE = String.fromCharCode(0x1b)

let kit: AdminKit
beforeAll(async () => {
  kit = await startAdminKit({ stdout: `${HOSTILE}\n` })
})
afterAll(() => kit[Symbol.asyncDispose]())

test('no field of a request and no byte of its code reaches the terminal as control', async () => {
  const { requestId } = await kit.ask({
    code: `// ${KEPT}\nconsole.log(1)\t// ${KEPT}\n`,
    description: HOSTILE,
    argsJson: JSON.stringify({ text: HOSTILE }),
    skillId: `skill${KEPT}`,
  })
  const env = { OAUTH3_SOCKET: kit.socketPath }
  for (const args of [
    ['show', requestId],
    ['pending'],
    ['pending', '--json'],
    ['show', requestId, '--json'],
    ['audit', 'export'],
    ['audit', 'list'],
  ]) {
    const run = await runCliProcess(args, { env })
    expect(run.code, args.join(' ')).toBe(0)
    expect(rawControls(run.stdout), args.join(' ')).toEqual([])
  }
  const shown = await runCliProcess(['show', requestId], { env })
  expect(shown.stdout).toContain('⟨U+202E⟩')
  expect(shown.stdout).toContain('⟨U+009B⟩')
  const failed = await runCliProcess(['show', KEPT], { env })
  expect(failed.code).toBe(4)
  expect(rawControls(failed.stderr)).toEqual([])
  expect(failed.stderr.trim().split('\n')).toHaveLength(1)

  await runCliProcess(['approve', requestId, '--once'], { env })
  await kit.finished(requestId)
  const outcome = await runCliProcess(['show', requestId], { env })
  expect(outcome.stdout).toContain('stdout')
  expect(rawControls(outcome.stdout)).toEqual([])
})

test('no name of a model that an agent asked for reaches what watch prints as control', async () => {
  const { id: agentId } = kit.agent
  const use = { agentId, provider: 'openai', group: 'inference', path: '/v1/chat/completions' } as const
  const ask = await kit.access.ask({ ...use, model: `${KEPT}\nask_0  approved  you  nothing` })
  for (const args of [['watch'], ['--json', 'watch']]) {
    const seen = await runCliProcess(args, {
      env: { OAUTH3_SOCKET: kit.socketPath },
      whileRunning: async (pid, output) => {
        await expect.poll(() => output.stdout, { timeout: patience(20_000) }).toContain('openai')
        process.kill(pid)
      },
    })
    expect(rawControls(seen.stdout), args.join(' ')).toEqual([])
    expect(seen.stdout.trim().split('\n'), args.join(' ')).toHaveLength(1)
  }
  for (const args of [
    ['pending'],
    ['show', ask.id],
    ['approve', ask.id, '--1h'],
    ['show', ask.id],
    ['grant', 'list'],
    ['audit', 'list'],
  ]) {
    const run = await runCliProcess(args, { env: { OAUTH3_SOCKET: kit.socketPath } })
    expect(rawControls(run.stdout + run.stderr), args.join(' ')).toEqual([])
    expect(run.code, run.stderr).toBe(0)
  }
})

test('a card whose every text is hostile stays within 80 columns and keeps its rows apart, even from a daemon that escapes nothing', () => {
  const spoof = `x\n  Sends     nothing\n${HOSTILE}${'w'.repeat(300)} ${'宽'.repeat(60)}`
  const card: CardView = {
    requestId: spoof,
    skillId: spoof,
    description: spoof,
    agent: spoof,
    changes: [spoof],
    warnings: [{ kind: spoof, text: spoof, short: spoof, pinned: true }],
    sends: 'GET evil.example',
    secrets: [{ name: spoof, raw: true, goes: spoof, how: spoof, missing: true }],
    network: 'evil.example',
    imports: spoof,
    runtime: spoof,
    limits: spoof,
    args: spoof,
    source: spoof,
    provenance: {
      skill: spoof,
      url: spoof,
      registry: { name: spoof, key: spoof },
      publisher: spoof,
      acceptedPublisher: spoof,
      pinned: true,
      declaredDescription: spoof,
      declaredSecrets: [spoof],
      declaredNetwork: [spoof],
    },
    codeHash: 'f'.repeat(64),
    code: { text: spoof, lines: 3, bytes: 9, kept: true },
    expiresAt: 1_000,
    cut: true,
    full: spoof,
    choices: [],
  }
  const plain = renderCard(card, styleFor({}, {}), 0)
  expect(rawControls(plain)).toEqual([])
  for (const line of plain.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80)
  const facts = plain.slice(0, plain.indexOf('── in full'))
  expect(facts.match(/^ {2}Sends /gm)).toHaveLength(1)
  expect(facts).toMatch(/^ {2}Sends +GET evil\.example$/m)

  const painted = renderCard(card, colored, 0)
  expect(painted.replaceAll(new RegExp(`${ESCAPE}\\[[0-9]{1,2}m`, 'g'), '')).toBe(plain)
})
