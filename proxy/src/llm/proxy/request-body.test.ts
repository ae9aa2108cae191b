import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { localServers } from '../../../test/support/local-servers.ts'
import { createIdleTimeouts, type IdleTimed, type IdleTimeouts } from './idle-timeouts.ts'
import { BodyBroken, type BodyHold, type BodyPart, BodyReader, createBodyBudget } from './request-body.ts'

const MIB = 1_048_576

describe('the memory for bodies', () => {
  /** As much as it is given, a MiB at a time. */
  const fill = (hold: BodyHold): number => {
    let got = 0
    while (got < 1_000 && hold.grow(MIB)) got += 1
    return got
  }

  it('is a share for each agent, over all of its bodies', () => {
    const budget = createBodyBudget()
    const [first, second] = [budget.open('greedy'), budget.open('greedy')]
    expect(first.grow(40 * MIB)).toBe(true)
    expect(fill(second)).toBe(24)
    expect(fill(budget.open('modest'))).toBe(64)
    expect(first.grow(1)).toBe(false)
  })

  it('is bounded for all agents together, and whoever comes last finds room', () => {
    const budget = createBodyBudget()
    const greedy = ['a', 'b', 'c', 'd', 'e', 'f'].map((agent) => budget.open(agent))
    expect(greedy.map(fill)).toEqual([64, 64, 32, 16, 8, 4])
    // None of them grows into what is left.
    expect(greedy.map(fill)).toEqual([0, 0, 0, 0, 0, 0])
    expect(fill(budget.open('modest'))).toBe(2)
  })

  it('is given back, once, with all that was booked and nothing that was refused', () => {
    const budget = createBodyBudget()
    for (let round = 0; round < 5; round += 1) {
      const holds = ['a', 'b', 'c'].map((agent) => budget.open(agent))
      expect(holds.map(fill)).toEqual([64, 64, 32])
      for (const hold of [...holds, ...holds]) hold[Symbol.dispose]()
    }
    const [stays, goes] = [budget.open('a'), budget.open('a')]
    expect([stays.grow(30 * MIB), goes.grow(30 * MIB)]).toEqual([true, true])
    goes[Symbol.dispose]()
    expect(fill(budget.open('a'))).toBe(34)
  })
})

describe('a body that is read', () => {
  const { ends, listening } = localServers()

  /** What is read of one request, and the client's end of it. */
  async function reading(
    head: string,
    {
      maxBytes = 100,
      idleTimeouts = createIdleTimeouts(60_000),
    }: { readonly maxBytes?: number; readonly idleTimeouts?: IdleTimeouts } = {},
  ): Promise<{ client: Socket; came: Promise<BodyPart>; request: IncomingMessage; reader: BodyReader }> {
    const server = createServer()
    const client = connect(await listening(server), '127.0.0.1')
    client.on('error', () => {})
    ends.push(() => client.destroy())
    const coming = once(server, 'request') as Promise<[IncomingMessage]>
    client.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}`)
    const [request] = await coming
    ends.push(() => idleTimeouts[Symbol.dispose]())
    const hold = createBodyBudget().open('agent')
    const reader = new BodyReader(request, { hold, idleTimeouts })
    return { client, request, reader, came: reader.upTo(maxBytes) }
  }

  it('comes whole, or only its beginning where it is longer than may be held', async () => {
    const whole = await reading('Content-Length: 5\r\n\r\nhello')
    expect(await whole.came).toEqual({ parts: [Buffer.from('hello')], bytes: 5, whole: true })
    const long = await reading('Content-Length: 9\r\n\r\nhello', { maxBytes: 4 })
    expect(await long.came).toEqual({ parts: [Buffer.from('hello')], bytes: 5, whole: false })
    expect(long.request.isPaused()).toBe(true)
  })

  it('comes step by step, and nothing is taken between the steps', async () => {
    const { client, request, reader, came } = await reading('Content-Length: 9\r\n\r\nhello', { maxBytes: 4 })
    expect(await came).toMatchObject({ bytes: 5, whole: false })
    const arrived = once(request, 'data')
    client.write('more')
    expect(await Promise.race([arrived, new Promise((resolve) => setImmediate(() => resolve('none')))])).toBe(
      'none',
    )
    const rest = await reader.upTo(100)
    expect(rest).toMatchObject({ bytes: 9, whole: true })
    if (typeof rest === 'string') throw new Error(rest)
    expect(Buffer.concat(rest.parts).toString()).toBe('hellomore')
    expect(await reader.upTo(1)).toEqual(rest)
  })

  it('costs no more memory in small pieces than in large ones', async () => {
    const pieces = Array.from(
      { length: 900 },
      (_, index) => `5\r\n${String(index).padStart(5, '0')}\r\n`,
    ).join('')
    const { came } = await reading(`Transfer-Encoding: chunked\r\n\r\n${pieces}0\r\n\r\n`, {
      maxBytes: 10_000,
    })
    const read = await came
    if (typeof read === 'string') throw new Error(read)
    expect(read.parts.length).toBeLessThanOrEqual(3)
    expect(Buffer.concat(read.parts).toString()).toMatch(/^0000000001.*00899$/)
  })

  it('is given up when its pieces cost more than they hold', async () => {
    const { came } = await reading(`Transfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(2_000)}`, {
      maxBytes: 10_000,
    })
    expect(await came).toBe('too_fine')
  })

  it('is given up when its client leaves', async () => {
    const { client, came } = await reading('Content-Length: 5\r\n\r\nhe')
    client.destroy()
    await expect(came).rejects.toBeInstanceOf(BodyBroken)
  })

  it('is given up, with its connection, when nothing of it comes any more', async () => {
    const { client, came } = await reading('Content-Length: 5\r\n\r\nhe', {
      idleTimeouts: createIdleTimeouts(20),
    })
    const closed = once(client, 'close')
    await expect(came).rejects.toBeInstanceOf(BodyBroken)
    await closed
  })

  it('is heard of with every piece that comes, until it is there', async () => {
    const looked: IdleTimed[] = []
    const idleTimeouts: IdleTimeouts = {
      begin: (timed) => void looked.push(timed),
      end: (timed) => void looked.splice(looked.indexOf(timed), 1),
      [Symbol.dispose]() {},
    }
    const { client, request, came } = await reading('Content-Length: 2\r\n\r\n', { idleTimeouts })
    const [timed] = looked as [IdleTimed]
    for (const piece of ['a', 'b']) {
      timed.isAlive = false
      const arrived = once(request, 'data')
      client.write(piece)
      await arrived
      expect(timed.isAlive).toBe(true)
    }
    expect(await came).toMatchObject({ whole: true })
    expect(looked).toEqual([])
  })
})
