import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Execution } from '../../src/domain/executions/index.ts'
import {
  addAgent,
  createDomainKit,
  type createScriptedSandbox,
  type DomainKit,
  requestOf,
} from '../support/domain-kit.ts'

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
const ask = (code = requestOf().code as string) =>
  kit.executions.submit(kit.agents.list()[0] ?? addAgent(kit), requestOf({ code }))
const approve = (execution: Execution, level: 'once' | 'forever' = 'once') =>
  kit.executions.decide(execution.requestId, execution.consentHash, level, {
    via: 'cli',
    userId: '0',
    name: 'root',
  })
const final = (execution: Execution) =>
  kit.executions.wait(execution.requestId, 5_000, new AbortController().signal)

describe('a row that is not what was approved', () => {
  it.each<[string, string]>([
    [
      'its consent names another host',
      `UPDATE executions SET consent = replace(consent, '"network":[]', '"network":["evil.com"]')`,
    ],
    ['its consent has one blank more', `UPDATE executions SET consent = consent || ' '`],
    ['its consent is gone', `UPDATE executions SET consent = ''`],
    ['its consent hash is another', `UPDATE executions SET consent_hash = '${'b'.repeat(64)}'`],
    ['its stored code was altered', `UPDATE code SET text = 'console.log("altered")'`],
    ['its stored code is gone', 'DELETE FROM code'],
  ])('is not run when %s', async (_what, sql) => {
    const asked = await ask()
    // Approved while nothing runs, so that the row can be altered in between.
    await kit.runs.drain(0)
    approve(asked)
    kit.db.exec(sql)
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir })
    expect(await final(asked)).toMatchObject({ status: 'failed', failure: 'not_startable', result: null })
    expect(orders()).toHaveLength(0)
    expect(kit.defects).toHaveLength(1)
  })

  it('runs the code of the consent, whatever code hash the row names', async () => {
    const evil = await ask(EVIL)
    const asked = await ask()
    await kit.runs.drain(0)
    approve(asked)
    kit.db
      .prepare('UPDATE executions SET code_hash = ? WHERE request_id = ?')
      .run(evil.codeHash, asked.requestId)
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir })
    const altered = kit.executions.resolve(asked.requestId)
    expect(kit.executions.codeOf(altered)).toBe(requestOf().code)
    await final(asked)
    expect(orders().map(({ code }) => code)).toEqual([requestOf().code])
  })

  it('is neither shown nor approved when its consent was altered', async () => {
    const asked = await ask()
    kit.db.exec(`UPDATE executions SET consent = replace(consent, '"network":[]', '"network":["evil.com"]')`)
    const row = kit.executions.resolve(asked.requestId)
    expect(() => kit.executions.consentOf(row)).toThrow('does not match its hash')
    expect(() => kit.executions.codeOf(row)).toThrow('does not match its hash')
    expect(() => approve(asked)).toThrow('does not match its hash')
    expect(kit.executions.resolve(asked.requestId).status).toBe('pending')
    expect(kit.trust.list()).toEqual([])
  })

  it('is not trusted when its grant was altered to cover more', async () => {
    const first = await ask()
    approve(first, 'forever')
    await final(first)
    kit.db.exec(`UPDATE approvals SET consent = replace(consent, '"network":[]', '"network":["evil.com"]')`)
    await expect(ask()).rejects.toThrow('does not match its hash')
    expect(orders()).toHaveLength(1)
  })

  it('is healed by the next request with the same code', async () => {
    const first = await ask()
    approve(first, 'forever')
    await final(first)
    kit.db.exec(`UPDATE code SET text = 'console.log("altered")'`)
    expect(await final(await ask())).toMatchObject({ status: 'success' })
    expect(orders().map(({ code }) => code)).toEqual([requestOf().code, requestOf().code])
  })
})
