import { describe, expect, it } from 'vitest'
import { createUnitDouble } from '../../test/support/unit-double.ts'
import first from '../../test/vectors/envelope-v1.json' with { type: 'json' }
import vectors from '../../test/vectors/envelope-v2.json' with { type: 'json' }
import { DEFAULT_TENANT, SecretValue, type TenantId } from '../kernel/index.ts'
import { createSodiumCipher } from './crypto/index.ts'
import { createDataKeyring, type DataKeyRecord, type DataKeyring } from './keyring.ts'

const TENANT = vectors.tenant as TenantId
const OTHER = 'ten_fedcba9876543210' as TenantId
const masterKey = Buffer.from(vectors.masterKeyHex, 'hex')
const lockedError = expect.objectContaining({ code: 'locked' })
const recordsOf = (keys: readonly { id: number; wrapped: string }[]): DataKeyRecord[] =>
  keys.map(({ id, wrapped }) => ({ id, wrapped, createdAt: 0 }))

async function keyringOf(tenant: TenantId, records: readonly DataKeyRecord[]): Promise<DataKeyring> {
  let meta = ''
  const storage = createUnitDouble({
    meta: {
      get: async () => meta,
      set: async (_key, value) => {
        meta = value
      },
    },
    dataKeys: {
      list: async () => records,
      insert: async () => {},
      rewrap: async () => {},
      remove: async () => {},
    },
  })
  const keyring = createDataKeyring({
    cipher: await createSodiumCipher(),
    masterKey,
    clock: { now: () => 1 },
    tenant,
  })
  await storage.transaction((tx) => keyring.load(tx))
  return keyring
}

describe('the envelope, version 2', () => {
  it.each(vectors.envelopes)(
    'opens the frozen vector of $context for its tenant',
    async ({ context, plaintext, envelope }) => {
      const keyring = await keyringOf(TENANT, recordsOf(vectors.dataKeys))
      expect(keyring.open(context, envelope).open()).toBe(plaintext)
    },
  )

  it('has data keys that open for no other tenant under the same master key', async () => {
    await expect(keyringOf(OTHER, recordsOf(vectors.dataKeys))).rejects.toThrow(lockedError)
    await expect(keyringOf(DEFAULT_TENANT, recordsOf(vectors.dataKeys))).rejects.toThrow(lockedError)
    await expect(keyringOf(TENANT, recordsOf(first.dataKeys))).rejects.toThrow(lockedError)
  })

  it('does not open as another version, nor with another name, version or key id', async () => {
    const keyring = await keyringOf(TENANT, recordsOf(vectors.dataKeys))
    const [vector] = vectors.envelopes
    if (!vector) throw new Error('no vector')
    const { context, envelope } = vector
    const opens = (ctx: string, text: string) => () => keyring.open(ctx, text)
    expect(opens('secret:OTHER_KEY:1', envelope)).toThrow(lockedError)
    expect(opens('secret:DEMO_KEY:2', envelope)).toThrow(lockedError)
    expect(opens(context, envelope.replace('oa3v2.1.', 'oa3v2.2.'))).toThrow(lockedError)
    expect(opens(context, envelope.replace('oa3v2', 'oa3v1'))).toThrow(lockedError)
    for (const { envelope: old } of first.envelopes)
      for (const text of [old, old.replace('oa3v1', 'oa3v2')])
        expect(opens('secret:DEMO_KEY:1', text)).toThrow(lockedError)
  })

  it('does not open for a tenant that has the very same data key', async () => {
    const cipher = await createSodiumCipher()
    const key = new Uint8Array(32).fill(7)
    const same = { ...cipher, newKey: () => key.slice() }
    const made = async (tenant: TenantId): Promise<DataKeyring> => {
      const storage = createUnitDouble({
        meta: { get: async () => undefined, set: async () => {} },
        dataKeys: {
          list: async () => [],
          insert: async () => {},
          rewrap: async () => {},
          remove: async () => {},
        },
      })
      const keyring = createDataKeyring({ cipher: same, masterKey, clock: { now: () => 1 }, tenant })
      await storage.transaction((tx) => keyring.load(tx))
      return keyring
    }
    const sealed = (await made(TENANT)).seal('secret:A:1', new SecretValue('demo-value'))
    expect((await made(TENANT)).open('secret:A:1', sealed).open()).toBe('demo-value')
    expect(await made(OTHER).then((it) => () => it.open('secret:A:1', sealed))).toThrow(lockedError)
    expect(await made(DEFAULT_TENANT).then((it) => () => it.open('secret:A:1', sealed))).toThrow(lockedError)
  })
})
