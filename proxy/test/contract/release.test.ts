/** `npm run release` refuses what is not ready, and publishes nothing unasked. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyCheckout } from '../../scripts/checkout-copy.ts'
import { releaseNotes, versionOf, versionProblems } from '../../scripts/release-checks.ts'

const ROOT = join(import.meta.dirname, '../../..')
const VERSION = versionOf(ROOT)
/** The program may be tested out of its archive as well. */
const HAS_GIT = existsSync(join(ROOT, '.git'))

let folder: string | undefined
let checkout: string
beforeAll(() => {
  if (!HAS_GIT) return
  folder = mkdtempSync(join(tmpdir(), 'oauth3-release-test-'))
  checkout = join(folder, 'checkout')
  copyCheckout(checkout)
  git('init', '-q', '--bare', join(folder, 'origin'))
  git('remote', 'add', 'origin', join(folder, 'origin'))
})
afterAll(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }))

function git(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: checkout,
    encoding: 'utf8',
    env: { ...process.env, ...NOBODY },
  })
  expect(status, stderr).toBe(0)
  return stdout
}
const NOBODY = {
  GIT_AUTHOR_NAME: 'nobody',
  GIT_AUTHOR_EMAIL: 'nobody@example.com',
  GIT_COMMITTER_NAME: 'nobody',
  GIT_COMMITTER_EMAIL: 'nobody@example.com',
}

function release(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(checkout, 'proxy/scripts/release.ts'), ...args],
    {
      cwd: checkout,
      encoding: 'utf8',
      env: { ...process.env, ...NOBODY },
    },
  )
  return { status, output: `${stdout}${stderr}` }
}

/** Changes files of the copy for one look at it. */
async function having(
  changes: Record<string, (text: string) => string>,
  commit: boolean,
  look: () => void,
): Promise<void> {
  for (const [file, change] of Object.entries(changes)) {
    const path = join(checkout, file)
    const before = readFileSync(path, 'utf8')
    const after = change(before)
    expect(after, file).not.toBe(before)
    writeFileSync(path, after)
  }
  if (commit) git('commit', '-q', '-a', '-m', 'a change')
  try {
    look()
  } finally {
    git('reset', '-q', '--hard', commit ? 'HEAD~1' : 'HEAD')
  }
}

const remoteTags = (): string => git('ls-remote', '--tags', 'origin').trim()

describe.runIf(HAS_GIT)('a release', () => {
  it('as a dry run says what it would tag and push, builds the archive, and does neither', () => {
    for (const args of [['--dry-run'], []]) {
      const { status, output } = release(...args)
      expect(output).toContain(`would tag  v${VERSION} at ${git('rev-parse', 'HEAD').trim()}`)
      expect(output).toContain(`the archive builds, and its oauth3 says ${VERSION}`)
      expect(output).toMatch(/sha256 [0-9a-f]{64}/)
      expect(status).toBe(0)
    }
    expect(git('tag', '--list')).toBe('')
    expect(remoteTags()).toBe('')
  })

  it('of a tree that is not clean is refused', async () => {
    await having({ 'README.md': (text) => `${text}\nMore.\n` }, false, () => {
      const { status, output } = release('--dry-run')
      expect(output).toContain('the tree is not clean:\n M README.md')
      expect(status).toBe(1)
    })
  })

  it.each([
    ['package.json', `"version": "${VERSION}"`, '"version": "9.9.9"'],
    ['proxy/package.json', `"version": "${VERSION}"`, '"version": "9.9.9"'],
    ['package-lock.json', `"version": "${VERSION}"`, '"version": "9.9.9"'],
    ['docker-compose.yml', `image: oauth3:${VERSION}`, 'image: oauth3:9.9.9'],
    ['docker-compose.yml', `image: oauth3-images:${VERSION}`, 'image: oauth3-images:9.9.9'],
    ['docs/reference/openapi.json', `"version": "${VERSION}"`, '"version": "9.9.9"'],
    ['README.md', `Status: ${VERSION}`, 'Status: 9.9.9'],
    ['README.md', `Status: ${VERSION}`, 'State: soon'],
  ])('whose %s says another version is refused: %s → %s', async (file, from, to) => {
    await having({ [file]: (text) => text.replace(from, to) }, true, () => {
      expect(versionProblems(checkout, versionOf(checkout)).join()).toContain(
        file === 'package.json' ? '9.9.9' : file,
      )
      const { status, output } = release('--dry-run')
      expect(output).toContain('not ready')
      expect(status).toBe(1)
    })
  })

  it('that does not build is refused', async () => {
    await having({ 'proxy/src/version.ts': (text) => `${text}\nexport const broken = (\n` }, true, () => {
      const { status, output } = release('--dry-run')
      expect(output).toContain('the archive does not build')
      expect(status).toBe(1)
    })
  })

  it('whose archive lacks a file that the program needs is refused, although the folder has it', async () => {
    const attributes = (text: string): string => `${text}\nproxy/src/version.ts export-ignore\n`
    await having({ '.gitattributes': attributes }, true, () => {
      const { status, output } = release('--dry-run')
      expect(output).toContain('the archive does not build')
      expect(status).toBe(1)
    })
  })

  it('is not published while the changelog has no day for it; with one, the tag is made and pushed, once', async () => {
    expect(release('--publish')).toMatchObject({ status: 1 })
    expect(remoteTags()).toBe('')
    const changes = {
      'CHANGELOG.md': (text: string) =>
        text.replace('## [Unreleased]', `## [Unreleased]\n\n## [${VERSION}] - 2026-01-05`),
      'README.md': (text: string) => text.replace(/^(Status: .*), unreleased/m, '$1'),
    }
    await having(changes, true, () => {
      const { status, output } = release('--publish')
      expect(output).toContain(`v${VERSION}, and pushed to origin`)
      expect(status).toBe(0)
      expect(remoteTags()).toContain(`refs/tags/v${VERSION}`)
      expect(release('--dry-run').output).toContain(`v${VERSION} is a tag already`)
    })
  })
})

describe('the notes of a version', () => {
  const page = (...sections: string[]): string => ['# Changelog', ...sections].join('\n\n')

  it('of CHANGELOG.md are there, in the form of Keep a Changelog', () => {
    expect(releaseNotes(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'), VERSION)).toHaveProperty('text')
  })

  it('are those of its section, and those of Unreleased as long as it has none', () => {
    expect(releaseNotes(page('## [Unreleased]', '- new'), '1.0.0')).toEqual({ text: '- new', dated: false })
    const released = page(
      '## [Unreleased]',
      '## [1.0.0] - 2026-01-05',
      '- new',
      '## [0.9.0] - 2025-12-01',
      '- old',
    )
    expect(releaseNotes(released, '1.0.0')).toEqual({ text: '- new', dated: true })
  })

  it.each([
    ['no Unreleased on top', page('## [1.0.0] - 2026-01-05', '- new')],
    ['nothing at all', page('## [Unreleased]')],
    [
      'an empty section',
      page('## [Unreleased]', '## [1.0.0] - 2026-01-05', '## [0.9.0] - 2025-12-01', '- old'),
    ],
    ['notes that came after it', page('## [Unreleased]', '- newer', '## [1.0.0] - 2026-01-05', '- new')],
    [
      'a newer version above',
      page('## [Unreleased]', '## [1.1.0] - 2026-02-05', '- x', '## [1.0.0] - 2026-01-05', '- new'),
    ],
    ['a section without a day', page('## [Unreleased]', '- x', '## 1.0.0 (soon)', '- new')],
  ])('are refused with %s', (_what, changelog) => {
    expect(releaseNotes(changelog, '1.0.0')).toHaveProperty('problem')
  })
})
