import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { workerProcesses } from '../support/worker-processes.ts'

/** What reads an agent's program dies of it, as by a fault of V8 or for want of memory: by a signal, in the middle. */

const readerProcesses = (): number[] => workerProcesses('program-reader/worker')

let kit: DaemonKit
beforeAll(async () => {
  // Its own, which ends with it.
  kit = await createDaemonKit({ programReader: undefined, sandbox: async () => createScriptedSandbox() })
})
afterAll(() => kit[Symbol.asyncDispose]())

let serial = 0
/** A program that takes a while, and goes to a host at its end. */
const longProgram = (): string =>
  `// ${++serial}\n${'f(1);\n'.repeat(40_000)}await fetch("https://late.example/v1")`

/** The card of a request, asked for by the words that each has. */
async function cardFor(code: string, whileRead: () => void = () => {}): Promise<string> {
  const skill = `reader/${++serial}`
  let isAnswered = false
  const asked = kit.post({ skill_id: skill, code }).finally(() => {
    isAnswered = true
  })
  while (!isAnswered) {
    whileRead()
    await delay(5)
  }
  expect(await asked).toMatchObject({ status: 202 })
  const card = await kit.telegram.waitForMessage(({ text }) => text.includes(skill), 20_000)
  return card.text
}

const dying = (signal: NodeJS.Signals): Promise<string> =>
  cardFor(longProgram(), () => {
    for (const pid of readerProcesses()) process.kill(pid, signal)
  })

describe('a reader of programs that dies in the middle', () => {
  it('ends nothing else: its program counts as unreadable, and the next is read by a new one', async () => {
    for (const signal of ['SIGSEGV', 'SIGTRAP', 'SIGKILL'] as const) {
      const card = await dying(signal)
      expect(card, signal).toContain('cannot be read as a program')
      expect(card, signal).not.toContain('late.example')
      expect(await cardFor(`await fetch("https://next.example/${signal}")`)).toContain(
        `tries GET next.example/${signal}`,
      )
    }
  })

  it('takes nothing from agents whose programs are read meanwhile', async () => {
    const other = await kit.admin('POST', '/v1/agents', { name: 'other' })
    const asked = Array.from({ length: 6 }, (_, index) =>
      kit.post(
        { skill_id: `others/${index}`, code: `await fetch("https://others.example/${index}")` },
        { authorization: `Bearer ${other.body.token}` },
      ),
    )
    await dying('SIGSEGV')
    for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ status: 202 })
    expect((await kit.get('/health')).body).toMatchObject({ status: 'ok' })
  })

  it('is gone with the daemon', async () => {
    await cardFor('await fetch("https://last.example/")')
    const before = readerProcesses()
    expect(before).not.toEqual([])
    await kit.daemon.stop()
    expect(readerProcesses().filter((pid) => before.includes(pid))).toEqual([])
  })
})
