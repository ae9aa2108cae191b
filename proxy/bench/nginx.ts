import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestCa } from '../test/support/test-ca.ts'
import { pause } from './support.ts'

export const NGINX_MISSING =
  'nginx is missing; install it with `apt-get install -y --no-install-recommends nginx-light`.'

export const hasNginx = (): boolean => spawnSync('nginx', ['-v']).status === 0

export interface RunningNginx {
  pids(): readonly number[]
  stop(): Promise<void>
}

/** nginx with one worker and what stands inside `http { … }`; it writes nothing to disk but its process id. */
export async function launchNginx(setting: {
  readonly folder: string
  readonly name: string
  readonly http: string
  readonly ready: () => boolean | Promise<boolean>
}): Promise<RunningNginx> {
  const prefix = join(setting.folder, setting.name)
  const config = `${prefix}.conf`
  writeFileSync(
    config,
    `
daemon off;
worker_processes 1;
pid ${prefix}.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${prefix}-body;
  proxy_temp_path ${prefix}-proxy;
  fastcgi_temp_path ${prefix}-fastcgi;
  uwsgi_temp_path ${prefix}-uwsgi;
  scgi_temp_path ${prefix}-scgi;
  proxy_max_temp_file_size 0;
  keepalive_requests 1000000000;
  ${setting.http}
}
`,
  )
  const child = spawn('nginx', ['-p', setting.folder, '-e', 'stderr', '-c', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const exited = once(child, 'exit')
  while (!(await setting.ready())) {
    if (child.exitCode !== null) throw new Error(`nginx ended with code ${child.exitCode}`)
    await pause(10)
  }
  return {
    pids: () => [child.pid ?? 0, ...childrenOf(child.pid ?? 0)],
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/**
 * nginx as a reverse proxy that opens TLS on a unix socket, sets Authorization and speaks TLS to the upstream:
 * connections kept alive, certificates verified.
 */
export async function startTlsNginx(setting: {
  readonly folder: string
  readonly ca: TestCa
  readonly port: number
  readonly host: string
  readonly authorization: string
}): Promise<RunningNginx & { readonly socketPath: string }> {
  const socketPath = join(setting.folder, 'nginx.sock')
  const { cert, key } = setting.ca.issue([setting.host])
  const file = (name: string, content: string): string => {
    const path = join(setting.folder, name)
    writeFileSync(path, content)
    return path
  }
  const http = `
  upstream bench { server 127.0.0.1:${setting.port}; keepalive 16; keepalive_requests 1000000000; }
  server {
    listen unix:${socketPath} ssl;
    ssl_certificate ${file('nginx-cert.pem', cert)};
    ssl_certificate_key ${file('nginx-key.pem', key)};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass https://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host ${setting.host}:${setting.port};
      proxy_set_header Authorization "${setting.authorization}";
      proxy_ssl_server_name on;
      proxy_ssl_name ${setting.host};
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate ${file('upstream-ca.pem', setting.ca.certificate)};
    }
  }
`
  const nginx = await launchNginx({
    folder: setting.folder,
    name: 'nginx',
    http,
    ready: () => existsSync(socketPath),
  })
  return { ...nginx, socketPath }
}

export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && statOf(Number(name))?.parent === pid)
    .map(Number)
}

/** Linux counts in ticks of a hundredth of a second. */
const TICK_MS = 10

/** Processor time of these processes so far. */
export const cpuMs = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + (statOf(pid)?.ticks ?? 0) * TICK_MS, 0)

function statOf(pid: number): { parent: number; ticks: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number)
    return { parent: fields[1] ?? 0, ticks: (fields[11] ?? 0) + (fields[12] ?? 0) }
  } catch {
    return undefined
  }
}
