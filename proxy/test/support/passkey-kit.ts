import { type Browser, type ConsoleAnswer, createBrowser, portOf } from './console-kit.ts'
import type { DaemonKit } from './daemon-kit.ts'
import { assertSoft, type Deviation, registerSoft, type SoftPasskey } from './soft-authenticator.ts'

/** A browser at the console with an authenticator in software. Each call is one ceremony, from its options to the answer. */
export interface PasskeyBrowser extends Browser {
  readonly origin: string
  post(path: string, body?: object): Promise<ConsoleAnswer>
  register(label: string, how?: Parameters<typeof registerSoft>[2]): Promise<SoftPasskey>
  /** The session goes with it: as it is for another browser. */
  signInBy(passkey: SoftPasskey, how?: Deviation): Promise<ConsoleAnswer>
  stepUp(passkey: SoftPasskey, how?: Deviation): Promise<ConsoleAnswer>
  /** An assertion for one decision, which is not taken yet. */
  prove(passkey: SoftPasskey, asked: Asked, how?: Deviation): Promise<ReturnType<typeof assertSoft>>
  decide(asked: Asked, proof?: object): Promise<ConsoleAnswer>
}

export interface Asked {
  readonly approval: string
  readonly choice: string
  readonly consent_hash: string
  readonly terms?: object
}

export function createPasskeyBrowser(kit: Pick<DaemonKit, 'daemon' | 'admin'>): PasskeyBrowser {
  const plain = createBrowser(kit)
  const origin = `http://localhost:${portOf(kit)}`
  const post = (path: string, body: object = {}): Promise<ConsoleAnswer> =>
    plain.send(`/console/api${path}`, { method: 'POST', body })
  const good = async (answer: Promise<ConsoleAnswer>) => {
    const { status, body, text } = await answer
    if (status !== 200) throw new Error(`${status}: ${text}`)
    return body
  }
  return Object.assign(plain, {
    origin,
    post,
    async register(label: string, how: Parameters<typeof registerSoft>[2] = {}) {
      const options = await good(post('/passkeys/register/options'))
      const { passkey, sent } = registerSoft(options, origin, how)
      await good(post('/passkeys/register', { label, credential: sent }))
      return passkey
    },
    async signInBy(passkey: SoftPasskey, how: Deviation = {}) {
      const options = await good(post('/passkeys/sign-in/options'))
      return await post('/passkeys/sign-in', { credential: assertSoft(passkey, options, origin, how) })
    },
    async stepUp(passkey: SoftPasskey, how: Deviation = {}) {
      const options = await good(post('/passkeys/step-up/options'))
      return await post('/passkeys/step-up', { credential: assertSoft(passkey, options, origin, how) })
    },
    async prove(passkey: SoftPasskey, asked: Asked, how: Deviation = {}) {
      return assertSoft(passkey, await good(post('/passkeys/decision/options', asked)), origin, how)
    },
    decide: ({ approval, ...body }: Asked, proof?: object) =>
      post(`/v1/approvals/${approval}/decision`, { ...body, ...(proof && { proof }) }),
  })
}
