import { REQUEST_TOOL, type ToolVerdict } from '../../src/claude-runs/index.ts'
import { createRequestSender, createToolCalls } from '../../src/claude-runs/tool-calls/index.ts'
import { createEgressSessions, createPolicy, type EgressSession } from '../../src/egress/index.ts'
import { type Clock, newRunId, sha256Hex } from '../../src/kernel/index.ts'
import { createScrubber } from '../../src/scrub/index.ts'
import type { DomainKit } from './domain-kit.ts'

const TOOLS = ['Bash', 'WebFetch', 'WebSearch', 'mcp__mail__send', 'Newfangled', REQUEST_TOOL] as const

interface RunOptions {
  readonly usesSeat?: boolean
  readonly prompt?: string
  readonly tools?: readonly string[]
  readonly secrets?: readonly string[] | null
  /** Left out: a session of its own, which reaches nothing. */
  readonly egress?: EgressSession | null
  readonly asksForHosts?: boolean
}

/** An app with runs whose tools ask, over the real daemon's parts. */
export async function createRunTools(kit: DomainKit, clock: Clock = { now: () => Date.now() }) {
  const { app } = await kit.apps.add(
    `shop-${newRunId().slice(4, 12)}`,
    { tools: ['Bash', 'WebFetch'] },
    'cli:0',
  )
  const sessions = createEgressSessions({ ...kit, onDefect: (error) => kit.defects.push(error) })
  const { endpoints } = kit.installation
  const sender = createRequestSender({ ...kit, endpoints, egress: sessions })
  const toolCalls = createToolCalls({ ...kit, clock, sender })
  /** Ids in the order in which they were asked, and who waits for the next. */
  const asked: string[] = []
  let tell: (() => void) | undefined
  kit.events.subscribe('approval.requested', async ({ id }, tx) => {
    tx.afterCommit(() => {
      asked.push(id)
      tell?.()
    })
  })
  /** The id of the next call that a person is asked about. */
  const nextAsked = async (): Promise<string> => {
    while (asked.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      tell = resolve
      await promise
    }
    return asked.shift() as string
  }
  const viewOf = async (id: string) => {
    const found = await kit.storage.read((tx) => kit.approvals.find(tx, id))
    if (found === undefined) throw new Error('it is gone')
    return found
  }
  return {
    ...{ app, toolCalls, nextAsked, viewOf },
    events: async () =>
      (await kit.audit.newest(200))
        .filter(({ event }) => event.startsWith('tool_call.'))
        .map(({ event }) => event)
        .toReversed(),
    begin({
      prompt = 'Sum up the news\nof today',
      tools = TOOLS,
      secrets = null,
      usesSeat = false,
      egress,
      asksForHosts = false,
    }: RunOptions = {}) {
      const runId = newRunId()
      const session =
        egress === undefined
          ? sessions.begin(
              runId,
              createPolicy({ owner: app.id, network: [], secrets: [] }, () => createScrubber(new Map())),
            )
          : egress
      const promptSha256 = sha256Hex(prompt)
      const calls = toolCalls.begin({
        ...{
          runId,
          appId: app.id,
          prompt,
          promptSha256,
          tools,
          secrets,
          usesSeat,
          egress: session,
          asksForHosts,
        },
      })
      const controller = new AbortController()
      let count = 0
      return {
        ...{ runId, session, calls, controller },
        reached: () => (session?.policy.network ?? []).map(({ host }) => host),
        request(tool: string, input: Readonly<Record<string, unknown>>): Promise<ToolVerdict> {
          count += 1
          return calls.request(
            { id: `ask_${count}`, toolUseId: `toolu_${count}`, tool, input },
            controller.signal,
          )
        },
        end: () => kit.storage.transaction((tx) => calls.ended(tx, 'daemon')),
      }
    },
    /** As a person answers what is shown now. */
    async answer(
      id: string,
      choice: string,
      by: Parameters<typeof kit.approvals.choose>[4],
      reason?: string,
    ) {
      const { contentHash } = await viewOf(id)
      return await kit.storage.transaction((tx) =>
        kit.approvals.choose(tx, id, contentHash, choice, by, { reason: reason ?? null, terms: null }),
      )
    },
  }
}
