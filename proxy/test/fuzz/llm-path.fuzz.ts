import fc from 'fast-check'
import { normalisePath, type Provider, upstreamPath } from '../../src/llm/providers/index.ts'
import { createTestProviders, found } from '../support/providers-kit.ts'
import { holds } from './property.ts'

const providers = await createTestProviders()
for (const { name, missing } of providers.list()) {
  for (const param of missing) await providers.setParam(name, param, 'demo', 'cli:0')
}
const vendors: readonly Provider[] = providers.list().map(({ name }) => found(providers, name))

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '/',
      '//',
      '.',
      '..',
      '/..',
      '/../',
      '%2e',
      '%2E%2e',
      '%252e',
      '%2f',
      '%5c',
      '%255c',
      '\\',
      '%',
      '%00',
      '\0',
    ],
    ...[';', '..;', '?', '#', '@', ':', '%c0%ae', '%25', '%c3%a4', ' ', '\r\n', 'ä', 'http://', '%EF%BC%8E'],
    ...[
      '/v1',
      '/v1beta',
      '/v2',
      '/v4',
      '/openai',
      '/anthropic',
      '/api',
      '/paas',
      '/ai',
      '/compatible-mode',
      '/coding',
    ],
    ...[
      '/chat/completions',
      '/messages',
      '/models',
      '/models/lab%2F',
      '/model/arn%3Ax%2fy',
      '/embeddings',
      '/responses',
      '/files',
      '/client/v4/accounts/x',
    ],
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 4 }),
)
const line = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`.replace(/^\/\//, '/'))
const anyLine = fc.oneof(
  line,
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.webUrl(),
)

/** What a server may make of a path that decodes it as often as it likes. */
function* readings(path: string): Generator<string> {
  for (let text = path, round = 0; round < 3; round += 1) {
    yield text
    text = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
}

export const llmPathProperties = [
  holds(
    'a path of the LLM proxy that is let through is itself, and stays where it is however it is read',
    fc.property(anyLine, (raw) => {
      const target = normalisePath(raw)
      if ('problem' in target) return
      const { path, query } = target
      if (raw !== path && raw !== `${path}?${query}`) throw new Error(`became ${path} ? ${query}`)
      const again = normalisePath(path)
      if ('problem' in again || again.path !== path || again.query !== '')
        throw new Error('evaluated differently')
      for (const reading of readings(path)) {
        if (!/^\/[^\0\\]*$/s.test(reading)) throw new Error(`reads as ${JSON.stringify(reading)}`)
        // What is encoded once in the name of a model is a slash however often it is decoded.
        const slashes = path.split('/').length + (reading === path ? 0 : path.split(/%2f/i).length)
        if (reading.split('/').length !== (reading === path ? path.split('/').length : slashes - 1))
          throw new Error('more segments than there are')
        if (reading.slice(1, -1).includes('//')) throw new Error('an empty segment')
        if (reading.split('/').some((segment) => /^\.{1,2}(;|$)/.test(segment)))
          throw new Error('leaves its place')
      }
      const url = new URL(`https://vendor.invalid${path}`)
      if (url.host !== 'vendor.invalid' || url.pathname.split('/').length !== path.split('/').length) {
        throw new Error(`a URL parser reads ${url.href}`)
      }
    }),
  ),
  holds(
    "a path at a vendor is below one of the vendor's roots, and is the same when it is placed again",
    fc.property(line, fc.constantFrom(...vendors), (raw, vendor) => {
      const target = normalisePath(raw)
      if ('problem' in target) return
      const placed = upstreamPath(vendor, target.path)
      if (!vendor.roots.some((root) => placed === root || placed.startsWith(`${root}/`))) {
        throw new Error(`${vendor.name}: ${placed}`)
      }
      const again = upstreamPath(vendor, placed)
      if (again !== placed) throw new Error(`${vendor.name}: ${placed}, then ${again}`)
      if ('problem' in normalisePath(placed)) throw new Error(`${placed} would be refused`)
    }),
  ),
]
