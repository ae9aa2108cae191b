import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createDaemonKit } from '../support/daemon-kit.ts'

/** The doctor tries what there is when it is asked, not what there was at the start. */
test('the doctor tries a wake target that was added after the start, and none of an agent that was revoked', async () => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/late`
  await using kit = await createDaemonKit()
  const wakes = async () =>
    (await kit.admin('POST', '/v1/doctor')).body.checks.filter(({ name }: { name: string }) =>
      name.startsWith('wake'),
    )
  expect((await wakes()).map(({ name }: { name: string }) => name)).toEqual(['wake (default)'])
  const wake = { kind: 'webhook', target, token: 'demo-token-of-a-webhook' }
  expect((await kit.admin('POST', '/v1/agents', { name: 'late', wake })).status).toBe(200)
  expect(await wakes()).toContainEqual(expect.objectContaining({ name: 'wake (agent late)', ok: true }))
  expect(seen).toEqual(['/late'])
  await kit.admin('DELETE', '/v1/agents/late')
  expect((await wakes()).map(({ name }: { name: string }) => name)).toEqual(['wake (default)'])
  server.close()
})
