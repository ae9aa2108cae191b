/** The image of the browser. No runtime: a machine of it lives for long, and speaks with the daemon at sockets (`sandbox-images/browser`). */
import { type ImageSource, NODE_BINARY } from './runtimes.ts'

export const BROWSER_IMAGE: ImageSource = {
  name: 'browser',
  folder: 'browser',
  files: [
    'supervisor.mjs',
    'lead.mjs',
    'front.mjs',
    'sessions.mjs',
    'chromium.mjs',
    '../openclaw/init.sh',
    '../openclaw/control.mjs',
    '../openclaw/sockets.mjs',
    '../claude/lines.mjs',
    '../node/way-out.mjs',
  ],
  binaries: [NODE_BINARY],
  buildNeedsNetwork: true,
}
