import { expect, test } from 'vitest'
import { styleFor } from '../cli/index.ts'
import { readConfig } from '../config/index.ts'
import { renderBanner } from './daemon-banner.ts'

const CONSOLE = 'http://localhost:3737/console/'
const TELEGRAM = {
  TELEGRAM_BOT_TOKEN: '1234567890:AbCdEfGhIjKlMnOpQrStUvWxYz012345678',
  TELEGRAM_CHAT_ID: '-1001234567890',
  TELEGRAM_APPROVER_IDS: '1,2,3',
}

test.each([
  ['without a bot', {}, 'docker', 0],
  ['in a group, reachable, without an engine', { ...TELEGRAM, HOST: '10.100.100.100' }, 'unavailable', 3],
])(
  'fits a terminal of 80 columns and names commands as they can be typed: %s',
  (_name, env, sandbox, agents) => {
    const config = { ...readConfig({ ...env, DB_PATH: '/srv/proxy.db' }), otherSocket: null }
    const url = `http://${config.host}:3737`
    const banner = renderBanner('0.1.0', { url, console: CONSOLE, sandbox, agents }, config, styleFor({}, {}))
    for (const line of banner.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    expect(banner).toContain(CONSOLE)
    expect(banner).toContain('npx oauth3 watch')
    expect(banner.includes('new requests are refused')).toBe(sandbox === 'unavailable')
    // A folder without a global installation has no `oauth3` by itself.
    expect(banner.match(/(?<!npx )oauth3 (?:agent|watch|doctor)/g)).toBe(null)
    // A line that is copied whole does what its command does.
    expect(banner.match(/npx oauth3 [a-zA-Z ]+? {2,}(?!#)\S.*/g)).toBe(null)
  },
)

test('commands reach this daemon where the folder would lead them to another', () => {
  const banner = (otherSocket: string | null): string =>
    renderBanner(
      '0.1.0',
      { url: 'http://127.0.0.1:3738', console: CONSOLE, sandbox: 'docker', agents: 0 },
      { ...readConfig({}), otherSocket },
      styleFor({}, {}),
    )
  expect(banner(null)).not.toContain('OAUTH3_SOCKET')
  expect(banner('/srv/admin.sock')).toContain(' export OAUTH3_SOCKET=/srv/admin.sock\n')
  expect(banner("/srv/it's $HOME/admin.sock")).toContain(
    " export OAUTH3_SOCKET='/srv/it'\\''s $HOME/admin.sock'\n",
  )
})
