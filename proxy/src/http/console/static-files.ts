import { readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { AppError } from '../../kernel/index.ts'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
  json: 'application/json; charset=utf-8',
  webmanifest: 'application/manifest+json; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
}
/** Made when the page is built, beside the file; the smaller one first. */
const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>OAuth3</title>
<p>The console's page is not built. In the checkout: npm run build</p></html>
`

/**
 * The built page. Only files that a listing of its folder names are opened, so no path leads out of it. What stands in `assets` has a
 * hash in its name and never changes.
 */
export function createStaticFiles(folder: string) {
  let files: ReadonlySet<string> = new Set()
  let listedAt = -1
  const list = (): void => {
    const changedAt = statSync(join(folder, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (changedAt === listedAt) return
    listedAt = changedAt
    files =
      changedAt === 0
        ? new Set()
        : new Set(
            readdirSync(folder, { recursive: true, withFileTypes: true })
              .filter((entry) => entry.isFile())
              .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
          )
  }

  return {
    /** `path` is what follows `/console/`. A path without a file is one of the page's own, if it looks like none. */
    async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
      list()
      const isAsset = path.startsWith('assets/')
      if (!files.has(path) && (isAsset || /\.[a-z0-9]+$/i.test(path)))
        throw new AppError('not_found', 'The console has no such file.')
      const name = files.has(path) ? path : 'index.html'
      if (!files.has(name)) {
        response.statusCode = 503
        send(request, response, 'html', Buffer.from(NOT_BUILT))
        return
      }
      const accepted = String(request.headers['accept-encoding'] ?? '')
      const coding = CODINGS.find(([token, suffix]) => files.has(name + suffix) && accepts(accepted, token))
      if (CODINGS.some(([, suffix]) => files.has(name + suffix)))
        response.setHeader('Vary', 'Accept-Encoding')
      if (coding) response.setHeader('Content-Encoding', coding[0])
      if (isAsset) response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
      else if (name !== 'index.html') response.setHeader('Cache-Control', 'no-cache')
      const body = await readFile(join(folder, name + (coding?.[1] ?? '')))
      send(request, response, name.slice(name.lastIndexOf('.') + 1), body)
    },
  }
}

const accepts = (accepted: string, token: string): boolean =>
  accepted.split(',').some((part) => {
    const [name = '', ...parameters] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/)
    return name === token && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })

function send(request: IncomingMessage, response: ServerResponse, ending: string, body: Buffer): void {
  response.setHeader('Content-Type', TYPES[ending] ?? 'application/octet-stream')
  response.setHeader('Content-Length', body.length)
  response.end(request.method === 'HEAD' ? undefined : body)
}
