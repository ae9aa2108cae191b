import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

/** Reverse proxies with the very lines that DEPLOYMENT.md gives for them. */
export type ProxyName = 'nginx' | 'Caddy'

const DOCUMENT = join(import.meta.dirname, '../../../DEPLOYMENT.md')

/** Why there is none of this kind here; undefined when there is. */
export function withoutProxy(name: ProxyName): string | undefined {
  const [file, flag] = name === 'nginx' ? ['nginx', '-v'] : ['caddy', 'version']
  return spawnSync(file, [flag]).status === 0 ? undefined : `no ${file} on this machine`
}

interface ProxySetting {
  readonly folder: string
  /** Where it listens, and where the daemon does. */
  readonly port: number
  readonly daemonPort: number
  readonly cert: string
  readonly key: string
}

export async function startReverseProxy(name: ProxyName, setting: ProxySetting): Promise<AsyncDisposable> {
  const { folder, port } = setting
  writeFileSync(join(folder, 'cert.pem'), setting.cert)
  writeFileSync(join(folder, 'key.pem'), setting.key, { mode: 0o600 })
  const child = name === 'nginx' ? startNginx(setting) : startCaddy(setting)
  await untilListening(port, child)
  return {
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

/** What stands in the document behind the name, with the daemon's port in it. */
function linesFor(name: ProxyName, { daemonPort }: ProxySetting): string {
  const [, lines] =
    new RegExp(`^${name}:\\n\\n\`\`\`\\w*\\n([\\s\\S]+?)\`\`\``, 'm').exec(readFileSync(DOCUMENT, 'utf8')) ??
    []
  if (lines === undefined) throw new Error(`DEPLOYMENT.md has no lines for ${name}`)
  return replaced(lines, '127.0.0.1:3737', `127.0.0.1:${daemonPort}`)
}

function replaced(text: string, what: string, by: string): string {
  if (!text.includes(what)) throw new Error(`the lines of DEPLOYMENT.md have no "${what}"`)
  return text.replaceAll(what, by)
}

function startNginx(setting: ProxySetting): ChildProcess {
  const { folder, port } = setting
  const server = replaced(
    replaced(linesFor('nginx', setting), 'listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`),
    '# ssl_certificate and ssl_certificate_key',
    `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`,
  )
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  ${server}
}
`,
  )
  return spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/** It asks nobody for certificates, and writes nothing outside the folder. */
function startCaddy(setting: ProxySetting): ChildProcess {
  const { folder, port } = setting
  const site = replaced(
    linesFor('Caddy', setting),
    'oauth3.example.com {',
    `oauth3.example.com {\n  bind 127.0.0.1\n  tls ${folder}/cert.pem ${folder}/key.pem`,
  )
  writeFileSync(
    join(folder, 'Caddyfile'),
    `{\n  admin off\n  auto_https disable_redirects\n  https_port ${port}\n  log {\n    level ERROR\n  }\n}\n${site}`,
  )
  return spawn('caddy', ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  })
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  let said = ''
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()))
  const isUp = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
  while (!(await isUp())) {
    if (child.exitCode !== null) throw new Error(`the proxy ended with code ${child.exitCode}: ${said}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
