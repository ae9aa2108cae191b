import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCommandLine, refuse } from '../scripts/command-line.ts'
import { benchAuditPage } from './audit-page.ts'
import { benchClaude } from './claude.ts'
import { benchConsole } from './console.ts'
import { benchConsolePage } from './console-page.ts'
import { benchExecute } from './execute.ts'
import { benchFacts } from './facts.ts'
import { benchGateway } from './gateway.ts'
import { benchHistory } from './history.ts'
import { benchHostile } from './hostile.ts'
import { benchHosting } from './hosting.ts'
import { benchHostingStreams } from './hosting-streams.ts'
import { benchLlm } from './llm.ts'
import { benchPanic } from './panic.ts'
import { benchPersistence } from './persistence.ts'
import { benchScrub } from './scrub.ts'
import { benchStart } from './start.ts'
import { benchStorage } from './storage.ts'

const USAGE = {
  command: 'npm run bench',
  does: 'Each benchmark prints its figures beside a baseline that is measured in the same run. Without names: all, which takes hours.',
  names: 'name…',
  options: {
    quick: { type: 'boolean', default: false, says: 'few rounds, for a look' },
    memory: { type: 'boolean', default: false, says: 'llm: the memory of the daemon under load instead' },
    minutes: { type: 'string', takes: 'N', says: 'llm --memory: for how long' },
    peers: {
      type: 'string',
      default: join(tmpdir(), 'oauth3-bench-peers'),
      takes: 'FOLDER',
      says: 'llm: where peers are kept that are no dependencies',
    },
    kinds: {
      type: 'string',
      takes: '0,3',
      says: 'hostile: these kinds alone, by their places in hostile/kinds.ts',
    },
    profile: {
      type: 'string',
      takes: 'FOLDER',
      says: 'llm, hostile: leaves processor profiles of the daemon there',
    },
    baseline: {
      type: 'string',
      takes: 'FOLDER',
      says: 'scrub, start, history: another checkout to compare with',
    },
    executions: {
      type: 'string',
      takes: 'N',
      says: 'history: how many; a million take 4 GB of the temporary folder',
    },
  },
} as const
const { values: options, names } = readCommandLine(USAGE)
const { quick } = options

const STREAMS = { quick: { rounds: 3, bytes: 256_000_000 }, usual: { rounds: 15, bytes: 256_000_000 } }
const BENCHES: Record<string, () => Promise<unknown>> = {
  execute: () =>
    benchExecute(
      quick
        ? { paced: 10, cold: 6, unpaced: 8, calls: 8, pools: 2 }
        : { paced: 60, cold: 30, unpaced: 32, calls: 21, pools: 5 },
    ),
  storage: () => benchStorage({ small: 1_000, large: quick ? 50_000 : 1_000_000 }),
  history: () =>
    benchHistory({
      executions: Number(options.executions ?? (quick ? 10_000 : 100_000)),
      baseline: options.baseline ?? null,
    }),
  start: () =>
    benchStart({
      ...(quick ? { rounds: 3, idleMinutes: 0.5 } : { rounds: 9, idleMinutes: 10 }),
      baseline: options.baseline ?? null,
    }),
  scrub: () => benchScrub({ bytes: (quick ? 4 : 16) * 1_048_576, baseline: options.baseline ?? null }),
  facts: async () => benchFacts({ rounds: quick ? 3 : 15 }),
  gateway: () =>
    benchGateway(
      quick
        ? { small: 3, large: 3, largeBytes: 200_000_000 }
        : { small: 9, large: 9, largeBytes: 200_000_000 },
    ),
  hostile: () =>
    benchHostile({
      ...(quick ? { rounds: 1, seconds: 8 } : { rounds: 3, seconds: 10 }),
      kinds: options.kinds?.split(',').map(Number) ?? null,
      profileFolder: options.profile ?? null,
    }),
  console: () =>
    benchConsole(
      quick
        ? { consoles: 100, idleSeconds: 10, events: 100 }
        : { consoles: 500, idleSeconds: 60, events: 300 },
    ),
  'console-page': () => benchConsolePage(quick ? { cards: 10, loads: 5 } : { cards: 50, loads: 20 }),
  claude: () => benchClaude(quick ? { rounds: 7, sustained: 10 } : { rounds: 25, sustained: 30 }),
  hosting: () =>
    benchHosting(
      quick
        ? { pauses: 10, starts: 1, rounds: 2, scale: 0.1, streams: STREAMS.quick }
        : { pauses: 30, starts: 5, rounds: 5, scale: 1, streams: STREAMS.usual },
    ),
  'hosting-streams': () => benchHostingStreams(quick ? STREAMS.quick : STREAMS.usual),
  persistence: () => benchPersistence(quick ? { rounds: 2, scale: 0.1 } : { rounds: 5, scale: 1 }),
  panic: () => benchPanic({ rounds: quick ? 2 : 7 }),
  'audit-page': () =>
    benchAuditPage(
      quick ? { executions: 20_000, loads: 5, pages: 20 } : { executions: 200_000, loads: 20, pages: 50 },
    ),
  llm: () =>
    benchLlm({
      ...(quick ? { rounds: 3, seconds: 2, streamRounds: 3 } : { rounds: 9, seconds: 4, streamRounds: 9 }),
      memoryMinutes: options.memory ? Number(options.minutes ?? (quick ? 1 : 10)) : null,
      peersFolder: options.peers,
      profileFolder: options.profile ?? null,
    }),
}

const unknown = names.find((name) => !Object.hasOwn(BENCHES, name))
if (unknown !== undefined)
  refuse(USAGE, `There is no benchmark "${unknown}"; there are ${Object.keys(BENCHES).join(', ')}.`)
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  console.log(`\n== ${name}`)
  await BENCHES[name]?.()
}
