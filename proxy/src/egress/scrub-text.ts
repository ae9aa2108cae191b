import { oneLine } from '../kernel/index.ts'
import type { Scrubber } from '../scrub/index.ts'
import type { EgressPolicy } from './policy.ts'

/** Short text, one character a byte as node:http gives it, with every secret taken out. */
export function scrubText(scrubber: Scrubber, text: string): string {
  const stream = scrubber.stream()
  const first = stream.push(Buffer.from(text, 'latin1'))
  return Buffer.concat([first, stream.end()]).toString('latin1')
}

const AUDIT_PATH_CHARS = 256

/** A path as the audit may keep it: without query and fragment, secrets and what stands for them taken out, then cut. */
export function auditPathOf(policy: Pick<EgressPolicy, 'secrets' | 'scrubber'>, path: string): string {
  let [plain = ''] = path.split(/[?#]/, 1)
  for (const { name, placeholder } of policy.secrets)
    plain = plain.replaceAll(placeholder, `[secret:${name}]`)
  return oneLine(scrubText(policy.scrubber(), plain), AUDIT_PATH_CHARS)
}
