import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** What the plugin does by itself, where starts of OpenClaw would take too long. */
describe('the plugin follows requests', () => {
  interface FollowUp {
    start(): void
    stop(): void
    add(requestId: string, origin: { sessionKey: string }): void
    fetched(requestId: string, sessionKey: string): void
  }
  type Answer = { readonly status: number; readonly json?: { readonly status: string } }
  const ID = `req_${'0'.repeat(32)}`
  let folder: string
  let file: string
  let woken: string[]
  let answers: (() => Answer | Promise<Answer>)[]
  let asked: string[]

  beforeEach(() => {
    folder = mkdtempSync(joinPath(tmpdir(), 'oauth3-plugin-'))
    file = joinPath(folder, 'oauth3', 'requests.json')
    woken = []
    asked = []
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** Of a process of its own: what it knows of before is in the file. */
  const open = async (): Promise<FollowUp> => {
    const url = new URL('../../../integrations/openclaw-plugin/follow-up.js', import.meta.url).href
    const { createFollowUp } = (await import(url)) as { createFollowUp(deps: object): FollowUp }
    return createFollowUp({
      file: () => file,
      log: (text: string) => woken.push(`log ${text}`),
      wake: ({ sessionKey }: { sessionKey: string }, text: string) => woken.push(`${sessionKey}: ${text}`),
      daemon: {
        async call(_method: string, path: string) {
          asked.push(path)
          return (answers.shift() ?? never)()
        },
      },
    })
  }
  const never = () => new Promise<Answer>(() => {})
  const is = (status: string) => () => ({ status: 200, json: { status } })
  const kept = (): string => readFileSync(file, 'utf8')
  const wake = (state: string) => `one: OAuth3: ${ID} is ${state}. Fetch it with oauth3_status.`

  it('until they are decided, and wakes the session that asked once', async () => {
    answers = [is('pending'), is('running'), is('success')]
    const followUp = await open()
    followUp.add(ID, { sessionKey: 'one' })
    followUp.add(ID, { sessionKey: 'two' })
    await expect.poll(() => woken).toEqual([wake('success')])
    expect(asked).toEqual(Array(3).fill(`/execute/${ID}?wait=60`))
  })

  it('beyond a restart, until that session has the outcome', async () => {
    answers = [never]
    const before = await open()
    before.add(ID, { sessionKey: 'one' })
    before.stop()
    answers = [is('denied')]
    const after = await open()
    after.start()
    await expect.poll(() => woken).toEqual([wake('denied')])
    after.fetched(ID, 'two')
    expect(JSON.parse(kept())).toEqual({ [ID]: { sessionKey: 'one' } })
    after.fetched(ID, 'one')
    expect(kept()).toBe('{}')
  })

  it.each([401, 404])('no longer, where the daemon answers %i', async (status) => {
    answers = [() => ({ status })]
    const followUp = await open()
    followUp.add(ID, { sessionKey: 'one' })
    await expect.poll(kept).toBe('{}')
    expect(woken).toEqual([])
  })

  it('and wakes nobody for what was fetched meanwhile', async () => {
    const answered = Promise.withResolvers<Answer>()
    answers = [() => answered.promise]
    const followUp = await open()
    followUp.add(ID, { sessionKey: 'one' })
    followUp.fetched(ID, 'one')
    answered.resolve({ status: 200, json: { status: 'success' } })
    await new Promise(setImmediate)
    expect(woken).toEqual([])
  })
})
