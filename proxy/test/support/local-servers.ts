import type { AddressInfo, Server } from 'node:net'
import { afterEach } from 'vitest'

/** What a test file opens on loopback: ended after each test, the youngest first. To be called once, where tests are declared. */
export function localServers(): {
  /** What else is to be ended with the test. */
  readonly ends: (() => unknown)[]
  /** The port that the server was given. */
  listening(server: Server): Promise<number>
} {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
  return {
    ends,
    async listening(server) {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      ends.push(() => server.close())
      return (server.address() as AddressInfo).port
    },
  }
}
