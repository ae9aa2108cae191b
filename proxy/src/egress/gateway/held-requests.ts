/** Requests that wait while a person is asked about their host. */
import type { EgressRule } from '../index.ts'
import type { Arrival } from './egress-endpoint.ts'
import {
  type Allowed,
  evaluateRequest,
  questionOf,
  type Refused,
  type RequestHead,
} from './evaluate-request.ts'

const ABOUT_HOSTS: ReadonlySet<EgressRule> = new Set(['host_not_approved', 'plain_http_not_approved'])

/**
 * Goes on at once, but for a request to a host that somebody is to be asked about: it waits for the answer, and comes to nothing when
 * its client leaves first. `why`: the answer is no. `fail` is told whatever is thrown.
 */
export function whenAnswered(
  request: RequestHead,
  client: { once(event: 'close', listener: () => void): unknown },
  arrival: Arrival,
  fail: (error: unknown) => void,
  goOn: (why: string | null) => void,
): void {
  try {
    const question = questionOf(request, arrival)
    if (question === null) {
      goOn(null)
      return
    }
    const left = new AbortController()
    client.once('close', () => left.abort())
    question.asker
      .ask(question.target, left.signal)
      .then((why) => {
        if (!left.signal.aborted) goOn(why)
      })
      .catch(fail)
  } catch (error) {
    fail(error)
  }
}

/** By what is approved now; a refusal has the words of whoever said no. */
export function evaluated(
  request: RequestHead,
  arrival: Arrival,
  { websocket, why }: { readonly websocket: boolean; readonly why: string | null },
): Allowed | Refused {
  const verdict = evaluateRequest(request, arrival, { websocket })
  return 'rule' in verdict && why !== null && ABOUT_HOSTS.has(verdict.rule) ? { ...verdict, why } : verdict
}
