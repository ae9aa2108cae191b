import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One place that says which version this is; every one of them must say the same. */
interface VersionPlace {
  readonly file: string
  /** Each version that the file names; none is a mistake as well. */
  read(text: string): readonly string[]
}

const matches = (pattern: RegExp) => (text: string) =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? '')
const json = (text: string, ...path: string[]): string => {
  let value: unknown = JSON.parse(text)
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key]
  return String(value)
}

const VERSION_PLACES: readonly VersionPlace[] = [
  { file: 'package.json', read: (text) => [json(text, 'version')] },
  { file: 'proxy/package.json', read: (text) => [json(text, 'version')] },
  {
    file: 'package-lock.json',
    read: (text) =>
      [[], ['packages', ''], ['packages', 'proxy']].map((path) => json(text, ...path, 'version')),
  },
  { file: 'docker-compose.yml', read: matches(/image: oauth3(?:-images)?:(\S+)/g) },
  { file: 'docs/reference/openapi.json', read: (text) => [json(text, 'info', 'version')] },
  { file: 'README.md', read: matches(/^Status: (\d+\.\d+\.\d+(?:-[\w.-]*\w)?)/gm) },
]

/** Throws where package.json has no version of Semantic Versioning. */
export function versionOf(root: string): string {
  const version = json(readFileSync(join(root, 'package.json'), 'utf8'), 'version')
  if (!/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/.test(version))
    throw new Error(`package.json: "${version}" is no version`)
  return version
}

/** What says another version, or none. */
export function versionProblems(root: string, version: string): string[] {
  return VERSION_PLACES.flatMap(({ file, read }) => {
    const found = read(readFileSync(join(root, file), 'utf8'))
    if (found.length === 0) return [`${file} names no version`]
    return found.filter((one) => one !== version).map((one) => `${file} says ${one}, package.json ${version}`)
  })
}

export interface ReleaseNotes {
  readonly text: string
  /** Whether they stand in a section of the version with its day; else they are those of Unreleased. */
  readonly dated: boolean
}

/** The notes of a version in a changelog of the form of keepachangelog.com, or what is wrong with it. */
export function releaseNotes(
  changelog: string,
  version: string,
): ReleaseNotes | { readonly problem: string } {
  const sections = changelog.split(/^## /m).slice(1)
  const bodyOf = (section: string): string => section.slice(section.indexOf('\n') + 1).trim()
  const headOf = (section: string): string => section.slice(0, section.indexOf('\n')).trim()
  const [first = ''] = sections
  if (headOf(first) !== '[Unreleased]') return { problem: 'CHANGELOG.md does not begin with ## [Unreleased]' }
  const unformed = sections
    .slice(1)
    .find((section) => !/^\[\d+\.\d+\.\d+[\w.-]*\] - \d{4}-\d\d-\d\d$/.test(headOf(section)))
  if (unformed !== undefined)
    return { problem: `CHANGELOG.md: "${headOf(unformed)}" is not "[version] - YYYY-MM-DD"` }
  const own = sections.find((section) => headOf(section).startsWith(`[${version}] - `))
  const unreleased = bodyOf(first)
  if (own === undefined) {
    return unreleased === ''
      ? { problem: `CHANGELOG.md has no notes for ${version}` }
      : { text: unreleased, dated: false }
  }
  if (own !== sections[1]) return { problem: `CHANGELOG.md: ${version} is not the newest version` }
  if (unreleased !== '')
    return { problem: `CHANGELOG.md has notes under Unreleased above those of ${version}` }
  const text = bodyOf(own)
  return text === '' ? { problem: `CHANGELOG.md has no notes for ${version}` } : { text, dated: true }
}
