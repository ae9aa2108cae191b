import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { newPrivateKey, selfSignedCertificate } from '../egress/certificates/index.ts'
import {
  createGateKeys,
  type GateKeys,
  type MachineGate,
  type MachineGateDeps,
  openMachineGate,
  pinAt,
} from '../hosting/gate/index.ts'
import { type DoctorCheck, SecretValue, type Storage, type Tx } from '../kernel/index.ts'
import type { DataKeyring } from '../vault/index.ts'

const META = 'machine_gate'
const PURPOSE = 'machine-gate'

interface Kept {
  readonly tls: string
  readonly token: string
}

/** Made once: instances that sleep know the gate by its key. Sealed like a secret, in the tenant `default`. */
export async function openGateKeys({
  storage,
  keyring,
}: {
  readonly storage: Storage
  readonly keyring: DataKeyring
}): Promise<GateKeys> {
  const made: Kept = { tls: await newPrivateKey(), token: randomBytes(32).toString('hex') }
  const sealed = await storage.transaction(async (tx) => {
    const stored = await tx.meta.get(META)
    if (stored !== undefined) return stored
    const fresh = keyring.seal(`for:${PURPOSE}`, new SecretValue(JSON.stringify(made)))
    await tx.meta.set(META, fresh)
    return fresh
  })
  const { tls, token } = JSON.parse(keyring.open(`for:${PURPOSE}`, sealed).open()) as Kept
  const privateKey = createPrivateKey(tls)
  return createGateKeys({ privateKey, publicKey: createPublicKey(privateKey) }, Buffer.from(token, 'hex'))
}

/** Of the tenant `default`, whose data key is replaced; of others there is none. */
export async function resealGateKeys(
  tx: Tx,
  reseal: (purpose: string, sealed: string) => string,
): Promise<void> {
  const sealed = await tx.meta.get(META)
  if (sealed !== undefined) await tx.meta.set(META, reseal(PURPOSE, sealed))
}

export interface GateSettings {
  /** As instances reach it. */
  readonly url: string
  readonly listen: MachineGateDeps['listen']
}

export async function openGate(
  { url, listen, keys }: GateSettings & { readonly keys: GateKeys },
  deps: Pick<MachineGateDeps, 'host' | 'folderOf' | 'log'>,
): Promise<MachineGate> {
  const certificate = await selfSignedCertificate(keys.tls, new URL(url).hostname)
  return await openMachineGate({ ...deps, listen, keys, certificate })
}

/** Of instances of a cloud. */
export function machineChecks(of: {
  readonly gate: GateSettings | null
  /** Asks the cloud; throws what the owner may read. */
  readonly list: (signal: AbortSignal) => Promise<readonly unknown[]>
  readonly keys: () => Promise<GateKeys>
}): readonly DoctorCheck[] {
  const { gate, list, keys } = of
  return [
    {
      name: 'ec2',
      async run(signal) {
        try {
          const { length } = await list(signal)
          return { ok: true, said: `EC2 answers; it has ${length} things of machines` }
        } catch (error) {
          return { ok: false, said: error instanceof Error ? error.message : String(error) }
        }
      },
    },
    {
      name: 'machines',
      async run(signal) {
        if (gate === null)
          return {
            ok: true,
            warning: true,
            said: 'instances do not reach the daemon by themselves: set OAUTH3_MACHINES_URL',
          }
        const { pin } = await keys()
        try {
          const found = await pinAt(gate.url, signal)
          return found === pin
            ? { ok: true, said: `${gate.url} leads to this daemon, seen from here` }
            : { ok: false, said: `${gate.url} leads to somebody else: its key is another one` }
        } catch (error) {
          return { ok: false, said: `${gate.url} is not reached from here: ${(error as Error).message}` }
        }
      },
    },
  ]
}
