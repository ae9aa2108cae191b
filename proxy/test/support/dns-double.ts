import { createSocket } from 'node:dgram'

/** A name server on loopback. It answers for the names that it was given, and says nothing of any other. */
export interface DnsDouble extends AsyncDisposable {
  /** `address:port`, as resolvers are told it. */
  readonly address: string
  /** Names that were asked for, each query once. */
  readonly asked: readonly string[]
  /** Resolves when so many queries for names that are not answered have come. */
  silentQueries(count: number): Promise<void>
}

type Records = Readonly<Record<string, readonly string[] | 'nxdomain'>>

const TYPE_A = 1
const TYPE_AAAA = 28

/** IPv4 addresses are given for A, others for AAAA (as eight groups); a query that has no record of its type gets no data. */
export async function startDnsDouble(
  records: Records = {},
  options: { readonly silentTypes?: readonly number[] } = {},
): Promise<DnsDouble> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  let silent = 0
  socket.on('message', (query, from) => {
    const { name, type, end } = questionOf(query)
    asked.push(name)
    const found = records[name]
    if (found === undefined || options.silentTypes?.includes(type)) {
      silent += 1
      for (const one of waiting) if (silent >= one.count) one.resolve()
      return
    }
    const addresses =
      found === 'nxdomain' ? [] : found.filter((address) => address.includes(':') === (type === TYPE_AAAA))
    const head = Buffer.from(query.subarray(0, 12))
    // Response, recursion desired and available; NXDOMAIN is 3 (RFC 1035, 4.1.1).
    head.writeUInt16BE(0x8180 | (found === 'nxdomain' ? 3 : 0), 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(addresses.length, 6)
    head.writeUInt32BE(0, 8)
    socket.send(
      Buffer.concat([head, query.subarray(12, end), ...addresses.map((one) => answerOf(type, one))]),
      from.port,
      from.address,
    )
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    silentQueries(count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (silent >= count) resolve()
      else waiting.push({ count, resolve })
      return promise
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(() => resolve()))
    },
  }
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function answerOf(type: number, address: string): Buffer {
  const data =
    type === TYPE_A
      ? Buffer.from(address.split('.').map(Number))
      : Buffer.concat(address.split(':').map((group) => Buffer.from(group.padStart(4, '0'), 'hex')))
  const head = Buffer.alloc(12)
  // The name is the question's, at offset 12 (RFC 1035, 4.1.4).
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(60, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}
