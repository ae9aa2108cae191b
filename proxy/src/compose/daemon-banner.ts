import type { Style } from '../cli/index.ts'
import type { Config } from '../config/index.ts'
import { visibleText } from '../kernel/index.ts'

/** What a person at the terminal of a daemon that has just started wants to know. */
export interface Overview {
  readonly url: string
  /** Where browsers of this machine, or those behind its proxy, reach the console. */
  readonly console: string
  readonly sandbox: string
  /** Agents that are not revoked. */
  readonly agents: number
}

/** `otherSocket`: the socket for commands, where those that are typed in this folder would look for another. */
export type BannerConfig = Pick<Config, 'telegram' | 'dbPath' | 'host'> & {
  readonly otherSocket: string | null
}

const LABEL_COLUMNS = 10

export function renderBanner(
  version: string,
  { url, console, sandbox, agents }: Overview,
  { telegram, dbPath, host, otherSocket }: BannerConfig,
  style: Style,
): string {
  const row = (label: string, ...lines: readonly string[]): string[] =>
    lines.map(
      (line, index) => `  ${style.dim((index === 0 ? label : '').padEnd(LABEL_COLUMNS))}${visibleText(line)}`,
    )
  const isLoopback = /^(?:127\.|localhost$|\[?::1\]?$)/.test(host)
  return [
    '',
    `  ${style.bold(`oauth3 ${version}`)} ${sandbox === 'unavailable' ? style.yellow('has started; code cannot run yet') : style.green('is ready')}`,
    '',
    ...row('Agents', url, ...(isLoopback ? [] : ['reachable from other machines: put TLS before it'])),
    ...row('Console', console, 'npx oauth3 console   # a link that signs you in there, once'),
    ...row('Answers', ...answerWays(telegram)),
    ...row(
      'Sandbox',
      sandbox === 'unavailable' ? 'cannot run code: new requests are refused (npx oauth3 doctor)' : sandbox,
    ),
    ...row('Database', dbPath),
    ...row(
      'Next',
      'in another terminal, in this folder:',
      ...(otherSocket === null ? [] : [`export OAUTH3_SOCKET=${shellWord(otherSocket)}`]),
      ...(agents === 0 ? ['npx oauth3 agent add NAME   # a token for your first agent'] : []),
      'npx oauth3 watch            # what waits for you, answered there',
      'npx oauth3 doctor           # tries every part for real',
    ),
    '',
    style.dim('  ^C stops it; runs under way end first.'),
    '',
  ].join('\n')
}

const shellWord = (text: string): string =>
  /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

function answerWays(telegram: Config['telegram']): string[] {
  if (telegram === null) return ['at this machine, with npx oauth3 watch (Telegram is not set up)']
  const people = telegram.approverIds.size
  return [
    `${people === 1 ? 'one person' : `${people} people`} in the Telegram chat ${telegram.chatId},`,
    'and whoever may run oauth3 here',
  ]
}
