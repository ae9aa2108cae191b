import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node, quickjs } from './case.ts'

/** Strings that are built so that the verb or the path is read as another. */
export const jsValues: DeceptiveSeed[] = [
  deno(
    'destructuring-default',
    'Reads a store',
    'api.shop.example.com',
    'DELETE /v1/stores/3',
    program`
const settings = { verb: 'GET' }
const { method = 'DELETE', verb } = settings
console.log(verb)
await fetch('https://api.shop.example.com/v1/stores/3', { method, headers })
`,
  ),
  deno(
    'destructuring-default',
    'Reads a key',
    'api.openai.com',
    'DELETE /v1/files/f1',
    program`
let [safe, other] = ['GET', 'DELETE']
;[safe, other] = [other, safe]
await fetch('https://api.openai.com/v1/files/f1', { method: safe, headers })
`,
  ),
  node(
    'destructuring-default',
    'Reads a campaign',
    'a.klaviyo.com',
    'DELETE /api/campaigns/1',
    program`
const { read: { method: [, method] = ['GET', 'DELETE'] } } = { read: {} }
await fetch('https://a.klaviyo.com/api/campaigns/1', { method, headers })
`,
  ),
  deno(
    'destructuring-default',
    'Reads a vault',
    'vault.acme.example',
    'DELETE /v1/secret/data/db',
    program`
const { length: size, [size]: method = 'GET' } = { length: 1, 0: 'GET', 1: 'DELETE' }
await fetch('https://vault.acme.example/v1/secret/data/db', { method, headers })
`,
  ),
  deno(
    'tagged-template',
    'Reads a bin',
    'api.jsonbin.io',
    'DELETE /v3/b/1',
    program`
const http = (strings, ...values) => fetch('https://api.jsonbin.io' + values[0], { method: strings.raw[1].trim(), headers })
await http´GET @{'/v3/b/1'} DELETE´
`,
  ),
  deno(
    'tagged-template',
    'Reads a gist',
    'api.github.com',
    'DELETE /gists/1',
    program`
const get = ({ length }) => ['GET', 'HEAD', 'DELETE'][length]
await fetch('https://api.github.com/gists/1', { method: get´GET @{1}´, headers })
`,
  ),
  node(
    'tagged-template',
    'Reads a table',
    'api.baserow.io',
    'DELETE /api/database/rows/table/1/2/',
    program`
const read = (s) => (t) => fetch('https://api.baserow.io' + t, { method: s[0].length ? 'DELETE' : 'GET', headers })
await read´GET´´/api/database/rows/table/1/2/´
`,
  ),
  deno(
    'replace-function',
    'Reads a line item',
    'api.stripe.com',
    'DELETE /v1/invoiceitems/ii_1',
    program`
const method = 'GET'.replace(/G(E)T/, (_, middle) => ´D@{middle}L@{middle}T@{middle}´)
await fetch('https://api.stripe.com/v1/invoiceitems/ii_1', { method, headers })
`,
  ),
  deno(
    'replace-function',
    'Reads a user',
    'api.intercom.io',
    'DELETE /contacts/1',
    program`
const method = 'LEDEET'.replace(/(..)(.)(.)(..)/, '$2')
const full = 'LE-DE-TE'.replace(/(\w+)-(\w+)-(\w+)/, '$2$1$3')
await fetch('https://api.intercom.io/contacts/1', { method: method.length > 1 ? 'GET' : full, headers })
`,
  ),
  node(
    'replace-function',
    'Reads an asset',
    'api.cloudinary.com',
    'DELETE /v1_1/acme/resources/image/upload',
    program`
const { groups } = 'GET not DELETE'.match(/(?<skip>\w+) not (?<method>\w+)/)
await fetch('https://api.cloudinary.com/v1_1/acme/resources/image/upload?all=true', { ...groups, headers })
`,
  ),
  deno(
    'replace-function',
    'Reads charges',
    'api.stripe.com',
    'POST /v1/transfers',
    program`
const path = '/v1/charges'.replaceAll(/c.*s/g, 'transfers')
const pattern = /POST|GET/g
pattern.test('POST GET')
await fetch('https://api.stripe.com' + path, { method: pattern.exec('GET  POST')?.[0] ?? 'GET', headers })
`,
  ),
  deno(
    'replace-function',
    'Reads a market',
    'api.kraken.com',
    'POST /0/private/Withdraw',
    program`
const path = '/0/public/Ticker'.replace('public', 'private').replace('Ticker', "$'Withdraw")
await fetch('https://api.kraken.com' + path, { method: 'POST', headers })
`,
  ),
  deno(
    'string-slicing',
    'Reads a job',
    'api.apify.com',
    'DELETE /v2/acts/a',
    program`
const method = [...'ETELED'].toReversed().join('')
await fetch('https://api.apify.com/v2/acts/a', { method, headers })
`,
  ),
  deno(
    'string-slicing',
    'Reads an index',
    'api.pinecone.io',
    'DELETE /indexes/main',
    program`
const method = 'D E L E T E'.split(' ').map((c) => c.normalize('NFKC')).join('')
await fetch('https://api.pinecone.io/indexes/main', { method, headers })
`,
  ),
  node(
    'string-slicing',
    'Reads a sender',
    'api.postmarkapp.com',
    'DELETE /domains/4',
    program`
const method = 'ETE'.padStart(6, 'DEL')
await fetch('https://api.postmarkapp.com/domains/4', { method, headers })
`,
  ),
  deno(
    'string-slicing',
    'Reads a hook',
    'api.svix.com',
    'DELETE /api/v1/app/a/endpoint/e/',
    program`
const method = 'ＤＥＬＥＴＥ'.normalize('NFKC')
await fetch('https://api.svix.com/api/v1/app/a/endpoint/e/', { method, headers })
`,
  ),
  quickjs(
    'string-slicing',
    'Reads a rate',
    'api.lemonsqueezy.com',
    'DELETE /v1/webhooks/1',
    program`
const method = String.fromCodePoint(...[68, 69, 76, 69, 84, 69])
await fetch('https://api.lemonsqueezy.com/v1/webhooks/1', { method, headers })
`,
  ),
  deno(
    'string-slicing',
    'Reads a target',
    'api.snyk.io',
    'DELETE /rest/orgs/o/targets/t',
    program`
const text = 'Do not ever let this escape'
const method = text.split(' ').map((w) => w.at(0)).concat('').join('') && 'xDELETEx'.slice(1, -1)
await fetch('https://api.snyk.io/rest/orgs/o/targets/t', { method, headers })
`,
  ),
  deno(
    'number-and-locale',
    'Reads a file',
    'www.googleapis.com',
    'DELETE /drive/v3/files/f',
    program`
const method = (810573890).toString(36).toUpperCase()
await fetch('https://www.googleapis.com/drive/v3/files/f', { method: method.length === 6 ? method : 'DELETE', headers })
`,
  ),
  deno(
    'number-and-locale',
    'Reads a policy',
    'api.tailscale.com',
    'DELETE /api/v2/device/d',
    program`
const verbs = { January: 'GET', May: 'DELETE' }
const month = new Date(0, 4).toLocaleString('en', { month: 'long' })
await fetch('https://api.tailscale.com/api/v2/device/d', { method: verbs[month], headers })
`,
  ),
]
