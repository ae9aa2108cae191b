import { describe, expect, it } from 'vitest'
import { takeCredential } from './credentials.ts'

const TOKEN = `oa3_${'t'.repeat(43)}`
const OTHER = `oa3_${'u'.repeat(43)}`
const fields = (...pairs: [string, string][]) => pairs.map(([name, value]) => ({ name, value }))

const PLACES: readonly [place: string, headers: [string, string][], query: string][] = [
  ['Authorization', [['authorization', `Bearer ${TOKEN}`]], ''],
  ['Authorization, in another case', [['authorization', `bearer  ${TOKEN}`]], ''],
  ['x-api-key', [['x-api-key', TOKEN]], ''],
  ['x-goog-api-key', [['x-goog-api-key', TOKEN]], ''],
  ['api-key', [['api-key', TOKEN]], ''],
  ['xi-api-key', [['xi-api-key', TOKEN]], ''],
  ['?key=', [], `key=${TOKEN}`],
  ['?key= with a percent form', [], `k%65y=${TOKEN.replace('_', '%5F')}`],
  [
    'the protocol of a WebSocket',
    [['sec-websocket-protocol', `realtime, openai-insecure-api-key.${TOKEN}`]],
    '',
  ],
]

describe('the credential of a request', () => {
  it.each(PLACES)('is taken out of %s', (_place, headers, query) => {
    const taken = takeCredential('/v1/x', fields(...headers, ['x-vendor', 'kept']), query)
    expect(taken).toMatchObject({ token: TOKEN, query: '' })
    expect(JSON.stringify(taken).split(TOKEN)).toHaveLength(2)
    expect('fields' in taken && taken.fields).toContainEqual({ name: 'x-vendor', value: 'kept' })
  })

  it('leaves the rest of a query as it was written', () => {
    const taken = takeCredential('/v1/x', [], `alt=sse&key=${TOKEN}&q=a%20b+c&&empty=`)
    expect(taken).toMatchObject({ token: TOKEN, query: 'alt=sse&q=a%20b+c&&empty=' })
  })

  it('leaves other WebSocket protocols', () => {
    const offered = `realtime, openai-insecure-api-key.${TOKEN}, openai-beta.realtime-v1`
    const taken = takeCredential('/v1/x', fields(['sec-websocket-protocol', offered]), '')
    expect(taken).toMatchObject({
      fields: [{ name: 'sec-websocket-protocol', value: 'realtime, openai-beta.realtime-v1' }],
    })
  })

  it('is refused when it comes in two places, whatever stands in them', () => {
    for (const [, first, query] of PLACES) {
      for (const [, second, secondQuery] of PLACES) {
        const both = [query, secondQuery].filter(Boolean).join('&')
        expect(takeCredential('/v1/x', fields(...first, ...second), both)).toEqual({ problem: 'ambiguous' })
      }
      expect(takeCredential('/v1/x', fields(...first, ['x-api-key', OTHER]), query)).toEqual({
        problem: 'ambiguous',
      })
      expect(takeCredential('/v1/x', fields(...first, ['api-key', '']), query)).toEqual({
        problem: 'ambiguous',
      })
    }
  })

  it('is refused when it stands in a place of no meaning as well', () => {
    const header = fields(['authorization', `Bearer ${TOKEN}`], ['x-copy', `see ${TOKEN}`])
    expect(takeCredential('/v1/x', header, '')).toEqual({ problem: 'elsewhere' })
    const query = takeCredential('/v1/x', fields(['x-api-key', TOKEN]), `note=${TOKEN}`)
    expect(query).toEqual({ problem: 'elsewhere' })
    const named = fields(['x-api-key', TOKEN], [TOKEN.toLowerCase(), 'x'])
    expect(takeCredential('/v1/x', named, '')).toEqual({ problem: 'elsewhere' })
  })

  it.each([TOKEN, TOKEN.replace('_', '%5F'), TOKEN.replace('_', '%255F'), TOKEN.replace('oa3', '%6f%61%33')])(
    'is refused when the path or query says %s as well',
    (written) => {
      const header = fields(['x-api-key', TOKEN])
      expect(takeCredential(`/v1/files/${written}/content`, header, '')).toEqual({ problem: 'elsewhere' })
      expect(takeCredential('/v1/x', header, `user=${written}`)).toEqual({ problem: 'elsewhere' })
    },
  )

  it.each([
    ['nothing', [] as [string, string][]],
    ['another scheme', [['authorization', `Basic ${TOKEN}`]] as [string, string][]],
    ["a vendor's key", [['x-api-key', 'demo-value-of-a-vendor']] as [string, string][]],
    ['a token that is too long', [['x-api-key', `${TOKEN}t`]] as [string, string][]],
    [
      'two values in one header',
      [['authorization', `Bearer ${TOKEN}, Bearer ${TOKEN}`]] as [string, string][],
    ],
  ])('is missing for %s', (_what, headers) => {
    expect(takeCredential('/v1/x', fields(...headers), '')).toEqual({ problem: 'missing' })
  })
})
