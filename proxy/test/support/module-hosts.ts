/** A web server on loopback that plays the hosts which code imports from: plain modules, JSR and the npm registry. */
import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { sha256Hex } from '../../src/kernel/index.ts'
import { tarStream } from '../../src/sandbox/images/tar.ts'
import { startTlsUpstream, type TlsUpstream } from './tls-upstream.ts'

export interface ModuleHosts extends AsyncDisposable {
  readonly upstream: TlsUpstream
  /** URL → source of a module; a source that begins with `→ ` is a redirect. A test changes it as it likes. */
  readonly files: Map<string, string>
  /** URLs that are never answered. */
  readonly silent: Set<string>
  /** `METHOD url` of each request, in order. */
  readonly seen: string[]
  /** Publishes a version on JSR, with `mod.ts` as its export. */
  jsr(name: string, version: string, files: Readonly<Record<string, string>>): void
  /** Publishes a version on the npm registry. */
  npm(
    manifest: { name: string; version: string } & Record<string, unknown>,
    files: Readonly<Record<string, string>>,
  ): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
  ts: 'application/typescript',
  js: 'application/javascript',
  json: 'application/json',
}

export async function startModuleHosts(): Promise<ModuleHosts> {
  const files = new Map<string, string>()
  const tarballs = new Map<string, Buffer>()
  const packuments = new Map<
    string,
    { name: string; 'dist-tags': { latest: string }; versions: Record<string, unknown> }
  >()
  const jsr = new Map<
    string,
    { scope: string; name: string; latest: string; versions: Record<string, object> }
  >()
  const seen: string[] = []
  const silent = new Set<string>()
  let serial = 0

  const answer = (url: string, response: ServerResponse): void => {
    // Headers that no two answers share, as real hosts send them.
    serial += 1
    response.setHeader('x-request-id', String(serial)).setHeader('etag', `"${serial}"`)
    if (silent.has(url)) return
    const packument = packuments.get(url.replace('%2f', '/'))
    const tarball = tarballs.get(url)
    const text = packument === undefined ? files.get(url) : JSON.stringify(packument)
    if (tarball !== undefined) response.end(tarball)
    else if (text === undefined) response.writeHead(404).end('not here')
    else if (text.startsWith('→ ')) response.writeHead(302, { location: text.slice(2) }).end()
    else {
      const type =
        TYPES[/\.(\w+)$/.exec(new URL(url).pathname)?.[1] ?? (packument ? 'json' : 'js')] ?? 'text/plain'
      response.writeHead(200, { 'content-type': type }).end(text)
    }
  }
  const upstream = await startTlsUpstream(
    ['esm.sh', 'deno.land', 'jsr.io', 'registry.npmjs.org', 'evil.example', 'api.demo.test'],
    (request, response) => {
      const url = `https://${request.headers.host}${request.url}`
      seen.push(`${request.method} ${url}`)
      answer(url, response)
    },
  )
  return {
    upstream,
    files,
    silent,
    seen,
    jsr(full, version, sources) {
      const [scope = '', name = ''] = full.slice(1).split('/')
      const meta = jsr.get(full) ?? { scope, name, latest: version, versions: {} }
      jsr.set(full, meta)
      meta.latest = version
      meta.versions[version] = {}
      const manifest = Object.fromEntries(
        Object.entries(sources).map(([path, text]) => [
          `/${path}`,
          { size: Buffer.byteLength(text), checksum: `sha256-${sha256Hex(text)}` },
        ]),
      )
      files.set(`https://jsr.io/${full}/meta.json`, JSON.stringify(meta))
      files.set(
        `https://jsr.io/${full}/${version}_meta.json`,
        JSON.stringify({ manifest, exports: { '.': './mod.ts' } }),
      )
      for (const [path, text] of Object.entries(sources))
        files.set(`https://jsr.io/${full}/${version}/${path}`, text)
    },
    async npm(manifest, sources) {
      const { name, version } = manifest
      const tar: Buffer[] = []
      const all = { 'package.json': JSON.stringify({ main: 'index.js', ...manifest }), ...sources }
      const entries = Object.entries(all).map(([file, text]) => ({
        name: `package/${file}`,
        source: Buffer.from(text),
      }))
      for await (const chunk of tarStream(entries)) tar.push(chunk)
      const tarball = gzipSync(Buffer.concat(tar))
      const url = `https://registry.npmjs.org/${name}/-/${name.replace(/.*\//, '')}-${version}.tgz`
      tarballs.set(url, tarball)
      const key = `https://registry.npmjs.org/${name}`
      const packument = packuments.get(key) ?? { name, 'dist-tags': { latest: version }, versions: {} }
      packuments.set(key, packument)
      packument['dist-tags'].latest = version
      packument.versions[version] = {
        ...manifest,
        dist: { tarball: url, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` },
      }
    },
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }
}
