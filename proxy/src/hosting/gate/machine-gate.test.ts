import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { selfSignedCertificate } from '../../egress/certificates/index.ts'
import { createGateKeys } from './gate-keys.ts'
import { openMachineGate } from './machine-gate.ts'

const SECRET = 's'.repeat(43)
const MOST = 128

/** A gate for one machine, whose daemon listens at one of its sockets. */
async function open() {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-gate-'))
  const inside = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  await once(inside.listen(join(folder, 'agent.sock')), 'listening')
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const gate = await openMachineGate({
    listen: { host: '127.0.0.1', port: 0 },
    keys: createGateKeys(pair, randomBytes(32)),
    certificate: await selfSignedCertificate(pair, 'gate.test'),
    host: { claim: async () => 'refused', isIdentified: () => true },
    folderOf: () => folder,
    log() {},
  })
  return {
    port: gate.port,
    /** A stream of the machine, from an address of loopback. */
    async stream(localAddress: string): Promise<Duplex> {
      const sent = request({
        ...{ host: '127.0.0.1', port: gate.port, localAddress, agent: false, rejectUnauthorized: false },
        path: `/machines/default/mch_${'0'.repeat(16)}/1/streams/agent.sock`,
        headers: { connection: 'upgrade', upgrade: 'oauth3-machine', authorization: `Bearer ${SECRET}` },
      }).end()
      const [, socket] = (await once(sent, 'upgrade')) as [unknown, Duplex]
      return socket.on('error', () => {})
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      inside.close()
      rmSync(folder, { recursive: true })
    },
  }
}

it('has places for others, however many connections of one address say nothing', async () => {
  await using gate = await open()
  const silent = Array.from({ length: MOST + 1 }, () =>
    connect({ host: '127.0.0.1', port: gate.port }).on('error', () => {}),
  )
  // One is too many; the others stay until their handshake is overdue.
  await Promise.race(silent.map((socket) => once(socket, 'close')))
  await expect(gate.stream('127.0.0.1')).rejects.toThrow()
  expect((await gate.stream('127.0.0.2')).destroy().destroyed).toBe(true)
  for (const socket of silent) socket.destroy()
})

it('counts nobody who is known', async () => {
  await using gate = await open()
  const streams: Duplex[] = []
  for (let at = 0; at < MOST; at += 1) streams.push(await gate.stream('127.0.0.2'))
  const stranger = connect({ host: '127.0.0.1', port: gate.port, localAddress: '127.0.0.2' })
  await once(
    stranger.on('error', () => {}),
    'connect',
  )
  streams[0]?.write('still here')
  expect(String((await once(streams[0] as Duplex, 'data'))[0])).toBe('still here')
  expect(stranger.destroyed).toBe(false)
  for (const socket of [...streams, stranger]) socket.destroy()
})
