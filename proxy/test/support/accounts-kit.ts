import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { createScriptedSandbox } from './domain-kit.ts'
import { createLlmKit, type LlmKit } from './llm-kit.ts'

/** A daemon where anybody may sign up, behind a proxy that tells addresses: every call may come from another one. */
export interface AccountsKit extends AsyncDisposable {
  readonly llm: LlmKit
  /** One call, as a program makes it unless the headers say more. Each from an address that nobody had before, unless named. */
  call(method: string, path: string, sent?: Sent): Promise<Answer>
  /** As the console's own script, with its cookie. */
  browse(method: string, path: string, sent?: Sent): Promise<Answer>
  signUp(email: string, password?: string): Promise<SignedUp>
  /** Where a password or a token stands that the daemon was to keep nowhere: rows, logs, answers of the owner's. */
  leaks(): readonly string[]
}

interface Sent {
  readonly body?: unknown
  readonly token?: string | undefined
  readonly cookie?: string | undefined
  readonly address?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  readonly body: any
  /** Name and value that the answer set; undefined where it set none. */
  readonly cookie: string | undefined
}

export interface SignedUp {
  readonly id: string
  readonly tenant: string
  readonly access: string
  readonly refresh: string
  readonly cookie: string
}

export const CONSOLE = 'https://console.example.com'
const TOKENS = /\bor_ses_[0-9a-f]{16}_|\boc_[\w-]{43}|eyJhbGciOiJIUzI1NiI/
export const PASSWORD = 'a battery, a staple'

export async function createAccountsKit(
  mode: 'provider-key' | 'password' | 'passkey' | 'closed',
  environment: Readonly<Record<string, string>> = {},
): Promise<AccountsKit> {
  const llm = await createLlmKit({
    environment: {
      OAUTH3_SIGNUP: mode,
      OAUTH3_PUBLIC_URL: CONSOLE,
      OAUTH3_TRUSTED_PROXIES: '127.0.0.1',
      ...environment,
    },
    sandbox: async () => createScriptedSandbox(),
  })
  let serial = 0
  const fresh = (): string => {
    serial += 1
    return `203.0.${serial >> 8}.${serial & 255}`
  }
  const kit: AccountsKit = {
    llm,
    async call(method, path, { body, token, cookie, address = fresh(), headers = {} } = {}) {
      const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
        const call = request(
          {
            ...{ host: '127.0.0.1', port: new URL(llm.url).port, method, path, agent: false },
            headers: {
              ...{ host: new URL(CONSOLE).host, 'x-forwarded-proto': 'https', 'x-forwarded-for': address },
              ...(sent !== undefined && { 'content-type': 'application/json' }),
              ...(token !== undefined && { authorization: `Bearer ${token}` }),
              ...(cookie !== undefined && { cookie }),
              ...headers,
            },
          },
          resolve,
        )
        call.once('error', reject)
        call.end(sent)
      })
      const told = await text(response)
      const isJson = String(response.headers['content-type']).startsWith('application/json')
      const [set = ''] = response.headers['set-cookie'] ?? []
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: told,
        body: isJson ? JSON.parse(told) : undefined,
        cookie: set.split(';')[0] || undefined,
      }
    },
    browse: (method, path, sent = {}) =>
      kit.call(method, `/console/api${path}`, {
        ...sent,
        headers: {
          ...{ origin: CONSOLE, 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' },
          ...sent.headers,
        },
      }),
    async signUp(email, password = PASSWORD) {
      const {
        status,
        body,
        text: told,
        cookie,
      } = await kit.call('POST', '/api/auth/signup', {
        body: { email, password },
      })
      if (status !== 200 || cookie === undefined) throw new Error(told)
      return {
        ...{ id: body.user.id, tenant: body.user.tenant, cookie },
        ...{ access: body.access_token, refresh: body.refresh_token },
      }
    },
    leaks() {
      const all = [...llm.evidence()]
      if (all.length < 2) throw new Error('There is nothing to search.')
      return all.flatMap(([where, bytes]) =>
        bytes.includes(PASSWORD) || TOKENS.test(bytes.toString('latin1')) ? [where] : [],
      )
    },
    [Symbol.asyncDispose]: () => llm[Symbol.asyncDispose](),
  }
  return kit
}
