import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recoverTenant } from '../../src/compose/daemon-periodic.ts'
import type { Execution } from '../../src/executions/index.ts'
import {
  addAgent,
  createDomainKit,
  type createScriptedSandbox,
  type DomainKit,
  requestOf,
} from '../support/domain-kit.ts'
import { owner } from '../support/principals.ts'

const EVIL = 'console.log("other code")\n'

let dir: string
let kit: DomainKit
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-rows-'))
  kit = await createDomainKit({ dir })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const orders = () => (kit.sandbox as ReturnType<typeof createScriptedSandbox>).orders
const ask = async (code = requestOf().code as string) =>
  kit.executions.submit(kit.agents.list()[0] ?? (await addAgent(kit)), requestOf({ code }))
const approve = (execution: Execution, level: 'once' | 'forever' = 'once') =>
  kit.executions.decide(execution.requestId, execution.consentHash, level, owner('0', 'root'))
const final = (execution: Execution) =>
  kit.executions.wait(execution.requestId, 5_000, new AbortController().signal)

/** In the place of what stands among the consents. */
const altered = (text: string): string =>
  `UPDATE executions SET consent = (SELECT ${text} FROM consents WHERE hash = consent_hash)`

describe('a row that is not what was approved', () => {
  it.each<[string, string]>([
    ['its consent names another host', altered(`replace(text, '"network":[]', '"network":["evil.com"]')`)],
    ['its consent has one blank more', altered("text || ' '")],
    ['its consent is gone', 'DELETE FROM consents'],
    ['its consent hash is another', `UPDATE executions SET consent_hash = '${'b'.repeat(64)}'`],
    ['its stored code was altered', `UPDATE code SET text = 'console.log("altered")'`],
    ['its stored code is gone', 'DELETE FROM code'],
  ])('is not run when %s', async (_what, sql) => {
    const asked = await ask()
    // Approved while nothing runs, so that the row can be altered in between.
    await kit.runs.drain(0)
    await approve(asked)
    kit.db.exec(sql)
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir })
    expect(await final(asked)).toMatchObject({ status: 'failed', failure: 'not_startable', result: null })
    expect(orders()).toHaveLength(0)
    expect(kit.defects).toHaveLength(1)
  })

  it.each([
    ['code is gone', (hash: string) => `DELETE FROM code WHERE hash = '${hash}'`],
    ['code was altered', (hash: string) => `UPDATE code SET text = 'altered' WHERE hash = '${hash}'`],
    [
      'consent is gone',
      (hash: string) =>
        `DELETE FROM consents WHERE hash IN (SELECT consent_hash FROM executions WHERE code_hash = '${hash}')`,
    ],
  ])(
    'ends alone while it waits when its %s: the daemon starts, and others are decided',
    async (_what, sql) => {
      const whole = await ask()
      const broken = await ask(EVIL)
      const later = await ask('console.log("later")\n')
      kit.db.exec(sql(broken.codeHash))
      await kit[Symbol.asyncDispose]()
      kit = await createDomainKit({ dir })
      await recoverTenant(kit, kit.log)
      expect(await kit.executions.resolve(broken.requestId)).toMatchObject({
        status: 'failed',
        failure: 'not_startable',
      })
      const told = (await kit.audit.newest(50)).filter(({ requestId }) => requestId === broken.requestId)
      expect(told.map(({ event }) => event)).toContain('execution.finished')
      for (const waiting of [whole, later]) {
        await approve(waiting)
        expect(await final(waiting)).toMatchObject({ status: 'success' })
      }
      expect(kit.defects).toEqual([])
    },
  )

  it('runs the code of the consent, whatever code hash the row names', async () => {
    const evil = await ask(EVIL)
    const asked = await ask()
    await kit.runs.drain(0)
    await approve(asked)
    kit.db
      .prepare('UPDATE executions SET code_hash = ? WHERE request_id = ?')
      .run(evil.codeHash, asked.requestId)
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir })
    const altered = await kit.executions.resolve(asked.requestId)
    expect(await kit.storage.read((tx) => kit.executions.codeOf(tx, altered))).toBe(requestOf().code)
    await final(asked)
    expect(orders().map(({ code }) => code)).toEqual([requestOf().code])
  })

  it('is neither shown nor approved when its consent was altered', async () => {
    const asked = await ask()
    kit.db.exec(altered(`replace(text, '"network":[]', '"network":["evil.com"]')`))
    const row = await kit.executions.resolve(asked.requestId)
    expect(() => kit.executions.consentOf(row)).toThrow('does not match its hash')
    await expect(kit.storage.read((tx) => kit.executions.codeOf(tx, row))).rejects.toThrow(
      'does not match its hash',
    )
    await expect(approve(asked)).rejects.toThrow('does not match its hash')
    expect((await kit.executions.resolve(asked.requestId)).status).toBe('pending')
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])
  })

  it('is not trusted when its grant was altered to cover more', async () => {
    const first = await ask()
    await approve(first, 'forever')
    await final(first)
    kit.db.exec(`UPDATE approvals SET consent = replace(consent, '"network":[]', '"network":["evil.com"]')`)
    await expect(ask()).rejects.toThrow('does not match its hash')
    expect(orders()).toHaveLength(1)
  })

  it('is healed by the next request with the same code', async () => {
    const first = await ask()
    await approve(first, 'forever')
    await final(first)
    kit.db.exec(`UPDATE code SET text = 'console.log("altered")'`)
    expect(await final(await ask())).toMatchObject({ status: 'success' })
    expect(orders().map(({ code }) => code)).toEqual([requestOf().code, requestOf().code])
  })
})
