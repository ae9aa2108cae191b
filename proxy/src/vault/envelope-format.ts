import { hkdfSync } from 'node:crypto'
import { DEFAULT_TENANT, type TenantId } from '../kernel/index.ts'

/**
 * What of the envelope encryption depends on whose it is.
 *
 * Version 1, of the tenant `default`: the master key is the key-encryption key, and the associated data is
 * `oauth3:v1:<data key id>:<context>`. Frozen vectors: test/vectors/envelope-v1.json.
 *
 * Version 2, of every other tenant: the key-encryption key is HKDF-SHA256 (RFC 5869) of the master key, without salt, with the info
 * `oauth3:v2:tenant-key:<tenant id>`; the associated data is `oauth3:v2:<tenant id>:<data key id>:<context>`, so that what was sealed
 * for one tenant opens for no other, also under the same key. Frozen vectors: test/vectors/envelope-v2.json.
 *
 * No id holds a colon. A context names kind, id and version of what is sealed (`secret:<name>:<version>`, `for:<purpose>`).
 */
export interface EnvelopeFormat {
  /** What an envelope begins with. */
  readonly prefix: 'oa3v1' | 'oa3v2'
  /** Of a value under the data key `id`. */
  associatedData(id: number, context: string): string
  /** 32 bytes, under which the data keys are wrapped. */
  keyEncryptionKey(masterKey: Uint8Array): Uint8Array
}

const V1: EnvelopeFormat = {
  prefix: 'oa3v1',
  associatedData: (id, context) => `oauth3:v1:${id}:${context}`,
  keyEncryptionKey: (masterKey) => masterKey,
}

export const envelopeFormat = (tenant: TenantId): EnvelopeFormat =>
  tenant === DEFAULT_TENANT
    ? V1
    : {
        prefix: 'oa3v2',
        associatedData: (id, context) => `oauth3:v2:${tenant}:${id}:${context}`,
        keyEncryptionKey: (masterKey) =>
          new Uint8Array(hkdfSync('sha256', masterKey, '', `oauth3:v2:tenant-key:${tenant}`, 32)),
      }

/** Of a data key itself, as it is wrapped. */
export const wrapAssociatedData = (format: EnvelopeFormat, id: number): string =>
  format.prefix === 'oa3v1' ? `oauth3:v1:data-key:${id}` : format.associatedData(id, 'data-key')
