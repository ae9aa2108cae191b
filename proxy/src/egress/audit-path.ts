import { oneLine } from '../kernel/index.ts'
import { scrubText } from '../scrub/index.ts'
import type { EgressPolicy } from './policy.ts'

const AUDIT_PATH_CHARS = 256

/** A path as the audit may keep it: without query and fragment, secrets and what stands for them taken out, then cut. */
export function auditPathOf(policy: Pick<EgressPolicy, 'secrets' | 'scrubber'>, path: string): string {
  let [plain = ''] = path.split(/[?#]/, 1)
  for (const { name, stem } of policy.secrets) plain = plain.replaceAll(stem, `[secret:${name}]`)
  return oneLine(scrubText(policy.scrubber(), plain, { encoding: 'latin1' }), AUDIT_PATH_CHARS)
}
