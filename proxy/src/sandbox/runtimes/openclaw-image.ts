/** The image of OpenClaw. No runtime: a machine of it lives for long, and speaks with the daemon at sockets (`sandbox-images/openclaw`). */
import { readFileSync } from 'node:fs'
import { type ImageSource, NODE_BINARY, runtimeFile } from './runtimes.ts'

export const OPENCLAW_IMAGE: ImageSource = {
  name: 'openclaw',
  folder: 'openclaw',
  files: [
    'init.sh',
    'supervisor.mjs',
    'control.mjs',
    'gateway-process.mjs',
    'early-modules.mjs',
    'gateway-calls.mjs',
    'openclaw-config.mjs',
    'fill-compile-cache.mjs',
    'sockets.mjs',
    '../claude/lines.mjs',
    '../node/way-out.mjs',
    ...['package.json', 'openclaw.plugin.json', 'index.js', 'daemon.js', 'follow-up.js', 'tools.js'].map(
      (file) => `../../integrations/openclaw-plugin/${file}`,
    ),
  ],
  binaries: [NODE_BINARY],
  fetchesModules: true,
  buildNeedsNetwork: false,
}

/** The version that the lock file of the image's folder pins. */
export function openclawVersion(): string {
  const manifest = JSON.parse(readFileSync(runtimeFile(OPENCLAW_IMAGE, 'package.json'), 'utf8')) as {
    readonly dependencies: { readonly openclaw: string }
  }
  return manifest.dependencies.openclaw
}
