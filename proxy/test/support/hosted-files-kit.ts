/** Calls for files of the hosted agent `claw` of a daemon's owner, whose machine is played and has a shell. */
import { expect } from 'vitest'
import type { DaemonKit } from './daemon-kit.ts'
import { sendBytes } from './send-bytes.ts'
import { tellHost } from './tell-host.ts'

export function hostedFilesOf(daemon: () => DaemonKit) {
  const admin = (method: string, path: string, body?: unknown) =>
    daemon().admin(method, `/v1/hosts${path}`, body)
  const shell = async (code: string): Promise<string> =>
    (await tellHost(admin, '/claw', `shell ${code}`)).body.text
  /** Evaluated in its workspace. */
  const plant = async (code: string): Promise<void> =>
    expect(
      await shell(
        `Deno.mkdirSync('/state/home/workspace', { recursive: true }); Deno.chdir('/state/home/workspace'); ${code}; return 'planted'`,
      ),
    ).toBe('planted')

  const own = (method: string, path: string, content?: Uint8Array, headers?: Record<string, string>) =>
    sendBytes(
      { socketPath: daemon().daemon.adminSocketPath },
      method,
      `/v1/hosts/claw${path}`,
      content,
      headers,
    )
  const at = (path: string, more = ''): string => `/file?path=${encodeURIComponent(path)}${more}`
  const get = (path: string) => own('GET', at(path))
  const put = (path: string, text: string | Uint8Array, more = '') =>
    own('PUT', at(path, more), Buffer.from(text))
  const list = async (of = '') => {
    const { status, bytes } = await own('GET', `/files?folder=${encodeURIComponent(of)}`)
    expect(status, bytes.toString()).toBe(200)
    return JSON.parse(bytes.toString())
  }
  const names = async (of = ''): Promise<string[]> =>
    (await list(of)).entries.map(({ name }: { name: string }) => name).sort()
  const rows = async (event: string) =>
    (await daemon().admin('GET', `/v1/audit?limit=1000&event=${event}`)).body.rows.map(
      (row: { data: string }) => JSON.parse(row.data),
    )
  const stateOf = async () =>
    (await admin('GET', '')).body.hosts.find((host: { name: string }) => host.name === 'claw')?.state

  return { admin, shell, plant, own, at, get, put, list, names, rows, stateOf }
}
