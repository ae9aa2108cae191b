import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import SqliteDatabase from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { chatBody, createLlmKit } from '../support/llm-kit.ts'
import { localServers } from '../support/local-servers.ts'

/** Each guard of a lockdown where no other stands behind it: no key that would have to be opened, no grant that is revoked. */

const { listening } = localServers()

describe.skipIf(process.env.TEST_ENGINE === 'postgres')('on a disk that is full', () => {
  test('what was let in before goes to no vendor, also where no key is needed and the disk takes no revocation', async () => {
    await using llm = await createLlmKit()
    let calls = 0
    const vendor = createServer((incoming, response) => {
      calls += 1
      incoming.resume()
      response.end('{}')
    })
    const url = `http://127.0.0.1:${await listening(vendor)}/v1`
    await llm.admin('POST', '/v1/providers', { name: 'indoors', url, private: true, auth: { kind: 'none' } })
    await llm.grant('indoors')
    const body = JSON.stringify(chatBody())
    const send = () =>
      request(`${llm.url}/llm/indoors/v1/chat/completions`, {
        ...{ method: 'POST', agent: false },
        headers: {
          authorization: `Bearer ${llm.token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          expect: '100-continue',
        },
      })
    const first = send()
    first.end(body)
    const [answered] = await once(first, 'response')
    expect([answered.statusCode, calls]).toEqual([200, 1])
    answered.resume()
    const call = send()
    const answer = once(call, 'response')
    call.flushHeaders()
    // It is in: the rest of it is asked for.
    await once(call, 'continue')
    const disk = new SqliteDatabase(join(llm.daemon.folder, 'data', 'proxy.db'))
    disk.exec("CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END")
    expect((await llm.daemon.admin('POST', '/v1/panic')).status).toBeGreaterThanOrEqual(500)
    call.end(body)
    const [response] = await answer
    expect([response.statusCode, response.headers['x-oauth3-error'], calls]).toEqual([503, 'locked', 1])
    expect(await text(response)).toContain('stopped everything')
    // What comes after is answered before its body is there.
    const late = send()
    late.flushHeaders()
    const [{ statusCode }] = await once(late, 'response')
    expect(statusCode).toBe(503)
    late.destroy()
    disk.exec('DROP TRIGGER full')
    disk.close()
  })
})
