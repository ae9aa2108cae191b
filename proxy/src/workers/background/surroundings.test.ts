import { afterEach, expect, it } from 'vitest'
import { surroundingsOfConnections } from './index.ts'

const { env } = process
afterEach(() => {
  process.env = env
})

it('a process that connects has what names the server and its certificates, and nothing else', () => {
  process.env = {
    ...{ PGPASSWORD: 'of the database', PGSSLROOTCERT: './ca.pem', HOME: '/home/oauth3', USER: 'oauth3' },
    ...{ NODE_EXTRA_CA_CERTS: '/ca.pem', NODE_OPTIONS: '--use-openssl-ca --require=/tmp/anything.js' },
    ...{ OAUTH3_MASTER_KEY: 'key', TELEGRAM_BOT_TOKEN: 'token', LD_PRELOAD: '/tmp/x.so', PATH: '/bin' },
  }
  const { cwd, env: given, execArgv } = surroundingsOfConnections()
  expect(cwd).toBe(process.cwd())
  const names = ['HOME', 'NODE_EXTRA_CA_CERTS', 'PGPASSWORD', 'PGSSLROOTCERT', 'USER']
  expect(Object.keys(given).sort()).toEqual(names)
  expect(execArgv).toEqual(['--use-openssl-ca'])
})
