/** What an instance of a cloud is handed as its user data: a script that leads to the gate, and what is good there once. */
import { readFileSync } from 'node:fs'
import type { MachineRef } from '../machines/index.ts'
import { type GateKeys, pathOf } from './gate-keys.ts'

const HERE = new URL('../../../../sandbox-images/', import.meta.url)
const FILES = { 'sockets.mjs': 'openclaw/sockets.mjs', 'bridge.mjs': 'instance/bridge.mjs' } as const
const END = 'END_OF_FILE'

const read = (name: string): string => readFileSync(new URL(name, HERE), 'utf8')
const fileOf = (name: string, text: string): string => `cat > ${name} <<'${END}'\n${text.trimEnd()}\n${END}`

/** Of at most 16,384 bytes, as EC2 has it; the same for the same incarnation, whichever daemon makes it. `url`: where instances reach the gate. */
export function createBootScripts(url: string, keys: GateKeys): (ref: MachineRef) => string {
  const script = read('instance/boot.sh')
  const files = Object.entries(FILES).map(([name, path]) => fileOf(name, read(path)))
  return (ref) => {
    const boot = JSON.stringify({ url, pin: keys.pin, path: pathOf(ref), token: keys.tokenOf(ref) })
    return script.replace('#{files}', () => [...files, fileOf('boot.json', boot)].join('\n'))
  }
}
