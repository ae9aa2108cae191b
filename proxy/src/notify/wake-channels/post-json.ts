import type { Agent } from 'undici'
import { lookupForDaemon } from '../../egress/dial/index.ts'
import type { WakeReceipt } from '../wake/index.ts'

/** What an HTTP target answered; of the body only the beginning. */
export interface HttpAnswer {
  readonly status: number
  readonly text: string
  readonly retryAfterMs: number | undefined
}

let dispatcher: Agent | undefined
const TIMEOUT_MS = 5_000
const MAX_ANSWER_CHARS = 4_096

/**
 * One POST of a JSON text. Targets are the owner's choice, so private addresses are fine; redirects are not
 * followed, since the token would travel along. Returns why there is no answer in place of throwing.
 */
export async function postJson(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<HttpAnswer | { readonly problem: string }> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const { Agent, request } = await import('undici')
    dispatcher ??= new Agent({ connect: { lookup: lookupForDaemon } })
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'oauth3', ...headers },
      body,
      // Wakes are rare: a connection of its own cannot be one that a restarted gateway has forgotten.
      reset: true,
      dispatcher,
      signal: AbortSignal.any([signal, timeout]),
    })
    return {
      status: response.statusCode,
      text: await beginningOf(response.body),
      retryAfterMs: retryAfterMs(response.headers['retry-after']),
    }
  } catch (error) {
    if (timeout.aborted) return { problem: `no answer within ${TIMEOUT_MS / 1_000} s` }
    return { problem: `no answer: ${reasonOf(error)}` }
  }
}

/** The configured http(s) address, or undefined when it is none or carries credentials. */
export function httpUrl(target: string): URL | undefined {
  const url = URL.parse(target)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined
  return url
}

export const NOT_AN_ADDRESS: WakeReceipt = {
  delivered: false,
  message: 'the target is not an http(s) address without credentials in it',
  permanent: true,
}

/** Whether the same request may be accepted later although nobody changes anything. */
const isPassing = (status: number): boolean => status >= 500 || [408, 425, 429].includes(status)

/** A refusal as a receipt. */
export function refusal(answer: HttpAnswer, message: string): WakeReceipt {
  return {
    delivered: false,
    message: message,
    ...(isPassing(answer.status) ? {} : { permanent: true }),
    ...(isPassing(answer.status) && answer.retryAfterMs !== undefined
      ? { retryAfterMs: answer.retryAfterMs }
      : {}),
  }
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length >= MAX_ANSWER_CHARS) break
  }
  return text.slice(0, MAX_ANSWER_CHARS)
}

/** Seconds or an HTTP date. */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const text = typeof header === 'string' ? header.trim() : ''
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1_000
  const until = Date.parse(text)
  return Number.isNaN(until) ? undefined : Math.max(0, until - Date.now())
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message ?? String(error)
}
