/** The runner's protocol, seen from the daemon: one message in, a ready line and two end markers out. */

import { randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import { parseHostPattern } from '../../kernel/index.ts'
import type { RunOrder } from '../index.ts'

export const READY_LINE = Buffer.from('oauth3-ready 1\n')

/** Starts with a NUL and holds 128 random bits: no output contains it by accident. */
export const newEndMarker = (): string => `\0oauth3-end ${randomBytes(16).toString('hex')} `

/** The one place where a run's secrets are opened: the bytes that go to the runner's standard input. */
export function encodeRunMessage(order: RunOrder, options: { end?: string; placed?: true }): Buffer {
  const env: [string, string][] = [...order.secrets].map(([name, value]) => [name, value.open()])
  if (order.argsJson !== null) env.push(['OAUTH3_ARGS', order.argsJson])
  const { code, dynamicCode, network } = order
  const { memoryBytes } = order.limits
  const body = JSON.stringify({
    v: 2,
    code,
    env: Object.fromEntries(env),
    ports: portsOf(network),
    dynamicCode,
    memoryBytes,
    ...options,
  })
  const length = Buffer.byteLength(body)
  const message = Buffer.alloc(4 + length)
  message.writeUInt32BE(length, 0)
  message.write(body, 4)
  return message
}

/** Where a client that takes no proxy dials the approved hosts. */
const portsOf = (network: RunOrder['network']): number[] => [
  ...new Set(
    network.flatMap((text) => {
      const pattern = parseHostPattern(text)
      return 'problem' in pattern ? [] : [pattern.port]
    }),
  ),
]

/** Hands the message over and wipes it once it has left this process. */
export function sendRunMessage(input: Writable, message: Buffer): void {
  input.end(message, () => message.fill(0))
}
