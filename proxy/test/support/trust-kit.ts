import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { sealConsent } from '../../src/approvals/consent/index.ts'
import type { GrantLevel } from '../../src/approvals/index.ts'
import { createDomainKit, type DomainKit } from './domain-kit.ts'
import { type SampleChange, sampleConsent, sampleSecret } from './sample-consent.ts'

export const START = 1_700_000_000_000
export const ACTOR = 'telegram:7'

export const consent = sampleConsent({
  secrets: [
    sampleSecret({ hosts: ['*.example.com'], bound_to: ['*.example.com'] }),
    sampleSecret({ name: 'OTHER_KEY', hosts: ['a.example.com'], in: ['header', 'query'] }),
  ],
  network: ['*.example.com', 'api.example.org:8443'],
  args: '{"a":1}',
  imports: { lock: 'c'.repeat(64), files: 2, bytes: 9, modules: ['npm:a@1.0.0'] },
})

/** Before each test: trust on a real file, and a clock that is moved by hand. */
export function useTrust() {
  let dir: string
  let kit: DomainKit
  let now: number
  const clock = { now: () => now }

  let requests = 0

  beforeEach(async () => {
    now = START
    dir = mkdtempSync(join(tmpdir(), 'oauth3-trust-'))
    kit = await createDomainKit({ dir, clock })
  })

  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  const grant = (level: GrantLevel, change: SampleChange = {}, anyArgs = false) =>
    kit.storage.transaction((tx) =>
      kit.trust.grant(tx, {
        sealed: sealConsent(sampleConsent({ ...consent, ...change })),
        level,
        anyArgs,
        requestId: `req_${++requests}`,
        actor: ACTOR,
      }),
    )

  const evaluate = (change: SampleChange = {}) =>
    kit.storage.transaction((tx) =>
      kit.trust.take(tx, sealConsent(sampleConsent({ ...consent, ...change })).consent),
    )

  const isTrusted = async (change: SampleChange = {}): Promise<boolean> => (await evaluate(change)).trusted

  return {
    get kit() {
      return kit
    },
    set kit(to) {
      kit = to
    },
    get dir() {
      return dir
    },
    get now() {
      return now
    },
    set now(to) {
      now = to
    },
    grant,
    isTrusted,
    evaluate,
    clock,
  }
}
