/** Amazon EC2, played at the wire by AWS's own model of it, which Debian's python3-botocore carries. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Ec2Access } from '../../src/hosting/machines/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'

const PYTHON = '/usr/bin/python3'
const SERVER = fileURLToPath(new URL('ec2-server.py', import.meta.url))
const SECRET = 'not-a-real-secret'
export const EC2_PLACE = {
  subnet: 'subnet-0123456789abcdef0',
  securityGroups: ['sg-0123456789abcdef0'],
  instanceType: 't3.small',
  volumeGib: 8,
}

/** Why there is none here; undefined where there is. */
export function withoutBotocore(): string | undefined {
  const found = spawnSync(PYTHON, ['-c', 'import botocore']).status === 0
  if (!found && process.env.OAUTH3_REQUIRE_BOTOCORE === '1') throw new Error('no python3-botocore')
  return found ? undefined : 'no python3-botocore'
}

interface Ec2Fault {
  /** Of EC2's API; `*`: the next one. */
  readonly action: string
  readonly code?: string
  readonly status?: number
  readonly times?: number
  /** It is done, and the connection ends without an answer. */
  readonly done?: boolean
}

interface Ec2State {
  readonly asked: readonly string[]
  readonly bodies: readonly string[]
  readonly faults: readonly unknown[]
  readonly instances: readonly {
    readonly id: string
    readonly state: string
    readonly tags: readonly { readonly Key: string; readonly Value: string }[]
    readonly data: Readonly<Record<string, unknown>>
  }[]
  readonly templates: number
  readonly volumes: number
}

export interface Ec2Double extends AsyncDisposable {
  readonly access: Ec2Access
  /** `behind`: how many lists lack what was made; `slow`: how many looks a change of state takes; `page`: results in one answer. */
  set(settings: Partial<Record<'behind' | 'slow' | 'page', number>>): Promise<void>
  fail(...faults: Ec2Fault[]): Promise<void>
  /** Nothing fails any more. */
  heal(): Promise<void>
  /** What an operator does. */
  outside(machine: string, to: 'stopping' | 'shutting-down' | 'terminated'): Promise<void>
  state(): Promise<Ec2State>
}

export async function startEc2(): Promise<Ec2Double> {
  const keyId = 'AKIDEXAMPLE'
  const region = 'eu-central-1'
  const child = spawn(PYTHON, ['-B', SERVER, keyId, region], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  child.stdin.end(`${SECRET}\n`)
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => Promise.reject(new Error('the double of EC2 ended'))),
  ])) as [Buffer]
  const endpoint = `http://127.0.0.1:${Number(line.toString())}`
  const control = async (order: object): Promise<Ec2State> => {
    const answer = await fetch(`${endpoint}/control`, { method: 'POST', body: JSON.stringify(order) })
    return (await answer.json()) as Ec2State
  }
  return {
    access: { region, keyId, secret: new SecretValue(SECRET), endpoint },
    async set(settings) {
      await control({ do: 'set', settings })
    },
    async fail(...faults) {
      await control({ do: 'faults', faults: faults.map((fault) => ({ code: '', times: 1, ...fault })) })
    },
    async heal() {
      await control({ do: 'heal' })
    },
    async outside(machine, to) {
      await control({ do: 'outside', machine, to })
    },
    state: () => control({ do: 'nothing' }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
