/** The image of the Claude Code CLI. No runtime: nobody's code is run in it, but prompts are (`claude-runs`). */
import { readFileSync } from 'node:fs'
import { type ImageSource, NODE_BINARY, runtimeFile } from './runtimes.ts'

const PACKAGES = {
  amd64: '@anthropic-ai/claude-code-linux-x64',
  arm64: '@anthropic-ai/claude-code-linux-arm64',
} as const

export const CLAUDE_IMAGE: ImageSource = {
  name: 'claude',
  folder: 'claude',
  files: ['supervisor.mjs', 'claude-process.mjs', 'lines.mjs', '../node/way-out.mjs'],
  binaries: [NODE_BINARY, { name: 'claude', packages: PACKAGES, isFetched: true }],
  buildNeedsNetwork: false,
  // A command of the model's would speak in the name of the supervisor or of the CLI.
  isClosed: true,
}

/** The version that the lock file of the image's folder pins; what else is in the engine is another image. */
export function claudeVersion(): string {
  const manifest = JSON.parse(readFileSync(runtimeFile(CLAUDE_IMAGE, 'package.json'), 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>
  }
  const version = manifest.optionalDependencies[PACKAGES.amd64]
  if (version === undefined) throw new Error('the image of the Claude Code CLI pins no version')
  return version
}

/**
 * How the CLI is started ahead of a run. Nothing of a run stands here: model, system prompt and prompt are told to the process that
 * waits. `--bare` and what follows it keep files of the working folder from changing what the CLI does.
 */
export const CLAUDE_ARGUMENTS = [
  '-p',
  '--input-format',
  'stream-json',
  '--output-format',
  'stream-json',
  '--verbose',
  '--include-partial-messages',
  '--permission-prompt-tool',
  'stdio',
  '--disable-slash-commands',
  '--strict-mcp-config',
  '--setting-sources',
  '',
  '--restricted',
] as const

/** Of a process that waits, in addition: no tools, and a model that the run replaces. */
export const CLAUDE_WAITING = ['--bare', '--tools', '', '--model', 'sonnet'] as const
