import type { DangerKind } from '../../facts/index.ts'

/** What an import by this name is: a danger of its own and the value that it gives. */
interface ModuleKind {
  readonly danger: DangerKind | null
  /** Base of the names of its members (`node:http`), the default export of a client (`axios`), or null. */
  readonly name: string | null
  readonly sends: boolean
}

const NODE_DANGERS: Record<string, DangerKind> = {
  vm: 'code_from_text',
  module: 'code_from_text',
  repl: 'code_from_text',
  inspector: 'code_from_text',
  'inspector/promises': 'code_from_text',
  worker_threads: 'worker_code',
  wasi: 'webassembly',
  child_process: 'starts_programs',
  cluster: 'starts_programs',
  ffi: 'native_code',
  tls: 'opaque_sender',
  dgram: 'opaque_sender',
  http2: 'opaque_sender',
  dns: 'opaque_sender',
  'dns/promises': 'opaque_sender',
}

const NODE_MODULES: ReadonlySet<string> = new Set(
  `assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events ffi fs
  http http2 https inspector module net os path perf_hooks process punycode querystring readline repl sea sqlite stream
  string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib`.split(/\s+/),
)

/** Clients whose calls this reader follows. */
const CLIENTS: Record<string, string> = {
  axios: 'axios',
  got: 'got',
  ky: 'ky',
  ofetch: 'ofetch',
  undici: 'undici',
  'node-fetch': 'fetch-package',
  'cross-fetch': 'fetch-package',
  'isomorphic-fetch': 'fetch-package',
  'node-fetch-native': 'fetch-package',
}

/** Packages that compute and send nothing; short on purpose, by downloads on npm and JSR. */
const PURE: ReadonlySet<string> = new Set(
  `zod valibot yup joi ajv superstruct lodash lodash-es ramda remeda date-fns date-fns-tz dayjs luxon moment ms csv-parse csv-stringify
  papaparse yaml js-yaml toml ini fast-xml-parser xml2js cheerio linkedom marked markdown-it turndown handlebars mustache
  ejs nanoid uuid ulid jose jsonwebtoken crypto-js bcryptjs tweetnacl semver slugify change-case camelcase chalk kleur
  picocolors p-limit p-map p-queue p-retry immer bignumber.js decimal.js big.js mathjs fuse.js diff qs query-string
  escape-html he entities mime mime-types iconv-lite fflate pako jszip ical.js rrule chrono-node libphonenumber-js
  tslib type-fest ts-pattern neverthrow rxjs eventemitter3 graphql graphql-tag hash-wasm js-sha256 base64-js xlsx pdf-lib
  sentence-splitter natural compromise validator tldts psl ipaddr.js lru-cache object-hash fast-deep-equal deepmerge`.split(
    /\s+/,
  ),
)

/** The package that an address names: of npm, JSR, or a server of packages. Null for another address. */
function packageOf(specifier: string): string | null {
  const plain =
    /^(?:npm|jsr):\/?(.+)$/.exec(specifier)?.[1] ??
    /^https?:\/\/(?:esm\.sh|cdn\.skypack\.dev|unpkg\.com|jspm\.dev|esm\.run)\/(?:v\d+\/|stable\/|gh\/)?(.+)$/.exec(
      specifier,
    )?.[1] ??
    /^https?:\/\/cdn\.jsdelivr\.net\/npm\/(.+)$/.exec(specifier)?.[1] ??
    (/^[@a-z0-9]/i.test(specifier) && !/^[a-z][a-z0-9+.-]*:/i.test(specifier) ? specifier : undefined)
  if (plain === undefined) return null
  return /^(@[^/@]+\/[^/@?]+|[^/@?]+)/.exec(plain)?.[1] ?? null
}

export function moduleKind(specifier: string): ModuleKind {
  const node = specifier.startsWith('node:') ? specifier.slice(5) : specifier
  const base = node.split('/')[0] ?? node
  if (specifier.startsWith('node:') || NODE_MODULES.has(base)) {
    return {
      danger: own(NODE_DANGERS, node) ?? own(NODE_DANGERS, base) ?? null,
      name: `node:${node}`,
      sends: false,
    }
  }
  if (/^(?:data|blob|file):/i.test(specifier) || /^\.{0,2}\//.test(specifier)) {
    return { danger: specifier.endsWith('.node') ? 'native_code' : 'text_import', name: null, sends: false }
  }
  // The tools of QuickJS: they load and run text, and start programs.
  if (/^(?:qjs:)?(?:std|bjson)$|^qjs:/.test(specifier))
    return {
      danger: 'code_from_text',
      name: /std$/.test(specifier) ? 'std' : /os$/.test(specifier) ? 'node:os' : null,
      sends: false,
    }
  const remote = /^(?:https?|npm|jsr|http):/i.test(specifier)
  const named = packageOf(specifier)
  const client = named === null ? undefined : own(CLIENTS, named)
  const danger: DangerKind | null = specifier.endsWith('.node')
    ? 'native_code'
    : remote
      ? 'remote_import'
      : null
  if (client !== undefined) return { danger, name: client, sends: false }
  const pure =
    (named !== null && (PURE.has(named) || named.startsWith('@std/') || named.startsWith('@types/'))) ||
    /^https:\/\/deno\.land\/std[@/]/.test(specifier)
  return { danger, name: null, sends: !pure }
}

const own = <T>(table: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined
