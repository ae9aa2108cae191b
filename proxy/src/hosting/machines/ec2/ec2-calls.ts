/** Calls of EC2, with what fails told in few kinds, and what passes by itself tried again. */
import { setTimeout as delay } from 'node:timers/promises'
import type { EC2, EC2ClientConfig } from '@aws-sdk/client-ec2'
import { lazily, type SecretValue } from '../../../kernel/index.ts'
import type { Wait } from '../../../sandbox/engine/index.ts'
import { DriverFault, type DriverFaultKind } from '../machine-driver.ts'

export interface Ec2Access {
  readonly region: string
  readonly keyId: string
  readonly secret: SecretValue
  /** In the place of the region's own. */
  readonly endpoint?: string | undefined
}

/** One call, repeated while EC2 is busy. Throws a DriverFault, or the signal's reason. */
export type Ec2Call = <T>(
  signal: AbortSignal,
  act: (ec2: EC2, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
) => Promise<T>

const ATTEMPTS = 5
const FIRST_PAUSE_MS = 500
const CONNECT_MS = 5_000
const ANSWER_MS = 20_000

/** By the names that AWS gives its errors (EC2 API reference, "Error codes"). */
const KINDS: Readonly<Record<string, DriverFaultKind>> = {
  RequestLimitExceeded: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  EC2ThrottledException: 'throttled',
  InternalError: 'unreachable',
  InternalFailure: 'unreachable',
  Unavailable: 'unreachable',
  ServiceUnavailable: 'unreachable',
  InstanceLimitExceeded: 'quota',
  VcpuLimitExceeded: 'quota',
  VolumeLimitExceeded: 'quota',
  MaxIOPSLimitExceeded: 'quota',
  ResourceLimitExceeded: 'quota',
  InsufficientInstanceCapacity: 'capacity',
  InsufficientVolumeCapacity: 'capacity',
  InsufficientFreeAddressesInSubnet: 'capacity',
  InsufficientCapacity: 'capacity',
  AuthFailure: 'denied',
  UnauthorizedOperation: 'denied',
  InvalidClientTokenId: 'denied',
  SignatureDoesNotMatch: 'denied',
  RequestExpired: 'denied',
  OptInRequired: 'denied',
  PendingVerification: 'denied',
  Blocked: 'denied',
}
const TEXTS: Readonly<Record<DriverFaultKind, string>> = {
  throttled: 'EC2 takes no more requests for the moment',
  unreachable: 'EC2 gave no whole answer',
  quota: "the account's quota of EC2 is used up",
  capacity: 'EC2 has no room for it in this zone',
  denied: 'EC2 does not let this key do it',
  refused: 'EC2 refused it',
}

/** `code`: its error's name, where EC2 itself answered. */
class Ec2Fault extends DriverFault {
  readonly code: string
  constructor(kind: DriverFaultKind, code: string, cause: unknown) {
    super(kind, code === '' ? `${TEXTS[kind]}.` : `${TEXTS[kind]} (${code}).`, cause)
    this.code = code
  }
}

/** Of the answer's text nothing is passed on: it may name what is of nobody's concern. */
function faultOf(error: unknown): Ec2Fault {
  const { name, $fault, $metadata } = error as {
    name?: unknown
    $fault?: unknown
    $metadata?: { httpStatusCode?: number }
  }
  const isAnswer = $fault !== undefined && typeof name === 'string' && /^[A-Za-z.]{1,80}$/.test(name)
  if (!isAnswer) return new Ec2Fault('unreachable', '', error)
  const isServers = ($metadata?.httpStatusCode ?? 0) >= 500
  return new Ec2Fault(KINDS[name] ?? (isServers ? 'unreachable' : 'refused'), name, error)
}

export const hasCode = (error: unknown, pattern: RegExp): boolean =>
  error instanceof Ec2Fault && pattern.test(error.code)
export const NOT_FOUND = /\.NotFound(?:Exception)?$/
/** It is not in a state for that: it was done already, or is just being done. */
export const NOT_NOW = /^(?:IncorrectInstanceState|IncorrectState|VolumeInUse|VolumeInUse\.Attached)$/
/** For what is as it should be already, or will be looked at again. */
export async function ignoring(pattern: RegExp, act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!hasCode(error, pattern)) throw error
  }
}

/** Tried again after a pause. */
const PASSING: ReadonlySet<DriverFaultKind> = new Set(['throttled', 'unreachable'])

/** Loads the SDK with the first call. */
export function createEc2Calls(
  access: Ec2Access,
  {
    wait = (ms, options) => delay(ms, undefined, options),
    random = Math.random,
  }: { readonly wait?: Wait | undefined; readonly random?: (() => number) | undefined } = {},
): { readonly call: Ec2Call; close(): Promise<void> } {
  let isOpened = false
  const opened = lazily(async () => {
    isOpened = true
    const sdk = await import('@aws-sdk/client-ec2')
    return new sdk.EC2(configOf(access))
  })
  return {
    async call(signal, act) {
      for (let attempt = 1; ; attempt += 1) {
        signal.throwIfAborted()
        try {
          return await act(await opened(), { abortSignal: signal })
        } catch (error) {
          signal.throwIfAborted()
          const fault = faultOf(error)
          if (!PASSING.has(fault.kind) || attempt === ATTEMPTS) throw fault
        }
        // Jitter: machines that rise at once do not come back at once.
        await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + random()), { signal })
      }
    },
    async close() {
      if (isOpened) (await opened()).destroy()
    },
  }
}

/** Nothing is looked for: neither files with keys, nor the metadata of a cloud that the daemon may stand in. */
const configOf = ({ region, keyId, secret, endpoint }: Ec2Access): EC2ClientConfig => ({
  region,
  credentials: async () => ({ accessKeyId: keyId, secretAccessKey: secret.open() }),
  ...(endpoint !== undefined && { endpoint }),
  // Repeats are ours: they follow the act's signal.
  maxAttempts: 1,
  requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
})
