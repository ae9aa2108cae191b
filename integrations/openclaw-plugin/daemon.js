// The daemon's agent API (docs/reference/api.md) over HTTP.

const PATIENCE_MS = 30_000

/** Its refusals are answers too: they say what to mend. Throws where there is none. */
export function createDaemon({ url, token }) {
  const base = url.replace(/\/+$/, '')
  return {
    async call(method, path, { body, signal, patienceMs = PATIENCE_MS } = {}) {
      const late = AbortSignal.timeout(patienceMs)
      const answer = await fetch(`${base}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        redirect: 'error',
      })
      const text = await answer.text()
      try {
        return { status: answer.status, json: JSON.parse(text) }
      } catch {
        throw new Error(`${base} answers ${answer.status}, and not as OAuth3 does`)
      }
    },
  }
}
