import { isPublicName } from '../../egress/capabilities/index.ts'
import type { EgressAsker, EgressTarget } from '../../egress/index.ts'
import { canonicalJson, formatHostPattern, type Storage } from '../../kernel/index.ts'
import type { Openings } from './openings.ts'
import type { ToolRun } from './ports.ts'
import { messageOf, type Questions, RUN_OVER, whyNobodyAsked } from './questions.ts'

/** By what name the card, the row and the audit have it: no tool of the model's. */
export const NETWORK = 'network'
/** Cards of one run for hosts: whoever floods a person with them is not read by the end. */
const MAX_ASKED = 16
/** Requests of one run that wait at once; each holds a connection and what it has sent. */
const MAX_HELD = 64

interface NetworkAsksDeps {
  readonly run: ToolRun
  readonly questions: Pick<Questions, 'ask'>
  readonly storage: Pick<Storage, 'flushed'>
  readonly lockdown: { assertOpen(): void }
  /** Of the run, until it ends. */
  readonly openings: Openings
  /** The run is over. */
  readonly over: AbortSignal
  /** Tells the audit. */
  readonly refuse: (message: string) => Promise<unknown>
}

/**
 * What commands of a run send to hosts that nobody has approved: it waits, and a person is asked, once for each host and port. The
 * answer holds for the run, a no too. Whoever waited leaves no mark: the card stands for the next who comes.
 */
export function createNetworkAsks({ run, over, ...deps }: NetworkAsksDeps): EgressAsker {
  /** By the pattern of the host. */
  const answers = new Map<string, Promise<string | null>>()
  let held = 0

  const askPerson = async (
    host: string,
    { port, scheme, ...target }: EgressTarget,
  ): Promise<string | null> => {
    const input = canonicalJson({ host: target.host, port, scheme })
    const call = await deps.questions.ask(
      run,
      { tool: NETWORK, input, effect: { kind: 'network', host } },
      over,
    )
    if (call.status !== 'approved') return messageOf(call)
    // No answer is acted on that a power cut may take.
    await deps.storage.flushed()
    deps.lockdown.assertOpen()
    if (over.aborted) return RUN_OVER
    deps.openings.open(call.id, call.effect)
    return null
  }

  /** What was no person's answer is no answer for later. */
  const answerTo = (host: string, target: EgressTarget): Promise<string | null> =>
    askPerson(host, target).catch((error: unknown) => {
      answers.delete(host)
      return whyNobodyAsked(error)
    })

  const refused = async (message: string): Promise<string> => {
    await deps.refuse(message)
    return message
  }

  return {
    get held() {
      return held
    },
    async ask(target, left) {
      if (over.aborted) return RUN_OVER
      const host = formatHostPattern({ ...target, wildcard: false })
      let answer = answers.get(host)
      if (answer === undefined) {
        if (!isPublicName(target.host)) return await refused(NO_NAME)
        if (answers.size >= MAX_ASKED) return await refused(TOO_MANY_HOSTS)
      }
      if (held >= MAX_HELD) return await refused(TOO_MANY_WAIT)
      if (answer === undefined) {
        answer = answerTo(host, target)
        answers.set(host, answer)
      }
      held += 1
      try {
        return await unlessLeft(answer, left)
      } finally {
        held -= 1
      }
    },
  }
}

async function unlessLeft(answer: Promise<string | null>, left: AbortSignal): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const leave = (): void => resolve('Nobody waits for it any more.')
  if (left.aborted) leave()
  left.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([answer, promise])
  } finally {
    left.removeEventListener('abort', leave)
  }
}

const NO_NAME = 'A person can be asked for the public name of a host alone, and for no address or local name.'
const TOO_MANY_HOSTS = `This run has asked for ${MAX_ASKED} hosts, and can ask for no other.`
const TOO_MANY_WAIT = `${MAX_HELD} requests of this run wait for a person already. Wait for an answer first.`
