/**
 * Published ways out of a container that a version, as numbered, has no fix for. Distributions often mend a version
 * without renumbering it, so what stands here is a reason to look, never a verdict.
 */
export interface Escape {
  readonly cve: string
  /** Fixed in these, one for each branch that got the fix, oldest first; every later branch has it. */
  readonly fixed: readonly string[]
}

/** Those that a running container or its image can use. What needs checkpoints or Kubernetes is left out. */
const ESCAPES: Readonly<Record<string, readonly Escape[]>> = {
  runc: [
    { cve: 'CVE-2019-5736', fixed: ['1.0.0-rc7'] },
    { cve: 'CVE-2021-30465', fixed: ['1.0.0-rc95'] },
    { cve: 'CVE-2024-21626', fixed: ['1.1.12'] },
    { cve: 'CVE-2025-31133', fixed: ['1.2.8', '1.3.3', '1.4.0-rc.3'] },
    { cve: 'CVE-2025-52565', fixed: ['1.2.8', '1.3.3', '1.4.0-rc.3'] },
    { cve: 'CVE-2025-52881', fixed: ['1.2.8', '1.3.3', '1.4.0-rc.3'] },
  ],
  crun: [
    { cve: 'CVE-2019-18837', fixed: ['0.10.5'] },
    { cve: 'CVE-2025-24965', fixed: ['1.20'] },
    { cve: 'CVE-2026-88264', fixed: ['1.30'] },
    { cve: 'CVE-2026-88265', fixed: ['1.30'] },
  ],
  containerd: [{ cve: 'CVE-2020-15257', fixed: ['1.3.9', '1.4.3'] }],
}

/** Major, minor, patch and release candidate; a release counts as later than all its candidates. */
type Version = readonly [number, number, number, number]

/** Reads `1.1.5+ds1`, `v1.7.13`, `1.20`, `1.0-rc6`, `1.4.0-rc.3` and `1.0.0~rc93+ds1`. */
export function parseVersion(text: string): Version | undefined {
  const found = /^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:[-~]rc\.?(\d{1,6}))?/.exec(text)
  if (!found) return undefined
  const [, major, minor, patch, candidate] = found
  return [
    Number(major),
    Number(minor),
    Number(patch ?? 0),
    candidate === undefined ? Infinity : Number(candidate),
  ]
}

const isBefore = (a: Version, b: Version): boolean => {
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? 0
    if (part !== other) return part < other
  }
  return false
}

/** What the version lacks as numbered; undefined when it cannot be read. */
export function lackingFixes(program: string, version: string): readonly Escape[] | undefined {
  const parsed = parseVersion(version)
  if (!parsed) return undefined
  return (ESCAPES[program] ?? []).filter(({ fixed }) => {
    const versions = fixed.map(parseVersion).filter((known) => known !== undefined)
    const own = versions.find(([major, minor]) => major === parsed[0] && minor === parsed[1])
    const first = versions[0]
    return own ? isBefore(parsed, own) : first !== undefined && isBefore(parsed, first)
  })
}
