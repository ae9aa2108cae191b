import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a package asks of those who hand it on: its name, its licence, and the text of it. */
interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly license?: string
}

const TEXTS = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i

/** The licences of the packages that these files are of, as one text. Throws for a package that names none. */
export function licencesOf(files: readonly string[]): string {
  const folders = new Set(files.map(packageFolder).filter((folder) => folder !== undefined))
  const parts = [...folders].map((folder) => {
    const { name, version, license } = manifestOf(folder)
    if (license === undefined) throw new Error(`${name} names no licence`)
    const texts = readdirSync(folder)
      .filter((file) => TEXTS.test(file))
      .map((file) => readFileSync(join(folder, file), 'utf8').trim())
    return `${name} ${version} (${license})\n\n${texts.join('\n\n')}`.trim()
  })
  return `${[...new Set(parts)].sort().join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

/** The folder of the package that a file below node_modules belongs to. */
function packageFolder(file: string): string | undefined {
  if (!file.includes('/node_modules/')) return undefined
  for (let folder = dirname(file); folder.includes('/node_modules/'); folder = dirname(folder)) {
    // Packages mark folders of theirs as modules of one kind by manifests without a name.
    if (existsSync(join(folder, 'package.json')) && manifestOf(folder).name !== undefined) return folder
  }
  return undefined
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
